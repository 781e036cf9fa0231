//! Look-ups by the hundred, and pages by key.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::sql_types::{Array, BigInt, Date, Int4, Nullable, SmallInt, Text, Timestamptz, Uuid};
use diesel::{OptionalExtension, QueryResult, Queryable};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid as Id;

use crate::kernel::clock::Instant;
use crate::kernel::id::MemberId;
use crate::kernel::scope::ProgramScope;
use crate::loyalty::members::model::IdentityKind;
use crate::statement;

/// The most rows of one page of an export.
pub const EXPORT_PAGE_ROWS: i64 = 1_000;

statement! {
    /// Whose identities these are.
    FindOwnersOf { program: Id => Uuid, kind: i16 => SmallInt, values: Vec<String> => Array<Text> } -> (Text, Uuid),
    "SELECT d.value, d.member_id FROM (VALUES (?, ?)) AS p (program_id, kind) CROSS JOIN unnest(?) AS u (value) \
     CROSS JOIN LATERAL (SELECT * FROM directory \
     WHERE program_id = p.program_id AND kind = p.kind AND value = u.value OFFSET 0) AS d"
}

statement! {
    /// Postgres's clock.
    ReadClock {} -> Timestamptz,
    "SELECT clock_timestamp()"
}

statement! {
    /// Members of a programme, after one.
    ListMembers { lane: i16 => SmallInt, member: Id => Uuid, program: Id => Uuid, limit: i64 => BigInt } -> MemberSql,
    "SELECT a.lane, a.member_id, a.status, a.enrolled_on, a.order_count, a.last_order_on, m.external_id, m.email, m.phone, \
     m.card, m.name, m.birthday, m.locale, m.attributes \
     FROM accounts AS a LEFT JOIN members AS m USING (lane, member_id) \
     WHERE (a.lane, a.member_id) > (?, ?) AND a.program_id = ? ORDER BY a.lane, a.member_id LIMIT ?"
}

statement! {
    /// Orders of a programme, after one.
    ListOrders {
        lane: i16 => SmallInt, member: Id => Uuid, seq: i64 => BigInt, program: Id => Uuid, limit: i64 => BigInt,
    } -> OrderSql,
    "SELECT p.lane, p.member_id, p.seq, m.external_id, p.effective_at, p.document, p.texts \
     FROM postings AS p JOIN accounts AS a USING (lane, member_id) LEFT JOIN members AS m USING (lane, member_id) \
     WHERE (p.lane, p.member_id, p.seq) > (?, ?, ?) AND a.program_id = ? AND p.kind = 2 \
     ORDER BY p.lane, p.member_id, p.seq LIMIT ?"
}

statement! {
    /// Postings of a programme with their entries, after one.
    ListEntries {
        lane: i16 => SmallInt, member: Id => Uuid, seq: i64 => BigInt, program: Id => Uuid, limit: i64 => BigInt,
    } -> EntriesSql,
    "SELECT p.lane, p.member_id, p.seq, m.external_id, p.reference, p.kind, p.effective_at, p.recorded_at, \
     p.entries \
     FROM postings AS p JOIN accounts AS a USING (lane, member_id) LEFT JOIN members AS m USING (lane, member_id) \
     WHERE (p.lane, p.member_id, p.seq) > (?, ?, ?) AND a.program_id = ? \
     ORDER BY p.lane, p.member_id, p.seq LIMIT ?"
}

statement! {
    /// How many of these references are taken, and the business time of the posting of one of them.
    CountReferences { program: Id => Uuid, values: Vec<String> => Array<Text> } -> (BigInt, Nullable<Text>),
    "SELECT count(*), min(value) FROM directory WHERE program_id = ? AND kind = 1 AND value = ANY (?)"
}

statement! {
    /// The business time of the posting that took a reference.
    FindEffective { program: Id => Uuid, value: String => Text } -> Timestamptz,
    "SELECT p.effective_at FROM directory AS d JOIN postings AS p USING (lane, member_id, seq) \
     WHERE d.program_id = ? AND d.kind = 1 AND d.value = ?"
}

statement! {
    /// A member to show: best with points to spend and points to wait for, of those who bought last.
    FindExample { program: Id => Uuid } -> (Uuid, Text),
    "SELECT a.member_id, m.external_id FROM accounts AS a JOIN members AS m USING (lane, member_id) \
     WHERE a.program_id = ? AND m.external_id IS NOT NULL \
     ORDER BY coalesce(a.figures[1], 0) > 0 DESC, coalesce(a.figures[3], 0) > 0 DESC, \
     a.last_order_on DESC NULLS LAST, a.order_count DESC, a.member_id LIMIT 1"
}

type MemberSql = (
    SmallInt,
    Uuid,
    SmallInt,
    Date,
    Int4,
    Nullable<Date>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Date>,
    Nullable<Text>,
    Nullable<Text>,
);

type OrderSql = (SmallInt, Uuid, BigInt, Nullable<Text>, Timestamptz, Text, Nullable<Text>);

type EntriesSql = (SmallInt, Uuid, BigInt, Nullable<Text>, Text, SmallInt, Timestamptz, Timestamptz, Array<BigInt>);

