//! What the journal has for whoever wants to be told; writes how far it was read.

use diesel::QueryResult;
use diesel::sql_types::{Array, BigInt, Nullable, SmallInt, Text, Uuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid as Id;

use crate::kernel::id::{Lane, ProgramId};
use crate::loyalty::ledger::reads::PostingSql;
use crate::loyalty::ledger::rows::StoredPosting;
use crate::posting_columns;
use crate::statement;

statement! {
    /// The last of the next journal rows of a lane.
    FindChunk { lane: i16 => SmallInt, after: i64 => BigInt, limit: i64 => BigInt } -> Nullable<BigInt>,
    "SELECT max(number) FROM (SELECT number FROM journal WHERE lane = ? AND number > ? ORDER BY number LIMIT ?) AS j"
}

statement! {
    /// The postings of journal rows, of some programmes; history that was imported is nothing that happens.
    ListPosted { lane: i16 => SmallInt, after: i64 => BigInt, last: i64 => BigInt, programs: Vec<Id> => Array<Uuid> } -> (
        Uuid, PostingSql,
    ),
    concat!(
        "SELECT a.program_id, ",
        posting_columns!(),
        " FROM journal AS j CROSS JOIN LATERAL unnest(j.members, j.seqs) WITH ORDINALITY AS u (member_id, seq, place) \
         CROSS JOIN LATERAL (SELECT program_id FROM accounts WHERE lane = j.lane AND member_id = u.member_id OFFSET 0) AS a \
         CROSS JOIN LATERAL (SELECT * FROM postings WHERE lane = j.lane AND member_id = u.member_id AND seq = u.seq \
         OFFSET 0) AS p WHERE j.lane = ? AND j.number > ? AND j.number <= ? AND a.program_id = ANY (?) AND NOT p.imported \
         ORDER BY j.number, u.place"
    )
}

statement! {
    /// Passes over what happened while nobody wanted to be told.
    SkipFollower { follower: String => Text } -> SmallInt,
    "UPDATE followers AS f SET number = l.head FROM lanes AS l WHERE f.follower = ? AND l.lane = f.lane \
     AND f.number < l.head AND NOT EXISTS (SELECT FROM webhooks)"
}

/// The last of the next journal rows of a lane; `None` where there is none.
///
/// # Errors
/// When the database fails.
pub async fn find_chunk(conn: &AsyncPgConnection, lane: Lane, after: i64, limit: i64) -> QueryResult<Option<i64>> {
    FindChunk { lane: lane.0, after, limit }.get_result(&mut &*conn).await
}

/// The postings of journal rows after one and up to another, in their order, of some programmes.
///
/// # Errors
/// When the database fails.
pub async fn list_posted(
    conn: &AsyncPgConnection,
    lane: Lane,
    (after, last): (i64, i64),
    programs: Vec<ProgramId>,
) -> QueryResult<Vec<(ProgramId, StoredPosting)>> {
    let programs = programs.into_iter().map(|program| program.0).collect();
    let rows: Vec<(Id, StoredPosting)> = ListPosted { lane: lane.0, after, last, programs }.load(&mut &*conn).await?;
    Ok(rows.into_iter().map(|(program, row)| (ProgramId(program), row)).collect())
}

/// Passes over what happened while nobody wanted to be told.
///
/// # Errors
/// When the database fails.
pub async fn skip_follower(conn: &AsyncPgConnection, follower: &str) -> QueryResult<()> {
    SkipFollower { follower: follower.to_owned() }.execute(&mut &*conn).await.map(drop)
}
