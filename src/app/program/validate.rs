//! `perennial program validate`: every mistake in a document, before anybody publishes it.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::app::failure::Failure;
use crate::app::program::file::DocumentFile;
use crate::app::terminal::say;

/// What is validated.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// The document, in TOML, or in JSON when the file's name ends in .json
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Does it. Needs no database.
///
/// # Errors
/// `Configuration` when there is no such file, `Work` when there are mistakes in it.
pub fn run(args: &ValidateArgs) -> Result<(), Failure> {
    let file = DocumentFile::read(&args.file)?;
    let mistakes = file.document().err().unwrap_or_default();
    if args.json {
        say(&json!({ "mistakes": mistakes }).to_string());
    } else if mistakes.is_empty() {
        say(&format!("{} has no mistakes", args.file.display()));
    } else {
        mistakes.iter().for_each(|mistake| say(&mistake.to_string()));
    }
    if mistakes.is_empty() { Ok(()) } else { Err(Failure::Work(told(&args.file, mistakes.len()))) }
}

fn told(file: &Path, mistakes: usize) -> String {
    let noun = if mistakes == 1 { "mistake" } else { "mistakes" };
    format!("{} has {mistakes} {noun}", file.display())
}
