//! Suspensions that are refused, and what a suspended member is refused.

use serde_json::{Value, json};

use super::{Expected, NOBODY, Scene, invalid, unfit};
use crate::harness::fresh;

#[tokio::test]
async fn suspensions_that_cannot_be_are_refused() {
    let mut scene = Scene::new().await;
    let because = |reason: &str| json!({ "reason": reason });
    for what in ["suspensions", "reinstatements"] {
        let path = format!("/v1/members/{}/{what}", scene.member);
        let cases: [(Value, Expected); 5] = [
            (json!({}), unfit("missing_field", "/reason")),
            (because(""), invalid("/reason")),
            (because(&"x".repeat(501)), invalid("/reason")),
            (json!({ "reason": 7 }), invalid("/reason")),
            (json!({ "reason": "x", "until": "2030-01-01" }), unfit("unknown_field", "/until")),
        ];
        for (body, expected) in cases {
            let reply = scene.shop.post_keyed(&path, &fresh("bad"), &body).await;
            scene.refuses(&format!("{what} {body}"), &reply, expected).await;
        }
        let reply = scene.shop.post_keyed(&format!("/v1/members/{NOBODY}/{what}"), "k", &because("x")).await;
        scene.refuses(what, &reply, (404, "member_unknown", None)).await;
    }
    let [suspend, reinstate] =
        ["suspensions", "reinstatements"].map(|what| format!("/v1/members/{}/{what}", scene.member));
    let reply = scene.shop.post_keyed(&reinstate, "k", &because("x")).await;
    scene.refuses("an active member", &reply, (409, "not_suspended", None)).await;
    assert_eq!(scene.shop.post_keyed(&suspend, "k", &because("x")).await.status, 201);
    scene.is_set().await;
    let reply = scene.shop.post_keyed(&suspend, "k", &because("y")).await;
    scene.refuses("for another reason", &reply, (409, "idempotency_conflict", None)).await;
    let reply = scene.shop.post_keyed(&suspend, "other", &because("x")).await;
    scene.refuses("a suspended member", &reply, (409, "already_suspended", None)).await;
}

#[tokio::test]
async fn who_is_suspended_neither_spends_nor_gets() {
    let mut scene = Scene::new().await;
    let (ana, eva) = (scene.member.clone(), scene.shop.enrol(&json!({})).await);
    let held = json!({ "reference": "cart", "member": { "id": ana }, "points": { "spend": 50 } });
    assert_eq!(scene.shop.post("/v1/checkout/holds", &held).await.status, 201);
    let path = format!("/v1/members/{ana}/suspensions");
    assert_eq!(scene.shop.post_keyed(&path, "k", &json!({ "reason": "x" })).await.status, 201);
    scene.is_set().await;
    let order = json!({ "reference": "2", "member": { "id": ana }, "currency": "EUR", "points": { "spend": 10 },
        "lines": [{ "id": "1", "amount": "10.00" }] });
    let mut captures = order.clone();
    captures["hold"] = json!("cart");
    let give = |to: &str| json!({ "to": { "id": to }, "wallet": "points", "points": 1 });
    let merge = |source: &str| json!({ "source": { "id": source }, "reason": "x" });
    for (path, body) in [
        ("/v1/orders".to_owned(), order.clone()),
        ("/v1/checkout/quotes".to_owned(), order),
        ("/v1/orders".to_owned(), captures),
        (
            "/v1/checkout/holds".to_owned(),
            json!({ "reference": "more", "member": { "id": ana }, "points": { "spend": 1 } }),
        ),
        (format!("/v1/members/{ana}/adjustments"), json!({ "wallet": "points", "points": 5, "reason": "x" })),
        (format!("/v1/members/{ana}/transfers"), give(&eva)),
        (format!("/v1/members/{eva}/transfers"), give(&ana)),
        (format!("/v1/members/{eva}/merges"), merge(&ana)),
        (format!("/v1/members/{ana}/merges"), merge(&eva)),
    ] {
        let reply = scene.shop.post_keyed(&path, &fresh("bad"), &body).await;
        scene.refuses(&format!("{path} {body}"), &reply, (409, "member_suspended", None)).await;
    }
}
