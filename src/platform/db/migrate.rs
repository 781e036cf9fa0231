//! The schema's migrations, inside the binary.

use std::collections::BTreeMap;

use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel::{QueryableByName, sql_query};
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use tokio::task::spawn_blocking;

use super::error::DbError;
use super::pool::{Db, check_server, connect};
use super::url::DatabaseUrl;
use crate::kernel::id::LaneCount;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// Held while migrating, so that of several processes that start at once one works and the others wait ("perennia").
const MIGRATION_LOCK: i64 = 0x7065_7265_6e6e_6961;

/// How long a migration waits for a table that is in use, in seconds.
const TABLE_WAIT_MAX_S: u64 = 10;

/// Applies what is missing, and answers the names of it; `lanes` counts only for a database that has none yet.
///
/// # Errors
/// `Migration` when one fails: it leaves no trace, those before it stay; `TooNew` when it has some that this program lacks.
pub async fn migrate(url: &DatabaseUrl, lanes: LaneCount) -> Result<Vec<String>, DbError> {
    let mut conn = connect(url).await?;
    check_server(&mut conn).await?;
    sql_query("SELECT pg_advisory_lock($1)").bind::<BigInt, _>(MIGRATION_LOCK).execute(&mut conn).await?;
    check_age(&applied(&mut conn).await?)?;
    // After the wait for the other processes, which may be long: a table that is in use fails the migration, not the shop.
    sql_query("SELECT set_config('perennial.lanes', $1, false), set_config('lock_timeout', $2, false)")
        .bind::<Text, _>(lanes.0.to_string())
        .bind::<Text, _>(format!("{TABLE_WAIT_MAX_S}s"))
        .execute(&mut conn)
        .await?;
    // The harness blocks, so it gets a thread of its own; the lock goes with the connection.
    let ran = spawn_blocking(move || run_pending(conn)).await.map_err(|e| DbError::Migration(Box::new(e)))?;
    ran.map_err(DbError::Migration)
}

fn run_pending(conn: AsyncPgConnection) -> diesel::migration::Result<Vec<String>> {
    let mut harness: AsyncConnectionWrapper<AsyncPgConnection> = AsyncConnectionWrapper::from(conn);
    let pending = MigrationHarness::<Pg>::pending_migrations(&mut harness, MIGRATIONS)?;
    let mut names = Vec::with_capacity(pending.len());
    for migration in &pending {
        harness.run_migration(migration)?;
        names.push(migration.name().to_string());
    }
    Ok(names)
}

/// The names of the migrations that this database still lacks, in order; changes nothing.
///
/// # Errors
/// `TooNew` when it has some that this program lacks; when it cannot be asked.
pub async fn pending(db: &Db) -> Result<Vec<String>, DbError> {
    let applied = applied(&mut *db.conn().await?).await?;
    check_age(&applied)?;
    let mut lacking = embedded()?;
    lacking.retain(|version, _| !applied.contains(version));
    Ok(lacking.into_values().collect())
}

/// The version of the newest migration that a database has; `None` for one that nobody migrated.
///
/// # Errors
/// When the database cannot be asked.
pub async fn newest(conn: &mut AsyncPgConnection) -> Result<Option<String>, DbError> {
    Ok(applied(conn).await?.into_iter().max())
}

/// Whether this program has a migration of that version: a database with one that it lacks is of a newer program.
///
/// # Errors
/// When the migrations in the program cannot be read.
pub fn knows(version: &str) -> Result<bool, DbError> {
    Ok(embedded()?.contains_key(version))
}

/// Refuses a database with migrations that this program lacks: it does not know what they are for.
fn check_age(applied: &[String]) -> Result<(), DbError> {
    let known = embedded()?;
    let unknown: Vec<&str> =
        applied.iter().map(String::as_str).filter(|version| !known.contains_key(*version)).collect();
    if unknown.is_empty() { Ok(()) } else { Err(DbError::TooNew { unknown: unknown.join(", ") }) }
}

/// The migrations in the program: their names by their versions, in order.
fn embedded() -> Result<BTreeMap<String, String>, DbError> {
    let migrations: Vec<Box<dyn Migration<Pg>>> = MIGRATIONS.migrations().map_err(DbError::Migration)?;
    Ok(migrations.iter().map(|m| (m.name().version().to_string(), m.name().to_string())).collect())
}

#[derive(QueryableByName)]
struct KnownRow {
    #[diesel(sql_type = Bool)]
    known: bool,
}

#[derive(QueryableByName)]
struct VersionRow {
    #[diesel(sql_type = Text)]
    version: String,
}

/// The versions of the migrations that a database has.
async fn applied(conn: &mut AsyncPgConnection) -> Result<Vec<String>, DbError> {
    let table: KnownRow =
        sql_query("SELECT to_regclass('__diesel_schema_migrations') IS NOT NULL AS known").get_result(conn).await?;
    if !table.known {
        return Ok(Vec::new());
    }
    let rows: Vec<VersionRow> =
        sql_query("SELECT version FROM __diesel_schema_migrations ORDER BY version").load(conn).await?;
    Ok(rows.into_iter().map(|row| row.version).collect())
}
