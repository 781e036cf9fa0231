//! What the engine's speed rests on: round trips, statements, rows and plans, as the heads of load.rs and save.rs say.

mod nothing;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use diesel::connection::InstrumentationEvent;
use diesel::sql_types::{Array, BigInt, Text};
use diesel::{QueryableByName, sql_query};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use perennial::loyalty::ledger::alias::Aliases;
use perennial::loyalty::ledger::group::{Group, Outcome};
use perennial::loyalty::ledger::load::{Lock, Plan, load};
use perennial::loyalty::ledger::posting::Guess;
use perennial::loyalty::ledger::queue::Job;
use perennial::loyalty::ledger::reads::{
    Begin, FindAccounts, FindCounters, FindEarlier, FindLater, FindOwners, FindProfiles, FindReceipts, FindStories,
    LockCounters, LockLanes, ReadLanes, ReadVersions,
};
use perennial::loyalty::ledger::rows::{AccountRow, StoredPosting};
use perennial::loyalty::ledger::save::save;
use perennial::loyalty::ledger::storage::Storage;
use perennial::loyalty::ledger::writer::{GROUP_MAX, LOCK_TIMEOUT_MS};
use perennial::loyalty::ledger::writes::{
    Commit, DeleteOwners, InsertAudits, InsertCounters, InsertJournal, InsertOwners, MoveCounters, Rollback, SaveHeads,
};
use perennial::platform::db::Db;
use tokio::time::sleep;

use self::nothing::{empty, no_accounts, no_counter, no_members, no_postings};
use crate::harness::{Kiosk, LANES, TestDb, order};

/// The statements of a group of ordinary orders: load.rs's table (1 to 5), save.rs's (1 to 3 and 6 to 8).
const STATEMENTS: i64 = 11;
/// One to load, one to save.
const ROUND_TRIPS: i64 = 2;
/// Members of the tests that count.
const MEMBERS: usize = 240;
/// How often a quarter of them buys.
const ROUNDS: usize = 20;
/// How many of the rounds new accounts grow in.
const GROWING: usize = 8;

/// What went over one connection.
#[derive(Debug, Default)]
struct Traffic {
    statements: AtomicI64,
    under_way: AtomicI64,
    round_trips: AtomicI64,
}

impl Traffic {
    fn see(&self, event: &InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartQuery { .. } => {
                self.statements.fetch_add(1, Ordering::SeqCst);
                // Sent while another is under way, it shares that one's round trip.
                if self.under_way.fetch_add(1, Ordering::SeqCst) == 0 {
                    self.round_trips.fetch_add(1, Ordering::SeqCst);
                }
            }
            InstrumentationEvent::FinishQuery { .. } => {
                self.under_way.fetch_sub(1, Ordering::SeqCst);
            }
            _ => {}
        }
    }

    fn taken(&self) -> (i64, i64) {
        (self.round_trips.swap(0, Ordering::SeqCst), self.statements.swap(0, Ordering::SeqCst))
    }
}

#[tokio::test]
async fn a_group_takes_two_round_trips_and_one_statement_a_table() {
    let shop = Kiosk::new(MEMBERS).await;
    let traffic = Arc::new(Traffic::default());
    let mut conn = shop.test.db.connect(LOCK_TIMEOUT_MS).await.unwrap();
    let seen = Arc::clone(&traffic);
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| seen.see(&event));
    // In the first one every statement is prepared; after it, groups of one and of many cost the same.
    post_group(&shop, &conn, "first", MEMBERS).await;
    traffic.taken();
    for (name, size) in [("one", 1), ("many", MEMBERS)] {
        post_group(&shop, &conn, name, size).await;
        assert_eq!(traffic.taken(), (ROUND_TRIPS, STATEMENTS), "a group of {size}");
    }
}

/// What a writer does with a group, without the writer.
async fn post_group(shop: &Kiosk, conn: &AsyncPgConnection, name: &str, size: usize) {
    let members = shop.members.iter().take(size);
    let mut jobs: Vec<_> = members.map(|m| Job::new(shop.scope.clone(), order(*m, &format!("{name}-{m}"))).0).collect();
    let mut plan = Plan::default();
    let guess = Guess { program: shop.scope.program(), timeline: None, clock: None };
    for job in &jobs {
        plan.add(job, guess, LANES, &Aliases::default());
    }
    let mut loaded = load(conn, &plan, Lock::Lanes).await.unwrap();
    let program = shop.scope.program();
    let timeline = shop.timelines.at_least(conn, program, 1).await.unwrap();
    let group: &mut Group = &mut loaded.group;
    for job in &mut jobs {
        assert!(matches!(group.run(job, loaded.clock, &timeline), Outcome::Accepted(_)));
    }
    let programs = HashMap::from([(program, timeline)]);
    save(conn, &loaded.group, &loaded.heads, loaded.clock, LANES, &programs).await.unwrap();
}

