//! The statements that load a group.
//!
//! Look-ups are lateral with `OFFSET 0`: a join with `unnest` that was planned on an empty table would scan for ever.

use diesel::sql_types::{
    Array, BigInt, Binary, Bool, Date, Int4, Nullable, Numeric, SmallInt, Text, Timestamptz, Uuid,
};
use uuid::Uuid as Id;

use crate::posting_columns;
use crate::statement;

/// The SQL types of a row of `accounts`.
pub type AccountSql = (
    SmallInt,
    Uuid,
    Uuid,
    SmallInt,
    BigInt,
    Timestamptz,
    Nullable<Timestamptz>,
    Date,
    Int4,
    Int4,
    Nullable<Date>,
    Array<BigInt>,
    Array<Nullable<Date>>,
    Array<BigInt>,
    Array<SmallInt>,
    Array<BigInt>,
    Array<Nullable<Timestamptz>>,
    Array<Nullable<Date>>,
    Nullable<Array<BigInt>>,
    Nullable<Uuid>,
    Nullable<Int4>,
    Nullable<Int4>,
    Nullable<SmallInt>,
    Nullable<Array<BigInt>>,
    Nullable<Array<BigInt>>,
    Nullable<BigInt>,
);

/// The SQL types of a row of `postings`.
pub type PostingSql = (
    SmallInt,
    Uuid,
    BigInt,
    Text,
    SmallInt,
    Binary,
    Timestamptz,
    Timestamptz,
    Int4,
    Text,
    Bool,
    Nullable<Numeric>,
    Text,
    Int4,
    SmallInt,
    Array<BigInt>,
    Array<BigInt>,
    Array<BigInt>,
    Text,
    Nullable<Text>,
);

statement! {
    /// Opens the transaction; a statement like the rest, so that pipelining keeps its place.
    Begin {} -> Bool,
    "BEGIN"
}

statement! {
    /// Locks lanes in the order of their numbers.
    LockLanes { lanes: Vec<i16> => Array<SmallInt> } -> (SmallInt, BigInt, Binary, Timestamptz),
    "SELECT lane, head, digest, moment FROM lanes WHERE lane = ANY (?) ORDER BY lane FOR UPDATE"
}

statement! {
    /// The same without a lock: for who only looks.
    ReadLanes { lanes: Vec<i16> => Array<SmallInt> } -> (SmallInt, BigInt, Binary, Timestamptz),
    "SELECT lane, head, digest, moment FROM lanes WHERE lane = ANY (?) ORDER BY lane"
}

statement! {
    /// The newest version of each programme, and Postgres's clock.
    ReadVersions { programs: Vec<Id> => Array<Uuid> } -> (Uuid, Int4, Timestamptz),
    "SELECT program_id, version, clock_timestamp() FROM programs WHERE program_id = ANY (?)"
}

statement! {
    /// Accounts by lane and member.
    FindAccounts { lanes: Vec<i16> => Array<SmallInt>, members: Vec<Id> => Array<Uuid> } -> AccountSql,
    "SELECT a.* FROM unnest(?, ?) AS u (lane, member_id) CROSS JOIN LATERAL (\
     SELECT * FROM accounts WHERE lane = u.lane AND member_id = u.member_id OFFSET 0) AS a"
}

statement! {
    /// Who owns which directory values.
    FindOwners {
        programs: Vec<Id> => Array<Uuid>,
        kinds: Vec<i16> => Array<SmallInt>,
        values: Vec<String> => Array<Text>,
    } -> (Uuid, SmallInt, Text, Uuid, BigInt),
    "SELECT d.program_id, d.kind, d.value, d.member_id, d.seq \
     FROM unnest(?, ?, ?) AS u (program_id, kind, value) CROSS JOIN LATERAL (\
     SELECT * FROM directory WHERE program_id = u.program_id AND kind = u.kind AND value = u.value OFFSET 0) AS d"
}

statement! {
    /// The stories of postings: each itself, those that opened the lots it moved, and later ones that moved the same
    /// lots or return it. Of lots that came along with a merge (their names have a branch) all that moved them.
    FindStories {
        programs: Vec<Id> => Array<Uuid>,
        references: Vec<String> => Array<Text>,
    } -> (Uuid, Text, PostingSql),
    concat!(
        "SELECT u.program_id, u.reference, ",
        posting_columns!(),
        " FROM unnest(?, ?) AS u (program_id, reference) CROSS JOIN LATERAL (\
         SELECT lane, member_id, seq FROM directory \
         WHERE program_id = u.program_id AND kind = 1 AND value = u.reference OFFSET 0) AS d CROSS JOIN LATERAL (\
         SELECT move_lots FROM postings WHERE lane = d.lane AND member_id = d.member_id AND seq = d.seq OFFSET 0) AS o \
         CROSS JOIN LATERAL (SELECT * FROM postings AS q WHERE q.lane = d.lane AND q.member_id = d.member_id AND (\
         q.seq = d.seq OR q.seq = ANY (ARRAY(SELECT lot / 256 FROM unnest(o.move_lots) AS lot)) OR q.seq > d.seq AND (\
         q.move_lots && o.move_lots OR starts_with(q.reference, u.reference || '/')) OR \
         q.move_lots && ARRAY(SELECT lot FROM unnest(o.move_lots) AS lot WHERE lot >= 1099511627776)) OFFSET 0) AS p \
         ORDER BY p.member_id, p.seq"
    )
}

