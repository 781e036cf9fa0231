//! Versions that are published while the shop runs: each starts between two groups, and nobody is refused for it.

use std::time::Duration;

use chrono::TimeDelta;
use perennial::kernel::clock::Instant;
use perennial::kernel::id::Version;
use perennial::loyalty::ledger::writer::Pace;
use perennial::loyalty::program::document::Document;
use perennial::loyalty::program::publish::{Publication, PublishError, Published, publish};
use perennial::loyalty::program::store::read_clock;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep as wait;

use crate::drafts::{DRAFT, send, tag};
use crate::harness::{Client, EURO, Process, Reply, TestApp, facts};

/// The usual programme with a multiplier of that many times.
fn times(factor: u32) -> Document {
    Document::from_toml(&format!(
        "{}\n[earning.more]\nwallet = \"points\"\naward = {{ multiply = \"{factor}\" }}\n\
         caps = {{ per_member = {{ points = 1000, each = \"P1D\" }} }}\n",
        EURO.replace("\"Euro\"", "\"Ours\"")
    ))
    .unwrap()
}

async fn publish_on(
    app: &TestApp,
    document: &Document,
    based_on: i32,
    starts: Option<Instant>,
) -> Result<Published, PublishError> {
    let wanted = Publication { document, based_on: Version(based_on), starts, note: "a test", draft: None };
    publish(&mut app.test.db.conn().await.unwrap(), &app.program, &wanted).await
}

async fn now(app: &TestApp) -> Instant {
    read_clock(&app.test.db.conn().await.unwrap()).await.unwrap()
}

fn order(reference: &str, member: &str) -> Value {
    json!({ "reference": reference, "member": { "id": member }, "currency": "EUR",
        "lines": [{ "id": "1", "amount": "10.00" }] })
}

async fn settle(shop: &Client, member: &str, reference: &str) -> Reply {
    let reply = shop.post("/v1/orders", &order(reference, member)).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    reply
}

#[tokio::test]
async fn a_version_starts_between_two_groups_and_no_order_is_refused_for_it() {
    let app = TestApp::new().await;
    let other = Process::start(&app.test, Pace::serving()).await;
    let shop = app.shop().await;
    let far = other.client(shop.key());
    let (editor, far_editor) = (shop.clone(), far.clone());
    let mut clients = JoinSet::new();
    for n in 0..32 {
        let client = if n % 2 == 0 { shop.clone() } else { far.clone() };
        clients.spawn(async move {
            let member = client.enrol(&json!({})).await;
            for i in 0..20 {
                settle(&client, &member, &format!("{n}-{i}")).await;
            }
        });
    }
    publish_on(&app, &times(2), 1, None).await.unwrap();
    for version in 3_i32..=20 {
        let editor = if version % 2 == 0 { &editor } else { &far_editor };
        let more = json!({ "earning": { "more": { "award": { "multiply": (2 + version % 3).to_string() } } } });
        let drafted = send(editor, Method::PATCH, DRAFT, Some(&format!("\"v{}\"", version - 1)), &more).await;
        let published = send(editor, Method::POST, "/v1/program/publications", Some(&tag(&drafted)), &json!({})).await;
        assert_eq!((published.status, &published.json["version"]), (201, &json!(version)), "{published:?}");
    }
    clients.join_all().await;
    // Each by the version that was in force: `verify` says the same of all of them when the test ends.
    let decided = "SELECT count(*)::text AS fact FROM postings AS p WHERE p.kind = 2 AND p.version <> (\
        SELECT max(v.version) FROM program_versions AS v JOIN accounts AS a USING (program_id) \
        WHERE a.member_id = p.member_id AND v.starts <= p.recorded_at)";
    assert_eq!(facts::one(&app.test.db, decided).await, "0");
    assert_eq!(facts::count(&app.test.db, "postings WHERE kind = 2").await, 640);
    assert!(facts::count(&app.test.db, "(SELECT DISTINCT version FROM postings) AS v").await > 2);
}

