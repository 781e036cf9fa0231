//! Members who are suspended, and reinstated.

use serde_json::{Value, json};

use crate::harness::{Client, Reply, TestApp};

async fn post(shop: &Client, member: &str, what: &str, key: &str, reason: &str) -> Reply {
    shop.post_keyed(&format!("/v1/members/{member}/{what}"), key, &json!({ "reason": reason })).await
}

fn order(reference: &str, member: &str, spend: i64) -> Value {
    json!({ "reference": reference, "member": { "id": member }, "currency": "EUR", "points": { "spend": spend },
        "lines": [{ "id": "1", "amount": "40.00" }] })
}

#[tokio::test]
async fn who_is_suspended_neither_earns_nor_spends_until_reinstated() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "external_id": "c-17" })).await;
    shop.adjust(&ana, 500).await;
    let out = post(&shop, &ana, "suspensions", "k-1", "returns every second order").await;
    let posting = out.text_at("/posting");
    assert_eq!((out.status, &out.json["member"], &out.json["status"]), (201, &json!(ana), &json!("suspended")));
    assert_eq!(shop.get(&format!("/v1/members/{ana}")).await.text_at("/status"), "suspended");
    let again = post(&shop, &ana, "suspensions", "k-1", "returns every second order").await;
    assert_eq!((again.status, again.header("idempotency-replayed"), &again.text), (200, Some("true"), &out.text));

    let settled = shop.post("/v1/orders", &order("1", &ana, 0)).await;
    let skipped = json!([{ "rule": "base", "reason": "member_suspended" }]);
    assert_eq!((settled.status, &settled.json["skipped"]), (201, &skipped));
    assert_eq!(shop.spendable(&ana).await, 500);

    assert_eq!(post(&shop, &ana, "reinstatements", "k-1", "it was a mistake").await.status, 201);
    assert_eq!(shop.get(&format!("/v1/members/{ana}")).await.text_at("/status"), "active");
    assert_eq!(shop.post("/v1/orders", &order("2", &ana, 100)).await.status, 201);

    let statement = shop.get(&format!("/v1/members/{ana}/statement")).await;
    let told = statement.json["items"].as_array().unwrap().iter().map(|i| (i["kind"].clone(), i["says"].clone()));
    let told: Vec<_> = told.collect();
    assert!(told.contains(&(json!("suspend"), json!("Membership suspended"))), "{told:?}");
    assert!(told.contains(&(json!("reinstate"), json!("Membership reinstated"))), "{told:?}");
    let why = shop.get(&format!("/v1/postings/{posting}/why")).await;
    assert_eq!(why.json["texts"], json!({ "reason": "returns every second order" }));
    let audit = shop.get("/v1/audit").await;
    let lines: Vec<_> = audit.json["items"].as_array().unwrap().iter().map(|line| line["action"].clone()).collect();
    assert_eq!(lines.iter().filter(|action| **action == json!("ledger.suspended")).count(), 1, "{}", audit.text);
    assert!(lines.contains(&json!("ledger.reinstated")) && !audit.text.contains("every second order"));
}
