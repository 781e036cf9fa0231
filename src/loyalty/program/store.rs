//! Programmes and their versions as rows.

use diesel::QueryResult;
use diesel::sql_types::{Array, BigInt, Int4, Nullable, SmallInt, Text, Timestamptz, Uuid};
use diesel::{OptionalExtension, Queryable};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid as Id;

use crate::kernel::clock::Instant;
use crate::kernel::id::{ProgramId, Version};
use crate::kernel::scope::ProgramScope;
use crate::loyalty::program::model::{CountedSlot, SegmentSlot, Slot, TierSlot};
use crate::loyalty::program::slots::Slots;
use crate::statement;

/// The stored number of the kind of code that earning rules have.
const RULE: i16 = 1;
/// The same of tiers.
const TIER: i16 = 2;
/// The same of lists of members.
const SEGMENT: i16 = 3;

statement! {
    /// The versions of a programme, oldest first.
    ListVersions { program: Id => Uuid } -> (Int4, Timestamptz, Text, Text, Text, Timestamptz),
    "SELECT version, starts, document, author, note, created_at FROM program_versions \
     WHERE program_id = ? ORDER BY version"
}

statement! {
    /// The versions of a programme after one, oldest first.
    ListVersionsAfter { program: Id => Uuid, version: i32 => Int4 } -> (Int4, Timestamptz, Text, Text, Text, Timestamptz),
    "SELECT version, starts, document, author, note, created_at FROM program_versions \
     WHERE program_id = ? AND version > ? ORDER BY version"
}

statement! {
    /// One version of a programme.
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
    /// Locks all lanes in the order of their numbers, and answers the last moment at which any was written.
    LockAllLanes {} -> Nullable<Timestamptz>,
    "SELECT max(moment) FROM (SELECT moment FROM lanes ORDER BY lane FOR UPDATE) AS l"
}

statement! {
    /// Postgres's clock.
    ReadClock {} -> Timestamptz,
    "SELECT clock_timestamp()"
}

statement! {
    /// The newest version of a programme.
    FindNewest { program: Id => Uuid } -> Int4,
    "SELECT version FROM programs WHERE program_id = ?"
}

statement! {
    /// The newest version of a programme, locked.
    LockProgram { program: Id => Uuid } -> Int4,
    "SELECT version FROM programs WHERE program_id = ? FOR UPDATE"
}

statement! {
    /// The newest version of a programme.
    SetVersion { version: i32 => Int4, program: Id => Uuid } -> Int4,
    "UPDATE programs SET version = ? WHERE program_id = ?"
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
    /// What stands in accounts for parts of a programme, by slot.
    ListCodes { program: Id => Uuid, kind: i16 => SmallInt } -> (Text, Int4),
    "SELECT code, slot FROM program_codes WHERE program_id = ? AND kind = ? ORDER BY slot"
}

statement! {
    /// What stands for a new part.
    InsertCode { program: Id => Uuid, kind: i16 => SmallInt, code: String => Text, slot: i32 => Int4 } -> Int4,
    "INSERT INTO program_codes (program_id, kind, code, slot) VALUES (?, ?, ?, ?)"
}

statement! {
    /// A slot for a new wallet.
    InsertSlot { program: Id => Uuid, code: String => Text, slot: i16 => SmallInt } -> SmallInt,
    "INSERT INTO program_wallets (program_id, code, slot) VALUES (?, ?, ?)"
}

statement! {
    /// How far counters of rules are used.
    ListUsed { program: Id => Uuid, rules: Vec<String> => Array<Text> } -> (Text, Text, BigInt),
    "SELECT rule, period, used FROM counters WHERE program_id = ? AND rule = ANY (?)"
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

/// The versions of a programme after one, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn list_versions_after(
    conn: &AsyncPgConnection,
    program: ProgramId,
    after: Version,
) -> QueryResult<Vec<VersionRow>> {
    ListVersionsAfter { program: program.0, version: after.0 }.load(&mut &*conn).await
}

/// One version of a programme.
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

/// The version of a programme in force.
///
/// # Errors
/// When the database fails.
pub async fn find_version_in_force(conn: &AsyncPgConnection, scope: &ProgramScope) -> QueryResult<Option<VersionRow>> {
    FindVersionInForce { program: scope.program().0 }.get_result(&mut &*conn).await.optional()
}

