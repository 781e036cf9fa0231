//! Who is in a list.

use diesel::sql_types::{BigInt, Int4, SmallInt, Text, Uuid};
use diesel::{OptionalExtension, QueryResult};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid as Id;

use crate::kernel::page::Page;
use crate::kernel::scope::ProgramScope;
use crate::platform::web::paging::{Cursor, Limit};
use crate::statement;

/// Where a page starts: after this member, by lane and id.
pub type Place = Cursor<(i16, Id)>;

statement! {
    /// What stands for a list.
    FindSegment { program: Id => Uuid, code: String => Text } -> Int4,
    "SELECT slot FROM program_codes WHERE program_id = ? AND kind = 3 AND code = ?"
}

statement! {
    /// Members of a list.
    ListMembers {
        slot: i32 => Int4,
        program: Id => Uuid,
        lane: i16 => SmallInt,
        member: Id => Uuid,
        limit: i64 => BigInt,
    } -> (SmallInt, Uuid),
    "SELECT lane, member_id FROM accounts WHERE segments IS NOT NULL AND (segments >> ? & 1) = 1 AND program_id = ? \
     AND (lane, member_id) > (?, ?) ORDER BY lane, member_id LIMIT ?"
}

/// What stands for a list; none where no version ever had it.
///
/// # Errors
/// When the database fails.
pub async fn find_segment(conn: &AsyncPgConnection, scope: &ProgramScope, code: &str) -> QueryResult<Option<i32>> {
    let find = FindSegment { program: scope.program().0, code: code.to_owned() };
    find.get_result(&mut &*conn).await.optional()
}

/// A page of the members of a list, in no order that means anything; none where no version ever had the list.
///
/// # Errors
/// When the database fails.
pub async fn list_members(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
    code: &str,
    limit: Limit,
    after: Option<Place>,
) -> QueryResult<Option<Page<(i16, Id)>>> {
    let Some(slot) = find_segment(conn, scope, code).await? else { return Ok(None) };
    let program = scope.program().0;
    let (lane, member) = after.map_or((-1, Id::nil()), |Cursor(place)| place);
    let list = ListMembers { slot, program, lane, member, limit: limit.and_one() };
    let rows: Vec<(i16, Id)> = list.load(&mut &*conn).await?;
    Ok(Some(Page::of(rows, limit.get(), |place| Cursor(*place).to_string())))
}
