//! The statements that save a group.

use chrono::NaiveDate;
use diesel::sql_types::{
    Array, BigInt, Binary, Bool, Date, Int4, Nullable, Numeric, SmallInt, Text, Timestamptz, Uuid,
};
use rust_decimal::Decimal;
use uuid::Uuid as Id;

use crate::kernel::clock::Instant;
use crate::statement;

statement! {
    /// Accounts as they stand after the group. MERGE, since its join starts at the source whatever the planner thinks
    /// of a table that was empty when the statement was planned.
    SaveAccounts {
        figures: Vec<i64> => Array<BigInt>,
        expires_on: Vec<Option<NaiveDate>> => Array<Nullable<Date>>,
        lot_ids: Vec<i64> => Array<BigInt>,
        lot_wallets: Vec<i16> => Array<SmallInt>,
        lot_remaining: Vec<i64> => Array<BigInt>,
        lot_available_at: Vec<Option<Instant>> => Array<Nullable<Timestamptz>>,
        lot_expires_on: Vec<Option<NaiveDate>> => Array<Nullable<Date>>,
        holds: Vec<i64> => Array<BigInt>,
        usage: Vec<i64> => Array<BigInt>,
        standing: Vec<i64> => Array<BigInt>,
        lanes: Vec<i16> => Array<SmallInt>,
        members: Vec<Id> => Array<Uuid>,
        programs: Vec<Id> => Array<Uuid>,
        statuses: Vec<i16> => Array<SmallInt>,
        seqs: Vec<i64> => Array<BigInt>,
        moved_at: Vec<Instant> => Array<Timestamptz>,
        changes_at: Vec<Option<Instant>> => Array<Nullable<Timestamptz>>,
        enrolled_on: Vec<NaiveDate> => Array<Date>,
        decided_by: Vec<i32> => Array<Int4>,
        order_counts: Vec<i32> => Array<Int4>,
        last_order_on: Vec<Option<NaiveDate>> => Array<Nullable<Date>>,
        merged_into: Vec<Option<Id>> => Array<Nullable<Uuid>>,
        merged_branch: Vec<Option<i32>> => Array<Nullable<Int4>>,
        branches: Vec<Option<i32>> => Array<Nullable<Int4>>,
        alias_depth: Vec<Option<i16>> => Array<Nullable<SmallInt>>,
        segments: Vec<Option<i64>> => Array<Nullable<BigInt>>,
        figures_ends: Vec<i32> => Array<Int4>,
        wallets_ends: Vec<i32> => Array<Int4>,
        lots_ends: Vec<i32> => Array<Int4>,
        figures_counts: Vec<i32> => Array<Int4>,
        wallets_counts: Vec<i32> => Array<Int4>,
        lots_counts: Vec<i32> => Array<Int4>,
        holds_ends: Vec<i32> => Array<Int4>,
        holds_counts: Vec<i32> => Array<Int4>,
        usage_ends: Vec<i32> => Array<Int4>,
        usage_counts: Vec<i32> => Array<Int4>,
        standing_ends: Vec<i32> => Array<Int4>,
        standing_counts: Vec<i32> => Array<Int4>,
    } -> Bool,
    "MERGE INTO accounts AS a USING (SELECT u.*, \
     (?)[fz - fn + 1:fz] AS figures, (?)[xz - xn + 1:xz] AS expires_on, (?)[lz - ln + 1:lz] AS lot_ids, \
     (?)[lz - ln + 1:lz] AS lot_wallets, (?)[lz - ln + 1:lz] AS lot_remaining, \
     (?)[lz - ln + 1:lz] AS lot_available_at, (?)[lz - ln + 1:lz] AS lot_expires_on, \
     CASE WHEN hn > 0 THEN (?)[hz - hn + 1:hz] END AS holds, \
     CASE WHEN un > 0 THEN (?)[uz - un + 1:uz] END AS usage, \
     CASE WHEN sn > 0 THEN (?)[sz - sn + 1:sz] END AS standing \
     FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) AS u (lane, member_id, program_id, \
     status, seq, moved_at, changes_at, enrolled_on, decided_by, order_count, last_order_on, merged_into, merged_branch, \
     branches, alias_depth, segments, fz, xz, lz, fn, xn, ln, hz, hn, uz, un, sz, sn)) AS s \
     ON a.lane = s.lane AND a.member_id = s.member_id \
     WHEN MATCHED THEN UPDATE SET status = s.status, seq = s.seq, moved_at = s.moved_at, changes_at = s.changes_at, \
     decided_by = s.decided_by, order_count = s.order_count, last_order_on = s.last_order_on, figures = s.figures, \
     expires_on = s.expires_on, lot_ids = s.lot_ids, lot_wallets = s.lot_wallets, lot_remaining = s.lot_remaining, \
     lot_available_at = s.lot_available_at, lot_expires_on = s.lot_expires_on, holds = s.holds, usage = s.usage, \
     standing = s.standing, segments = s.segments, merged_into = s.merged_into, merged_branch = s.merged_branch, branches = s.branches, alias_depth = s.alias_depth \
     WHEN NOT MATCHED THEN INSERT VALUES (s.lane, s.member_id, s.program_id, s.status, s.seq, s.moved_at, \
     s.changes_at, s.enrolled_on, s.decided_by, s.order_count, s.last_order_on, s.figures, s.expires_on, s.lot_ids, \
     s.lot_wallets, s.lot_remaining, s.lot_available_at, s.lot_expires_on, s.holds, s.merged_into, s.merged_branch, \
     s.branches, s.alias_depth, s.usage, s.standing, s.segments)"
}

