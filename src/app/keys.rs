//! `perennial keys`: issues, lists and revokes API keys.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::database::Database;
use super::failure::Failure;
use super::program::{COMMAND_POOL, find};
use super::settings::Settings;
use super::terminal::say;
use crate::kernel::clock::Instant;
use crate::kernel::scope::{Principal, ProgramScope};
use crate::platform::auth::{
    ApiKey, IssueError, KeyId, KeyName, KeyStatus, NewKey, Scope, Scopes, find_program_of, issue, list_all_keys,
    revoke_key,
};
use crate::platform::db::Db;

/// What can be done with keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Issue a key, and print it: it is kept nowhere, so this is the one time
    Create(CreateArgs),
    /// List a programme's keys, newest first; secrets are kept nowhere
    List {
        /// The programme
        #[arg(long)]
        program: String,
        /// Print JSON, one object a line
        #[arg(long)]
        json: bool,
    },
    /// Revoke a key: it is refused within seconds
    Revoke {
        /// The 16 digits after prn_
        id: String,
    },
}

/// How a key is issued.
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// The programme that it lets in to
    #[arg(long)]
    program: String,
    /// What it may do, separated by commas, such as orders:write,members:read; or all
    #[arg(long)]
    scopes: String,
    /// What people call it
    #[arg(long, default_value = "command line")]
    name: String,
    /// The first moment at which it is refused, such as 2027-01-01T00:00:00Z [default: never]
    #[arg(long, value_parser = instant)]
    expires_at: Option<Instant>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn instant(text: &str) -> Result<Instant, String> {
    text.parse().map_err(|_| "expected a time such as 2027-01-01T00:00:00Z".to_owned())
}

/// Does it.
///
/// # Errors
/// `Configuration` for a scope, name, programme or key that there is not.
pub async fn run(settings: &Settings, command: KeysCommand) -> Result<(), Failure> {
    match command {
        KeysCommand::Create(args) => {
            let new = wanted(&args)?;
            Database::with(settings, COMMAND_POOL, async |db| create(db, &args, &new).await).await
        }
        KeysCommand::List { program, json } => {
            Database::with(settings, COMMAND_POOL, async |db| list(db, &program, json).await).await
        }
        KeysCommand::Revoke { id } => {
            let wrong =
                || Failure::Configuration(format!("{id:?} is no key's id: it has 16 digits, 0 to 9 and a to f"));
            let key = KeyId::parse(id.trim_start_matches("prn_")).ok_or_else(wrong)?;
            Database::with(settings, COMMAND_POOL, async |db| revoke(db, key).await).await
        }
    }
}

fn wanted(args: &CreateArgs) -> Result<NewKey, Failure> {
    let scopes = if args.scopes.trim() == "all" { Ok(Scopes::all()) } else { args.scopes.parse() };
    let scopes = scopes.ok().filter(|scopes: &Scopes| !scopes.is_empty()).ok_or_else(|| {
        let known: Vec<&str> = Scope::ALL.iter().map(|scope| scope.name()).collect();
        Failure::Configuration(format!("--scopes {}: expected all, or some of {}", args.scopes, known.join(",")))
    })?;
    let name = KeyName::parse(args.name.as_str())
        .ok_or_else(|| Failure::Configuration("--name: expected 1 to 100 printable characters".to_owned()))?;
    Ok(NewKey { name, scopes, expires_at: args.expires_at })
}

async fn create(db: &Db, args: &CreateArgs, new: &NewKey) -> Result<(), Failure> {
    let (_, scope) = find(db, &args.program).await?;
    let token = give(db, &scope, new).await?;
    if args.json {
        let scopes: Vec<&str> = new.scopes.iter().map(Scope::name).collect();
        let line = json!({ "key": token, "program": args.program, "name": args.name, "scopes": scopes,
            "expires_at": args.expires_at });
        say(&line.to_string());
    } else {
        say(&token);
    }
    Ok(())
}

/// Issues a key, and answers it whole.
///
/// # Errors
/// `Configuration` for an expiry in the past, `Work` when there are too many keys.
pub(super) async fn give(db: &Db, scope: &ProgramScope, new: &NewKey) -> Result<String, Failure> {
    let mut conn = db.conn().await?;
    let issued = issue(&mut conn, scope, new).await?;
    Ok(issued.token.reveal())
}

impl From<IssueError> for Failure {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::ExpiryPassed | IssueError::Unknown => Self::Configuration(error.to_string()),
            IssueError::Db(error) => error.into(),
            IssueError::NotActive | IssueError::TooMany | IssueError::Exceeds(_) | IssueError::Entropy(_) => {
                Self::Work(error.to_string())
            }
        }
    }
}

async fn list(db: &Db, program: &str, json: bool) -> Result<(), Failure> {
    let (_, scope) = find(db, program).await?;
    let mut conn = db.conn().await?;
    for (key, now) in list_all_keys(&mut conn, &scope).await? {
        say(&if json { in_json(&key, now).to_string() } else { in_words(&key, now) });
    }
    Ok(())
}

fn status(key: &ApiKey, now: Instant) -> &'static str {
    match key.status(now) {
        KeyStatus::Active => "active",
        KeyStatus::Expired => "expired",
        KeyStatus::Revoked => "revoked",
    }
}

fn in_json(key: &ApiKey, now: Instant) -> Value {
    let scopes: Vec<&str> = key.scopes.iter().map(Scope::name).collect();
    json!({ "id": key.id.as_str(), "name": key.name, "status": status(key, now), "scopes": scopes,
        "created_at": key.created_at, "expires_at": key.expires_at, "last_used_at": key.last_used_at })
}

fn in_words(key: &ApiKey, now: Instant) -> String {
    let used = key.last_used_at.map_or_else(|| "never used".to_owned(), |at| format!("used {}", at.date_naive()));
    let status = status(key, now);
    format!("{}  {status}  {:?}  created {}  {used}  {}", key.id, key.name, key.created_at.date_naive(), key.scopes)
}

async fn revoke(db: &Db, key: KeyId) -> Result<(), Failure> {
    let mut conn = db.conn().await?;
    let program = find_program_of(&mut conn, key).await?;
    let program = program.ok_or_else(|| Failure::Configuration(format!("there is no key {key}")))?;
    revoke_key(&mut conn, &ProgramScope::new(program, Principal::Operator), key).await?;
    say(&format!("revoked {key}"));
    Ok(())
}