statement! {
    /// The stories of postings whose owner was merged into another member: what moved the lots there, under the names
    /// that they have by then, and the returns.
    FindLater {
        programs: Vec<Id> => Array<Uuid>,
        references: Vec<String> => Array<Text>,
        owners: Vec<Id> => Array<Uuid>,
        lanes: Vec<i16> => Array<SmallInt>,
        members: Vec<Id> => Array<Uuid>,
        shifts: Vec<i64> => Array<BigInt>,
    } -> (Uuid, Text, PostingSql),
    concat!(
        "SELECT u.program_id, u.reference, ",
        posting_columns!(),
        " FROM unnest(?, ?, ?, ?, ?, ?) AS u (program_id, reference, owner, lane, member_id, shift) CROSS JOIN LATERAL (\
         SELECT lane, member_id, seq FROM directory WHERE program_id = u.program_id AND kind = 1 \
         AND value = u.reference AND member_id = u.owner OFFSET 0) AS d CROSS JOIN LATERAL (\
         SELECT move_lots FROM postings WHERE lane = d.lane AND member_id = d.member_id AND seq = d.seq OFFSET 0) AS o \
         CROSS JOIN LATERAL (SELECT * FROM postings AS q WHERE q.lane = u.lane AND q.member_id = u.member_id AND (\
         q.move_lots && ARRAY(SELECT lot + u.shift FROM unnest(o.move_lots) AS lot) \
         OR starts_with(q.reference, u.reference || '/')) OFFSET 0) AS p ORDER BY p.member_id, p.seq"
    )
}

statement! {
    /// Members' postings of a kind of the last 400 days: longer than any limit looks back.
    FindEarlier {
        lanes: Vec<i16> => Array<SmallInt>,
        members: Vec<Id> => Array<Uuid>,
        kinds: Vec<i16> => Array<SmallInt>,
    } -> (Uuid, PostingSql),
    concat!(
        "SELECT a.program_id, ",
        posting_columns!(),
        " FROM unnest(?, ?, ?) AS u (lane, member_id, kind) CROSS JOIN LATERAL (\
         SELECT program_id FROM accounts WHERE lane = u.lane AND member_id = u.member_id OFFSET 0) AS a \
         CROSS JOIN LATERAL (SELECT * FROM postings AS q WHERE q.lane = u.lane AND q.member_id = u.member_id \
         AND q.kind = u.kind AND q.effective_at > clock_timestamp() - interval '400 days' OFFSET 0) AS p \
         ORDER BY p.member_id, p.seq"
    )
}

statement! {
    /// How far counters are used.
    FindCounters {
        programs: Vec<Id> => Array<Uuid>,
        rules: Vec<String> => Array<Text>,
        periods: Vec<String> => Array<Text>,
    } -> (Uuid, Text, Text, BigInt),
    "SELECT c.program_id, c.rule, c.period, c.used FROM unnest(?, ?, ?) AS u (program_id, rule, period) CROSS JOIN LATERAL (\
     SELECT * FROM counters WHERE program_id = u.program_id AND rule = u.rule AND period = u.period OFFSET 0) AS c"
}

statement! {
    /// The same, locked by name: for a group that ran into a bound.
    LockCounters {
        programs: Vec<Id> => Array<Uuid>,
        rules: Vec<String> => Array<Text>,
        periods: Vec<String> => Array<Text>,
    } -> (Uuid, Text, Text, BigInt),
    "SELECT c.program_id, c.rule, c.period, c.used FROM counters AS c \
     WHERE (c.program_id, c.rule, c.period) IN (SELECT * FROM unnest(?, ?, ?)) \
     ORDER BY c.program_id, c.rule, c.period FOR UPDATE"
}

statement! {
    /// What postings answered.
    FindReceipts {
        lanes: Vec<i16> => Array<SmallInt>,
        members: Vec<Id> => Array<Uuid>,
        seqs: Vec<i64> => Array<BigInt>,
    } -> (Uuid, BigInt, Binary, Text),
    "SELECT p.member_id, p.seq, p.hash, p.document FROM unnest(?, ?, ?) AS u (lane, member_id, seq) CROSS JOIN LATERAL (\
     SELECT * FROM postings WHERE lane = u.lane AND member_id = u.member_id AND seq = u.seq OFFSET 0) AS p"
}

/// The SQL types of a profile.
pub type ProfileSql = (
    Uuid,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Date>,
    Nullable<Text>,
    Text,
);

statement! {
    /// Profiles by lane and member.
    FindProfiles { lanes: Vec<i16> => Array<SmallInt>, members: Vec<Id> => Array<Uuid> } -> ProfileSql,
    "SELECT m.member_id, m.external_id, m.email, m.phone, m.card, m.name, m.birthday, m.locale, m.attributes \
     FROM unnest(?, ?) AS u (lane, member_id) CROSS JOIN LATERAL (\
     SELECT * FROM members WHERE lane = u.lane AND member_id = u.member_id OFFSET 0) AS m"
}
