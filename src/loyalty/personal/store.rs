//! What else a person left, and that it is gone.

use diesel::QueryResult;
use diesel::sql_types::{Bool, SmallInt, Uuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid as Id;

use crate::kernel::id::{LaneCount, MemberId};
use crate::statement;

statement! {
    /// Blanks the free texts of a member's postings: nothing else of a posting may ever be changed.
    BlankTexts { lane: i16 => SmallInt, member: Id => Uuid } -> Bool,
    "UPDATE postings SET texts = NULL WHERE lane = ? AND member_id = ? AND texts IS NOT NULL"
}

/// Blanks the free texts of a member's postings. Who calls has found the account in the programme.
///
/// # Errors
/// When the database fails.
pub async fn blank_texts(conn: &AsyncPgConnection, member: MemberId, lanes: LaneCount) -> QueryResult<()> {
    BlankTexts { lane: member.lane(lanes).0, member: member.0 }.execute(&mut &*conn).await.map(drop)
}
