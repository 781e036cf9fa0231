//! `perennial demo`: made once, there again at once.

use std::fs::{self, metadata};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Stdio};

use reqwest::StatusCode;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::harness::{Operator, said};

/// A demo that has said all it has to say.
struct Demo {
    child: Option<Child>,
    said: String,
}

impl Drop for Demo {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // A test failed: it may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Demo {
    fn start(op: &Operator) -> Self {
        let mut child = op.command(&["demo"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut demo = Self { child: Some(child), said: String::new() };
        while !demo.said.contains("Ctrl-C") {
            assert!(out.read_line(&mut demo.said).unwrap() > 0, "it ended after {}", demo.said);
        }
        demo
    }

    fn after(&self, label: &str) -> &str {
        let (_, rest) = self.said.split_once(label).unwrap();
        rest.split_whitespace().next().unwrap()
    }

    /// Ends it as Ctrl-C does, and answers what it said on standard error.
    fn end(mut self) -> String {
        let child = self.child.take().unwrap();
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8(output.stderr).unwrap()
    }
}

#[tokio::test]
async fn a_demo_is_made_once_and_is_there_again_at_once() {
    let op = Operator::new().await;
    let demo = Demo::start(&op);
    let (key, base) = (demo.after("API key").to_owned(), demo.after("API  ").to_owned());
    let kept = op.path("demo.key");
    assert_eq!(fs::read_to_string(&kept).unwrap().trim(), key);
    assert_eq!(metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(op.count("postings WHERE kind = 2 AND imported").await, 6_919);
    let age = "SELECT (now() AT TIME ZONE 'UTC')::date - max((effective_at AT TIME ZONE 'UTC')::date) FROM postings WHERE kind = 2";
    let age: i64 = op.text(age).await.parse().unwrap();
    assert!((0..7).contains(&age), "the newest order is {age} days old");

    // The first line to try is a member's balances, and it works as printed.
    let uri = demo.said.split_whitespace().find(|word| word.ends_with("/balances")).unwrap();
    let answer = reqwest::Client::new().get(uri).bearer_auth(&key).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let balances: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert!(balances["wallets"][0]["spendable"].as_i64().unwrap() > 0, "{balances}");
    assert!(uri.starts_with(&base), "{uri} at {base}");
    assert!(demo.end().contains("settling the orders"));

    let postings = op.count("postings").await;
    let again = Demo::start(&op);
    assert_eq!(again.after("API key"), key);
    assert!(!again.end().contains("settling"), "the second start imports nothing");
    assert_eq!(op.count("postings WHERE kind = 2").await, 6_919);
    assert!(op.count("postings").await >= postings);
    assert_eq!(op.count("api_keys").await, 1);
}

#[tokio::test]
async fn what_a_demo_began_in_an_earlier_week_keeps_its_dates() {
    let op = Operator::new().await;
    op.out(&["program", "create", "demo", "--currency", "USD", "--timezone", "UTC"]);
    let weeks_ago = "SELECT (now() AT TIME ZONE 'UTC')::date - 70 - \
         ((now() AT TIME ZONE 'UTC')::date - '1998-06-30'::date) % 7 - ('1998-06-30'::date - '1997-01-01'::date)";
    let day = op.text(weeks_ago).await;
    let file = format!("order_ref,member,ordered_on,quantity,total\ncdnow-00010,00004,{day},2,29.33\n");
    op.out(&["import", "orders", &op.write("one.csv", &file), "--program", "demo", "--enrol"]);
    Demo::start(&op).end();
    assert_eq!(op.count("postings WHERE kind = 2").await, 6_919);
    let newest = "SELECT now()::date - max(effective_at)::date FROM postings WHERE kind = 2";
    let age: i64 = op.text(newest).await.parse().unwrap();
    assert!((70..77).contains(&age), "moved as the one that was there: {age}");
}
