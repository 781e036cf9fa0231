//! Returns that are refused.

use serde_json::json;

use super::{Expected, Scene, invalid, unfit};

const RETURNS: &str = "/v1/orders/1001/returns";

#[tokio::test]
async fn returns_that_do_not_fit_their_order_are_refused() {
    let scene = Scene::new().await;
    let line = |id: &str| json!({ "id": id, "quantity": 1 });
    let many: Vec<_> = (0..501).map(|n| line(&n.to_string())).collect();
    let more = (409, "return_exceeds_purchase");
    let cases: Vec<(serde_json::Value, Expected)> = vec![
        (json!({}), unfit("return_invalid", "")),
        (json!({ "all": true, "amount": "1.00" }), unfit("return_invalid", "")),
        (json!({ "all": true, "lines": [line("1")] }), unfit("return_invalid", "")),
        (json!({ "lines": [] }), invalid("/lines")),
        (json!({ "lines": [line("9")] }), unfit("return_invalid", "/lines/0/id")),
        (json!({ "lines": [line("1"), line("1")] }), unfit("return_invalid", "/lines/1/id")),
        (json!({ "lines": [{ "id": "1" }] }), unfit("return_invalid", "/lines/0")),
        (json!({ "lines": [{ "id": "1", "quantity": 1, "amount": "1.00" }] }), unfit("return_invalid", "/lines/0")),
        (json!({ "lines": [{ "id": "free", "amount": "1.00" }] }), unfit("return_invalid", "/lines/0/amount")),
        (json!({ "lines": [{ "id": "1", "quantity": 4 }] }), (more.0, more.1, Some("/lines/0/quantity"))),
        (json!({ "lines": [{ "id": "1", "amount": "30.01" }] }), (more.0, more.1, Some("/lines/0/amount"))),
        (json!({ "amount": "35.01" }), (more.0, more.1, Some("/amount"))),
        (json!({ "lines": [{ "id": "1", "quantity": 0 }] }), invalid("/lines/0/quantity")),
        (json!({ "amount": "0.00" }), invalid("/amount")),
        (json!({ "lines": [{ "id": "1", "quantity": -1 }] }), invalid("/lines/0/quantity")),
        (json!({ "lines": [{ "id": "1", "amount": "-1.00" }] }), invalid("/lines/0/amount")),
        (json!({ "amount": "0.001" }), invalid("/amount")),
        (json!({ "amount": 5 }), invalid("/amount")),
        (json!({ "all": "yes" }), invalid("/all")),
        (json!({ "all": true, "why": "too small" }), unfit("unknown_field", "/why")),
        (json!({ "lines": many }), invalid("/lines")),
    ];
    for (mut body, expected) in cases {
        body["reference"] = json!("r-1");
        for path in [RETURNS.to_owned(), format!("{RETURNS}?preview=true")] {
            let what = body.to_string().chars().take(90).collect::<String>();
            scene.refuses(&what, &scene.shop.post(&path, &body).await, expected).await;
        }
    }
    for bad in [json!(""), json!("a/b"), json!("x".repeat(65)), json!(1)] {
        let body = json!({ "reference": bad, "all": true });
        scene.refuses("reference", &scene.shop.post(RETURNS, &body).await, invalid("/reference")).await;
    }
    let body = json!({ "reference": "r-1", "all": true });
    for unknown in ["/v1/orders/nope/returns", "/v1/orders/a%2Fb/returns", "/v1/orders/%00/returns"] {
        scene.refuses(unknown, &scene.shop.post(unknown, &body).await, (404, "order_unknown", None)).await;
    }
}

#[tokio::test]
async fn what_has_come_back_does_not_come_back_again() {
    let scene = Scene::new().await;
    let all = json!({ "reference": "r-1", "all": true });
    assert_eq!(scene.shop.post(RETURNS, &all).await.status, 201);
    for body in [
        json!({ "reference": "r-2", "all": true }),
        json!({ "reference": "r-2", "lines": [{ "id": "1", "quantity": 1 }] }),
        json!({ "reference": "r-2", "amount": "0.01" }),
    ] {
        let refused = scene.shop.post(RETURNS, &body).await;
        refused.refused(409, "return_exceeds_purchase");
    }
    let other = json!({ "reference": "r-1", "amount": "1.00" });
    scene.shop.post(RETURNS, &other).await.refused(409, "idempotency_conflict");
    let again = scene.shop.post(RETURNS, &all).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, Some("true")));
}