statement! {
    /// The new postings.
    InsertPostings {
        lanes: Vec<i16> => Array<SmallInt>,
        members: Vec<Id> => Array<Uuid>,
        seqs: Vec<i64> => Array<BigInt>,
        references: Vec<String> => Array<Text>,
        kinds: Vec<i16> => Array<SmallInt>,
        hashes: Vec<Vec<u8>> => Array<Binary>,
        effective_at: Vec<Instant> => Array<Timestamptz>,
        recorded_at: Vec<Instant> => Array<Timestamptz>,
        versions: Vec<i32> => Array<Int4>,
        causes: Vec<String> => Array<Text>,
        imported: Vec<bool> => Array<Bool>,
        paid: Vec<Option<Decimal>> => Array<Nullable<Numeric>>,
        currencies: Vec<String> => Array<Text>,
        items: Vec<i32> => Array<Int4>,
        orders: Vec<i16> => Array<SmallInt>,
        documents: Vec<String> => Array<Text>,
        texts: Vec<Option<String>> => Array<Nullable<Text>>,
        entries_ends: Vec<i32> => Array<Int4>,
        lots_ends: Vec<i32> => Array<Int4>,
        moves_ends: Vec<i32> => Array<Int4>,
        entries_counts: Vec<i32> => Array<Int4>,
        lots_counts: Vec<i32> => Array<Int4>,
        moves_counts: Vec<i32> => Array<Int4>,
        entries: Vec<i64> => Array<BigInt>,
        move_lots: Vec<i64> => Array<BigInt>,
        moves: Vec<i64> => Array<BigInt>,
    } -> Bool,
    "WITH u AS NOT MATERIALIZED (SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
     AS u (lane, member_id, seq, reference, kind, hash, effective_at, recorded_at, version, cause, imported, paid, \
     currency, items, orders, document, texts, ez, lz, mz, en, ln, mn)) \
     INSERT INTO postings (lane, member_id, seq, reference, kind, hash, effective_at, recorded_at, version, cause, \
     imported, paid, currency, items, orders, entries, move_lots, moves, document, texts) \
     SELECT lane, member_id, seq, reference, kind, hash, effective_at, recorded_at, version, cause, imported, paid, \
     currency, items, orders, (?)[ez - en + 1:ez], (?)[lz - ln + 1:lz], (?)[mz - mn + 1:mz], document, texts FROM u"
}

statement! {
    /// Directory values and the postings that took them.
    InsertOwners {
        programs: Vec<Id> => Array<Uuid>,
        kinds: Vec<i16> => Array<SmallInt>,
        values: Vec<String> => Array<Text>,
        lanes: Vec<i16> => Array<SmallInt>,
        members: Vec<Id> => Array<Uuid>,
        seqs: Vec<i64> => Array<BigInt>,
    } -> Bool,
    "INSERT INTO directory (program_id, kind, value, lane, member_id, seq) SELECT * FROM unnest(?, ?, ?, ?, ?, ?)"
}

statement! {
    /// Directory values that nobody owns any more.
    DeleteOwners {
        programs: Vec<Id> => Array<Uuid>,
        kinds: Vec<i16> => Array<SmallInt>,
        values: Vec<String> => Array<Text>,
    } -> Bool,
    "DELETE FROM directory WHERE ctid = ANY (ARRAY(SELECT d.place FROM unnest(?, ?, ?) AS u (program_id, kind, value) \
     CROSS JOIN LATERAL (SELECT ctid AS place FROM directory \
     WHERE program_id = u.program_id AND kind = u.kind AND value = u.value OFFSET 0) AS d))"
}