#[derive(Debug, QueryableByName)]
struct TableRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    inserted: i64,
    #[diesel(sql_type = BigInt)]
    updated: i64,
    #[diesel(sql_type = BigInt)]
    hot: i64,
    #[diesel(sql_type = BigInt)]
    deleted: i64,
}

#[tokio::test]
async fn an_ordinary_order_writes_an_account_a_posting_and_a_reference() {
    let shop = Kiosk::new(MEMBERS).await;
    let mut orders = 0;
    for round in 0..ROUNDS {
        orders += shop.sell(round).await;
    }
    let members = i64::try_from(MEMBERS).unwrap();
    let Kiosk { test, ledger, .. } = shop;
    ledger.close().await;
    let tables = written(&test.db, "postings", members + orders).await;
    let counts = |table: &str| {
        let TableRow { inserted, updated, deleted, .. } = tables[table];
        [inserted, updated, deleted]
    };
    // An enrolment is a posting, too, with two directory values: its reference and the external id.
    assert_eq!(counts("postings"), [members + orders, 0, 0]);
    assert_eq!(counts("directory"), [2 * members + orders, 0, 0]);
    assert_eq!(counts("accounts"), [members, orders, 0]);
    assert_eq!(counts("members"), [members, 0, 0]);
    let [rows, ..] = counts("journal");
    assert_eq!(counts("journal"), [rows, 0, 0]);
    assert_eq!(counts("lanes"), [0, rows, 0], "a journal row moves the head of its lane");
    assert!(rows * 2 < orders, "{rows} journal rows for {orders} orders: no groups");
    for table in ["counters", "due", "followers"] {
        assert_eq!(counts(table), [0, 0, 0], "{table}");
    }
}

#[tokio::test]
async fn accounts_are_updated_in_their_own_page() {
    let mut shop = Kiosk::new(MEMBERS).await;
    // A new account grows by its first lots, and may have to move once.
    for round in 0..GROWING {
        shop.sell(round).await;
    }
    shop.reopen().await;
    let members = i64::try_from(MEMBERS).unwrap();
    let before = written(&shop.test.db, "accounts", members).await;
    let mut orders = 0;
    for round in GROWING..ROUNDS {
        orders += shop.sell(round).await;
    }
    let Kiosk { test, ledger, .. } = shop;
    ledger.close().await;
    let after = written(&test.db, "postings", before["postings"].inserted + orders).await;
    for table in ["accounts", "lanes"] {
        let hot = after[table].hot - before[table].hot;
        let updated = after[table].updated - before[table].updated;
        assert!(hot * 4 >= updated, "{hot} of {updated} updates of {table} were HOT");
    }
}

/// What was written to each table, once the writers' backends have said so, which they do at their end.
async fn written(db: &Db, table: &str, inserted: i64) -> BTreeMap<String, TableRow> {
    let mut conn = db.conn().await.unwrap();
    let mut looks = 0;
    loop {
        let rows: Vec<TableRow> = sql_query(
            "SELECT relname::text AS name, n_tup_ins AS inserted, n_tup_upd AS updated, n_tup_hot_upd AS hot, \
             n_tup_del AS deleted FROM pg_stat_user_tables WHERE schemaname = current_schema()",
        )
        .load(&mut conn)
        .await
        .unwrap();
        let tables: BTreeMap<String, TableRow> = rows.into_iter().map(|row| (row.name.clone(), row)).collect();
        if tables.get(table).is_some_and(|row| row.inserted >= inserted) {
            return tables;
        }
        looks += 1;
        assert!(looks < 2_000, "{table} never had {inserted} insertions");
        sleep(Duration::from_millis(5)).await;
    }
}

#[derive(QueryableByName)]
struct PreparedRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    statement: String,
    #[diesel(sql_type = Array<Text>)]
    types: Vec<String>,
}

#[derive(QueryableByName)]
struct PlanRow {
    #[diesel(sql_type = Text)]
    #[diesel(column_name = "QUERY PLAN")]
    line: String,
}

/// What no plan of the engine may hold: it would read a table whole, and more of it each day.
const FORBIDDEN: [&str; 4] = ["Seq Scan on", "Bitmap Heap Scan", "Hash Join", "Merge Join"];

/// Whether a plan reads only rows that it was given the keys of. Those may be sorted: there are as many as were asked for.
fn is_by_key(plan: &str) -> bool {
    let sorts = plan.lines().skip_while(|line| !line.contains("Sort Key:")).nth(1);
    FORBIDDEN.iter().all(|what| !plan.contains(what)) && sorts.is_none_or(|input| input.contains("Nested Loop"))
}

