//! What a group writes, pipelined in one round trip: one statement a table, and COMMIT.
//!
//! | # | statement | rows an ordinary order |
//! |---|---|---|
//! | 1 | accounts updated (and inserted, for new members) | 1 |
//! | 2 | postings | 1 |
//! | 3 | directory (released values first) | 1 |
//! | 4 | members, where a profile was written | 0 |
//! | 5 | audit log, where something is said | 0 |
//! | 6 | journal | 1 for each lane of the group |
//! | 7 | lanes | 1 for each lane of the group |
//! | 8 | counters, where something is moved: all members wait for them, so last | 0 |
//! | 9 | `COMMIT` | |

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use diesel::QueryResult;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::try_join;

use crate::kernel::clock::Instant;
use crate::kernel::grow::Grow;
use crate::kernel::id::{Lane, LaneCount, MemberId, ProgramId};
use crate::loyalty::ledger::account::Account;
use crate::loyalty::ledger::canonical::canonical;
use crate::loyalty::ledger::catch_up::next_change;
use crate::loyalty::ledger::counters::{Counted, CounterKey};
use crate::loyalty::ledger::figures::FIGURES_A_WALLET;
use crate::loyalty::ledger::group::Group;
use crate::loyalty::ledger::load::LaneHead;
use crate::loyalty::ledger::numbers::{
    entry_numbers, entry_numbers_len, expiry_day, hold_numbers, move_numbers, move_numbers_len,
};
use crate::loyalty::ledger::posting::PostingRow;
use crate::loyalty::ledger::rows::{segments_number, status_number};
use crate::loyalty::ledger::tier::standing_numbers;
use crate::loyalty::ledger::usage::usage_numbers;
use crate::loyalty::ledger::writes::{
    Commit, DeleteOwners, InsertAudits, InsertCounters, InsertJournal, InsertOwners, InsertPostings, MoveCounter,
    MoveCounters, SaveAccounts, SaveHeads, SaveMembers,
};
use crate::loyalty::program::model::Timeline;
use crate::platform::entropy::uuid_v7;
use crate::platform::journal::digest::chain;

/// Writes what a group decided, and commits.
///
/// # Errors
/// When any statement fails: nothing of the group is there then, or, when the connection was lost in COMMIT, all of it.
pub async fn save(
    conn: &AsyncPgConnection,
    group: &Group,
    heads: &[LaneHead],
    clock: Instant,
    lanes: LaneCount,
    programs: &HashMap<ProgramId, Arc<Timeline>>,
) -> QueryResult<()> {
    let (journal, heads) = journal_rows(group, heads, clock, lanes);
    let new_counters = new_counters(group);
    // Polled in order on one connection: that pipelines them. Each answer is looked at: after a failed statement
    // COMMIT itself says nothing.
    try_join!(
        run(conn, save_accounts(group, lanes, programs), !group.rows.is_empty()),
        run(conn, insert_postings(&group.rows, lanes), !group.rows.is_empty()),
        run(conn, delete_owners(group), !group.releases.is_empty()),
        run(conn, insert_owners(group, lanes), !group.takes.is_empty()),
        run(conn, save_members(group, clock, lanes), !group.profiles.is_empty()),
        run(conn, insert_audits(group), !group.audits.is_empty()),
        run(conn, journal, !group.rows.is_empty()),
        run(conn, heads, !group.rows.is_empty()),
        run(conn, insert_counters(&new_counters), !new_counters.is_empty()),
        run(conn, move_counters(group), group.counts.len() > 1),
        move_counter(conn, group),
        run(conn, Commit {}, true),
    )?;
    Ok(())
}

async fn run<S>(conn: &AsyncPgConnection, statement: S, wanted: bool) -> QueryResult<usize>
where
    S: diesel::query_builder::QueryFragment<diesel::pg::Pg> + diesel::query_builder::QueryId + Send,
{
    if wanted { statement.execute(&mut &*conn).await } else { Ok(0) }
}

