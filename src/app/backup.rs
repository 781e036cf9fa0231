//! `perennial backup`: the private database, whole, in a directory of its own.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;
use diesel::sql_types::{Text, Timestamptz};
use diesel::{QueryableByName, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use tokio::task::spawn_blocking;

use super::failure::Failure;
use super::manifest::{DATA, DUMP, Facts, Manifest, Way};
use super::settings::{Place, Settings};
use super::signals::stop_when_told;
use super::terminal::{note, say};
use crate::kernel::clock::Instant;
use crate::loyalty::ledger::store::list_heads;
use crate::loyalty::ledger::verify::heads::Head;
use crate::platform::db::embedded::{Cluster, ClusterPlace, Tools, has_data, sync};
use crate::platform::db::{DatabaseUrl, Db, DbError, PoolSize, Role, newest};

/// What to read of `perennial backup --help` beside its arguments.
pub const HELP: &str =
    "For the private Postgres of PERENNIAL_HOME. By pg_dump where the server's programs have it, also \
while `perennial serve` runs: the backup shows one moment, and has every order that was answered before it began. \
Without pg_dump by a copy of the cluster's files, while nobody uses it. What it holds is personal data: its files are \
for their owner alone. The directory is whole when it has its name; what was interrupted ends in `.part`.
A server of your own (DATABASE_URL) is backed up with its own means: docs/operating.md.";

/// Where a backup goes.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// A directory that does not exist, or is empty
    directory: PathBuf,
    /// How [default: dump where pg_dump is installed, else files]
    #[arg(long, value_enum)]
    way: Option<Way>,
}

/// Does it, and says how.
///
/// # Errors
/// `Configuration` when there is nothing to back up, or the directory cannot take it.
pub async fn run(settings: &Settings, args: &BackupArgs) -> Result<(), Failure> {
    let place = private_place(settings, "backup")?;
    let target = Target::check(&args.directory, place)?;
    if !has_data(place) {
        return Err(Failure::Configuration(format!("there is no database in {}", place.home.display())));
    }
    let tools = Tools::of(place)?;
    let way = args.way.unwrap_or(if tools.program("pg_dump").is_some() { Way::Dump } else { Way::Files });
    let stop = Arc::default();
    let listening = stop_when_told(&stop)?;
    target.make()?;
    let made = make(place, tools, way, &target, &stop).await;
    let done = made.and_then(|manifest| target.finish().map(|()| manifest));
    listening.abort();
    if done.is_err() {
        target.discard();
    }
    let manifest = done?;
    let by = match way {
        Way::Dump => "pg_dump",
        Way::Files => "a copy of the files",
    };
    say(&format!(
        "backed up by {by} of Postgres {}: {} journal rows, {} bytes in {}",
        manifest.postgres,
        manifest.journal_rows(),
        manifest.bytes(),
        args.directory.display()
    ));
    Ok(())
}

/// The private cluster's place, for the commands that are about nothing else.
///
/// # Errors
/// `Configuration` when the operator has a server of their own.
pub fn private_place<'a>(settings: &'a Settings, command: &str) -> Result<&'a ClusterPlace, Failure> {
    match &settings.database {
        Place::Private(place) => Ok(place),
        Place::Url(_) => Err(Failure::Configuration(format!(
            "`perennial {command}` is for the private Postgres of PERENNIAL_HOME, and DATABASE_URL names a server of \
             your own: use pg_dump and pg_restore there, or your provider's backups (docs/operating.md)"
        ))),
    }
}

async fn make(
    place: &ClusterPlace,
    tools: Tools,
    way: Way,
    target: &Target,
    stop: &Arc<AtomicBool>,
) -> Result<Manifest, Failure> {
    let postgres = tools.major();
    let facts = match way {
        Way::Dump => {
            note(&format!("dumping with pg_dump {postgres}; `perennial serve` may go on"));
            dump(place, tools, target.part.join(DUMP), stop).await?
        }
        Way::Files => {
            note("copying the files of the cluster, which stands still meanwhile");
            copy(place, target.part.join(DATA), stop).await?
        }
    };
    let part = target.part.clone();
    blocking(move || {
        let manifest = Manifest::describe(&part, way, postgres, facts)?;
        manifest.write(&part)?;
        Ok(manifest)
    })
    .await
}

async fn dump(place: &ClusterPlace, tools: Tools, file: PathBuf, stop: &Arc<AtomicBool>) -> Result<Facts, Failure> {
    let cluster = Cluster::start(place).await?;
    let (socket, stop) = (cluster.socket_directory().to_owned(), Arc::clone(stop));
    let dumped = async {
        let mut conn = owner(cluster.url()).await?;
        let facts = facts(&mut conn).await?;
        let row: SnapshotRow = sql_query("SELECT pg_export_snapshot() AS name").get_result(&mut conn).await?;
        // The facts are those of the very snapshot that is dumped.
        blocking(move || Ok(tools.dump(&socket, &row.name, &file, &stop).and_then(|()| sync(&file))?)).await?;
        conn.batch_execute("COMMIT").await?;
        Ok(facts)
    };
    let dumped = dumped.await;
    cluster.stop().await?;
    dumped
}

