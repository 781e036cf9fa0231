//! The heads of the lanes, for who keeps them elsewhere; and on which days somebody is due.

use chrono::NaiveDate;
use diesel::sql_types::{BigInt, Binary, Bool, Date, Nullable, SmallInt, Text, Timestamptz, Uuid};
use diesel::{OptionalExtension, QueryResult};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid as Id;

use crate::kernel::clock::Instant;
use crate::kernel::id::{Lane, LaneCount, MemberId, ProgramId};
use crate::statement;

statement! {
    /// The heads of all lanes.
    ListHeads {} -> (SmallInt, BigInt, Binary, Timestamptz),
    "SELECT lane, head, digest, moment FROM lanes ORDER BY lane"
}

/// The heads of all lanes: number, digest and moment of the last journal row.
///
/// # Errors
/// When the database fails.
pub async fn list_heads(conn: &AsyncPgConnection) -> QueryResult<Vec<(i16, i64, Vec<u8>, Instant)>> {
    ListHeads {}.load(&mut &*conn).await
}

statement! {
    /// How many lanes the database has.
    CountLanes {} -> BigInt,
    "SELECT count(*) FROM lanes"
}

statement! {
    /// Makes sure that a follower has a position in a lane.
    InsertFollower { follower: String => Text, lane: i16 => SmallInt } -> Bool,
    "INSERT INTO followers (follower, lane, number) VALUES (?, ?, 0) ON CONFLICT ON CONSTRAINT followers_pk DO NOTHING"
}

statement! {
    /// Locks a follower's position in a lane, unless another process works there.
    LockFollower { follower: String => Text, lane: i16 => SmallInt } -> BigInt,
    "SELECT number FROM followers WHERE follower = ? AND lane = ? FOR UPDATE SKIP LOCKED"
}

statement! {
    /// Notes the days of the members of the next journal rows, and answers the last of those rows.
    NoteDue { lane: i16 => SmallInt, after: i64 => BigInt, limit: i64 => BigInt } -> Nullable<BigInt>,
    "WITH j AS (SELECT lane, number, members FROM journal WHERE lane = ? AND number > ? ORDER BY number LIMIT ?), \
     m AS (SELECT DISTINCT lane, unnest(members) AS member_id FROM j), \
     d AS (INSERT INTO due (lane, day, member_id) \
     SELECT a.lane, (a.changes_at AT TIME ZONE 'UTC')::date, a.member_id FROM m CROSS JOIN LATERAL (\
     SELECT * FROM accounts WHERE lane = m.lane AND member_id = m.member_id OFFSET 0) AS a \
     WHERE a.changes_at IS NOT NULL ON CONFLICT ON CONSTRAINT due_pk DO NOTHING) \
     SELECT max(number) FROM j"
}

statement! {
    /// Moves a follower on.
    MoveFollower { number: i64 => BigInt, follower: String => Text, lane: i16 => SmallInt } -> Bool,
    "UPDATE followers SET number = ? WHERE follower = ? AND lane = ?"
}

statement! {
    /// Members of a lane for whom something is due by now, oldest day first.
    ListDue { lane: i16 => SmallInt, limit: i64 => BigInt } -> (Date, Uuid, Uuid),
    "SELECT d.day, d.member_id, a.program_id FROM due AS d \
     JOIN accounts AS a ON a.lane = d.lane AND a.member_id = d.member_id \
     WHERE d.lane = ? AND d.day <= (clock_timestamp() AT TIME ZONE 'UTC')::date AND a.changes_at <= clock_timestamp() \
     ORDER BY d.day, d.member_id LIMIT ?"
}

statement! {
    /// Forgets days of a lane on which nothing is due any more.
    DeleteDue { lane: i16 => SmallInt } -> Bool,
    "DELETE FROM due AS d USING accounts AS a WHERE a.lane = d.lane AND a.member_id = d.member_id AND d.lane = ? \
     AND d.day <= (clock_timestamp() AT TIME ZONE 'UTC')::date \
     AND (a.changes_at IS NULL OR (a.changes_at AT TIME ZONE 'UTC')::date > d.day)"
}

/// How many lanes the database was created with.
///
/// # Errors
/// When the database fails.
pub async fn count_lanes(conn: &AsyncPgConnection) -> QueryResult<LaneCount> {
    let count: i64 = CountLanes {}.get_result(&mut &*conn).await?;
    Ok(LaneCount(i16::try_from(count).unwrap_or(i16::MAX)))
}

/// Makes sure that a follower has a position in a lane.
///
/// # Errors
/// When the database fails.
pub async fn insert_follower(conn: &AsyncPgConnection, follower: &str, lane: Lane) -> QueryResult<()> {
    InsertFollower { follower: follower.to_owned(), lane: lane.0 }.execute(&mut &*conn).await.map(drop)
}

/// Locks a follower's position in a lane; `None` while another process works there.
///
/// # Errors
/// When the database fails.
pub async fn lock_follower(conn: &AsyncPgConnection, follower: &str, lane: Lane) -> QueryResult<Option<i64>> {
    LockFollower { follower: follower.to_owned(), lane: lane.0 }.get_result(&mut &*conn).await.optional()
}

/// Notes the days of the members of the next journal rows; the number of the last of those rows.
///
/// # Errors
/// When the database fails.
pub async fn note_due(conn: &AsyncPgConnection, lane: Lane, after: i64, limit: i64) -> QueryResult<Option<i64>> {
    NoteDue { lane: lane.0, after, limit }.get_result(&mut &*conn).await
}

/// Moves a follower on.
///
/// # Errors
/// When the database fails.
pub async fn move_follower(conn: &AsyncPgConnection, follower: &str, lane: Lane, number: i64) -> QueryResult<()> {
    MoveFollower { number, follower: follower.to_owned(), lane: lane.0 }.execute(&mut &*conn).await.map(drop)
}

/// Members of a lane for whom something is due by now.
///
/// # Errors
/// When the database fails.
pub async fn list_due(conn: &AsyncPgConnection, lane: Lane, limit: i64) -> QueryResult<Vec<(MemberId, ProgramId)>> {
    let rows: Vec<(NaiveDate, Id, Id)> = ListDue { lane: lane.0, limit }.load(&mut &*conn).await?;
    Ok(rows.into_iter().map(|(_, member, program)| (MemberId(member), ProgramId(program))).collect())
}

/// Forgets days of a lane on which nothing is due any more.
///
/// # Errors
/// When the database fails.
pub async fn delete_due(conn: &AsyncPgConnection, lane: Lane) -> QueryResult<()> {
    DeleteDue { lane: lane.0 }.execute(&mut &*conn).await.map(drop)
}
