//! Budgets: exact at their bound, whoever comes at once.

use perennial::kernel::id::Version;
use perennial::loyalty::ledger::writer::Pace;
use perennial::loyalty::program::document::Document;
use perennial::loyalty::program::publish::{Publication, PublishError, publish};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{Client, EURO, Process, Reply, TestApp, facts};

/// The usual programme with a rule that gives seven points for coming, as long as there are any.
fn welcome(budget: &str) -> Document {
    let euro = EURO.replace("\"Euro\"", "\"Ours\"");
    let rule = "[earning.welcome]\nwallet = \"points\"\naward = { points = 7 }";
    Document::from_toml(&format!("{euro}\n{rule}\nbudget = {{ {budget} }}\n")).unwrap()
}

async fn publish_on(app: &TestApp, document: &Document, based_on: i32) -> Result<Version, PublishError> {
    let wanted = Publication { document, based_on: Version(based_on), starts: None, note: "a test", draft: None };
    let published = publish(&mut app.test.db.conn().await.unwrap(), &app.program, &wanted).await;
    published.map(|published| published.version)
}

fn order(reference: &str, member: &str) -> Value {
    json!({ "reference": reference, "member": { "id": member }, "currency": "EUR",
        "lines": [{ "id": "1", "quantity": 2, "amount": "10.00" }] })
}

async fn settle(shop: &Client, member: &str, reference: &str) -> Reply {
    let reply = shop.post("/v1/orders", &order(reference, member)).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    reply
}

fn given(reply: &Reply) -> i64 {
    let rows = reply.json["rows"].as_array().unwrap().iter();
    rows.filter(|row| row["rule"] == "welcome").map(|row| row["points"].as_i64().unwrap()).sum()
}

async fn counters(app: &TestApp) -> String {
    let all = "SELECT coalesce(string_agg(format('%s %s %s/%s', rule, period, used, used_max), ', '), '') AS fact FROM counters";
    facts::one(&app.test.db, all).await
}

#[tokio::test]
async fn a_budget_gives_out_exactly_what_it_has_over_two_processes() {
    let app = TestApp::new().await;
    let other = Process::start(&app.test, Pace::serving()).await;
    publish_on(&app, &welcome("points = 1000"), 1).await.unwrap();
    let shop = app.shop().await;
    let far = other.client(shop.key());
    let mut clients = JoinSet::new();
    for n in 0..64 {
        let client = if n % 2 == 0 { shop.clone() } else { far.clone() };
        clients.spawn(async move {
            let member = client.enrol(&json!({})).await;
            let mut replies = Vec::new();
            for i in 0..3 {
                replies.push(settle(&client, &member, &format!("{n}-{i}")).await);
            }
            replies
        });
    }
    let replies: Vec<Reply> = clients.join_all().await.into_iter().flatten().collect();
    // 142 times seven, six for the next, and nothing for those who come then.
    assert_eq!(replies.iter().map(given).sum::<i64>(), 1_000);
    assert_eq!(replies.iter().filter(|reply| given(reply) == 6).count(), 1);
    let late = replies.iter().filter(|reply| reply.json["skipped"][0]["reason"] == "budget_spent");
    assert_eq!(late.count(), 192 - 143);
    assert_eq!(counters(&app).await, "welcome - 1000/1000");
}

#[tokio::test]
async fn what_comes_back_can_be_had_again_and_a_quote_takes_nothing() {
    let app = TestApp::new().await;
    publish_on(&app, &welcome("money = \"0.10\""), 1).await.unwrap();
    let shop = app.shop().await;
    let member = shop.enrol(&json!({})).await;
    let quoted = shop.post("/v1/checkout/quotes", &order("quote", &member)).await;
    assert_eq!((given(&quoted), counters(&app).await.as_str()), (7, ""));
    assert_eq!(given(&settle(&shop, &member, "1").await), 7);
    assert_eq!(given(&settle(&shop, &member, "1b").await), 3);
    let quoted = shop.post("/v1/checkout/quotes", &order("quote", &member)).await;
    assert_eq!((given(&quoted), &quoted.json["skipped"][0]["reason"]), (0, &json!("budget_spent")));
    let one = json!({ "reference": "r", "lines": [{ "id": "1", "quantity": 1 }] });
    let back = shop.post("/v1/orders/1/returns", &one).await;
    assert_eq!(back.json["given_back"], json!([{ "rule": "welcome", "points": 4 }]), "{back:?}");
    assert_eq!(counters(&app).await, "welcome - 6/10");
    assert_eq!(given(&settle(&shop, &member, "2").await), 4);
}

#[tokio::test]
async fn a_budget_below_what_is_spent_is_not_published() {
    let app = TestApp::new().await;
    publish_on(&app, &welcome("points = 100"), 1).await.unwrap();
    let shop = app.shop().await;
    let member = shop.enrol(&json!({})).await;
    settle(&shop, &member, "1").await;
    settle(&shop, &member, "2").await;
    let before = facts::fingerprint(&app.test.db).await;
    let refused = publish_on(&app, &welcome("points = 13"), 2).await;
    let Err(PublishError::Mistakes(mistakes)) = refused else { panic!("{refused:?}") };
    let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["/earning/welcome/budget: 14 points of it are spent already"]);
    assert_eq!(facts::fingerprint(&app.test.db).await, before);
    // Of another period nothing is spent yet.
    publish_on(&app, &welcome("points = 13, each = \"P1Y\""), 2).await.unwrap();
    publish_on(&app, &welcome("points = 14"), 3).await.unwrap();
    assert_eq!(given(&settle(&shop, &member, "3").await), 0);
}
