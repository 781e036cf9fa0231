//! `perennial import`: history in business time, resumed, rejected and counted.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::time::sleep as wait;

use crate::harness::{Operator, said};

const PROGRAM: &str = r#"
[program]
name = "Acme"
currency = "USD"
timezone = "America/New_York"

[wallets.points]
kind = "redeemable"
value = "0.01"
pending = { after = "P14D" }
expiry = { after = "P12M", round = "end_of_month", restore_grace = "P30D" }

[wallets.status]
kind = "qualifying"

[earning.base]
award = { per = "1.00", points = 1 }
"#;

/// All accounts with their lots, in one line.
const ALL: &str = "SELECT md5(string_agg(concat_ws(' ', m.external_id, a.seq, a.figures, a.lot_ids, a.lot_remaining, \
     a.lot_expires_on, a.order_count), ';' ORDER BY m.external_id)) \
     FROM accounts AS a JOIN members AS m USING (lane, member_id)";

async fn operator() -> Operator {
    let op = Operator::new().await;
    let file = op.write("program.toml", PROGRAM);
    op.out(&["program", "create", "acme", "--file", &file]);
    op
}

/// The first rows of the CDNOW sample.
fn sample(op: &Operator, rows: usize) -> String {
    let text = fs::read_to_string("tests/data/cdnow_sample_orders.csv").unwrap();
    let rows: Vec<&str> = text.lines().take(rows + 1).collect();
    op.write("sample.csv", &rows.join("\n"))
}

