//! Tiers over HTTP: published, reached, shown and taken back.

use perennial::kernel::id::Version;
use perennial::loyalty::ledger::writer::Pace;
use perennial::loyalty::program::document::Document;
use perennial::loyalty::program::publish::{Publication, publish};
use serde_json::{Value, json};

use crate::harness::{Client, EURO, Process, TestApp};

/// The usual programme with two tiers of what was spent.
fn with_tiers(silver: &str, gold: &str) -> Document {
    let text = format!(
        "{EURO}\n[tiers]\nwallet = \"status\"\n\
         ladder = [{{ code = \"silver\", from = \"{silver}\" }}, {{ code = \"gold\", from = \"{gold}\" }}]\n"
    );
    Document::from_toml(&text).unwrap()
}

async fn publish_on(app: &TestApp, document: &Document, based_on: i32) {
    let wanted = Publication { document, based_on: Version(based_on), starts: None, note: "a test" };
    publish(&mut app.test.db.conn().await.unwrap(), &app.program, &wanted).await.unwrap();
}

async fn buy(shop: &Client, member: &str, reference: &str, amount: &str) -> Value {
    let order = json!({ "reference": reference, "member": { "id": member }, "currency": "EUR",
        "lines": [{ "id": "1", "amount": amount }] });
    let reply = shop.post("/v1/orders", &order).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    reply.json
}

async fn tier(shop: &Client, member: &str) -> Value {
    shop.get(&format!("/v1/members/{member}/balances")).await.json["tier"].clone()
}

#[tokio::test]
async fn an_order_reaches_gold_and_its_return_takes_it_back() {
    let app = TestApp::new().await;
    let other = Process::start(&app.test, Pace::serving()).await;
    let shop = app.shop().await;
    let member = shop.enrol(&json!({})).await;
    assert_eq!(buy(&shop, &member, "1", "300.00").await["tier"], Value::Null);
    publish_on(&app, &with_tiers("250.00", "1000.00"), 1).await;
    // Who reads sees the publish, also in another process, and before anybody has touched the member.
    assert_eq!(
        (tier(&shop, &member).await, tier(&other.client(shop.key()), &member).await),
        (json!("silver"), json!("silver"))
    );
    let gold = buy(&shop, &member, "2", "700.00").await;
    assert_eq!((&gold["tier"]["before"], &gold["tier"]["after"]), (&json!("silver"), &json!("gold")));
    assert_eq!(gold["tier"]["was"]["tier"], "silver");
    assert_eq!(tier(&shop, &member).await, "gold");
    let back = shop.post("/v1/orders/2/returns", &json!({ "reference": "r", "all": true })).await;
    assert_eq!((back.status, &back.json["tier"]["after"]), (201, &json!("silver")), "{back:?}");
    assert_eq!(tier(&shop, &member).await, "silver");
    // A raised threshold takes no tier away.
    publish_on(&app, &with_tiers("500.00", "2000.00"), 2).await;
    assert_eq!(tier(&shop, &member).await, "silver");
    assert_eq!(buy(&shop, &member, "3", "1.00").await["tier"]["after"], "silver");
}