statement! {
    /// Profiles.
    SaveMembers {
        lanes: Vec<i16> => Array<SmallInt>,
        members: Vec<Id> => Array<Uuid>,
        external_ids: Vec<Option<String>> => Array<Nullable<Text>>,
        emails: Vec<Option<String>> => Array<Nullable<Text>>,
        phones: Vec<Option<String>> => Array<Nullable<Text>>,
        cards: Vec<Option<String>> => Array<Nullable<Text>>,
        names: Vec<Option<String>> => Array<Nullable<Text>>,
        birthdays: Vec<Option<NaiveDate>> => Array<Nullable<Date>>,
        locales: Vec<Option<String>> => Array<Nullable<Text>>,
        attributes: Vec<String> => Array<Text>,
        changed_at: Vec<Instant> => Array<Timestamptz>,
    } -> Bool,
    "INSERT INTO members (lane, member_id, external_id, email, phone, card, name, birthday, locale, attributes, \
     changed_at) SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT ON CONSTRAINT members_pk DO UPDATE \
     SET external_id = excluded.external_id, email = excluded.email, phone = excluded.phone, card = excluded.card, \
     name = excluded.name, birthday = excluded.birthday, locale = excluded.locale, attributes = excluded.attributes, \
     changed_at = excluded.changed_at"
}

statement! {
    /// Counters that are not there yet.
    InsertCounters {
        programs: Vec<Id> => Array<Uuid>,
        rules: Vec<String> => Array<Text>,
        periods: Vec<String> => Array<Text>,
    } -> Bool,
    "INSERT INTO counters (program_id, rule, period, used) SELECT *, 0 FROM unnest(?, ?, ?) \
     ON CONFLICT ON CONSTRAINT counters_pk DO NOTHING"
}

statement! {
    /// By how much the one counter of a group moves: a plan that is cheap to run again, as it is whenever others moved the
    /// counter meanwhile.
    MoveCounter {
        by: i64 => BigInt,
        up: i64 => BigInt,
        bound: Option<i64> => Nullable<BigInt>,
        program: Id => Uuid,
        rule: String => Text,
        period: String => Text,
    } -> Bool,
    "UPDATE counters SET used = used + ?, used_max = CASE WHEN ? > 0 THEN ? ELSE used_max END \
     WHERE program_id = ? AND rule = ? AND period = ?"
}

statement! {
    /// By how much each counter moves, in the order of their names: last, so that nobody waits for them long. One that goes
    /// up gets its bound, of the version that is in force by then.
    MoveCounters {
        programs: Vec<Id> => Array<Uuid>,
        rules: Vec<String> => Array<Text>,
        periods: Vec<String> => Array<Text>,
        counts: Vec<i64> => Array<BigInt>,
        bounds: Vec<Option<i64>> => Array<Nullable<BigInt>>,
    } -> Bool,
    "UPDATE counters AS c SET used = c.used + u.n, \
     used_max = CASE WHEN u.n > 0 THEN u.bound ELSE c.used_max END \
     FROM unnest(?, ?, ?, ?, ?) AS u (program_id, rule, period, n, bound) \
     WHERE c.program_id = u.program_id AND c.rule = u.rule AND c.period = u.period"
}

statement! {
    /// What people did, for the audit log.
    InsertAudits {
        programs: Vec<Id> => Array<Uuid>,
        ids: Vec<Id> => Array<Uuid>,
        principals: Vec<String> => Array<Text>,
        actions: Vec<String> => Array<Text>,
        subjects: Vec<String> => Array<Text>,
        details: Vec<String> => Array<Text>,
    } -> Bool,
    "INSERT INTO audit_log (program_id, audit_id, principal, action, subject, detail) \
     SELECT * FROM unnest(?, ?, ?, ?, ?, ?)"
}

statement! {
    /// The journal rows of the group.
    InsertJournal {
        members: Vec<Id> => Array<Uuid>,
        seqs: Vec<i64> => Array<BigInt>,
        lanes: Vec<i16> => Array<SmallInt>,
        numbers: Vec<i64> => Array<BigInt>,
        moments: Vec<Instant> => Array<Timestamptz>,
        digests: Vec<Vec<u8>> => Array<Binary>,
        ends: Vec<i32> => Array<Int4>,
        counts: Vec<i32> => Array<Int4>,
    } -> Bool,
    "INSERT INTO journal (members, seqs, lane, number, moment, digest) \
     SELECT (?)[z - n + 1:z], (?)[z - n + 1:z], lane, number, moment, digest \
     FROM unnest(?, ?, ?, ?, ?, ?) AS u (lane, number, moment, digest, z, n)"
}

statement! {
    /// The new heads of the lanes.
    SaveHeads {
        lanes: Vec<i16> => Array<SmallInt>,
        numbers: Vec<i64> => Array<BigInt>,
        digests: Vec<Vec<u8>> => Array<Binary>,
        moments: Vec<Instant> => Array<Timestamptz>,
    } -> Bool,
    "UPDATE lanes AS l SET head = u.head, digest = u.digest, moment = u.moment \
     FROM unnest(?, ?, ?, ?) AS u (lane, head, digest, moment) WHERE l.lane = u.lane"
}

statement! {
    /// Makes it all true.
    Commit {} -> Bool,
    "COMMIT"
}

statement! {
    /// Drops it all.
    Rollback {} -> Bool,
    "ROLLBACK"
}