/// Locks all lanes, and answers the last moment at which any was written.
///
/// # Errors
/// When the database fails.
pub async fn lock_lanes(conn: &AsyncPgConnection) -> QueryResult<Instant> {
    let moment: Option<Instant> = LockAllLanes {}.get_result(&mut &*conn).await?;
    Ok(moment.unwrap_or(Instant::MIN_UTC))
}

/// Postgres's clock.
///
/// # Errors
/// When the database fails.
pub async fn read_clock(conn: &AsyncPgConnection) -> QueryResult<Instant> {
    ReadClock {}.get_result(&mut &*conn).await
}

/// The newest version of a programme, which may start later.
///
/// # Errors
/// When the database fails, or has no such programme.
pub async fn newest_version(conn: &AsyncPgConnection, scope: &ProgramScope) -> QueryResult<Version> {
    FindNewest { program: scope.program().0 }.get_result(&mut &*conn).await.map(Version)
}

/// Locks a programme, and answers its newest version.
///
/// # Errors
/// When the database fails, or has no such programme.
pub async fn lock_program(conn: &AsyncPgConnection, scope: &ProgramScope) -> QueryResult<Version> {
    LockProgram { program: scope.program().0 }.get_result(&mut &*conn).await.map(Version)
}

/// How far budgets of rules are used, by rule and period.
///
/// # Errors
/// When the database fails.
pub async fn list_used(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
    rules: Vec<String>,
) -> QueryResult<Vec<(String, String, i64)>> {
    ListUsed { program: scope.program().0, rules }.load(&mut &*conn).await
}

/// Says which version is the newest.
///
/// # Errors
/// When the database fails.
pub async fn set_version(conn: &AsyncPgConnection, scope: &ProgramScope, version: Version) -> QueryResult<()> {
    SetVersion { version: version.0, program: scope.program().0 }.execute(&mut &*conn).await.map(drop)
}

/// What stands in accounts for the parts of a programme.
///
/// # Errors
/// When the database fails.
pub async fn list_slots(conn: &AsyncPgConnection, program: ProgramId) -> QueryResult<Slots> {
    let wallets: Vec<(String, i16)> = ListSlots { program: program.0 }.load(&mut &*conn).await?;
    let rules: Vec<(String, i32)> = ListCodes { program: program.0, kind: RULE }.load(&mut &*conn).await?;
    let tiers: Vec<(String, i32)> = ListCodes { program: program.0, kind: TIER }.load(&mut &*conn).await?;
    let segments: Vec<(String, i32)> = ListCodes { program: program.0, kind: SEGMENT }.load(&mut &*conn).await?;
    let tier = |(code, slot): (String, i32)| Some((code, TierSlot(i16::try_from(slot).ok()?)));
    let segment = |(code, slot): (String, i32)| Some((code, SegmentSlot(u8::try_from(slot).ok()?)));
    Ok(Slots {
        wallets: wallets.into_iter().map(|(code, slot)| (code, Slot(slot))).collect(),
        rules: rules.into_iter().map(|(code, slot)| (code, CountedSlot(slot))).collect(),
        tiers: tiers.into_iter().filter_map(tier).collect(),
        segments: segments.into_iter().filter_map(segment).collect(),
    })
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

/// Gives new parts their slots.
///
/// # Errors
/// When the database fails, or a slot is taken.
pub async fn insert_slots(conn: &AsyncPgConnection, scope: &ProgramScope, new: &Slots) -> QueryResult<()> {
    let program = scope.program().0;
    for (code, slot) in &new.wallets {
        InsertSlot { program, code: code.clone(), slot: slot.0 }.execute(&mut &*conn).await?;
    }
    let rules = new.rules.iter().map(|(code, slot)| (RULE, code, slot.0));
    let tiers = new.tiers.iter().map(|(code, slot)| (TIER, code, i32::from(slot.0)));
    let segments = new.segments.iter().map(|(code, slot)| (SEGMENT, code, i32::from(slot.0)));
    for (kind, code, slot) in rules.chain(tiers).chain(segments) {
        InsertCode { program, kind, code: code.clone(), slot }.execute(&mut &*conn).await?;
    }
    Ok(())
}
