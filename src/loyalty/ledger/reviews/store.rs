//! How far members were reviewed, and the next of them.

use diesel::sql_types::{BigInt, Bool, Int4, Nullable, SmallInt, Timestamptz, Uuid};
use diesel::{OptionalExtension, QueryResult};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid as Id;

use crate::kernel::clock::Instant;
use crate::kernel::id::{Lane, MemberId, Version};
use crate::kernel::scope::ProgramScope;
use crate::loyalty::ledger::account::Account;
use crate::loyalty::ledger::load::LoadError;
use crate::loyalty::ledger::reads::AccountSql;
use crate::loyalty::ledger::rows::AccountRow;
use crate::statement;

statement! {
    /// Makes sure that it is known how far a lane of a programme was reviewed.
    InsertReview { program: Id => Uuid, lane: i16 => SmallInt } -> Bool,
    "INSERT INTO reviews (program_id, lane, version) VALUES (?, ?, 1) ON CONFLICT ON CONSTRAINT reviews_pk DO NOTHING"
}

statement! {
    /// Locks that, unless another process works there.
    LockReview { program: Id => Uuid, lane: i16 => SmallInt } -> (Int4, Nullable<Uuid>),
    "SELECT version, reviewed_to FROM reviews WHERE program_id = ? AND lane = ? FOR UPDATE SKIP LOCKED"
}

statement! {
    /// Notes how far it was.
    MoveReview { version: i32 => Int4, member: Option<Id> => Nullable<Uuid>, program: Id => Uuid, lane: i16 => SmallInt } -> Bool,
    "UPDATE reviews SET version = ?, reviewed_to = ? WHERE program_id = ? AND lane = ?"
}

statement! {
    /// Accounts of a programme in a lane, after a member, with Postgres's clock.
    ListAccounts { lane: i16 => SmallInt, after: Id => Uuid, program: Id => Uuid, limit: i64 => BigInt } -> (
        Timestamptz, AccountSql,
    ),
    "SELECT clock_timestamp(), a.* FROM accounts AS a WHERE a.lane = ? AND a.member_id > ? AND a.program_id = ? \
     AND a.merged_into IS NULL ORDER BY a.member_id LIMIT ?"
}

/// How far a lane was reviewed: up to a version, and of the next one up to a member.
pub type Reviewed = (Version, Option<MemberId>);

/// Makes sure that it is known how far a lane of a programme was reviewed.
///
/// # Errors
/// When the database fails.
pub async fn insert_review(conn: &AsyncPgConnection, scope: &ProgramScope, lane: Lane) -> QueryResult<()> {
    InsertReview { program: scope.program().0, lane: lane.0 }.execute(&mut &*conn).await.map(drop)
}

/// Locks how far a lane was reviewed; `None` while another process works there.
///
/// # Errors
/// When the database fails.
pub async fn lock_review(conn: &AsyncPgConnection, scope: &ProgramScope, lane: Lane) -> QueryResult<Option<Reviewed>> {
    let lock = LockReview { program: scope.program().0, lane: lane.0 };
    let row: Option<(i32, Option<Id>)> = lock.get_result(&mut &*conn).await.optional()?;
    Ok(row.map(|(version, member)| (Version(version), member.map(MemberId))))
}

/// Notes how far a lane was reviewed.
///
/// # Errors
/// When the database fails.
pub async fn move_review(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
    lane: Lane,
    (version, member): Reviewed,
) -> QueryResult<()> {
    let (program, member) = (scope.program().0, member.map(|member| member.0));
    MoveReview { version: version.0, member, program, lane: lane.0 }.execute(&mut &*conn).await.map(drop)
}

/// Accounts of a lane after a member, each with the time at which it was read; those that were merged into others are left
/// out.
///
/// # Errors
/// When the database fails, or a row was changed by hand.
pub async fn list_accounts(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
    (lane, after): (Lane, Option<MemberId>),
    limit: i64,
) -> Result<Vec<(Instant, Account)>, LoadError> {
    let after = after.map_or(Id::nil(), |member| member.0);
    let list = ListAccounts { lane: lane.0, after, program: scope.program().0, limit };
    let rows: Vec<(Instant, AccountRow)> = list.load(&mut &*conn).await?;
    rows.into_iter().map(|(at, row)| Ok((at, row.read()?))).collect()
}
