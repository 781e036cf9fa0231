//! `perennial program`: creates, lists and shows programmes, looks at documents for them and publishes them.

mod apply;
mod diff;
mod file;
mod preview;
mod validate;

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::database::Database;
use super::failure::Failure;
use super::program::apply::{ApplyArgs, apply};
use super::program::diff::DiffArgs;
use super::program::preview::PreviewArgs;
use super::program::validate::ValidateArgs;
use super::settings::Settings;
use super::terminal::say;
use crate::kernel::calendar::Zone;
use crate::kernel::id::ProgramId;
use crate::kernel::money::Currency;
use crate::kernel::scope::{Principal, ProgramScope};
use crate::loyalty::program::create::{CreateError, ProgramCode, create};
use crate::loyalty::program::document::{Document, default_document};
use crate::loyalty::program::position::{Written, place};
use crate::loyalty::program::read::Mistake;
use crate::loyalty::program::store::{ProgramRow, find_program, list_programs, list_versions};
use crate::platform::db::{Db, PoolSize};
use crate::platform::entropy::uuid_v7;

/// What a command line needs of connections.
pub(super) const COMMAND_POOL: PoolSize = PoolSize(4);

/// What can be done with programmes.
#[derive(Debug, Subcommand)]
pub enum ProgramCommand {
    /// Create a programme: version 1 of its document is in force at once
    Create(CreateArgs),
    /// Publish a version of a programme's document; nothing where the newest one says the same
    Apply(ApplyArgs),
    /// List all programmes
    List {
        /// Print JSON, one object a line
        #[arg(long)]
        json: bool,
    },
    /// Print the newest version of a programme's document, in TOML
    Show {
        /// The programme
        code: String,
    },
    /// Name every mistake in a document, with its line and column; exit code 1 says that there are some
    Validate(ValidateArgs),
    /// Print what a document would change in the version in force
    Diff(DiffArgs),
    /// Replay the programme's past under a document and under the version in force, and print how they differ
    Preview(PreviewArgs),
}

/// How a programme is created.
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// What the command line calls it: a to z, 0 to 9 and _, a letter first
    code: String,
    /// What all its money is in, ISO 4217, such as EUR; fixed from then on
    #[arg(long, required_unless_present = "file")]
    currency: Option<String>,
    /// Whose days count, a name of the IANA database, such as Europe/Amsterdam; fixed from then on
    #[arg(long, required_unless_present = "file")]
    timezone: Option<String>,
    /// What members know it as [default: the code]
    #[arg(long)]
    name: Option<String>,
    /// The document, in TOML; where it is silent the options above speak, and they may not contradict it
    #[arg(long)]
    file: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Does it.
///
/// # Errors
/// `Configuration` for a document with mistakes or an unknown code.
pub async fn run(settings: &Settings, command: ProgramCommand) -> Result<(), Failure> {
    match command {
        ProgramCommand::Create(args) => {
            let code = ProgramCode::parse(&args.code).ok_or_else(|| {
                let shape = "a to z, 0 to 9 and _, a letter first, at most 40 characters";
                Failure::Configuration(format!("{:?} is no code: {shape}", args.code))
            })?;
            let document = written(&args)?;
            Database::with(settings, COMMAND_POOL, async |db| {
                let scope = make(db, &code, &document).await?;
                say(&created(&args, &scope, &document));
                Ok(())
            })
            .await
        }
        ProgramCommand::Apply(args) => Database::with(settings, COMMAND_POOL, async |db| apply(db, &args).await).await,
        ProgramCommand::List { json } => Database::with(settings, COMMAND_POOL, async |db| list(db, json).await).await,
        ProgramCommand::Show { code } => Database::with(settings, COMMAND_POOL, async |db| show(db, &code).await).await,
        ProgramCommand::Validate(args) => validate::run(&args),
        ProgramCommand::Diff(args) => {
            let after = args.document()?;
            Database::with(settings, COMMAND_POOL, async |db| diff::run(db, &args, &after).await).await
        }
        ProgramCommand::Preview(args) => {
            Database::with(settings, COMMAND_POOL, async |db| preview::run(db, &args).await).await
        }
    }
}

/// Creates a programme.
///
/// # Errors
/// `Configuration` with every mistake in the document, `Work` when the code is taken.
pub(super) async fn make(db: &Db, code: &ProgramCode, document: &Document) -> Result<ProgramScope, Failure> {
    let scope = ProgramScope::new(ProgramId(uuid_v7()), Principal::Operator);
    let mut conn = db.conn().await?;
    match create(&mut conn, &scope, code, document).await {
        Ok(()) => Ok(scope),
        Err(CreateError::CodeTaken) => Err(Failure::Work(format!("there is a programme {code} already"))),
        Err(CreateError::Mistakes(mistakes)) => Err(wrong(&mistakes)),
        Err(CreateError::Query(error)) => Err(error.into()),
    }
}