/// A member as an export reads it.
#[derive(Clone, Debug, Queryable)]
pub struct MemberRow {
    /// The member's lane.
    pub lane: i16,
    /// The member.
    pub member: Id,
    /// The stored number of the status.
    pub status: i16,
    /// Programme-local day.
    pub enrolled_on: NaiveDate,
    /// Orders, without those that came back in full.
    pub order_count: i32,
    /// Programme-local day of the last order.
    pub last_order_on: Option<NaiveDate>,
    /// The storefront's own id.
    pub external_id: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
    /// Number of a loyalty card.
    pub card: Option<String>,
    /// What to call the member.
    pub name: Option<String>,
    /// Birthday.
    pub birthday: Option<NaiveDate>,
    /// Language tag.
    pub locale: Option<String>,
    /// Attributes as JSON.
    pub attributes: Option<String>,
}

/// An order as an export reads it.
#[derive(Clone, Debug, Queryable)]
pub struct OrderRow {
    /// The member's lane.
    pub lane: i16,
    /// The member.
    pub member: Id,
    /// The posting's position.
    pub seq: i64,
    /// The storefront's own id of the member.
    pub external_id: Option<String>,
    /// Business time.
    pub effective_at: Instant,
    /// The receipt as JSON.
    pub document: String,
    /// Free text.
    pub texts: Option<String>,
}

/// A posting with its entries as an export reads it.
#[derive(Clone, Debug, Queryable)]
pub struct EntriesRow {
    /// The member's lane.
    pub lane: i16,
    /// The member.
    pub member: Id,
    /// The posting's position.
    pub seq: i64,
    /// The storefront's own id of the member.
    pub external_id: Option<String>,
    /// The posting's reference.
    pub reference: String,
    /// The stored number of its kind.
    pub kind: i16,
    /// Business time.
    pub effective_at: Instant,
    /// When it was written down.
    pub recorded_at: Instant,
    /// Its entries, as numbers.
    pub entries: Vec<i64>,
}

/// Where a page starts: after this posting (or member, with a position of 0) of this lane.
pub type Place = (i16, Id, i64);

/// Before everything.
pub const START: Place = (-1, Id::nil(), 0);

/// To whom identities of one kind belong, by value; those of nobody are left out.
///
/// # Errors
/// When the database fails.
pub async fn find_members_by(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
    kind: IdentityKind,
    values: Vec<String>,
) -> QueryResult<HashMap<String, MemberId>> {
    let find = FindOwnersOf { program: scope.program().0, kind: kind.number(), values };
    let rows: Vec<(String, Id)> = find.load(&mut &*conn).await?;
    Ok(rows.into_iter().map(|(value, member)| (value, MemberId(member))).collect())
}

/// Postgres's clock.
///
/// # Errors
/// When the database fails.
pub async fn read_clock(conn: &AsyncPgConnection) -> QueryResult<Instant> {
    ReadClock {}.get_result(&mut &*conn).await
}

/// A page of members, by lane and id.
///
/// # Errors
/// When the database fails.
pub async fn list_members(conn: &AsyncPgConnection, scope: &ProgramScope, after: Place) -> QueryResult<Vec<MemberRow>> {
    let (lane, member, _) = after;
    ListMembers { lane, member, program: scope.program().0, limit: EXPORT_PAGE_ROWS }.load(&mut &*conn).await
}

/// A page of orders, by lane, member and position.
///
/// # Errors
/// When the database fails.
pub async fn list_orders(conn: &AsyncPgConnection, scope: &ProgramScope, after: Place) -> QueryResult<Vec<OrderRow>> {
    let (lane, member, seq) = after;
    ListOrders { lane, member, seq, program: scope.program().0, limit: EXPORT_PAGE_ROWS }.load(&mut &*conn).await
}

/// A page of postings with their entries, by lane, member and position.
///
/// # Errors
/// When the database fails.
pub async fn list_entries(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
    after: Place,
) -> QueryResult<Vec<EntriesRow>> {
    let (lane, member, seq) = after;
    ListEntries { lane, member, seq, program: scope.program().0, limit: EXPORT_PAGE_ROWS }.load(&mut &*conn).await
}

/// How many of these references are taken, and one of those.
///
/// # Errors
/// When the database fails.
pub async fn count_references(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
    values: Vec<String>,
) -> QueryResult<(i64, Option<String>)> {
    CountReferences { program: scope.program().0, values }.get_result(&mut &*conn).await
}

/// The business time of the posting that took a reference.
///
/// # Errors
/// When the database fails.
pub async fn find_effective(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
    reference: String,
) -> QueryResult<Option<Instant>> {
    FindEffective { program: scope.program().0, value: reference }.get_result(&mut &*conn).await.optional()
}

/// A member to show, with points in the first wallet if anybody has some, and the storefront's id; reads all members.
///
/// # Errors
/// When the database fails.
pub async fn find_example(conn: &AsyncPgConnection, scope: &ProgramScope) -> QueryResult<Option<(MemberId, String)>> {
    let found: Option<(Id, String)> =
        FindExample { program: scope.program().0 }.get_result(&mut &*conn).await.optional()?;
    Ok(found.map(|(member, name)| (MemberId(member), name)))
}