#[tokio::test]
async fn pain_13_lookups_go_by_key_however_many_members_there_are_also_by_plans_made_on_empty_tables() {
    let test = TestDb::new().await;
    let mut conn = test.db.connect(LOCK_TIMEOUT_MS).await.unwrap();
    prepare_all(&conn).await;
    let prepared: Vec<PreparedRow> = sql_query(
        "SELECT name, statement, parameter_types::text[] AS types FROM pg_prepared_statements \
         WHERE NOT from_sql AND statement !~* '^(begin|commit|rollback)' AND statement !~* 'pg_prepared_statements'",
    )
    .load(&mut conn)
    .await
    .unwrap();
    let declared =
        [include_str!("../../../src/loyalty/ledger/reads.rs"), include_str!("../../../src/loyalty/ledger/writes.rs")];
    let declared: usize = declared.iter().map(|source| source.matches("statement! {").count()).sum();
    assert_eq!(prepared.len() + 3, declared, "each statement but BEGIN, COMMIT and ROLLBACK is prepared by this test");
    let mut bad = Vec::new();
    for PreparedRow { name, statement, types } in prepared {
        // As many as a full group has, so that a plan for these very values would show itself, too.
        let value = |t: &String| match t.strip_suffix("[]") {
            Some(one) => format!("array_fill(NULL::{one}, ARRAY[{GROUP_MAX}])"),
            None => format!("NULL::{t}"),
        };
        let values: Vec<String> = types.iter().map(value).collect();
        let explain = format!("EXPLAIN (COSTS OFF) EXECUTE \"{name}\" ({})", values.join(", "));
        let plan: Vec<PlanRow> = sql_query(explain).load(&mut conn).await.unwrap();
        let plan: Vec<String> = plan.into_iter().map(|row| row.line).collect();
        let plan = plan.join("\n");
        if !is_by_key(&plan) {
            bad.push(format!("{statement}\n{plan}"));
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n\n"));
}

/// Has a writer's connection prepare every statement: each with empty arrays, so that none does anything.
async fn prepare_all(conn: &AsyncPgConnection) {
    reads(conn).await;
    writes(conn).await;
}

async fn reads(conn: &AsyncPgConnection) {
    let c = &mut &*conn;
    Begin {}.execute(c).await.unwrap();
    let lock = empty!(LockLanes { lanes }).execute(c).await;
    let read = empty!(ReadLanes { lanes }).execute(c).await;
    let versions = empty!(ReadVersions { programs }).execute(c).await;
    let accounts = empty!(FindAccounts { lanes, members }).load::<AccountRow>(c).await.map(|rows| rows.len());
    let owners = empty!(FindOwners { programs, kinds, values }).execute(c).await;
    let stories = empty!(FindStories { programs, references }).load::<(uuid::Uuid, String, StoredPosting)>(c).await;
    let later = empty!(FindLater { programs, references, owners, lanes, members, shifts });
    let later = later.load::<(uuid::Uuid, String, StoredPosting)>(c).await.map(|rows| rows.len());
    let counters = empty!(FindCounters { programs, rules, periods }).execute(c).await;
    let locked = empty!(LockCounters { programs, rules, periods }).execute(c).await;
    let receipts = empty!(FindReceipts { lanes, members, seqs }).execute(c).await;
    let profiles = empty!(FindProfiles { lanes, members }).execute(c).await;
    let stories = stories.map(|rows| rows.len());
    let earlier = empty!(FindEarlier { lanes, members, kinds }).load::<(uuid::Uuid, StoredPosting)>(c).await;
    let earlier = earlier.map(|rows| rows.len());
    let found = [lock, read, versions, accounts, owners, stories, later, counters, locked, receipts, profiles, earlier];
    assert!(found.iter().all(|n| *n == Ok(0)), "{found:?}");
}

async fn writes(conn: &AsyncPgConnection) {
    let c = &mut &*conn;
    let journal = empty!(InsertJournal { members, seqs, lanes, numbers, moments, digests, ends, counts });
    let written = [
        no_accounts().execute(c).await,
        no_postings().execute(c).await,
        empty!(InsertOwners { programs, kinds, values, lanes, members, seqs }).execute(c).await,
        empty!(DeleteOwners { programs, kinds, values }).execute(c).await,
        no_members().execute(c).await,
        empty!(InsertCounters { programs, rules, periods }).execute(c).await,
        empty!(MoveCounters { programs, rules, periods, counts, bounds }).execute(c).await,
        no_counter().execute(c).await,
        empty!(InsertAudits { programs, ids, principals, actions, subjects, details }).execute(c).await,
        journal.execute(c).await,
        empty!(SaveHeads { lanes, numbers, digests, moments }).execute(c).await,
        Commit {}.execute(c).await,
        Rollback {}.execute(c).await,
    ];
    assert!(written.iter().all(|n| *n == Ok(0)), "{written:?}");
}