fn import(op: &Operator, kind: &str, file: &str) -> Value {
    let output = op.run(&["import", kind, file, "--program", "acme", "--enrol", "--json"]);
    assert!(output.status.code().is_some_and(|code| code < 2), "{}", said(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn tally(summary: &Value) -> [u64; 4] {
    ["rows", "new", "already_there", "rejected"].map(|field| summary[field].as_u64().unwrap())
}

/// Line and reason of each reject.
fn rejects(op: &Operator, name: &str) -> Vec<String> {
    let text = fs::read_to_string(op.path(name)).unwrap();
    text.lines().skip(1).map(|line| line.splitn(3, ',').take(2).collect::<Vec<_>>().join(" ")).collect()
}

async fn figures(op: &Operator, member: &str, wallet: usize) -> String {
    let (first, last) = (wallet * 8 + 1, wallet * 8 + 8);
    op.text(&format!(
        "SELECT a.figures[{first}:{last}] FROM accounts AS a JOIN members AS m USING (lane, member_id) \
         WHERE m.external_id = '{member}'"
    ))
    .await
}

#[tokio::test]
async fn the_same_file_again_changes_nothing() {
    let op = operator().await;
    let file = "tests/data/cdnow_sample_orders.csv";
    let rejected = op.path("r.csv");
    let args = ["import", "orders", file, "--program", "acme", "--json", "--rejects", rejected.to_str().unwrap()];
    let first: Value = serde_json::from_str(&op.out(&[&args[..], &["--enrol"]].concat())).unwrap();
    assert_eq!(tally(&first), [6_919, 6_919, 0, 0]);
    assert_eq!(op.count("accounts").await, 2_357);
    assert_eq!(op.count("postings WHERE kind = 2 AND imported").await, 6_919);
    assert_eq!(op.count("postings WHERE NOT imported").await, 0);
    let (all, postings) = (op.text(ALL).await, op.count("postings").await);
    let second: Value = serde_json::from_str(&op.out(&args)).unwrap();
    assert_eq!(tally(&second), [6_919, 0, 6_919, 0]);
    assert_eq!((op.text(ALL).await, op.count("postings").await), (all, postings));
    let verified = op.run(&["verify"]);
    assert!(verified.status.success(), "{}", said(&verified));
    assert!(!rejected.exists(), "nothing was rejected");
    // Every order of nothing is there, and earned nothing.
    let nothing = fs::read_to_string(file).unwrap().lines().filter(|line| line.ends_with(",0.00")).count();
    assert!(nothing > 0);
    let empty = "postings AS p WHERE kind = 2 AND paid = 0 AND orders = 1 AND NOT EXISTS (\
        SELECT FROM entries AS e WHERE e.member_id = p.member_id AND e.seq = p.seq AND e.kind = 1)";
    assert_eq!(op.count(empty).await, i64::try_from(nothing).unwrap());
}

#[tokio::test]
async fn points_become_available_and_expire_when_they_would_have() {
    let op = operator().await;
    let file = op.write(
        "orders.csv",
        "order_ref,member,ordered_on,total,points_spent,tax,shipping\n\
         a3,ana,2021-03-01,10.00,,,\n\
         a1,ana,2020-01-10,100.00,,,\n\
         b2,bob,2020-02-01,20.00,100,,\n\
         a2,ana,2020-01-20,50.00,,,\n\
         b1,bob,2020-01-01,100.00,,,\n\
         c1,cleo,2020-01-01,36.10,,5.21,6.10\n",
    );
    assert_eq!(tally(&import(&op, "orders", &file)), [6, 6, 0, 0]);
    // Spendable, held, pending, debt, earned, reversed, spent, expired: 150 of 2020 were over on 1 February 2021.
    assert_eq!(figures(&op, "ana", 0).await, "{0,0,10,0,160,0,0,150}");
    // What counted for 2020 was over with it.
    assert_eq!(figures(&op, "ana", 1).await, "{1000,0,0,0,16000,0,0,15000}");
    // A hundred points paid one dollar of twenty; nineteen came in.
    assert_eq!(figures(&op, "bob", 0).await, "{0,0,19,0,119,0,100,0}");
    // 36.10 less 6.10 shipping less 5.21 tax.
    assert_eq!(figures(&op, "cleo", 1).await, "{2479,0,0,0,2479,0,0,0}");
    // What happened by itself until the last order, in order: two lots available, the year's spend over, then the points.
    let alone = "SELECT string_agg(concat_ws(' ', kind, wallet, points, after), '; ' ORDER BY seq, entry) FROM entries \
         WHERE reference LIKE 'catch-up:%' AND member_id IN (SELECT member_id FROM members WHERE external_id = 'ana')";
    assert_eq!(op.text(alone).await, "2 0 100 100; 2 0 50 150; 8 1 -15000 0; 8 0 -150 0");
    let last = "SELECT max(effective_at) AT TIME ZONE 'America/New_York' FROM postings WHERE kind = 5";
    assert_eq!(op.text(last).await, "2021-02-01 00:00:00");
    let enrolled = "SELECT string_agg(enrolled_on::text, ' ' ORDER BY enrolled_on) FROM accounts";
    assert_eq!(op.text(enrolled).await, "2020-01-01 2020-01-01 2020-01-10");
}

#[tokio::test]
async fn a_bad_row_goes_to_the_rejects_and_the_rest_goes_in() {
    let op = operator().await;
    let file = op.write(
        "orders.csv",
        "order_ref,member,ordered_on,total,quantity,currency,points_spent\n\
         o1,ana,2020-01-10,10.00,1,USD,\n\
         o2,ana,2020-13-10,10.00,1,USD,\n\
         o3,ana,2020-01-11,1O.00,1,USD,\n\
         o4,ana,2020-01-11,10.00,0,USD,\n\
         o5,ana,2020-01-11,10.00,1,EUR,\n\
         o6,ana,2999-01-11,10.00,1,USD,\n\
         ,ana,2020-01-11,10.00,1,USD,\n\
         o 8,ana,2020-01-11,10.00,1,USD,\n\
         o9,ana,2020-01-11,10.00\n\
         o10,,2020-01-11,10.00,1,USD,\n\
         o11,ana,2020-01-11,-1.00,1,USD,\n\
         o12,ana,2020-01-11,10.00,1,USD,500\n\
         o13,ana,2020-01-12,10.00,1,USD,\n\
         o1,ana,2020-01-13,11.00,1,USD,\n",
    );
    let output = op.run(&["import", "orders", &file, "--program", "acme", "--enrol"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("12 of 14 rows were rejected: see "), "{}", said(&output));
    let mut found = rejects(&op, "orders.rejects.csv");
    found.sort_by_key(|line| line.split(' ').next().unwrap().parse::<u32>().unwrap());
    insta::assert_snapshot!(found.join("\n"), @r"
    3 date_invalid
    4 amount_invalid
    5 order_invalid
    6 currency_mismatch
    7 order_in_future
    8 field_missing
    9 reference_invalid
    10 row_malformed
    11 field_missing
    12 amount_invalid
    13 insufficient_points
    15 idempotency_conflict
    ");
    assert_eq!(op.count("postings WHERE kind = 2").await, 2);

    // Mended, the rejects file is a file like any other.
    let mended = "line,reason,detail,order_ref,member,ordered_on,total\n3,date_invalid,why,o2,ana,2020-02-10,10.00\n";
    let mended = op.write("mended.csv", mended);
    assert_eq!(tally(&import(&op, "orders", &mended)), [1, 1, 0, 0]);
}

#[tokio::test]
async fn history_goes_on_from_where_each_member_is() {
    let op = operator().await;
    let header = "order_ref,member,ordered_on,total\n";
    let file = op.write("1.csv", &format!("{header}o1,ana,2020-01-10,10.00\no2,ana,2020-03-10,10.00\n"));
    let strangers = op.run(&["import", "orders", &file, "--program", "acme"]);
    assert_eq!(strangers.status.code(), Some(1), "{}", said(&strangers));
    assert_eq!(rejects(&op, "1.rejects.csv"), ["2 member_unknown", "3 member_unknown"]);
    assert_eq!(tally(&import(&op, "orders", &file)), [2, 2, 0, 0]);

    // The first is there, the second too late, the third on the same day as the last, the fourth after it.
    let rows =
        "o1,ana,2020-01-10,10.00\nold,ana,2020-02-01,10.00\nsame,ana,2020-03-10,10.00\nnew,ana,2020-04-01,10.00\n";
    let file = op.write("2.csv", &format!("{header}{rows}"));
    assert_eq!(tally(&import(&op, "orders", &file)), [4, 2, 1, 1]);
    assert_eq!(rejects(&op, "2.rejects.csv"), ["3 out_of_order"]);
}

#[tokio::test]
async fn members_and_their_balances_come_along() {
    let op = operator().await;
    let header = "member,email,phone,card,name,birthday,locale,enrolled_on,attributes.newsletter,attributes.size";
    let rows = "ana,Ana@Example.com,+31612345678,98260,Ana,1990-02-28,nl,2020-05-01,true,XL\n\
         bob,,,,,,,2020-05-01,,\n\
         kim,not an address,,,,,,2020-05-01,,\n";
    let members = op.write("members.csv", &format!("{header}\n{rows}"));
    let run = |file: &str, kind: &str| op.run(&["import", kind, file, "--program", "acme", "--json"]);
    let first = run(&members, "members");
    assert_eq!(first.status.code(), Some(1), "{}", said(&first));
    assert_eq!(tally(&serde_json::from_slice(&first.stdout).unwrap()), [3, 2, 0, 1]);
    assert_eq!(rejects(&op, "members.rejects.csv"), ["4 field_invalid"]);
    let second: Value = serde_json::from_slice(&run(&members, "members").stdout).unwrap();
    assert_eq!(tally(&second), [3, 0, 2, 1]);
    let late = op.write("late.csv", &format!("{header}\neve,ana@example.com,,,,,,2020-05-01,,\n"));
    assert_eq!(tally(&serde_json::from_slice(&run(&late, "members").stdout).unwrap()), [1, 0, 0, 1]);
    assert_eq!(rejects(&op, "late.rejects.csv"), ["2 identity_taken"]);
    let ana = "SELECT concat_ws(' ', email, birthday, attributes) FROM members WHERE external_id = 'ana'";
    assert_eq!(op.text(ana).await, r#"ana@example.com 1990-02-28 {"newsletter":true,"size":"XL"}"#);

    let balances = op.write(
        "balances.csv",
        "ref,member,member_by,wallet,points,opened_on,available_on,expires_on\n\
         l1,ana@example.com,email,points,300,2020-06-01,,2099-12-31\n\
         l2,ana,,points,200,2020-06-01,2098-01-01,2099-06-30\n\
         l3,ana,,status,72.19,2020-06-01,,\n\
         l4,bob,,points,50,2020-06-01,,2020-07-01\n\
         l5,bob,,miles,50,2020-06-01,,\n\
         l6,bob,,points,0,2020-06-01,,\n\
         l7,bob,,points,5,2020-06-01,2021-01-01,2020-12-01\n",
    );
    let first: Value = serde_json::from_slice(&run(&balances, "balances").stdout).unwrap();
    assert_eq!(tally(&first), [7, 4, 0, 3]);
    let mut found = rejects(&op, "balances.rejects.csv");
    found.sort();
    assert_eq!(found, ["6 wallet_unknown", "7 points_invalid", "8 date_invalid"]);
    let second: Value = serde_json::from_slice(&run(&balances, "balances").stdout).unwrap();
    assert_eq!(tally(&second), [7, 0, 4, 3]);
    assert_eq!(figures(&op, "ana", 0).await, "{300,0,200,0,500,0,0,0}");
    assert_eq!(figures(&op, "ana", 1).await, "{7219,0,0,0,7219,0,0,0}");
}

#[tokio::test]
async fn an_import_that_was_killed_goes_on_and_ends_as_if_it_had_not() {
    let (op, other) = (operator().await, operator().await);
    let file = sample(&op, 2_500);
    let args = ["import", "orders", &file, "--program", "acme", "--enrol"];
    for signal in [Signal::KILL, Signal::INT] {
        let before = op.count("postings").await;
        let mut command = op.command(&args);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while op.count("postings").await < before + 200 && child.try_wait().unwrap().is_none() {
            wait(Duration::from_millis(5)).await;
        }
        // It may have been too quick for us: then there is nothing left to go on with, which the rest shows as well.
        let _ = kill_process(Pid::from_child(&child), signal);
        child.wait().unwrap();
    }
    let last = import(&op, "orders", &file);
    assert_eq!(tally(&last)[0], 2_500);
    assert_eq!(tally(&last)[3], 0);
    assert_eq!(op.count("postings WHERE kind = 2").await, 2_500);
    import(&other, "orders", &file);
    assert_eq!(op.text(ALL).await, other.text(ALL).await);
}

#[tokio::test]
async fn two_imports_of_one_file_at_once_are_one() {
    let (op, other) = (operator().await, operator().await);
    let file = sample(&op, 1_500);
    let args = ["import", "orders", &file, "--program", "acme", "--enrol", "--json"];
    let start = || op.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let both = [start(), start()].map(|child| child.wait_with_output().unwrap());
    let mut sum = [0; 4];
    for output in &both {
        assert!(output.status.success(), "{}", said(output));
        let tally = tally(&serde_json::from_slice(&output.stdout).unwrap());
        sum = [0, 1, 2, 3].map(|i| sum[i] + tally[i]);
    }
    assert_eq!(sum, [3_000, 1_500, 1_500, 0]);
    import(&other, "orders", &file);
    assert_eq!(op.text(ALL).await, other.text(ALL).await);
}

#[tokio::test]
async fn an_unusable_file_is_told_at_once() {
    let op = operator().await;
    let file = op.write("orders.csv", "order_ref,member,ordered_on,totl\n");
    let output = op.run(&["import", "orders", &file, "--program", "acme"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("\"totl\" is unknown, total is missing"), "{}", said(&output));
    for args in [["nowhere.csv", "acme"], [&file, "nobody"]] {
        let output = op.run(&["import", "orders", args[0], "--program", args[1]]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    }
}

#[tokio::test]
async fn tiers_that_members_bring_along_are_given_once() {
    let op = Operator::new().await;
    let ladder = "[tiers]\nwallet = \"status\"\nladder = [{ code = \"gold\", from = \"1000.00\" }]\n";
    let file = op.write("program.toml", &format!("{PROGRAM}{ladder}"));
    op.out(&["program", "create", "acme", "--file", &file]);
    let tiers = op.write(
        "tiers.csv",
        "ref,member,tier,until,reason\n1,ana,gold,2099-12-31,from the old system\n2,ana,silver,,\n3,eva,gold,2020-01-01,\n",
    );
    assert_eq!(tally(&import(&op, "tiers", &tiers)), [3, 1, 0, 2]);
    let rejects = fs::read_to_string(tiers.replace(".csv", ".rejects.csv")).unwrap();
    assert!(rejects.contains("tier_unknown") && rejects.contains("date_invalid"), "{rejects}");
    assert_eq!(tally(&import(&op, "tiers", &tiers)), [3, 0, 1, 2]);
    let given = "SELECT string_agg(concat_ws(' ', m.external_id, t.tier, t.last_day), ', ') FROM member_tiers AS t \
         JOIN members AS m USING (lane, member_id) WHERE t.kind = 1";
    assert_eq!(op.text(&format!("({given})")).await, "ana gold 2099-12-31");
}