async fn copy(place: &ClusterPlace, into: PathBuf, stop: &Arc<AtomicBool>) -> Result<Facts, Failure> {
    let look = async |url: &DatabaseUrl| facts(&mut owner(url).await?).await;
    let (facts, still) = Cluster::alone(place, look).await?;
    let (facts, stop) = (facts?, Arc::clone(stop));
    blocking(move || Ok(still.copy(&into, &stop)?)).await?;
    Ok(facts)
}

async fn owner(url: &DatabaseUrl) -> Result<AsyncPgConnection, Failure> {
    let mut conn = Db::open(url, PoolSize(1), Role::Owner).await?.dedicated().await?;
    // It holds its snapshot for as long as pg_dump takes to begin, on a busy disk.
    conn.batch_execute("SET idle_in_transaction_session_timeout = 0").await?;
    Ok(conn)
}

#[derive(QueryableByName)]
struct SnapshotRow {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct ClockRow {
    #[diesel(sql_type = Timestamptz)]
    at: Instant,
}

/// What is so in the database, in a transaction that stays open.
async fn facts(conn: &mut AsyncPgConnection) -> Result<Facts, Failure> {
    conn.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let migration = newest(conn).await?;
    let empty = || Failure::Configuration(String::from("the database was never migrated: there is nothing in it"));
    let migration = migration.ok_or_else(empty)?;
    let clock: ClockRow = sql_query("SELECT clock_timestamp() AS at").get_result(conn).await?;
    let roles = "SELECT rolname::text AS name FROM pg_roles WHERE NOT rolsuper AND rolname !~ '^pg_'";
    let roles: Vec<SnapshotRow> = sql_query(roles).load(conn).await?;
    let heads = list_heads(conn).await.map_err(DbError::from)?;
    Ok(Facts {
        made_at: clock.at,
        migration,
        roles: roles.into_iter().map(|role| role.name).collect::<BTreeSet<_>>(),
        heads: heads.into_iter().map(|(lane, number, digest, _)| Head { lane, number, digest }).collect(),
    })
}

/// Runs what blocks on a thread for such.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    spawn_blocking(work).await.map_err(|error| Failure::Work(error.to_string()))?
}

/// The directory that a backup gets, and the one in which it is made.
struct Target {
    directory: PathBuf,
    parent: PathBuf,
    part: PathBuf,
}

impl Target {
    /// Whether a directory can take a backup; makes nothing.
    fn check(directory: &Path, place: &ClusterPlace) -> Result<Self, Failure> {
        let no = |why: &str| Failure::Configuration(format!("{} cannot take a backup: {why}", directory.display()));
        let failed = |error: io::Error| no(&error.to_string());
        let name = directory.file_name().ok_or_else(|| no("it has no name"))?;
        let parent = match directory.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let parent_meta = fs::metadata(parent).map_err(|error| no(&format!("{}: {error}", parent.display())))?;
        let cluster = place.home.join("postgres");
        if parent.canonicalize().and_then(|parent| Ok(parent.starts_with(cluster.canonicalize()?))).unwrap_or(false) {
            return Err(no("it lies in what is backed up"));
        }
        match fs::symlink_metadata(directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
            Ok(meta) if !meta.is_dir() => return Err(no("it is not a directory")),
            Ok(_) if fs::read_dir(directory).map_err(failed)?.next().is_some() => return Err(no("it is not empty")),
            // What is made beside it could not be moved there.
            Ok(meta) if meta.dev() != parent_meta.dev() => {
                return Err(no("it is another file system: name a directory in it"));
            }
            Ok(_) => {}
        }
        let mut part = name.to_owned();
        part.push(".part");
        Ok(Self { directory: directory.to_owned(), parent: parent.to_owned(), part: parent.join(part) })
    }

    /// Makes the directory for a backup that is not whole.
    fn make(&self) -> Result<(), Failure> {
        let made = DirBuilder::new().mode(0o700).create(&self.part);
        made.map_err(|error| {
            let part = self.part.display();
            Failure::Configuration(match error.kind() {
                io::ErrorKind::AlreadyExists => {
                    format!("{part} exists: another backup is being made there, or one was interrupted; remove it")
                }
                _ => format!("{part} cannot be made: {error}"),
            })
        })
    }

    /// Gives a whole backup its name.
    fn finish(&self) -> Result<(), Failure> {
        sync(&self.part)?;
        fs::rename(&self.part, &self.directory)
            .map_err(|error| Failure::Work(format!("cannot rename {}: {error}", self.part.display())))?;
        Ok(sync(&self.parent)?)
    }

    fn discard(&self) {
        if let Err(error) = fs::remove_dir_all(&self.part) {
            note(&format!("{} was not removed: {error}", self.part.display()));
        }
    }
}
