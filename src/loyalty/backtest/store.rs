//! The programme's past, read in pages of postings, member by member.

use diesel::sql_types::{Array, BigInt, Bool, Nullable, SmallInt, Text, Timestamptz, Uuid};
use diesel::{QueryResult, Queryable};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid as Id;

use crate::kernel::clock::Instant;
use crate::kernel::id::MemberId;
use crate::kernel::scope::ProgramScope;
use crate::loyalty::backtest::past::{KINDS, Recorded};
use crate::loyalty::ledger::numbers::entries_of;
use crate::loyalty::ledger::posting::PostingKind;
use crate::statement;

/// The most postings of one page.
const PAGE_ROWS: i64 = 2_000;

statement! {
    /// Postings of a programme that a replay reads, after one. Only an opening balance tells by its entries alone what it
    /// was. Accounts lead the way, in the order of their key, so that a page costs no more than what is in it.
    ListRecorded {
        attributes: bool => Bool, from_lane: i16 => SmallInt, from_member: Id => Uuid, program: Id => Uuid, lane: i16 => SmallInt, member: Id => Uuid,
        seq: i64 => BigInt, kinds: Vec<i16> => Array<SmallInt>, limit: i64 => BigInt,
    } -> (
        SmallInt, Uuid, BigInt, SmallInt, Timestamptz, Timestamptz, Bool, Text, Nullable<Text>, Nullable<Array<BigInt>>,
        Nullable<Text>,
    ),
    "SELECT p.lane, p.member_id, p.seq, p.kind, p.effective_at, p.recorded_at, p.imported, p.document, p.texts, \
        CASE p.kind WHEN 6 THEN p.entries END, CASE WHEN ? AND p.seq = 1 THEN \
        (SELECT m.attributes FROM members AS m WHERE m.lane = p.lane AND m.member_id = p.member_id) END \
     FROM (SELECT lane, member_id FROM accounts WHERE (lane, member_id) >= (?, ?) AND program_id = ? \
        ORDER BY lane, member_id OFFSET 0) AS a \
     CROSS JOIN LATERAL (SELECT * FROM postings AS p WHERE p.lane = a.lane AND p.member_id = a.member_id \
        AND (p.lane, p.member_id, p.seq) > (?, ?, ?) AND p.kind = ANY (?) OFFSET 0) AS p \
     ORDER BY a.lane, a.member_id, p.seq LIMIT ?"
}

statement! {
    /// How many accounts a programme has.
    CountAccounts { program: Id => Uuid } -> BigInt,
    "SELECT count(*) FROM accounts WHERE program_id = ?"
}

/// Where a page starts: after this posting of this member of this lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    lane: i16,
    member: Id,
    seq: i64,
}

/// Before everything.
pub const START: Place = Place { lane: -1, member: Id::nil(), seq: 0 };

#[derive(Queryable)]
struct RecordedRow {
    lane: i16,
    member_id: Id,
    seq: i64,
    kind: i16,
    effective_at: Instant,
    recorded_at: Instant,
    imported: bool,
    document: String,
    texts: Option<String>,
    entries: Option<Vec<i64>>,
    attributes: Option<String>,
}

impl RecordedRow {
    fn place(&self) -> Place {
        Place { lane: self.lane, member: self.member_id, seq: self.seq }
    }

    fn read(self) -> (MemberId, Recorded) {
        let Self { member_id, effective_at, recorded_at, imported, document, texts, attributes, .. } = self;
        let kind = PostingKind::of(self.kind).unwrap_or(PostingKind::Change);
        let entries = self.entries.and_then(|numbers| entries_of(&numbers)).unwrap_or_default();
        let row = Recorded { kind, effective_at, recorded_at, imported, document, texts, entries, attributes };
        (MemberId(member_id), row)
    }
}

/// A page of the past, with what is known of members today where that is wanted: postings in the order of lanes, members and positions, and where the next page starts, if there
/// is one.
///
/// # Errors
/// When the database fails.
pub async fn list_recorded(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
    after: Place,
    attributes: bool,
) -> QueryResult<(Vec<(MemberId, Recorded)>, Option<Place>)> {
    let Place { lane, member, seq } = after;
    let (program, kinds) = (scope.program().0, KINDS.iter().map(|kind| kind.number()).collect());
    let (from_lane, from_member) = (lane, member);
    let list = ListRecorded { attributes, from_lane, from_member, program, lane, member, seq, kinds, limit: PAGE_ROWS };
    let rows: Vec<RecordedRow> = list.load(&mut &*conn).await?;
    let full = i64::try_from(rows.len()).is_ok_and(|found| found >= PAGE_ROWS);
    let next = rows.last().map(RecordedRow::place).filter(|_| full);
    Ok((rows.into_iter().map(RecordedRow::read).collect(), next))
}

/// How many accounts a programme has.
///
/// # Errors
/// When the database fails.
pub async fn count_accounts(conn: &AsyncPgConnection, scope: &ProgramScope) -> QueryResult<i64> {
    CountAccounts { program: scope.program().0 }.get_result(&mut &*conn).await
}
