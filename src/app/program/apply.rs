//! `perennial program apply`: publishes a version of a programme's document.

use std::path::PathBuf;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::Args;
use serde_json::json;

use crate::app::failure::Failure;
use crate::app::program::file::DocumentFile;
use crate::app::program::{find, wrong};
use crate::app::terminal::say;
use crate::kernel::id::Version;
use crate::loyalty::program::document::Document;
use crate::loyalty::program::position::place;
use crate::loyalty::program::publish::{Publication, PublishError, Published, publish};
use crate::loyalty::program::store::find_version;
use crate::platform::db::Db;

/// What is published.
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// The document, in TOML, or in JSON where the file's name ends in .json
    file: PathBuf,
    /// The programme
    #[arg(long)]
    program: String,
    /// Why, for the list of versions
    #[arg(long, default_value = "")]
    note: String,
    /// From when it decides, such as 2026-12-01T00:00:00+01:00 [default: at once]
    #[arg(long)]
    at: Option<DateTime<Utc>>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Publishes it, unless the newest version says the same.
///
/// # Errors
/// `Configuration` for a document with mistakes or an unknown programme, `Work` when somebody else was faster.
pub(super) async fn apply(db: &Db, args: &ApplyArgs) -> Result<(), Failure> {
    let file = DocumentFile::read(&args.file)?;
    let document = file.document().map_err(|mistakes| wrong(&mistakes))?;
    let (row, scope) = find(db, &args.program).await?;
    let mut conn = db.conn().await?;
    let based_on = Version(row.version);
    let newest = find_version(&conn, &scope, based_on).await?;
    if args.at.is_none() && newest.is_some_and(|newest| says(&newest.document, &document)) {
        say(&unchanged(args, based_on));
        return Ok(());
    }
    let wanted = Publication { document: &document, based_on, starts: args.at, note: &args.note, draft: None };
    match publish(&mut conn, &scope, &wanted).await {
        Ok(published) => {
            say(&done(args, published));
            Ok(())
        }
        Err(PublishError::Mistakes(mut mistakes)) => {
            place(file.written(), &mut mistakes);
            Err(wrong(&mistakes))
        }
        Err(PublishError::Query(error)) => Err(error.into()),
        Err(error @ PublishError::Past) => Err(Failure::Configuration(error.to_string())),
        Err(error @ (PublishError::Outdated(_) | PublishError::DraftChanged | PublishError::Unreadable { .. })) => {
            Err(Failure::Work(error.to_string()))
        }
    }
}

fn says(stored: &str, document: &Document) -> bool {
    serde_json::from_str::<Document>(stored).is_ok_and(|stored| stored == *document)
}

fn unchanged(args: &ApplyArgs, newest: Version) -> String {
    if args.json {
        return json!({ "program": args.program, "version": newest.0, "published": false }).to_string();
    }
    format!("{} has version {}, which says the same: nothing to publish", args.program, newest.0)
}

fn done(args: &ApplyArgs, published: Published) -> String {
    let Published { version, starts } = published;
    if args.json {
        return json!({ "program": args.program, "version": version.0, "starts": starts, "published": true })
            .to_string();
    }
    let starts = starts.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    format!("published version {} of {}: it decides from {starts} on", version.0, args.program)
}