#[tokio::test]
async fn a_version_of_the_future_waits_for_its_day_and_a_newer_one_takes_its_place() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let member = shop.enrol(&json!({})).await;
    let soon = now(&app).await + TimeDelta::seconds(2);
    publish_on(&app, &times(3), 1, Some(soon)).await.unwrap();
    assert_eq!(settle(&shop, &member, "1").await.json["program_version"], 1);
    let program = shop.get("/v1/program").await;
    assert_eq!((program.json["version"].as_i64(), program.header("etag")), (Some(1), Some("\"v1\"")));
    while now(&app).await < soon + TimeDelta::milliseconds(50) {
        wait(Duration::from_millis(50)).await;
    }
    let tripled = settle(&shop, &member, "2").await;
    assert_eq!((&tripled.json["program_version"], &tripled.json["rows"][1]["points"]), (&json!(2), &json!(20)));
    assert_eq!(shop.get("/v1/program").await.json["version"], 2);
    // Handed in late, it is an order of its time.
    let mut late = order("3", &member);
    late["ordered_at"] = json!(soon - TimeDelta::seconds(1));
    assert_eq!(shop.post("/v1/orders", &late).await.json["program_version"], 1);
    publish_on(&app, &times(2), 2, Some(now(&app).await + TimeDelta::days(9))).await.unwrap();
    publish_on(&app, &times(4), 3, None).await.unwrap();
    assert_eq!(settle(&shop, &member, "4").await.json["program_version"], 4);
}

#[tokio::test]
async fn an_order_ahead_of_the_clock_is_decided_by_the_version_of_the_moment() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let member = shop.enrol(&json!({})).await;
    let clock = now(&app).await;
    publish_on(&app, &times(3), 1, Some(clock + TimeDelta::seconds(100))).await.unwrap();
    let mut ahead = order("1", &member);
    ahead["ordered_at"] = json!(clock + TimeDelta::seconds(200));
    let settled = shop.post("/v1/orders", &ahead).await;
    assert_eq!((settled.status, &settled.json["program_version"]), (201, &json!(1)));
}

#[tokio::test]
async fn a_refused_publish_changes_nothing() {
    let app = TestApp::new().await;
    publish_on(&app, &times(2), 1, None).await.unwrap();
    let before = facts::fingerprint(&app.test.db).await;
    let outdated = publish_on(&app, &times(3), 1, None).await;
    assert!(matches!(outdated, Err(PublishError::Outdated(Version(2)))), "{outdated:?}");
    let past = publish_on(&app, &times(3), 2, Some(now(&app).await - TimeDelta::seconds(1))).await;
    assert!(matches!(past, Err(PublishError::Past)), "{past:?}");
    let mut fixed = times(3);
    fixed.program.currency = "CHF".into();
    let Err(PublishError::Mistakes(mistakes)) = publish_on(&app, &fixed, 2, None).await else { panic!("it was") };
    assert_eq!(mistakes[0].pointer, "/program/currency");
    assert_eq!(facts::fingerprint(&app.test.db).await, before);
}

#[tokio::test]
async fn a_cap_holds_whoever_comes_at_once_over_two_processes() {
    let app = TestApp::new().await;
    let other = Process::start(&app.test, Pace::serving()).await;
    publish_on(&app, &times(11), 1, None).await.unwrap();
    let shop = app.shop().await;
    let far = other.client(shop.key());
    let member = shop.enrol(&json!({})).await;
    let mut clients = JoinSet::new();
    for n in 0..32 {
        let (client, member) = (if n % 2 == 0 { shop.clone() } else { far.clone() }, member.clone());
        clients.spawn(async move { settle(&client, &member, &n.to_string()).await });
    }
    let more = |reply: &Reply| reply.json["rows"][1]["points"].as_i64().unwrap_or_default();
    let replies = clients.join_all().await;
    // Ten times ten euro more each, until there were a thousand.
    assert_eq!(replies.iter().map(more).sum::<i64>(), 1_000);
    assert_eq!(replies.iter().filter(|reply| reply.json["skipped"][0]["reason"] == "cap_reached").count(), 22);
}
