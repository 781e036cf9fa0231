//! Holds over HTTP: put aside, captured, released, over.

use serde_json::{Value, json};

use crate::harness::{Client, TestApp, facts, verify};

/// A shop whose member has 500 points.
async fn shop(app: &TestApp) -> (Client, String) {
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "external_id": "c-17", "email": "ana@example.com" })).await;
    shop.adjust(&ana, 500).await;
    (shop, ana)
}

fn hold(reference: &str, points: i64) -> Value {
    json!({ "reference": reference, "member": { "external_id": "c-17" }, "points": { "spend": points } })
}

fn order(reference: &str, hold: &str, points: i64) -> Value {
    json!({ "reference": reference, "member": { "external_id": "c-17" }, "currency": "EUR",
        "lines": [{ "id": "1", "amount": "30.00" }], "points": { "spend": points }, "hold": hold })
}

async fn balance(shop: &Client, member: &str) -> (i64, i64) {
    let wallet = shop.get(&format!("/v1/members/{member}/balances")).await.json["wallets"][0].clone();
    (wallet["spendable"].as_i64().unwrap(), wallet["held"].as_i64().unwrap())
}

#[tokio::test]
async fn a_hold_is_captured_in_part_and_the_rest_comes_back() {
    let app = TestApp::new().await;
    let (shop, ana) = shop(&app).await;
    let held = shop.post("/v1/checkout/holds", &hold("cart-77", 300)).await;
    assert_eq!((held.status, held.text_at("/worth"), &held.json["spendable"]), (201, "3.00".into(), &json!(200)));
    let again = shop.post("/v1/checkout/holds", &hold("cart-77", 300)).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, Some("true")));
    assert_eq!(again.text, held.text);
    assert_eq!(balance(&shop, &ana).await, (200, 300));
    let view = shop.get("/v1/checkout/holds/cart-77").await;
    assert_eq!(
        (view.status, view.text_at("/status"), view.text_at("/ends_at")),
        (200, "open".into(), held.text_at("/ends_at"))
    );

    let quote = shop.post("/v1/checkout/quotes", &order("1001", "cart-77", 180)).await;
    let settled = shop.post("/v1/orders", &order("1001", "cart-77", 180)).await;
    assert_eq!((quote.status, settled.status), (200, 201), "{quote:?} {settled:?}");
    assert_eq!(quote.json["hold"], settled.json["hold"]);
    let expected = json!({ "reference": "cart-77", "open": true, "captured": 180, "released": 120, "taken": 0,
        "expired": 0, "waived": 0 });
    assert_eq!(settled.json["hold"], expected);
    assert_eq!(settled.json["spent"], json!([{ "wallet": "points", "points": 180, "worth": "1.80" }]));
    let earned = settled.json["rows"][0]["points"].as_i64().unwrap();
    assert_eq!(balance(&shop, &ana).await, (320 + earned, 0));

    let view = shop.get("/v1/checkout/holds/cart-77").await;
    assert_eq!((view.text_at("/status"), view.text_at("/order")), ("captured".into(), "1001".into()));
    let replay = shop.post("/v1/orders", &order("1001", "cart-77", 180)).await;
    assert_eq!((replay.status, replay.text), (200, settled.text));

    let back = shop.post("/v1/orders/1001/returns", &json!({ "reference": "r", "all": true })).await;
    assert_eq!(back.json["restored"], json!([{ "wallet": "points", "points": 180 }]));
    assert_eq!(balance(&shop, &ana).await, (500, 0));
    let statement = shop.get(&format!("/v1/members/{ana}/statement")).await;
    let says: Vec<&str> =
        statement.json["items"].as_array().unwrap().iter().map(|i| i["says"].as_str().unwrap()).collect();
    assert!(says.contains(&"300 points put aside"), "{says:?}");
    verify(&app.test.db).await;
}

#[tokio::test]
async fn a_released_hold_is_gone_and_a_dead_one_ends_by_itself() {
    let app = TestApp::new().await;
    let (shop, ana) = shop(&app).await;
    assert_eq!(shop.post("/v1/checkout/holds", &hold("left", 300)).await.status, 201);
    let released = shop.delete("/v1/checkout/holds/left").await;
    assert_eq!(
        (released.status, &released.json["released"], &released.json["spendable"]),
        (200, &json!(300), &json!(500))
    );
    let again = shop.delete("/v1/checkout/holds/left").await;
    assert_eq!((again.status, again.header("idempotency-replayed"), &again.text), (200, Some("true"), &released.text));

    let mut short = hold("dead", 400);
    short["lasts_s"] = json!(1);
    assert_eq!(shop.post("/v1/checkout/holds", &short).await.status, 201);
    assert_eq!(balance(&shop, &ana).await, (100, 400));
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    // Nobody wrote it down, and nobody needs to.
    assert_eq!(balance(&shop, &ana).await, (500, 0));
    assert_eq!(shop.get("/v1/checkout/holds/dead").await.text_at("/status"), "ended");
    shop.delete("/v1/checkout/holds/dead").await.refused(409, "hold_ended");
    let late = shop.post("/v1/orders", &order("2", "dead", 400)).await;
    assert_eq!((late.status, &late.json["hold"]["open"]), (201, &json!(false)));
    shop.post("/v1/orders", &order("3", "dead", 1)).await.refused(409, "hold_captured");
    verify(&app.test.db).await;
}

#[tokio::test]
async fn a_hold_of_a_member_who_changed_the_email_is_answered_again() {
    let app = TestApp::new().await;
    let (shop, ana) = shop(&app).await;
    let mut held = hold("cart", 100);
    held["member"] = json!({ "email": "ana@example.com" });
    let first = shop.post("/v1/checkout/holds", &held).await;
    assert_eq!(shop.patch(&format!("/v1/members/{ana}"), &json!({ "email": null })).await.status, 200);
    let again = shop.post("/v1/checkout/holds", &held).await;
    assert_eq!((first.status, again.status, again.text), (201, 200, first.text));
}

/// 32 checkouts at once for 500 points: holds of 100, of which five are there.
#[tokio::test]
async fn no_point_is_put_aside_twice() {
    let app = TestApp::new().await;
    let (shop, ana) = shop(&app).await;
    let calls = (0..32).map(|n| {
        let shop = shop.clone();
        tokio::spawn(async move { shop.post("/v1/checkout/holds", &hold(&format!("cart-{n}"), 100)).await.status })
    });
    let mut held = 0;
    for call in calls.collect::<Vec<_>>() {
        held += u32::from(call.await.unwrap() == 201);
    }
    assert_eq!((held, balance(&shop, &ana).await), (5, (0, 500)));
    assert_eq!(facts::one(&app.test.db, "SELECT sum(points)::text AS fact FROM holds").await, "500");
    verify(&app.test.db).await;
}
