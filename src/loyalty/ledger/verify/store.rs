//! The statements of a verification. Pages are read by key: the first row of the next one is asked for with each.

use diesel::QueryResult;
use diesel::sql_types::{Array, BigInt, Binary, Int4, Nullable, SmallInt, Text, Timestamptz, Uuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use uuid::Uuid as Id;

use crate::kernel::clock::Instant;
use crate::kernel::id::{Lane, MemberId, ProgramId, Seq};
use crate::loyalty::ledger::counters::CounterKey;
use crate::loyalty::ledger::reads::{AccountSql, PostingSql};
use crate::loyalty::ledger::rows::{AccountRow, StoredPosting};
use crate::loyalty::ledger::verify::journal::Link;
use crate::loyalty::ledger::verify::member::Owned;
use crate::posting_columns;
use crate::statement;

/// One snapshot for everything, whatever is written meanwhile; and plans that read by key.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL enable_bitmapscan = off; \
    SET LOCAL enable_sort = off; SET LOCAL enable_incremental_sort = off; SET LOCAL jit = off; \
    SET LOCAL statement_timeout = 0";

/// How a value is looked up in the directory: lane, member and posting.
type OwnedColumns = (Option<i16>, Option<Id>, Option<i64>);

statement! {
    /// All lanes.
    ListLanes {} -> (SmallInt, BigInt, Timestamptz, Binary),
    "SELECT lane, head, moment, digest FROM lanes ORDER BY lane"
}

statement! {
    /// How many accounts there are, and how many postings they say they have.
    CountAccounts {} -> (BigInt, BigInt),
    "SELECT count(*), coalesce(sum(seq), 0)::bigint FROM accounts"
}

statement! {
    /// A page of accounts.
    PageAccounts { lane: i16 => SmallInt, member: Id => Uuid, rows: i64 => BigInt } -> AccountSql,
    "SELECT * FROM accounts WHERE (lane, member_id) >= (?, ?) ORDER BY lane, member_id LIMIT ?"
}

statement! {
    /// A page of profiles, with the programme of the account.
    PageMembers { lane: i16 => SmallInt, member: Id => Uuid, rows: i64 => BigInt } -> (
        SmallInt, Uuid, Nullable<Text>, Nullable<Text>, Nullable<Text>, Nullable<Text>, Text, Timestamptz, Nullable<Uuid>,
    ),
    "SELECT m.lane, m.member_id, m.external_id, m.email, m.phone, m.card, m.attributes, m.changed_at, a.program_id \
     FROM (SELECT * FROM members WHERE (lane, member_id) >= (?, ?) ORDER BY lane, member_id LIMIT ?) AS m \
     LEFT JOIN LATERAL (SELECT program_id FROM accounts WHERE lane = m.lane AND member_id = m.member_id OFFSET 0) AS a \
     ON true"
}

statement! {
    /// A page of postings, with the programme of the account and what the directory has under the reference.
    PagePostings { lane: i16 => SmallInt, member: Id => Uuid, seq: i64 => BigInt, rows: i64 => BigInt } -> (
        Nullable<Uuid>, (Nullable<SmallInt>, Nullable<Uuid>, Nullable<BigInt>), PostingSql,
    ),
    concat!(
        "SELECT a.program_id, d.lane, d.member_id, d.seq, ",
        posting_columns!(),
        " FROM (SELECT * FROM postings WHERE (lane, member_id, seq) >= (?, ?, ?) ORDER BY lane, member_id, seq LIMIT ?) AS p \
         LEFT JOIN LATERAL (SELECT program_id FROM accounts WHERE lane = p.lane AND member_id = p.member_id OFFSET 0) AS a \
         ON true LEFT JOIN LATERAL (SELECT lane, member_id, seq FROM directory \
         WHERE program_id = a.program_id AND kind = 1 AND value = p.reference OFFSET 0) AS d ON true"
    )
}

statement! {
    /// What the directory has under identities.
    FindOwned {
        programs: Vec<Id> => Array<Uuid>,
        kinds: Vec<i16> => Array<SmallInt>,
        values: Vec<String> => Array<Text>,
    } -> (Uuid, SmallInt, Text, SmallInt, Uuid, BigInt),
    "SELECT d.program_id, d.kind, d.value, d.lane, d.member_id, d.seq \
     FROM unnest(?, ?, ?) AS u (program_id, kind, value) CROSS JOIN LATERAL (\
     SELECT * FROM directory WHERE program_id = u.program_id AND kind = u.kind AND value = u.value OFFSET 0) AS d"
}

statement! {
    /// The postings that references lead to.
    FindByReference { programs: Vec<Id> => Array<Uuid>, values: Vec<String> => Array<Text> } -> (Uuid, Text, PostingSql),
    concat!(
        "SELECT u.program_id, u.value, ",
        posting_columns!(),
        " FROM unnest(?, ?) AS u (program_id, value) CROSS JOIN LATERAL (\
         SELECT lane, member_id, seq FROM directory \
         WHERE program_id = u.program_id AND kind = 1 AND value = u.value OFFSET 0) AS d CROSS JOIN LATERAL (\
         SELECT * FROM postings WHERE lane = d.lane AND member_id = d.member_id AND seq = d.seq OFFSET 0) AS p"
    )
}

statement! {
    /// A page of the journal.
    PageJournal { lane: i16 => SmallInt, number: i64 => BigInt, rows: i64 => BigInt } -> (
        SmallInt, BigInt, Timestamptz, Binary, Array<Uuid>, Array<BigInt>,
    ),
    "SELECT lane, number, moment, digest, members, seqs FROM journal WHERE (lane, number) >= (?, ?) \
     ORDER BY lane, number LIMIT ?"
}

statement! {
    /// Postings by name.
    FindPostings {
        lanes: Vec<i16> => Array<SmallInt>,
        members: Vec<Id> => Array<Uuid>,
        seqs: Vec<i64> => Array<BigInt>,
    } -> PostingSql,
    concat!(
        "SELECT ",
        posting_columns!(),
        " FROM unnest(?, ?, ?) AS u (lane, member_id, seq) CROSS JOIN LATERAL (\
         SELECT * FROM postings WHERE lane = u.lane AND member_id = u.member_id AND seq = u.seq OFFSET 0) AS p"
    )
}

statement! {
    /// Postings of a lane that are not in exactly one journal row. Postgres spills to disk what it has to remember.
    FindUncovered { lane: i16 => SmallInt, again: i16 => SmallInt, rows: i64 => BigInt } -> (Uuid, BigInt, BigInt),
    "SELECT p.member_id, p.seq, coalesce(j.times, 0) FROM (SELECT member_id, seq FROM postings WHERE lane = ?) AS p \
     LEFT JOIN (SELECT u.member_id, u.seq, count(*) AS times FROM journal \
     CROSS JOIN LATERAL unnest(members, seqs) AS u (member_id, seq) WHERE lane = ? GROUP BY u.member_id, u.seq) AS j \
     ON j.member_id = p.member_id AND j.seq = p.seq WHERE j.times IS DISTINCT FROM 1 LIMIT ?"
}

statement! {
    /// How many values of which kind the directory has.
    CountDirectory {} -> (Uuid, SmallInt, BigInt),
    "SELECT program_id, kind, count(*) FROM directory GROUP BY program_id, kind"
}

statement! {
    /// A page of the directory, with the programme of the owner's account, the reference or the voucher of the posting, and
    /// the profile's value of that kind.
    PageDirectory { program: Id => Uuid, kind: i16 => SmallInt, value: String => Text, rows: i64 => BigInt } -> (
        (Uuid, SmallInt, Text), (SmallInt, Uuid, BigInt), Nullable<Uuid>, Nullable<Text>,
    ),
    "SELECT d.program_id, d.kind, d.value, d.lane, d.member_id, d.seq, a.program_id, \
     CASE d.kind WHEN 1 THEN p.reference WHEN 2 THEN m.external_id WHEN 3 THEN m.email WHEN 4 THEN m.phone \
     WHEN 5 THEN m.card WHEN 6 THEN translate(upper(regexp_replace(p.voucher, '[^A-Za-z0-9]', '', 'g')), 'OIL', '011') END \
     FROM (SELECT * FROM directory WHERE (program_id, kind, value) >= (?, ?, ?) \
     ORDER BY program_id, kind, value LIMIT ?) AS d \
     LEFT JOIN LATERAL (SELECT program_id FROM accounts WHERE lane = d.lane AND member_id = d.member_id OFFSET 0) AS a \
     ON true LEFT JOIN LATERAL (SELECT reference, \
     CASE WHEN kind = 19 THEN substring(document FROM '\"voucher\":\"([^\"]*)\"') END AS voucher FROM postings \
     WHERE lane = d.lane AND member_id = d.member_id AND seq = d.seq AND d.kind IN (1, 6) OFFSET 0) AS p ON true \
     LEFT JOIN LATERAL (SELECT * FROM members \
     WHERE lane = d.lane AND member_id = d.member_id AND d.kind BETWEEN 2 AND 5 OFFSET 0) AS m ON true"
}

statement! {
    /// Counters, with the newest version of their programmes.
    ListCounters {} -> (Uuid, Text, Text, BigInt, Nullable<Int4>),
    "SELECT c.program_id, c.rule, c.period, c.used, p.version FROM counters AS c \
     LEFT JOIN programs AS p ON p.program_id = c.program_id"
}

statement! {
    /// Followers that are ahead of their lane, or follow none.
    FindAhead { rows: i64 => BigInt } -> (Text, SmallInt, BigInt, Nullable<BigInt>),
    "SELECT f.follower, f.lane, f.number, l.head FROM followers AS f LEFT JOIN lanes AS l ON l.lane = f.lane \
     WHERE l.head IS NULL OR f.number > l.head OR f.number < 0 LIMIT ?"
}

statement! {
    /// What the application's role may rewrite that it must not: table, column and privilege.
    FindPrivileges {} -> (Text, Text, Text),
    "SELECT c.relname::text, '*', p.privilege FROM pg_roles AS r \
     CROSS JOIN (VALUES ('UPDATE'), ('DELETE'), ('TRUNCATE')) AS p (privilege) CROSS JOIN pg_class AS c \
     WHERE r.rolname = 'perennial_app' AND c.oid IN ('postings'::regclass, 'journal'::regclass) \
     AND has_table_privilege(r.oid, c.oid, p.privilege) UNION ALL \
     SELECT c.relname::text, a.attname::text, 'UPDATE' FROM pg_roles AS r CROSS JOIN pg_class AS c \
     JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
     WHERE r.rolname = 'perennial_app' AND c.oid IN ('postings'::regclass, 'journal'::regclass) \
     AND (c.relname, a.attname) <> ('postings', 'texts') AND has_column_privilege(r.oid, c.oid, a.attnum, 'UPDATE')"
}

statement! {
    /// Whether there is the application's role.
    CountRoles {} -> BigInt,
    "SELECT count(*) FROM pg_roles WHERE rolname = 'perennial_app'"
}

/// Opens the snapshot.
///
/// # Errors
/// When the database fails.
pub async fn begin(conn: &mut AsyncPgConnection) -> QueryResult<()> {
    conn.batch_execute(BEGIN).await
}

/// Closes the snapshot.
///
/// # Errors
/// When the database fails.
pub async fn end(conn: &mut AsyncPgConnection) -> QueryResult<()> {
    conn.batch_execute("ROLLBACK").await
}

/// All lanes with their heads, by number.
///
/// # Errors
/// When the database fails.
pub async fn list_lanes(conn: &AsyncPgConnection) -> QueryResult<Vec<Link>> {
    let rows: Vec<(i16, i64, Instant, Vec<u8>)> = ListLanes {}.load(&mut &*conn).await?;
    let link = |(lane, number, moment, digest)| Link { lane: Lane(lane), number, moment, digest };
    Ok(rows.into_iter().map(link).collect())
}

/// How many accounts there are, and how many postings they say they have.
///
/// # Errors
/// When the database fails.
pub async fn count_accounts(conn: &AsyncPgConnection) -> QueryResult<(i64, i64)> {
    CountAccounts {}.get_result(&mut &*conn).await
}

/// Accounts from a key on.
///
/// # Errors
/// When the database fails.
pub async fn page_accounts(conn: &AsyncPgConnection, from: (i16, Id), rows: i64) -> QueryResult<Vec<AccountRow>> {
    PageAccounts { lane: from.0, member: from.1, rows }.load(&mut &*conn).await
}

/// A profile: lane, member, the four identities, attributes, time, and the programme of its account.
pub type MemberColumns =
    (i16, Id, Option<String>, Option<String>, Option<String>, Option<String>, String, Instant, Option<Id>);

/// Profiles from a key on.
///
/// # Errors
/// When the database fails.
pub async fn page_members(conn: &AsyncPgConnection, from: (i16, Id), rows: i64) -> QueryResult<Vec<MemberColumns>> {
    PageMembers { lane: from.0, member: from.1, rows }.load(&mut &*conn).await
}

/// A posting with the programme of its account and what the directory has under its reference.
pub type PostingColumns = (Option<ProgramId>, Option<Owned>, StoredPosting);

/// Postings from a key on.
///
/// # Errors
/// When the database fails.
pub async fn page_postings(
    conn: &AsyncPgConnection,
    (lane, member, seq): (i16, Id, i64),
    rows: i64,
) -> QueryResult<Vec<PostingColumns>> {
    let page = PagePostings { lane, member, seq, rows };
    let rows: Vec<(Option<Id>, OwnedColumns, StoredPosting)> = page.load(&mut &*conn).await?;
    let read = |(program, owned, posting): (Option<Id>, OwnedColumns, StoredPosting)| {
        let owned = match owned {
            (Some(lane), Some(member), Some(seq)) => Some(owned_by(lane, member, seq)),
            _ => None,
        };
        (program.map(ProgramId), owned, posting)
    };
    Ok(rows.into_iter().map(read).collect())
}

/// What the directory has under identities, by programme, kind and value.
///
/// # Errors
/// When the database fails.
pub async fn find_owned(
    conn: &AsyncPgConnection,
    keys: &[(ProgramId, i16, String)],
) -> QueryResult<Vec<((ProgramId, i16, String), Owned)>> {
    let find = FindOwned {
        programs: keys.iter().map(|(program, ..)| program.0).collect(),
        kinds: keys.iter().map(|(_, kind, _)| *kind).collect(),
        values: keys.iter().map(|(.., value)| value.clone()).collect(),
    };
    let rows: Vec<(Id, i16, String, i16, Id, i64)> = find.load(&mut &*conn).await?;
    let read =
        |(program, kind, value, lane, member, seq)| ((ProgramId(program), kind, value), owned_by(lane, member, seq));
    Ok(rows.into_iter().map(read).collect())
}

/// The postings that references lead to.
///
/// # Errors
/// When the database fails.
pub async fn find_by_reference(
    conn: &AsyncPgConnection,
    keys: &[(ProgramId, String)],
) -> QueryResult<Vec<((ProgramId, String), StoredPosting)>> {
    let find = FindByReference {
        programs: keys.iter().map(|(program, _)| program.0).collect(),
        values: keys.iter().map(|(_, value)| value.clone()).collect(),
    };
    let rows: Vec<(Id, String, StoredPosting)> = find.load(&mut &*conn).await?;
    Ok(rows.into_iter().map(|(program, value, posting)| ((ProgramId(program), value), posting)).collect())
}

/// A journal row: its place, and the members and positions that it names.
pub type JournalColumns = (Link, Vec<Id>, Vec<i64>);

/// Journal rows from a key on.
///
/// # Errors
/// When the database fails.
pub async fn page_journal(
    conn: &AsyncPgConnection,
    (lane, number): (i16, i64),
    rows: i64,
) -> QueryResult<Vec<JournalColumns>> {
    type Columns = (i16, i64, Instant, Vec<u8>, Vec<Id>, Vec<i64>);
    let rows: Vec<Columns> = PageJournal { lane, number, rows }.load(&mut &*conn).await?;
    let read = |(lane, number, moment, digest, members, seqs): Columns| {
        (Link { lane: Lane(lane), number, moment, digest }, members, seqs)
    };
    Ok(rows.into_iter().map(read).collect())
}

/// Postings by lane, member and position; those that are there.
///
/// # Errors
/// When the database fails.
pub async fn find_postings(conn: &AsyncPgConnection, names: &[(i16, Id, i64)]) -> QueryResult<Vec<StoredPosting>> {
    let find = FindPostings {
        lanes: names.iter().map(|(lane, ..)| *lane).collect(),
        members: names.iter().map(|(_, member, _)| *member).collect(),
        seqs: names.iter().map(|(.., seq)| *seq).collect(),
    };
    find.load(&mut &*conn).await
}

/// Postings of a lane that are not in exactly one journal row, with how many they are in.
///
/// # Errors
/// When the database fails.
pub async fn find_uncovered(conn: &AsyncPgConnection, lane: Lane, rows: i64) -> QueryResult<Vec<(Id, i64, i64)>> {
    FindUncovered { lane: lane.0, again: lane.0, rows }.load(&mut &*conn).await
}

/// How many values the directory has, by programme and kind.
///
/// # Errors
/// When the database fails.
pub async fn count_directory(conn: &AsyncPgConnection) -> QueryResult<Vec<(ProgramId, i16, i64)>> {
    let rows: Vec<(Id, i16, i64)> = CountDirectory {}.load(&mut &*conn).await?;
    Ok(rows.into_iter().map(|(program, kind, count)| (ProgramId(program), kind, count)).collect())
}

/// A directory row: its key, its owner, the programme of the owner's account, and what the owner has of that kind.
pub type DirectoryColumns = ((Id, i16, String), (i16, Id, i64), Option<Id>, Option<String>);

/// Directory rows from a key on.
///
/// # Errors
/// When the database fails.
pub async fn page_directory(
    conn: &AsyncPgConnection,
    (program, kind, value): (Id, i16, String),
    rows: i64,
) -> QueryResult<Vec<DirectoryColumns>> {
    PageDirectory { program, kind, value, rows }.load(&mut &*conn).await
}

/// Counters: name, use, and the programme's newest version.
///
/// # Errors
/// When the database fails.
pub async fn list_counters(conn: &AsyncPgConnection) -> QueryResult<Vec<(CounterKey, i64, Option<i32>)>> {
    let rows: Vec<(Id, String, String, i64, Option<i32>)> = ListCounters {}.load(&mut &*conn).await?;
    let counter = |(program, rule, period, used, version)| {
        (CounterKey { program: ProgramId(program), rule, period }, used, version)
    };
    Ok(rows.into_iter().map(counter).collect())
}

/// Followers ahead of their lane: name, lane, number, and the lane's head.
///
/// # Errors
/// When the database fails.
pub async fn find_ahead(conn: &AsyncPgConnection, rows: i64) -> QueryResult<Vec<(String, i16, i64, Option<i64>)>> {
    FindAhead { rows }.load(&mut &*conn).await
}

/// What the application's role may rewrite and must not: table, column and privilege. `None` when there is no such role.
///
/// # Errors
/// When the database fails.
pub async fn find_privileges(conn: &AsyncPgConnection) -> QueryResult<Option<Vec<(String, String, String)>>> {
    let roles: i64 = CountRoles {}.get_result(&mut &*conn).await?;
    if roles == 0 {
        return Ok(None);
    }
    FindPrivileges {}.load(&mut &*conn).await.map(Some)
}

fn owned_by(lane: i16, member: Id, seq: i64) -> Owned {
    Owned { lane: Lane(lane), member: MemberId(member), seq: Seq(seq) }
}
