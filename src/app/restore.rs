//! `perennial restore`: a private database from its backup, proven before it is there.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::available_parallelism;

use clap::Args;
use diesel_async::SimpleAsyncConnection;

use super::backup::{blocking, private_place};
use super::database::Database;
use super::failure::Failure;
use super::manifest::{DATA, DUMP, Facts, Manifest, Way};
use super::settings::{Place, Settings};
use super::signals::stop_when_told;
use super::terminal::{note, say};
use super::verify::{prove, tell};
use crate::loyalty::ledger::verify::check::Options;
use crate::platform::db::embedded::{Tools, Vacancy};
use crate::platform::db::{Db, PoolSize, Role, knows};

/// The role that the application works under.
const APPLICATION: &str = "perennial_app";

/// What to read of `perennial restore --help` beside its arguments.
pub const HELP: &str = "Into PERENNIAL_HOME, which must have no database yet. The files are compared with their digests, \
an older schema is brought up to date, and the ledger is verified, down to the heads of its journals as they stood \
when the backup was made. Only then does it take its place: until it says so, nothing has changed.";

/// Where a backup is.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// A directory that `perennial backup` made
    directory: PathBuf,
    /// Restore also a ledger that breaks its laws, or whose journals are not those of the manifest
    #[arg(long)]
    even_if_broken: bool,
}

/// Does it, and says what was done.
///
/// # Errors
/// `Configuration` when there is a database already, or the backup is of a newer program; `Work` when it is damaged.
pub async fn run(settings: &Settings, args: &RestoreArgs) -> Result<(), Failure> {
    let place = private_place(settings, "restore")?;
    let manifest = Manifest::read(&args.directory)?;
    if !knows(&manifest.facts.migration)? {
        return Err(Failure::Configuration(format!(
            "the backup is of Perennial {}, whose schema ({}) this one, {}, does not know: use that version or a later one",
            manifest.perennial,
            manifest.facts.migration,
            env!("CARGO_PKG_VERSION")
        )));
    }
    let stop: Arc<AtomicBool> = Arc::default();
    let listening = stop_when_told(&stop)?;
    let directory = args.directory.clone();
    let manifest = blocking(move || manifest.check_files(&directory).map(|()| manifest)).await?;
    let claimed = place.clone();
    let vacancy = blocking(move || Ok(Vacancy::claim(&claimed)?)).await?;
    let made = make(settings, &vacancy, &manifest, args, &stop).await;
    listening.abort();
    // What is left of an attempt that failed goes with the vacancy.
    made?;
    blocking(move || Ok(vacancy.settle()?)).await?;
    say(&format!(
        "restored into {} what {} showed at {}",
        place.home.display(),
        args.directory.display(),
        manifest.facts.made_at.format("%Y-%m-%d %H:%M:%S UTC")
    ));
    Ok(())
}

async fn make(
    settings: &Settings,
    vacancy: &Vacancy,
    manifest: &Manifest,
    args: &RestoreArgs,
    stop: &Arc<AtomicBool>,
) -> Result<(), Failure> {
    let staging = vacancy.staging().clone();
    match manifest.way {
        Way::Dump => check_tools(&Tools::of(&staging)?, manifest.postgres)?,
        Way::Files => {
            note("copying the files of the cluster");
            vacancy.lay(&args.directory.join(DATA), stop)?;
        }
    }
    let settings = Settings { database: Place::Private(staging), ..settings.clone() };
    let database = Database::locate(&settings).await?;
    let made = async {
        if manifest.way == Way::Dump {
            load(&database, &settings, &manifest.facts, args.directory.join(DUMP), stop).await?;
        }
        check(&database, &settings, &manifest.facts, args.even_if_broken).await
    };
    let made = made.await;
    database.close().await?;
    made
}

/// A dump is read by the version that wrote it and by later ones.
fn check_tools(tools: &Tools, made_by: u32) -> Result<(), Failure> {
    let major = tools.major();
    if major >= made_by {
        return Ok(());
    }
    Err(Failure::Configuration(format!(
        "the backup is of Postgres {made_by}, and here is Postgres {major}: install {made_by} or a later one (PG_BIN)"
    )))
}

async fn load(
    database: &Database,
    settings: &Settings,
    facts: &Facts,
    file: PathBuf,
    stop: &Arc<AtomicBool>,
) -> Result<(), Failure> {
    let Place::Private(place) = &settings.database else { return Ok(()) };
    let tools = Tools::of(place)?;
    note(&format!("loading with pg_restore {}", tools.major()));
    let db = Db::open(database.url(), PoolSize(1), Role::Owner).await?;
    let mut conn = db.dedicated().await?;
    // Roles belong to the cluster, not to the database, so they are in no dump of it; its grants name them.
    for role in &facts.roles {
        let name = role.replace('"', "\"\"");
        conn.batch_execute(&format!("CREATE ROLE \"{name}\" NOLOGIN")).await?;
        if role == APPLICATION {
            conn.batch_execute(&format!("GRANT {APPLICATION} TO CURRENT_USER")).await?;
        } else {
            note(&format!("the role {role} was made without a login and without members: see to them"));
        }
    }
    let (stop, jobs) = (Arc::clone(stop), available_parallelism().map_or(1, NonZeroUsize::get));
    let socket = database.socket_directory().map(Path::to_owned).unwrap_or_default();
    blocking(move || Ok(tools.load(&socket, &file, jobs, &stop)?)).await?;
    // A dump has no statistics.
    Ok(conn.batch_execute("ANALYZE").await?)
}

/// Brings the schema up to date and proves the ledger.
async fn check(database: &Database, settings: &Settings, facts: &Facts, even_if_broken: bool) -> Result<(), Failure> {
    let db = database.open(settings, PoolSize(1)).await?;
    let options = Options { heads: facts.heads.clone(), program: None };
    let proven = prove(&db, &options).await;
    let enforced = db.role_enforced();
    db.close();
    let (report, took) = proven?;
    tell(&report, took);
    let mut wrong: Vec<String> = report.broken.keys().map(|law| format!("the ledger breaks {law}")).collect();
    if report.heads != facts.heads {
        wrong.push(String::from("the journals do not stand where the manifest says"));
    }
    if !enforced {
        wrong.push(format!("the role {APPLICATION} is not there"));
    }
    if wrong.is_empty() {
        return Ok(());
    }
    let wrong = wrong.join(", ");
    if even_if_broken {
        note(&format!("{wrong}: restored all the same, as it was asked"));
        return Ok(());
    }
    Err(Failure::Work(format!("{wrong}: nothing was restored (--even-if-broken does it all the same)")))
}
