//! How far days were looked at, and who keeps one.

use chrono::NaiveDate;
use diesel::sql_types::{Array, BigInt, Bool, Date, Int4, Nullable, SmallInt, Uuid};
use diesel::{OptionalExtension, QueryResult};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid as Id;

use crate::kernel::id::{Lane, MemberId};
use crate::kernel::scope::ProgramScope;
use crate::loyalty::membership::days::yearly::{Keeps, YearDay};
use crate::statement;

statement! {
    /// Makes sure that it is known how far a lane of a programme was looked at.
    InsertDays { lane: i16 => SmallInt, program: Id => Uuid, done: NaiveDate => Date } -> Bool,
    "INSERT INTO days (lane, program_id, done_through) VALUES (?, ?, ?) ON CONFLICT ON CONSTRAINT days_pk DO NOTHING"
}

statement! {
    /// Locks that, unless another process works there.
    LockDays { lane: i16 => SmallInt, program: Id => Uuid } -> (Date, Nullable<Uuid>),
    "SELECT done_through, next_member FROM days WHERE lane = ? AND program_id = ? FOR UPDATE SKIP LOCKED"
}

statement! {
    /// Notes how far it was.
    MoveDays { done: NaiveDate => Date, after: Option<Id> => Nullable<Uuid>, lane: i16 => SmallInt, program: Id => Uuid } -> Bool,
    "UPDATE days SET done_through = ?, next_member = ? WHERE lane = ? AND program_id = ?"
}

statement! {
    /// Members of a lane, after one, who take part and keep one of some days of the year.
    ListKeepers {
        born: Vec<YearDay> => Array<Int4>,
        enrolled: Vec<YearDay> => Array<Int4>,
        day: NaiveDate => Date,
        lane: i16 => SmallInt,
        after: Id => Uuid,
        program: Id => Uuid,
        limit: i64 => BigInt,
    } -> (Uuid, Bool, Bool),
    "SELECT member_id, born, enrolled FROM (SELECT a.member_id, \
     coalesce((extract(month FROM m.birthday) * 100 + extract(day FROM m.birthday))::int = ANY (?), false) AS born, \
     (extract(month FROM a.enrolled_on) * 100 + extract(day FROM a.enrolled_on))::int = ANY (?) \
     AND extract(year FROM a.enrolled_on) < extract(year FROM ?) AS enrolled \
     FROM accounts AS a LEFT JOIN members AS m ON m.lane = a.lane AND m.member_id = a.member_id \
     WHERE a.lane = ? AND a.member_id > ? AND a.program_id = ? AND a.merged_into IS NULL AND a.status = 0) AS k \
     WHERE born OR enrolled ORDER BY member_id LIMIT ?"
}

/// How far a lane was looked at: through a day, and of the next one up to a member.
pub type Looked = (NaiveDate, Option<MemberId>);

/// Makes sure that it is known how far a lane of a programme was looked at; from now on, where that was not known.
///
/// # Errors
/// When the database fails.
pub async fn insert_days(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
    lane: Lane,
    done: NaiveDate,
) -> QueryResult<()> {
    InsertDays { lane: lane.0, program: scope.program().0, done }.execute(&mut &*conn).await.map(drop)
}

/// Locks how far a lane was looked at; `None` while another process works there.
///
/// # Errors
/// When the database fails.
pub async fn lock_days(conn: &AsyncPgConnection, scope: &ProgramScope, lane: Lane) -> QueryResult<Option<Looked>> {
    let lock = LockDays { lane: lane.0, program: scope.program().0 };
    let row: Option<(NaiveDate, Option<Id>)> = lock.get_result(&mut &*conn).await.optional()?;
    Ok(row.map(|(done, after)| (done, after.map(MemberId))))
}

/// Notes how far a lane was looked at.
///
/// # Errors
/// When the database fails.
pub async fn move_days(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
    lane: Lane,
    (done, after): Looked,
) -> QueryResult<()> {
    let (program, after) = (scope.program().0, after.map(|member| member.0));
    MoveDays { done, after, lane: lane.0, program }.execute(&mut &*conn).await.map(drop)
}

/// Members of a lane, after one, who take part and keep one of some days of the year on a day.
///
/// # Errors
/// When the database fails.
pub async fn list_keepers(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
    (lane, after): (Lane, Option<MemberId>),
    (day, kept): (NaiveDate, Vec<YearDay>),
    limit: i64,
) -> QueryResult<Vec<(MemberId, Keeps)>> {
    let after = after.map_or(Id::nil(), |member| member.0);
    let (born, enrolled, program) = (kept.clone(), kept, scope.program().0);
    let list = ListKeepers { born, enrolled, day, lane: lane.0, after, program, limit };
    let rows: Vec<(Id, bool, bool)> = list.load(&mut &*conn).await?;
    Ok(rows.into_iter().map(|(id, birthday, anniversary)| (MemberId(id), Keeps { birthday, anniversary })).collect())
}
