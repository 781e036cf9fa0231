//! Accounts and postings as readers see them; writes nothing.

use diesel::OptionalExtension;
use diesel::sql_types::{BigInt, Int4, Nullable, SmallInt, Text, Timestamptz, Uuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid as Id;

use crate::kernel::clock::Instant;
use crate::kernel::id::{LaneCount, MemberId, PostingId, Seq, Version};
use crate::kernel::scope::ProgramScope;
use crate::loyalty::ledger::account::Account;
use crate::loyalty::ledger::load::LoadError;
use crate::loyalty::ledger::posting::PostingRow;
use crate::loyalty::ledger::reads::{AccountSql, PostingSql};
use crate::loyalty::ledger::rows::{AccountRow, StoredPosting};
use crate::loyalty::program::facts::Values;
use crate::posting_columns;
use crate::statement;

statement! {
    /// An account of a programme, Postgres's clock, the newest version, and what the shop says of the member.
    FindAccount { lane: i16 => SmallInt, member: Id => Uuid, program: Id => Uuid } -> (
        Timestamptz, Int4, Nullable<Text>, Nullable<Text>, AccountSql,
    ),
    "SELECT clock_timestamp(), p.version, m.locale, m.attributes, a.* FROM accounts AS a \
     JOIN programs AS p ON p.program_id = a.program_id LEFT JOIN members AS m ON m.lane = a.lane AND m.member_id = a.member_id \
     WHERE a.lane = ? AND a.member_id = ? AND a.program_id = ?"
}

statement! {
    /// Postings of a member, newest first, before a position.
    ListPostings { lane: i16 => SmallInt, member: Id => Uuid, before: i64 => BigInt, limit: i64 => BigInt } -> PostingSql,
    concat!(
        "SELECT ",
        posting_columns!(),
        " FROM postings AS p WHERE p.lane = ? AND p.member_id = ? AND p.seq < ? ORDER BY p.seq DESC LIMIT ?"
    )
}

/// An account as a reader found it.
#[derive(Debug)]
pub struct Found {
    /// When it was read.
    pub at: Instant,
    /// The newest version of its programme then.
    pub version: Version,
    /// The member's language, a tag of BCP 47.
    pub locale: Option<String>,
    /// The member's attributes.
    pub attributes: Values,
    /// The account as it is stored.
    pub account: Account,
}

/// An account of the programme.
///
/// # Errors
/// When the database fails, or the row was changed by hand.
pub async fn find_account(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
    member: MemberId,
    lanes: LaneCount,
) -> Result<Option<Found>, LoadError> {
    let find = FindAccount { lane: member.lane(lanes).0, member: member.0, program: scope.program().0 };
    type Row = (Instant, i32, Option<String>, Option<String>, AccountRow);
    let row: Option<Row> = find.get_result(&mut &*conn).await.optional()?;
    let found = |(at, version, locale, attributes, row): Row| {
        let attributes = attributes.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
        Ok(Found { at, version: Version(version), locale, attributes, account: row.read()? })
    };
    row.map(found).transpose()
}

/// Postings of a member before a position, newest first. Who calls has found the account in the programme.
///
/// # Errors
/// When the database fails, or a row was changed by hand.
pub async fn list_postings(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
    (member, before): (MemberId, Seq),
    limit: i64,
    lanes: LaneCount,
) -> Result<Vec<PostingRow>, LoadError> {
    let list = ListPostings { lane: member.lane(lanes).0, member: member.0, before: before.0, limit };
    let rows: Vec<StoredPosting> = list.load(&mut &*conn).await?;
    rows.into_iter().map(|row| Ok(row.read(scope.program())?)).collect()
}

/// One posting. Who calls has found the account in the programme.
///
/// # Errors
/// When the database fails, or the row was changed by hand.
pub async fn find_posting(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
    posting: PostingId,
    lanes: LaneCount,
) -> Result<Option<PostingRow>, LoadError> {
    let rows = list_postings(conn, scope, (posting.member, posting.seq.next()), 1, lanes).await?;
    Ok(rows.into_iter().find(|row| row.seq == posting.seq))
}
