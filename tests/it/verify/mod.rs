//! The laws of the ledger, each broken by hand.

mod breaks;

use std::collections::BTreeSet;
use std::process::Command;

use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use perennial::kernel::id::{Lane, ProgramId};
use perennial::loyalty::ledger::canonical::canonical;
use perennial::loyalty::ledger::verify::check::{Options, check_ledger};
use perennial::loyalty::ledger::verify::heads::Head;
use perennial::loyalty::ledger::verify::law::{Finding, LAWS, Law};
use perennial::loyalty::ledger::verify::report::Report;
use perennial::loyalty::ledger::verify::store::{find_postings, page_journal};
use perennial::platform::db::{Db, PoolSize, Role};
use perennial::platform::entropy::random;
use perennial::platform::journal::digest::chain;

use crate::harness::{Dice, Home, Shop, TestDb, perennial, said, verify};
use breaks::{Break, EXCEPTIONS, breaks};

/// The tables that a law covers.
const TABLES: [&str; 8] = ["accounts", "members", "postings", "journal", "lanes", "directory", "counters", "followers"];

/// Members whom a past has besides those it was asked for.
const TWINS: u64 = 4;

/// Every kind of entry that there is.
const ENTRY_KINDS_MANY: i64 = 20;

#[derive(diesel::QueryableByName)]
struct NumberRow {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[derive(diesel::QueryableByName)]
struct NameRow {
    #[diesel(sql_type = Text)]
    name: String,
}

async fn number(conn: &mut AsyncPgConnection, query: &str) -> i64 {
    sql_query(query).get_result::<NumberRow>(conn).await.unwrap().number
}

async fn names(conn: &mut AsyncPgConnection, query: &str) -> Vec<String> {
    sql_query(query).load::<NameRow>(conn).await.unwrap().into_iter().map(|row| row.name).collect()
}

async fn owner(test: &TestDb) -> AsyncPgConnection {
    Db::open(&test.url, PoolSize(1), Role::Owner).await.unwrap().dedicated().await.unwrap()
}

/// A seed that nobody chose, unless somebody wants to see a failure again.
fn seed() -> u64 {
    let chosen = std::env::var("VERIFY_SEED").ok().and_then(|text| text.parse().ok());
    let seed = chosen.unwrap_or_else(|| u64::from(u32::from_be_bytes(random().unwrap())));
    eprintln!("VERIFY_SEED={seed}");
    seed
}

async fn check(db: &Db, heads: &[Head]) -> Report {
    let options = Options { heads: heads.to_vec(), program: None };
    check_ledger(db, &options, &mut |_| {}).await.unwrap()
}

#[tokio::test]
async fn a_ledger_that_only_the_engine_wrote_breaks_no_law() {
    let shop = Shop::with_past(&mut Dice::new(seed()), 12, 25).await;
    let report = verify(&shop.test.db).await;
    assert_eq!((report.members, report.notes.as_slice()), (24 + TWINS, [].as_slice()));
    let mut conn = owner(&shop.test).await;
    let postings = number(&mut conn, "SELECT count(*) AS number FROM postings").await;
    let rows = number(&mut conn, "SELECT count(*) AS number FROM journal").await;
    let values = number(&mut conn, "SELECT count(*) AS number FROM directory").await;
    let read = [report.postings, report.journal_rows, report.directory_rows].map(|n| i64::try_from(n).unwrap());
    assert_eq!(read, [postings, rows, values]);
    let kinds = "SELECT count(DISTINCT kind) AS number FROM entries";
    assert_eq!(number(&mut conn, kinds).await, ENTRY_KINDS_MANY, "the past has entries of every kind");
}

#[tokio::test]
async fn a_past_goes_down_and_up_with_its_columns_and_loses_nothing() {
    let shop = Shop::with_past(&mut Dice::new(seed()), 8, 20).await;
    shop.ledger.close().await;
    let mut conn = owner(&shop.test).await;
    let all = "SELECT md5(concat((SELECT string_agg(e::text, '' ORDER BY member_id, seq, entry) FROM entries AS e), \
        (SELECT string_agg(m::text, '' ORDER BY member_id, seq, entry, lot) FROM lot_moves AS m))) AS name";
    let before = names(&mut conn, all).await;
    conn.batch_execute(include_str!("../../../migrations/2026-11-26-000009_numbers/down.sql")).await.unwrap();
    assert_eq!(names(&mut conn, all).await, before);
    conn.batch_execute(include_str!("../../../migrations/2026-11-26-000009_numbers/up.sql")).await.unwrap();
    assert_eq!(names(&mut conn, all).await, before);
    verify(&shop.test.db).await;
}

#[tokio::test]
async fn whatever_is_changed_by_hand_breaks_the_law_that_covers_it() {
    let seed = seed();
    let mut missing = broken_by_hand(seed).await;
    // A past does not always have everything: another has what it lacks.
    for further in 1..=3 {
        if !missing.is_empty() {
            let there_too = broken_by_hand(seed.wrapping_add(further)).await;
            missing.retain(|what| there_too.contains(what));
        }
    }
    assert!(missing.is_empty(), "no row to break: {missing:?}");
}

/// Breaks whatever a past has, one thing after the other; what it does not have.
async fn broken_by_hand(seed: u64) -> Vec<String> {
    let shop = Shop::with_past(&mut Dice::new(seed), 5, 20).await;
    shop.ledger.close().await;
    let mut conn = owner(&shop.test).await;
    let fill = "INSERT INTO followers SELECT 'due', lane, head FROM lanes";
    conn.batch_execute(fill).await.unwrap();
    verify(&shop.test.db).await;
    conn.batch_execute("CREATE SCHEMA kept").await.unwrap();
    for table in TABLES {
        conn.batch_execute(&format!("CREATE TABLE kept.{table} AS SELECT * FROM {table}")).await.unwrap();
    }
    let (mut unnoticed, mut missing) = (Vec::new(), Vec::new());
    for (number, broken) in (0..).zip(breaks()) {
        let Break { table, what, law, by, .. } = broken;
        let Some(member) = pick(&mut conn, broken, seed.wrapping_add(number)).await else {
            missing.push(format!("{table} {what}"));
            continue;
        };
        let report = check(&shop.test.db, &[]).await;
        let whose = |f: &Finding| member.is_empty() || f.place.member.is_none_or(|m| m.to_string() == member);
        if !report.findings.iter().any(|f| f.law == *law && whose(f)) {
            let found: Vec<_> = report.findings.iter().map(ToString::to_string).take(5).collect();
            unnoticed.push(format!("{table} {what} of {member} by {by}: {law} is not named, but {found:?}"));
        }
        let undo = format!("TRUNCATE {table}; INSERT INTO {table} SELECT * FROM kept.{table}");
        conn.batch_execute(&undo).await.unwrap();
    }
    assert!(unnoticed.is_empty(), "{}", unnoticed.join("\n"));
    verify(&shop.test.db).await;
    missing
}

/// Breaks a row that chance picks. Answers whose it is then: nobody's, in a table without members; none when there is no
/// row to pick.
async fn pick(conn: &mut AsyncPgConnection, broken: &Break, seed: u64) -> Option<String> {
    let Break { table, of, by, .. } = broken;
    let row = format!("(SELECT ctid FROM {table} AS t WHERE {of} ORDER BY md5(ctid::text || '{seed}') LIMIT 1)");
    // A row that is removed answers with what it was, any other with what it became.
    let statement = if by.starts_with("SET ") {
        format!("UPDATE {table} AS t {by} WHERE ctid = {row}")
    } else {
        by.replace("$row", &row)
    };
    let whose = if ["accounts", "members", "postings", "directory"].contains(table) { "member_id::text" } else { "''" };
    let statement = format!("{statement} RETURNING {whose} AS name");
    let done = sql_query(&statement).load::<NameRow>(conn).await;
    assert!(done.is_ok(), "{statement}: {:?}", done.err());
    done.unwrap().pop().map(|row| row.name)
}

#[tokio::test]
async fn every_column_that_a_law_covers_is_tried() {
    let test = TestDb::new().await;
    let mut conn = owner(&test).await;
    let tables = TABLES.map(|table| format!("'{table}'")).join(", ");
    let columns = format!(
        "SELECT c.relname || '.' || a.attname AS name FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid \
         WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND c.relname IN ({tables}) \
         AND a.attnum > 0 AND NOT a.attisdropped"
    );
    let columns: BTreeSet<String> = names(&mut conn, &columns).await.into_iter().collect();
    let tried: BTreeSet<String> = breaks().iter().map(|b| format!("{}.{}", b.table, b.what)).collect();
    let excepted: BTreeSet<String> = EXCEPTIONS.iter().map(|(table, column, _)| format!("{table}.{column}")).collect();
    let untried: Vec<_> = columns.iter().filter(|c| !tried.contains(*c) && !excepted.contains(*c)).collect();
    assert_eq!(untried, Vec::<&String>::new(), "columns that nothing breaks, and that are no exceptions");
    let gone: Vec<_> = excepted.iter().filter(|c| !columns.contains(*c) || tried.contains(*c)).collect();
    assert_eq!(gone, Vec::<&String>::new(), "exceptions that are none");
    let laws: BTreeSet<Law> = breaks().iter().map(|b| b.law).collect();
    // These are broken by the tests below.
    let elsewhere = [Law::AppendOnly, Law::KeptHeads, Law::Returns];
    let untried: Vec<_> =
        LAWS.iter().map(|(law, ..)| law).filter(|l| !laws.contains(l) && !elsewhere.contains(l)).collect();
    assert_eq!(untried, Vec::<&Law>::new(), "laws that nothing breaks");
}

#[tokio::test]
async fn rights_to_rewrite_what_was_written_are_a_finding() {
    let test = TestDb::new().await;
    let mut conn = owner(&test).await;
    for right in ["DELETE ON journal", "UPDATE ON postings", "UPDATE (cause) ON postings", "TRUNCATE ON postings"] {
        conn.batch_execute(&format!("GRANT {right} TO perennial_app")).await.unwrap();
        let report = check(&test.db, &[]).await;
        assert_eq!(report.broken.keys().collect::<Vec<_>>(), [&Law::AppendOnly], "{right}");
        conn.batch_execute(&format!("REVOKE {right} FROM perennial_app")).await.unwrap();
        verify(&test.db).await;
    }
    let owner = Db::open(&test.url, PoolSize(1), Role::Owner).await.unwrap();
    let report = check(&owner, &[]).await;
    assert!(report.is_clean() && report.notes.len() == 1, "an owner is not held back, and that is said: {report:?}");
}

#[tokio::test]
async fn a_chain_that_was_computed_anew_is_found_by_heads_kept_elsewhere() {
    let shop = Shop::with_past(&mut Dice::new(seed()), 3, 6).await;
    let db = &shop.test.db;
    let heads = verify(db).await.heads;
    assert!(check(db, &heads).await.is_clean());
    let mut conn = owner(&shop.test).await;
    let lane = heads.iter().find(|head| head.number > 1).unwrap();
    forge(&mut conn, lane.lane, lane.number).await;
    verify(db).await;
    let report = check(db, &heads).await;
    assert_eq!(report.broken.keys().collect::<Vec<_>>(), [&Law::KeptHeads]);
    let lost = Head { number: 1_000_000, ..lane.clone() };
    let report = check(db, &[lost]).await;
    assert_eq!(report.broken.keys().collect::<Vec<_>>(), [&Law::KeptHeads], "a row that is gone");
    let born = Head { number: 0, digest: Vec::new(), ..lane.clone() };
    assert!(check(db, &[born]).await.is_clean(), "before the first row there was nothing");
}

/// Changes a posting of the last journal row of a lane, and computes what covers it anew.
async fn forge(conn: &mut AsyncPgConnection, lane: i16, head: i64) {
    let rows = page_journal(conn, (lane, head - 1), 2).await.unwrap();
    let [(before, ..), (last, members, seqs)] = rows.as_slice() else { return };
    let (member, seq) = members.iter().zip(seqs).next().unwrap();
    let change = format!(
        "UPDATE postings SET cause = 'operatox' WHERE lane = {lane} AND member_id = '{member}' AND seq = {seq}"
    );
    conn.batch_execute(&change).await.unwrap();
    let mut covered = Vec::new();
    for (member, seq) in members.iter().zip(seqs) {
        let stored = find_postings(conn, &[(lane, *member, *seq)]).await.unwrap().pop().unwrap();
        covered.push(canonical(Lane(lane), &stored.read(ProgramId(*member)).unwrap()));
    }
    let digest = hex::encode(chain(&before.digest, Lane(lane), head, last.moment, &covered));
    let write = format!(
        "UPDATE journal SET digest = decode('{digest}', 'hex') WHERE lane = {lane} AND number = {head}; \
         UPDATE lanes SET digest = decode('{digest}', 'hex') WHERE lane = {lane}"
    );
    conn.batch_execute(&write).await.unwrap();
}

#[tokio::test]
async fn a_ledger_is_verified_while_the_shop_runs() {
    let mut dice = Dice::new(seed());
    let mut shop = Shop::with_past(&mut dice, 3, 4).await;
    let db = shop.test.db.clone();
    let verifying = tokio::spawn(async move {
        for _ in 0..10 {
            verify(&db).await;
        }
    });
    while !verifying.is_finished() {
        shop.live(&mut dice).await;
    }
    verifying.await.unwrap();
    verify(&shop.test.db).await;
}

#[tokio::test]
async fn one_programme_alone_is_verified_without_the_others() {
    let shop = Shop::with_past(&mut Dice::new(seed()), 3, 6).await;
    let mut conn = owner(&shop.test).await;
    let change = "UPDATE accounts SET order_count = order_count + 1 \
        WHERE merged_into IS NULL AND program_id = (SELECT program_id FROM programs WHERE code = 'bean')";
    conn.batch_execute(change).await.unwrap();
    let ids: Vec<ProgramId> = shop.programs.iter().map(|p| p.scope.program()).collect();
    for ((program, laws), members) in ids.into_iter().zip([vec![], vec![&Law::Fold]]).zip([3, 3 + TWINS]) {
        let options = Options { heads: Vec::new(), program: Some(program) };
        let report = check_ledger(&shop.test.db, &options, &mut |_| {}).await.unwrap();
        assert_eq!((report.members, report.journal_rows), (members, 0));
        assert_eq!(report.broken.keys().collect::<Vec<_>>(), laws);
    }
}

fn run(test: &TestDb, home: &Home, args: &[&str]) -> (Option<i32>, String) {
    let mut command: Command = perennial(home.path());
    let output = command.env("DATABASE_URL", test.text()).arg("verify").args(args).output().unwrap();
    (output.status.code(), said(&output))
}

#[tokio::test]
async fn the_command_says_what_is_broken_with_its_exit_code() {
    let home = Home::new();
    let shop = Shop::with_past(&mut Dice::new(seed()), 3, 6).await;
    let kept = home.path().join("heads.json");
    let kept = kept.to_str().unwrap();
    let (code, text) = run(&shop.test, &home, &["--write-heads", kept]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains(&format!("{} members", 6 + TWINS)) && text.contains("every law holds"), "{text}");
    let (code, text) = run(&shop.test, &home, &["--heads", kept, "--json"]);
    assert_eq!(code, Some(0), "{text}");
    let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&answer["clean"], &answer["members"]), (&true.into(), &(6 + TWINS).into()));
    let mut conn = owner(&shop.test).await;
    conn.batch_execute("UPDATE accounts SET order_count = order_count + 1 WHERE merged_into IS NULL").await.unwrap();
    let member = "SELECT member_id::text AS name FROM accounts WHERE merged_into IS NULL LIMIT 1";
    let member = names(&mut conn, member).await.pop().unwrap();
    let (code, text) = run(&shop.test, &home, &["--heads", kept]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains(&format!("fold member {member}: order_count")), "{text}");
    assert!(text.contains("the ledger breaks fold"), "{text}");
    let (code, _) = run(&shop.test, &home, &["--program", "acme"]);
    assert_eq!(code, Some(1));
    let (code, text) = run(&shop.test, &home, &["--program", "nobody"]);
    assert_eq!(code, Some(2), "{text}");
    let (code, text) = run(&shop.test, &home, &["--heads", "/nonexistent"]);
    assert_eq!(code, Some(2), "{text}");
}
