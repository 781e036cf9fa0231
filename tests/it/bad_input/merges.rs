//! Merges of members and claims of guests' orders that are refused, also as previews.

use serde_json::{Value, json};

use super::{Expected, NOBODY, Scene, invalid, unfit, with};
use crate::harness::fresh;

const REASON: &str = "the same person";

impl Scene {
    async fn refuses_also_as_preview(&self, path: &str, body: &Value, expected: Expected) {
        for path in [path.to_owned(), format!("{path}?preview=true")] {
            let what = format!("{path} {}", body.to_string().chars().take(90).collect::<String>());
            self.refuses(&what, &self.shop.post_keyed(&path, &fresh("bad"), body).await, expected).await;
        }
    }

    async fn guest_buys(&self, reference: &str) {
        let order = json!({ "reference": reference, "currency": "EUR", "lines": [{ "id": "1", "amount": "10.00" }] });
        assert_eq!(self.shop.post("/v1/orders", &order).await.status, 201);
    }
}

#[tokio::test]
async fn merges_that_cannot_be_are_refused() {
    let mut scene = Scene::new().await;
    let foreign = scene.app.stranger().await.enrol(&json!({ "external_id": "c-19" })).await;
    let ana = scene.member.clone();
    let held = json!({ "reference": "cart", "member": { "id": ana }, "points": { "spend": 50 } });
    assert_eq!(scene.shop.post("/v1/checkout/holds", &held).await.status, 201);
    let eva = scene.shop.enrol(&json!({ "external_id": "eva" })).await;
    scene.is_set().await;
    let good = json!({ "source": { "external_id": "c-18" }, "reason": REASON });
    let unknown = (404, "member_unknown", Some("/source"));
    let cases: [(&str, Value, Expected); 16] = [
        ("/source", json!({ "id": eva }), unfit("same_member", "/source")),
        ("/source", json!({ "external_id": "eva" }), unfit("same_member", "/source")),
        ("/source", json!({ "id": foreign }), unknown),
        ("/source", json!({ "external_id": "c-19" }), unknown),
        ("/source", json!({ "id": NOBODY }), unknown),
        ("/source", json!({ "id": ana }), (409, "holds_open", Some("/source"))),
        ("/source", json!({}), invalid("/source")),
        ("/source", json!("c-18"), invalid("/source")),
        ("/source", json!({ "external_id": "c-18", "email": "ana@example.com" }), invalid("/source")),
        ("/source", json!({ "email": "x" }), invalid("/source/email")),
        ("/source", Value::Null, unfit("missing_field", "/source")),
        ("/reason", Value::Null, unfit("missing_field", "/reason")),
        ("/reason", json!(""), invalid("/reason")),
        ("/reason", json!("x".repeat(501)), invalid("/reason")),
        ("/reason", json!(7), invalid("/reason")),
        ("/into", json!(ana), unfit("unknown_field", "/into")),
    ];
    let path = format!("/v1/members/{eva}/merges");
    for (pointer, value, expected) in cases {
        scene.refuses_also_as_preview(&path, &with(&good, pointer, value), expected).await;
    }
    for nobody in [NOBODY, &foreign] {
        let path = format!("/v1/members/{nobody}/merges");
        scene.refuses_also_as_preview(&path, &good, (404, "member_unknown", None)).await;
    }
}

#[tokio::test]
async fn who_was_merged_stays_merged() {
    let mut scene = Scene::new().await;
    let (ana, eva, other) =
        (scene.member.clone(), scene.shop.enrol(&json!({})).await, scene.shop.enrol(&json!({})).await);
    let merges = |into: &str| format!("/v1/members/{into}/merges");
    let merge = |source: &str| json!({ "source": { "id": source }, "reason": REASON });
    assert_eq!(scene.shop.post_keyed(&merges(&eva), "m", &merge(&ana)).await.status, 201);
    scene.is_set().await;
    let merged = (409, "already_merged", Some("/source"));
    scene.refuses_also_as_preview(&merges(&other), &merge(&ana), merged).await;
    scene.refuses_also_as_preview(&merges(&eva), &merge(&ana), merged).await;
    scene.refuses_also_as_preview(&merges(&ana), &merge(&eva), merged).await;
    let reply = scene.shop.post_keyed(&merges(&other), "m", &merge(&ana)).await;
    scene.refuses("another under that name", &reply, (409, "idempotency_conflict", None)).await;
    let reply = scene.shop.post_keyed("/v1/members", "e", &json!({ "external_id": "c-17" })).await;
    scene.refuses("who was merged enrolled anew", &reply, (409, "identity_taken", Some("/external_id"))).await;
}

#[tokio::test]
async fn claims_that_cannot_be_are_refused() {
    let mut scene = Scene::new().await;
    let foreign = scene.app.stranger().await.enrol(&json!({ "external_id": "c-19" })).await;
    let bob = scene.shop.enrol(&json!({ "external_id": "bob" })).await;
    let suspended =
        scene.shop.post_keyed(&format!("/v1/members/{bob}/suspensions"), "s", &json!({ "reason": "x" })).await;
    assert_eq!(suspended.status, 201);
    scene.guest_buys("guest").await;
    scene.guest_buys("claimed").await;
    let of = |name: &str| json!({ "member": { "external_id": name } });
    assert_eq!(scene.shop.post("/v1/orders/claimed/claims", &of("c-18")).await.status, 201);
    scene.is_set().await;
    let (unknown, no_order) = ((404, "member_unknown", Some("/member")), (404, "order_unknown", None));
    let cases: [(&str, Value, Expected); 14] = [
        ("guest", json!({}), unfit("missing_field", "/member")),
        ("guest", json!({ "member": {} }), invalid("/member")),
        ("guest", json!({ "member": "c-17" }), invalid("/member")),
        ("guest", json!({ "member": { "email": "x" } }), invalid("/member/email")),
        ("guest", json!({ "member": { "id": NOBODY } }), unknown),
        ("guest", json!({ "member": { "id": foreign } }), unknown),
        ("guest", of("c-19"), unknown),
        ("guest", of("bob"), (409, "member_suspended", None)),
        ("guest", json!({ "member": { "external_id": "c-17" }, "reason": "x" }), unfit("unknown_field", "/reason")),
        ("claimed", of("c-17"), (409, "order_claimed", None)),
        ("1001", of("c-18"), (409, "order_not_a_guests", None)),
        ("nope", of("c-17"), no_order),
        ("a%2Fb", of("c-17"), no_order),
        ("%00", of("c-17"), no_order),
    ];
    for (order, body, expected) in cases {
        scene.refuses_also_as_preview(&format!("/v1/orders/{order}/claims"), &body, expected).await;
    }
}