fn int(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

fn save_accounts(group: &Group, lanes: LaneCount, programs: &HashMap<ProgramId, Arc<Timeline>>) -> SaveAccounts {
    let touched: HashSet<MemberId> = group.rows.iter().map(|r| r.member).collect();
    let accounts: Vec<&Account> = touched.iter().filter_map(|m| group.accounts.get(m)).collect();
    let next_change = |a: &&Account| programs.get(&a.program).and_then(|program| next_change(a, program));
    let column = |f: fn(&Account) -> i64| accounts.iter().map(|a| f(a)).collect::<Vec<_>>();
    let lots = || accounts.iter().flat_map(|a| &a.lots);
    let wallets = || accounts.iter().flat_map(|a| &a.wallets);
    let wallets_counts: Vec<usize> = accounts.iter().map(|a| a.wallets.len()).collect();
    let figures_counts: Vec<usize> = wallets_counts.iter().map(|n| n.saturating_mul(FIGURES_A_WALLET)).collect();
    let lots_counts: Vec<usize> = accounts.iter().map(|a| a.lots.len()).collect();
    let holds: Vec<Vec<i64>> = accounts.iter().map(|a| hold_numbers(&a.holds)).collect();
    let holds_counts: Vec<usize> = holds.iter().map(Vec::len).collect();
    let usage: Vec<Vec<i64>> = accounts.iter().map(|a| usage_numbers(&a.usage)).collect();
    let usage_counts: Vec<usize> = usage.iter().map(Vec::len).collect();
    let standings: Vec<Vec<i64>> = accounts.iter().map(|a| standing_numbers(&a.standing)).collect();
    let standing_counts: Vec<usize> = standings.iter().map(Vec::len).collect();
    SaveAccounts {
        figures: wallets().flat_map(|w| w.figures.to_stored()).collect(),
        expires_on: wallets().map(|w| w.expires_on).collect(),
        lot_ids: lots().map(|l| l.id.0).collect(),
        lot_wallets: lots().map(|l| l.wallet.0).collect(),
        lot_remaining: lots().map(|l| l.remaining.get()).collect(),
        lot_available_at: lots().map(|l| l.available_at).collect(),
        lot_expires_on: lots().map(|l| expiry_day(l.expiry)).collect(),
        holds: holds.into_iter().flatten().collect(),
        usage: usage.into_iter().flatten().collect(),
        standing: standings.into_iter().flatten().collect(),
        lanes: accounts.iter().map(|a| a.member.lane(lanes).0).collect(),
        members: accounts.iter().map(|a| a.member.0).collect(),
        programs: accounts.iter().map(|a| a.program.0).collect(),
        statuses: accounts.iter().map(|a| status_number(a.status)).collect(),
        seqs: column(|a| a.seq.0),
        moved_at: accounts.iter().map(|a| a.moved_at).collect(),
        changes_at: accounts.iter().map(next_change).collect(),
        enrolled_on: accounts.iter().map(|a| a.enrolled_on).collect(),
        decided_by: accounts.iter().map(|a| a.decided_by.0).collect(),
        order_counts: accounts.iter().map(|a| a.order_count).collect(),
        last_order_on: accounts.iter().map(|a| a.last_order_on).collect(),
        merged_into: accounts.iter().map(|a| a.alias.map(|alias| alias.into.0)).collect(),
        merged_branch: accounts.iter().map(|a| a.alias.map(|alias| alias.branch.0)).collect(),
        branches: accounts.iter().map(|a| (a.branches.0 > 1).then_some(a.branches.0)).collect(),
        alias_depth: accounts.iter().map(|a| (a.alias_depth > 0).then_some(a.alias_depth)).collect(),
        segments: accounts.iter().map(|a| segments_number(a.segments)).collect(),
        figures_ends: ends(&figures_counts),
        wallets_ends: ends(&wallets_counts),
        lots_ends: ends(&lots_counts),
        figures_counts: figures_counts.into_iter().map(int).collect(),
        wallets_counts: wallets_counts.into_iter().map(int).collect(),
        lots_counts: lots_counts.into_iter().map(int).collect(),
        holds_ends: ends(&holds_counts),
        holds_counts: holds_counts.into_iter().map(int).collect(),
        usage_ends: ends(&usage_counts),
        usage_counts: usage_counts.into_iter().map(int).collect(),
        standing_ends: ends(&standing_counts),
        standing_counts: standing_counts.into_iter().map(int).collect(),
    }
}

/// The places at which consecutive slices of the given lengths end.
fn ends(counts: &[usize]) -> Vec<i32> {
    let sums = counts.iter().scan(0_usize, |sum, n| {
        sum.grow(*n);
        Some(int(*sum))
    });
    sums.collect()
}

fn insert_postings(rows: &[PostingRow], lanes: LaneCount) -> InsertPostings {
    let entries_counts: Vec<usize> = rows.iter().map(entry_numbers_len).collect();
    let lots_counts: Vec<usize> = rows.iter().map(|r| r.moves.len()).collect();
    let moves_counts: Vec<usize> = rows.iter().map(move_numbers_len).collect();
    InsertPostings {
        lanes: rows.iter().map(|r| r.member.lane(lanes).0).collect(),
        members: rows.iter().map(|r| r.member.0).collect(),
        seqs: rows.iter().map(|r| r.seq.0).collect(),
        references: rows.iter().map(|r| r.reference.as_str().to_owned()).collect(),
        kinds: rows.iter().map(|r| r.kind.number()).collect(),
        hashes: rows.iter().map(|r| r.hash.0.to_vec()).collect(),
        effective_at: rows.iter().map(|r| r.effective_at).collect(),
        recorded_at: rows.iter().map(|r| r.recorded_at).collect(),
        versions: rows.iter().map(|r| r.version.0).collect(),
        causes: rows.iter().map(|r| r.cause.clone()).collect(),
        imported: rows.iter().map(|r| r.imported).collect(),
        paid: rows.iter().map(|r| r.paid).collect(),
        currencies: rows.iter().map(|r| r.currency.code().to_owned()).collect(),
        items: rows.iter().map(|r| r.items).collect(),
        orders: rows.iter().map(|r| r.orders).collect(),
        documents: rows.iter().map(|r| r.document.clone()).collect(),
        texts: rows.iter().map(|r| r.texts.clone()).collect(),
        entries_ends: ends(&entries_counts),
        lots_ends: ends(&lots_counts),
        moves_ends: ends(&moves_counts),
        entries_counts: entries_counts.into_iter().map(int).collect(),
        lots_counts: lots_counts.into_iter().map(int).collect(),
        moves_counts: moves_counts.into_iter().map(int).collect(),
        entries: rows.iter().flat_map(entry_numbers).collect(),
        move_lots: rows.iter().flat_map(|r| r.moves.iter().map(|m| m.lot.0)).collect(),
        moves: rows.iter().flat_map(move_numbers).collect(),
    }
}

fn insert_owners(group: &Group, lanes: LaneCount) -> InsertOwners {
    let mut takes: Vec<_> = group.takes.iter().collect();
    // By value: the one lock order.
    takes.sort_by(|(a, _), (b, _)| a.cmp(b));
    InsertOwners {
        programs: takes.iter().map(|(key, _)| key.program.0).collect(),
        kinds: takes.iter().map(|(key, _)| key.kind).collect(),
        values: takes.iter().map(|(key, _)| key.value.clone()).collect(),
        lanes: takes.iter().map(|(_, owner)| owner.member.lane(lanes).0).collect(),
        members: takes.iter().map(|(_, owner)| owner.member.0).collect(),
        seqs: takes.iter().map(|(_, owner)| owner.seq.0).collect(),
    }
}

fn delete_owners(group: &Group) -> DeleteOwners {
    let mut keys: Vec<_> = group.releases.iter().collect();
    keys.sort();
    DeleteOwners {
        programs: keys.iter().map(|key| key.program.0).collect(),
        kinds: keys.iter().map(|key| key.kind).collect(),
        values: keys.iter().map(|key| key.value.clone()).collect(),
    }
}

fn save_members(group: &Group, clock: Instant, lanes: LaneCount) -> SaveMembers {
    let profiles: Vec<_> = group.profiles.iter().collect();
    let attributes = |m: &serde_json::Map<String, serde_json::Value>| serde_json::to_string(m).unwrap_or_default();
    SaveMembers {
        lanes: profiles.iter().map(|(member, _)| member.lane(lanes).0).collect(),
        members: profiles.iter().map(|(member, _)| member.0).collect(),
        external_ids: profiles.iter().map(|(_, p)| p.external_id.clone()).collect(),
        emails: profiles.iter().map(|(_, p)| p.email.clone()).collect(),
        phones: profiles.iter().map(|(_, p)| p.phone.clone()).collect(),
        cards: profiles.iter().map(|(_, p)| p.card.clone()).collect(),
        names: profiles.iter().map(|(_, p)| p.name.clone()).collect(),
        birthdays: profiles.iter().map(|(_, p)| p.birthday).collect(),
        locales: profiles.iter().map(|(_, p)| p.locale.clone()).collect(),
        attributes: profiles.iter().map(|(_, p)| attributes(&p.attributes)).collect(),
        changed_at: profiles.iter().map(|_| clock).collect(),
    }
}

fn insert_audits(group: &Group) -> InsertAudits {
    let lines = &group.audits;
    InsertAudits {
        programs: lines.iter().map(|l| l.program.0).collect(),
        ids: lines.iter().map(|_| uuid_v7()).collect(),
        principals: lines.iter().map(|l| l.principal.clone()).collect(),
        actions: lines.iter().map(|l| l.what.action.to_string()).collect(),
        subjects: lines.iter().map(|l| l.member.to_string()).collect(),
        details: lines.iter().map(|l| l.what.detail.to_string()).collect(),
    }
}

fn counts(group: &Group) -> Vec<(&CounterKey, Counted)> {
    let mut counts: Vec<_> = group.counts.iter().map(|(key, moved)| (key, *moved)).collect();
    // By name: the one lock order.
    counts.sort_by_key(|(key, _)| *key);
    counts
}

fn new_counters(group: &Group) -> Vec<&CounterKey> {
    counts(group).into_iter().map(|(key, _)| key).filter(|key| !group.known_counters.contains(key)).collect()
}

fn insert_counters(counters: &[&CounterKey]) -> InsertCounters {
    InsertCounters {
        programs: counters.iter().map(|key| key.program.0).collect(),
        rules: counters.iter().map(|key| key.rule.clone()).collect(),
        periods: counters.iter().map(|key| key.period.clone()).collect(),
    }
}

async fn move_counter(conn: &AsyncPgConnection, group: &Group) -> QueryResult<usize> {
    let [(key, moved)] = counts(group)[..] else { return Ok(0) };
    let one = MoveCounter {
        by: moved.by,
        up: moved.by,
        bound: moved.bound,
        program: key.program.0,
        rule: key.rule.clone(),
        period: key.period.clone(),
    };
    run(conn, one, true).await
}

fn move_counters(group: &Group) -> MoveCounters {
    let counts = counts(group);
    MoveCounters {
        programs: counts.iter().map(|(key, _)| key.program.0).collect(),
        rules: counts.iter().map(|(key, _)| key.rule.clone()).collect(),
        periods: counts.iter().map(|(key, _)| key.period.clone()).collect(),
        counts: counts.iter().map(|(_, moved)| moved.by).collect(),
        bounds: counts.iter().map(|(_, moved)| moved.bound).collect(),
    }
}

/// The journal row of each lane of the group, and where that leaves the lanes.
pub fn journal_rows(group: &Group, heads: &[LaneHead], clock: Instant, lanes: LaneCount) -> (InsertJournal, SaveHeads) {
    let mut by_lane: HashMap<Lane, Vec<&PostingRow>> = HashMap::new();
    for row in &group.rows {
        by_lane.entry(row.member.lane(lanes)).or_default().push(row);
    }
    let touched: Vec<(&LaneHead, &Vec<&PostingRow>)> =
        heads.iter().filter_map(|head| by_lane.get(&head.lane).map(|rows| (head, rows))).collect();
    let digests: Vec<Vec<u8>> = touched
        .iter()
        .map(|(head, rows)| {
            let covered: Vec<Vec<u8>> = rows.iter().map(|row| canonical(head.lane, row)).collect();
            chain(&head.digest, head.lane, head.number.saturating_add(1), clock, &covered)
        })
        .collect();
    let counts: Vec<usize> = touched.iter().map(|(_, rows)| rows.len()).collect();
    let numbers: Vec<i64> = touched.iter().map(|(head, _)| head.number.saturating_add(1)).collect();
    let names: Vec<i16> = touched.iter().map(|(head, _)| head.lane.0).collect();
    let moments = vec![clock; touched.len()];
    let journal = InsertJournal {
        members: touched.iter().flat_map(|(_, rows)| rows.iter().map(|r| r.member.0)).collect(),
        seqs: touched.iter().flat_map(|(_, rows)| rows.iter().map(|r| r.seq.0)).collect(),
        lanes: names.clone(),
        numbers: numbers.clone(),
        moments: moments.clone(),
        digests: digests.clone(),
        ends: ends(&counts),
        counts: counts.into_iter().map(int).collect(),
    };
    (journal, SaveHeads { lanes: names, numbers, digests, moments })
}
