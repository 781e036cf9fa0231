//! Holds that are refused.

use serde_json::{Value, json};

use super::{Expected, NOBODY, Scene, invalid, unfit, with};

fn hold() -> Value {
    json!({ "reference": "cart", "member": { "external_id": "c-17" }, "points": { "wallet": "points", "spend": 100 },
        "lasts_s": 900 })
}

fn order() -> Value {
    json!({ "reference": "2", "member": { "external_id": "c-17" }, "currency": "EUR",
        "lines": [{ "id": "1", "amount": "10.00" }], "points": { "wallet": "points", "spend": 50 }, "hold": "cart" })
}

#[tokio::test]
async fn holds_that_cannot_be_are_refused() {
    let scene = Scene::new().await;
    let sock = json!([{ "id": "1", "amount": "10.00" }]);
    let order = |lines: Value, code: &str, line: &str| {
        let off = json!([{ "code": code, "lines": [{ "id": line, "amount": "1.00" }] }]);
        json!({ "currency": "EUR", "lines": lines, "discounts": off })
    };
    let cases: [(&str, Value, Expected); 26] = [
        ("/reference", json!(""), invalid("/reference")),
        ("/reference", json!("a/b"), invalid("/reference")),
        ("/reference", Value::Null, unfit("missing_field", "/reference")),
        ("/member", Value::Null, unfit("missing_field", "/member")),
        ("/member", json!({}), invalid("/member")),
        ("/member", json!({ "external_id": "nobody" }), (404, "member_unknown", Some("/member"))),
        ("/member", json!({ "id": NOBODY }), (404, "member_unknown", Some("/member"))),
        ("/points", Value::Null, unfit("hold_empty", "/points")),
        ("/order", json!({}), unfit("missing_field", "/order/currency")),
        (
            "/order",
            with(&order(sock.clone(), "x", "1"), "/currency", json!("USD")),
            unfit("currency_mismatch", "/order/currency"),
        ),
        ("/order", with(&order(sock.clone(), "x", "1"), "/codes", json!([7])), invalid("/order/codes/0")),
        ("/order", order(json!([]), "x", "1"), unfit("order_invalid", "/order/lines")),
        ("/order", order(json!([{ "id": "1", "amount": "-1.00" }]), "x", "1"), invalid("/order/lines/0/amount")),
        ("/order", order(sock.clone(), "x", "2"), unfit("order_invalid", "/order/discounts/0/lines/0/id")),
        ("/points/spend", json!(0), invalid("/points/spend")),
        ("/points/spend", json!(-1), invalid("/points/spend")),
        ("/points/spend", json!(1.5), invalid("/points/spend")),
        ("/points/spend", json!("100"), invalid("/points/spend")),
        ("/points/spend", json!(1_000_000_000_000_001_i64), invalid("/points/spend")),
        ("/points/spend", json!(10_000), (409, "insufficient_points", Some("/points/spend"))),
        ("/points/wallet", json!("gone"), unfit("wallet_unknown", "/points/wallet")),
        ("/points/wallet", json!("status"), unfit("wallet_unknown", "/points/wallet")),
        ("/lasts_s", json!(0), invalid("/lasts_s")),
        ("/lasts_s", json!(86_401), invalid("/lasts_s")),
        ("/lasts_s", json!("15m"), invalid("/lasts_s")),
        ("/more", json!(1), unfit("unknown_field", "/more")),
    ];
    for (pointer, value, expected) in cases {
        let reply = scene.shop.post("/v1/checkout/holds", &with(&hold(), pointer, value.clone())).await;
        scene.refuses(&format!("{pointer} = {value}"), &reply, expected).await;
    }
    for path in ["/v1/checkout/holds/nobodys", "/v1/checkout/holds/a%2Fb", "/v1/checkout/holds/%00"] {
        let unknown = (404, "hold_unknown", None);
        scene.refuses(path, &scene.shop.get(path).await, unknown).await;
        scene.refuses(path, &scene.shop.delete(path).await, unknown).await;
    }
}

#[tokio::test]
async fn orders_that_name_a_hold_they_cannot_have_are_refused() {
    let mut scene = Scene::new().await;
    assert_eq!(scene.shop.post("/v1/checkout/holds", &hold()).await.status, 201);
    scene.is_set().await;
    let other = scene.shop.post("/v1/checkout/holds", &with(&hold(), "/points/spend", json!(101))).await;
    scene.refuses("another under that name", &other, (409, "idempotency_conflict", None)).await;
    let cases: [(&str, Value, Expected); 7] = [
        ("/hold", json!("nobodys"), (404, "hold_unknown", Some("/hold"))),
        ("/hold", json!("a/b"), invalid("/hold")),
        ("/hold", json!(7), invalid("/hold")),
        ("/points", Value::Null, invalid("/points")),
        ("/points/spend", json!(101), (409, "hold_exceeded", Some("/points/spend"))),
        ("/points/wallet", json!("status"), unfit("wallet_unknown", "/points/wallet")),
        ("/member", json!({ "external_id": "c-18" }), (404, "hold_unknown", Some("/hold"))),
    ];
    for (pointer, value, expected) in cases {
        for path in ["/v1/orders", "/v1/checkout/quotes"] {
            let reply = scene.shop.post(path, &with(&order(), pointer, value.clone())).await;
            scene.refuses(&format!("{path} {pointer} = {value}"), &reply, expected).await;
        }
    }
}

#[tokio::test]
async fn a_hold_is_captured_or_released_once() {
    let mut scene = Scene::new().await;
    for reference in ["cart", "left"] {
        let held = with(&hold(), "/reference", json!(reference));
        assert_eq!(scene.shop.post("/v1/checkout/holds", &held).await.status, 201);
    }
    assert_eq!(scene.shop.post("/v1/orders", &order()).await.status, 201);
    assert_eq!(scene.shop.delete("/v1/checkout/holds/left").await.status, 200);
    scene.is_set().await;
    let again = with(&order(), "/reference", json!("3"));
    for (hold, code) in [("cart", "hold_captured"), ("left", "hold_released")] {
        for path in ["/v1/orders", "/v1/checkout/quotes"] {
            let reply = scene.shop.post(path, &with(&again, "/hold", json!(hold))).await;
            scene.refuses(&format!("{path} {hold}"), &reply, (409, code, Some("/hold"))).await;
            assert_eq!(reply.json.get("order"), (hold == "cart").then_some(&json!("2")), "{reply:?}");
        }
    }
    let released = scene.shop.delete("/v1/checkout/holds/cart").await;
    scene.refuses("released after it was captured", &released, (409, "hold_captured", None)).await;
}
