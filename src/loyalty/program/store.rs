//! Programmes and their versions as rows.

use diesel::QueryResult;
use diesel::sql_types::{Int4, SmallInt, Text, Timestamptz, Uuid};
use diesel::{OptionalExtension, Queryable};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use indexmap::IndexMap;
use uuid::Uuid as Id;

use crate::kernel::clock::Instant;
use crate::kernel::id::{ProgramId, Version};
use crate::kernel::scope::ProgramScope;
use crate::loyalty::program::model::Slot;
use crate::statement;

statement! {
    /// The versions of a programme, oldest first.
    ListVersions { program: Id => Uuid } -> (Int4, Timestamptz, Text, Text, Text, Timestamptz),
    "SELECT version, starts, document, author, note, created_at FROM program_versions \
     WHERE program_id = ? ORDER BY version"
}

statement! {
    /// A version of a programme.
    FindVersion { program: Id => Uuid, version: i32 => Int4 } -> (Int4, Timestamptz, Text, Text, Text, Timestamptz),
    "SELECT version, starts, document, author, note, created_at FROM program_versions \
     WHERE program_id = ? AND version = ?"
}

statement! {
    /// The version of a programme that decides now: of those that have started the newest.
    FindVersionInForce { program: Id => Uuid } -> (Int4, Timestamptz, Text, Text, Text, Timestamptz),
    "SELECT version, starts, document, author, note, created_at FROM program_versions \
     WHERE program_id = ? AND starts <= clock_timestamp() ORDER BY version DESC LIMIT 1"
}

statement! {
    /// The wallets of a programme, by slot.
    ListSlots { program: Id => Uuid } -> (Text, SmallInt),
    "SELECT code, slot FROM program_wallets WHERE program_id = ? ORDER BY slot"
}

statement! {
    /// The programme of a code.
    FindProgram { code: String => Text } -> (Uuid, Text, Text, Text, Int4, Timestamptz),
    "SELECT program_id, code, currency, timezone, version, created_at FROM programs WHERE code = ?"
}

statement! {
    /// All programmes.
    ListPrograms {} -> (Uuid, Text, Text, Text, Int4, Timestamptz),
    "SELECT program_id, code, currency, timezone, version, created_at FROM programs ORDER BY code"
}

statement! {
    /// A new programme; nothing when the code is taken.
    InsertProgram {
        program: Id => Uuid, code: String => Text, currency: String => Text, timezone: String => Text,
        version: i32 => Int4,
    } -> Timestamptz,
    "INSERT INTO programs (program_id, code, currency, timezone, version, created_at) \
     VALUES (?, ?, ?, ?, ?, clock_timestamp()) ON CONFLICT ON CONSTRAINT programs_code_unique DO NOTHING \
     RETURNING created_at"
}

statement! {
    /// A new version.
    InsertVersion {
        program: Id => Uuid, version: i32 => Int4, starts: Instant => Timestamptz, document: String => Text,
        author: String => Text, note: String => Text,
    } -> Timestamptz,
    "INSERT INTO program_versions (program_id, version, starts, document, author, note, created_at) \
     VALUES (?, ?, ?, ?, ?, ?, clock_timestamp())"
}

statement! {
    /// A slot for a new wallet.
    InsertSlot { program: Id => Uuid, code: String => Text, slot: i16 => SmallInt } -> SmallInt,
    "INSERT INTO program_wallets (program_id, code, slot) VALUES (?, ?, ?)"
}

/// A stored version.
#[derive(Clone, Debug, Queryable)]
pub struct VersionRow {
    /// Its number.
    pub version: i32,
    /// From when it decides.
    pub starts: Instant,
    /// The document as JSON.
    pub document: String,
    /// Who published it.
    pub author: String,
    /// Why.
    pub note: String,
    /// When it was published.
    pub created_at: Instant,
}

/// A stored programme.
#[derive(Clone, Debug, Queryable)]
pub struct ProgramRow {
    /// Its id.
    pub program_id: Id,
    /// Its name on the command line.
    pub code: String,
    /// ISO 4217.
    pub currency: String,
    /// IANA.
    pub timezone: String,
    /// The newest version.
    pub version: i32,
    /// When it was created.
    pub created_at: Instant,
}

/// The versions of a programme, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn list_versions(conn: &AsyncPgConnection, program: ProgramId) -> QueryResult<Vec<VersionRow>> {
    ListVersions { program: program.0 }.load(&mut &*conn).await
}

/// A version of the programme; `None` when it has none of that number.
///
/// # Errors
/// When the database fails.
pub async fn find_version(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
    version: Version,
) -> QueryResult<Option<VersionRow>> {
    let find = FindVersion { program: scope.program().0, version: version.0 };
    find.get_result(&mut &*conn).await.optional()
}

/// The version of the programme that decides now.
///
/// # Errors
/// When the database fails.
pub async fn find_version_in_force(conn: &AsyncPgConnection, scope: &ProgramScope) -> QueryResult<Option<VersionRow>> {
    FindVersionInForce { program: scope.program().0 }.get_result(&mut &*conn).await.optional()
}

/// Where each wallet's figures stand, by slot.
///
/// # Errors
/// When the database fails.
pub async fn list_slots(conn: &AsyncPgConnection, program: ProgramId) -> QueryResult<IndexMap<String, Slot>> {
    let rows: Vec<(String, i16)> = ListSlots { program: program.0 }.load(&mut &*conn).await?;
    Ok(rows.into_iter().map(|(code, slot)| (code, Slot(slot))).collect())
}

/// The programme of a code, for the command line.
///
/// # Errors
/// When the database fails.
pub async fn find_program(conn: &AsyncPgConnection, code: &str) -> QueryResult<Option<ProgramRow>> {
    FindProgram { code: code.to_owned() }.get_result(&mut &*conn).await.optional()
}

/// All programmes of the deployment, for the command line.
///
/// # Errors
/// When the database fails.
pub async fn list_programs(conn: &AsyncPgConnection) -> QueryResult<Vec<ProgramRow>> {
    ListPrograms {}.load(&mut &*conn).await
}

/// Inserts a programme; false when its code is taken.
///
/// # Errors
/// When the database fails.
pub async fn insert_program(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
    code: &str,
    currency: &str,
    timezone: &str,
) -> QueryResult<bool> {
    let insert = InsertProgram {
        program: scope.program().0,
        code: code.to_owned(),
        currency: currency.to_owned(),
        timezone: timezone.to_owned(),
        version: 1,
    };
    let created: Option<Instant> = insert.get_result(&mut &*conn).await.optional()?;
    Ok(created.is_some())
}

/// Inserts a version of a programme.
///
/// # Errors
/// When the database fails, or has that version.
pub async fn insert_version(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
    version: Version,
    starts: Instant,
    document: String,
    note: &str,
) -> QueryResult<()> {
    let insert = InsertVersion {
        program: scope.program().0,
        version: version.0,
        starts,
        document,
        author: scope.principal().to_string(),
        note: note.to_owned(),
    };
    insert.execute(&mut &*conn).await.map(drop)
}

/// Gives a wallet its slot.
///
/// # Errors
/// When the database fails, or the slot is taken.
pub async fn insert_slot(conn: &AsyncPgConnection, scope: &ProgramScope, code: &str, slot: Slot) -> QueryResult<()> {
    let insert = InsertSlot { program: scope.program().0, code: code.to_owned(), slot: slot.0 };
    insert.execute(&mut &*conn).await.map(drop)
}