/// The programme of a code, in the operator's name.
///
/// # Errors
/// `Configuration` when there is none.
pub(super) async fn find(db: &Db, code: &str) -> Result<(ProgramRow, ProgramScope), Failure> {
    let conn = db.conn().await?;
    let unknown = || Failure::Configuration(format!("there is no programme {code}: see `perennial program list`"));
    let row = find_program(&conn, code).await?.ok_or_else(unknown)?;
    let scope = ProgramScope::new(ProgramId(row.program_id), Principal::Operator);
    Ok((row, scope))
}

/// That a document is wrong, with every mistake in it.
pub(super) fn wrong(mistakes: &[Mistake]) -> Failure {
    let lines: Vec<String> = mistakes.iter().map(|m| format!("\n  {m}")).collect();
    Failure::Configuration(format!("the document is wrong:{}", lines.concat()))
}

fn written(args: &CreateArgs) -> Result<Document, Failure> {
    if let Some(path) = &args.file {
        return from_file(args, path);
    }
    let currency = args.currency.as_deref().unwrap_or_default();
    let zone = args.timezone.as_deref().unwrap_or_default();
    let parsed = (Currency::parse(currency), zone.parse::<Zone>());
    match parsed {
        (Ok(currency), Ok(zone)) => Ok(default_document(args.name.as_ref().unwrap_or(&args.code), currency, zone)),
        (bad_currency, bad_zone) => {
            let currency = bad_currency.err().map(|e| Mistake::at(&["program", "currency"], e));
            let zone = bad_zone.err().map(|e| Mistake::at(&["program", "timezone"], e));
            Err(wrong(&currency.into_iter().chain(zone).collect::<Vec<_>>()))
        }
    }
}

fn from_file(args: &CreateArgs, path: &Path) -> Result<Document, Failure> {
    let unreadable = |e| Failure::Configuration(format!("{} cannot be read: {e}", path.display()));
    let text = fs::read_to_string(path).map_err(unreadable)?;
    let Ok(mut table) = text.parse::<toml::Table>() else {
        return Document::from_toml(&text).map_err(|mistakes| wrong(&mistakes));
    };
    let mut contradictions = Vec::new();
    let program = table.entry("program").or_insert_with(|| toml::Table::new().into());
    if let Some(program) = program.as_table_mut() {
        for (key, said) in [("name", &args.name), ("currency", &args.currency), ("timezone", &args.timezone)] {
            let Some(said) = said else { continue };
            let stated = program.entry(key).or_insert_with(|| said.clone().into());
            if stated.as_str().is_some_and(|stated| stated != said) {
                let message = format!("the file says {stated}, and --{key} says {said:?}");
                contradictions.push(Mistake::at(&["program", key], message));
            }
        }
    }
    let read = Document::from_toml(&table.to_string());
    let mistakes = contradictions.into_iter().chain(read.as_ref().err().into_iter().flatten().cloned());
    // Their places are those of the text that was read: here, in the file as it is written.
    let mut mistakes: Vec<Mistake> = mistakes.map(|mistake| Mistake { position: None, ..mistake }).collect();
    place(Written::Toml(&text), &mut mistakes);
    read.ok().filter(|_| mistakes.is_empty()).ok_or_else(|| wrong(&mistakes))
}

fn created(args: &CreateArgs, scope: &ProgramScope, document: &Document) -> String {
    let program = &document.program;
    if args.json {
        let id = scope.program().0;
        return json!({ "id": id, "code": args.code, "name": program.name, "currency": program.currency,
            "timezone": program.timezone, "version": 1 })
        .to_string();
    }
    format!("created {} ({}, {}, {}), version 1", args.code, program.name, program.currency, program.timezone)
}

async fn list(db: &Db, json: bool) -> Result<(), Failure> {
    let conn = db.conn().await?;
    let programs = list_programs(&conn).await?;
    if programs.is_empty() && !json {
        say("there is no programme yet: create one with `perennial program create`");
    }
    for row in programs {
        say(&if json { in_json(&row).to_string() } else { in_words(&row) });
    }
    Ok(())
}

fn in_json(row: &ProgramRow) -> Value {
    json!({ "id": row.program_id, "code": row.code, "currency": row.currency, "timezone": row.timezone,
        "version": row.version, "created_at": row.created_at })
}

fn in_words(row: &ProgramRow) -> String {
    let created = row.created_at.date_naive();
    format!("{}  {}  {}  version {}  created {created}", row.code, row.currency, row.timezone, row.version)
}

async fn show(db: &Db, code: &str) -> Result<(), Failure> {
    let (row, scope) = find(db, code).await?;
    let conn = db.conn().await?;
    let versions = list_versions(&conn, scope.program()).await?;
    let newest = versions.iter().find(|v| v.version == row.version).or(versions.last());
    let unreadable = |why: String| Failure::Work(format!("version {} cannot be read: {why}", row.version));
    let newest = newest.ok_or_else(|| unreadable("it is missing".to_owned()))?;
    let document: Document = serde_json::from_str(&newest.document).map_err(|e| unreadable(e.to_string()))?;
    say(document.to_toml().map_err(|e| unreadable(e.to_string()))?.trim_end());
    Ok(())
}
