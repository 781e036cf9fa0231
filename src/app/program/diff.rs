//! `perennial program diff`: what a document would change.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::app::failure::Failure;
use crate::app::program::file::DocumentFile;
use crate::app::program::{find, wrong};
use crate::app::terminal::say;
use crate::loyalty::program::diff::diff;
use crate::loyalty::program::document::Document;
use crate::loyalty::program::store::find_version_in_force;
use crate::platform::db::Db;

/// What is compared.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The document, in TOML, or in JSON when the file's name ends in .json
    file: PathBuf,
    /// The programme whose version in force it is compared with
    #[arg(long = "program", value_name = "CODE")]
    program: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl DiffArgs {
    /// Reads the file.
    ///
    /// # Errors
    /// `Configuration` when it cannot be read, or with every mistake in it.
    pub fn document(&self) -> Result<Document, Failure> {
        DocumentFile::read(&self.file)?.document().map_err(|mistakes| wrong(&mistakes))
    }
}

/// Does it.
///
/// # Errors
/// `Configuration` when there is no such programme, `Work` when its version cannot be read.
pub async fn run(db: &Db, args: &DiffArgs, after: &Document) -> Result<(), Failure> {
    let (_, scope) = find(db, &args.program).await?;
    let row = find_version_in_force(&*db.conn().await?, &scope).await?;
    let row = row.ok_or_else(|| Failure::Work("no version is in force".to_owned()))?;
    let unreadable = |e| Failure::Work(format!("version {} cannot be read: {e}", row.version));
    let before: Document = serde_json::from_str(&row.document).map_err(unreadable)?;
    let changes = diff(&before, after);
    if args.json {
        say(&json!({ "version": row.version, "changes": changes }).to_string());
    } else if changes.is_empty() {
        say(&format!("{} changes nothing in version {}", args.file.display(), row.version));
    } else {
        changes.iter().for_each(|change| say(&change.to_string()));
    }
    Ok(())
}
