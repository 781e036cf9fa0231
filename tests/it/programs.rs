//! `perennial program` and `perennial keys`, as an operator runs them.

use std::fs;
use std::process::Output;

use diesel::sql_types::BigInt;
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use serde_json::Value;

use crate::harness::{Home, TestDb, perennial, said};

fn run(test: &TestDb, home: &Home, args: &[&str]) -> Output {
    perennial(home.path()).env("DATABASE_URL", test.text()).args(args).output().unwrap()
}

fn out(output: &Output) -> String {
    assert!(output.status.success(), "{}", said(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

async fn count(test: &TestDb, what: &str) -> i64 {
    let mut conn = test.db.conn().await.unwrap();
    let row: CountRow = sql_query(format!("SELECT count(*) FROM {what}")).get_result(&mut conn).await.unwrap();
    row.count
}

#[tokio::test]
async fn a_programme_is_created_listed_and_shown() {
    let (home, test) = (Home::new(), TestDb::new().await);
    let create = ["program", "create", "acme", "--currency", "JPY", "--timezone", "Asia/Tokyo", "--name", "Acme"];
    assert_eq!(out(&run(&test, &home, &create)), "created acme (Acme, JPY, Asia/Tokyo), version 1\n");
    let shown = out(&run(&test, &home, &["program", "show", "acme"]));
    assert!(shown.contains("currency = \"JPY\"") && shown.contains("value = \"1\""), "{shown}");
    let listed: Value = serde_json::from_str(&out(&run(&test, &home, &["program", "list", "--json"]))).unwrap();
    assert_eq!((listed["code"].as_str(), listed["version"].as_i64()), (Some("acme"), Some(1)));
    assert_eq!(count(&test, "program_wallets").await, 2);
    assert_eq!(count(&test, "audit_log WHERE action = 'program.created' AND principal = 'operator'").await, 1);

    let taken = run(&test, &home, &create);
    assert_eq!(taken.status.code(), Some(1), "{}", said(&taken));
    assert!(said(&taken).contains("there is a programme acme already"), "{}", said(&taken));
    assert_eq!(count(&test, "programs").await, 1);

    // What is shown is a document that another programme can start with.
    let file = home.path().join("acme.toml");
    fs::write(&file, &shown).unwrap();
    let file = file.to_str().unwrap();
    out(&run(&test, &home, &["program", "create", "copy", "--file", file]));
    assert_eq!(out(&run(&test, &home, &["program", "show", "copy"])), shown);
}

#[tokio::test]
async fn every_mistake_of_a_new_programme_is_named_and_nothing_is_made() {
    let (home, test) = (Home::new(), TestDb::new().await);
    let wrong = run(&test, &home, &["program", "create", "acme", "--currency", "EURO", "--timezone", "Mars"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        said(&wrong).contains("/program/currency") && said(&wrong).contains("/program/timezone"),
        "{}",
        said(&wrong)
    );
    assert_eq!(run(&test, &home, &["program", "create", "acme"]).status.code(), Some(2));
    assert_eq!(run(&test, &home, &["program", "show", "acme"]).status.code(), Some(2));

    let file = home.path().join("bad.toml");
    fs::write(&file, "[program]\ncurrency = \"EUR\"\n[wallets.points]\nkind = \"redeemable\"\nvalue = \"x\"\n")
        .unwrap();
    let file = file.to_str().unwrap();
    let wrong = run(&test, &home, &["program", "create", "acme", "--file", file, "--currency", "USD", "--name", "A"]);
    assert_eq!(wrong.status.code(), Some(2));
    let text = said(&wrong);
    for place in ["/program/currency: the file says \"EUR\"", "/program/timezone", "/wallets/points/value"] {
        assert!(text.contains(place), "{place} in {text}");
    }
    assert_eq!(count(&test, "programs").await, 0);
}

#[tokio::test]
async fn a_key_is_shown_once_listed_and_revoked() {
    let (home, test) = (Home::new(), TestDb::new().await);
    out(&run(&test, &home, &["program", "create", "acme", "--currency", "EUR", "--timezone", "UTC"]));
    let create = ["keys", "create", "--program", "acme", "--scopes", "orders:write,members:read", "--json"];
    let issued: Value = serde_json::from_str(&out(&run(&test, &home, &create))).unwrap();
    let key = issued["key"].as_str().unwrap();
    assert!(key.starts_with("prn_") && key.len() == 85, "{key}");
    assert_eq!(issued["scopes"], serde_json::json!(["members:read", "orders:write"]));
    let id = &key[4..20];
    let listed = out(&run(&test, &home, &["keys", "list", "--program", "acme"]));
    assert!(listed.contains(id) && listed.contains("active") && !listed.contains(key), "{listed}");
    out(&run(&test, &home, &["keys", "revoke", id]));
    let listed = out(&run(&test, &home, &["keys", "list", "--program", "acme", "--json"]));
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["status"], "revoked");

    let all = out(&run(&test, &home, &["keys", "create", "--program", "acme", "--scopes", "all"]));
    assert!(all.trim().starts_with("prn_"), "{all}");
    for bad in [["--scopes", "orders:wreck", "--program", "acme"], ["--scopes", "all", "--program", "nobody"]] {
        let output = run(&test, &home, &[&["keys", "create"][..], &bad].concat());
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    }
    let past = ["keys", "create", "--program", "acme", "--scopes", "all", "--expires-at", "2001-01-01T00:00:00Z"];
    assert_eq!(run(&test, &home, &past).status.code(), Some(2));
    assert_eq!(run(&test, &home, &["keys", "revoke", "0123456789abcdef"]).status.code(), Some(2));
}
