//! Transfers that are refused.

use serde_json::{Value, json};

use super::{Expected, NOBODY, Scene, invalid, unfit, with};
use crate::harness::{EURO, fresh};

fn give() -> Value {
    json!({ "to": { "external_id": "c-18" }, "wallet": "points", "points": 10 })
}

#[tokio::test]
async fn transfers_that_cannot_be_are_refused() {
    let mut scene = Scene::new().await;
    let foreign = scene.app.stranger().await.enrol(&json!({ "external_id": "c-19" })).await;
    let path = format!("/v1/members/{}/transfers", scene.member);
    assert_eq!(scene.shop.post_keyed(&path, "given", &give()).await.status, 201);
    let old = scene.shop.enrol(&json!({ "external_id": "c-20" })).await;
    let merge = json!({ "source": { "id": old }, "reason": "x" });
    let merged = scene.shop.post_keyed(&format!("/v1/members/{}/merges", scene.member), "m", &merge).await;
    assert_eq!(merged.status, 201, "{merged:?}");
    scene.is_set().await;
    let unknown = (404, "member_unknown", Some("/to"));
    let cases: [(&str, Value, Expected); 19] = [
        ("/to", json!({ "id": foreign }), unknown),
        ("/to", json!({ "external_id": "c-19" }), unknown),
        ("/to", json!({ "id": NOBODY }), unknown),
        ("/to", json!({ "external_id": "c-17" }), unfit("same_member", "/to")),
        ("/to", json!({ "external_id": "c-20" }), unfit("same_member", "/to")),
        ("/to", json!({ "id": old }), unfit("same_member", "/to")),
        ("/to", json!({}), invalid("/to")),
        ("/to", Value::Null, unfit("missing_field", "/to")),
        ("/wallet", json!("gone"), unfit("wallet_unknown", "/wallet")),
        ("/wallet", json!("status"), unfit("wallet_unknown", "/wallet")),
        ("/wallet", Value::Null, unfit("missing_field", "/wallet")),
        ("/points", json!(0), invalid("/points")),
        ("/points", json!(-1), invalid("/points")),
        ("/points", json!(1.5), invalid("/points")),
        ("/points", json!("10"), invalid("/points")),
        ("/points", Value::Null, unfit("missing_field", "/points")),
        ("/points", json!(600), (409, "insufficient_points", Some("/points"))),
        ("/points", json!(991), (409, "transfer_limit", Some("/points"))),
        ("/reason", json!("x"), unfit("unknown_field", "/reason")),
    ];
    for (pointer, value, expected) in cases {
        let reply = scene.shop.post_keyed(&path, &fresh("bad"), &with(&give(), pointer, value.clone())).await;
        scene.refuses(&format!("{pointer} = {value}"), &reply, expected).await;
    }
    let nobodys = scene.shop.post_keyed(&format!("/v1/members/{NOBODY}/transfers"), "t", &give()).await;
    scene.refuses("nobody's", &nobodys, (404, "member_unknown", None)).await;
    let other = scene.shop.post_keyed(&path, "given", &with(&give(), "/points", json!(11))).await;
    scene.refuses("another under that name", &other, (409, "idempotency_conflict", None)).await;
}

#[tokio::test]
async fn points_stay_where_the_programme_lets_nobody_give_them() {
    let closed = EURO.replace(", transfer = { max = 1000, each = \"P1M\" }", "");
    let scene = Scene::of(&closed, "EUR").await;
    let reply = scene.shop.post_keyed(&format!("/v1/members/{}/transfers", scene.member), "t", &give()).await;
    scene.refuses("a closed wallet", &reply, (409, "transfer_not_allowed", Some("/wallet"))).await;
}
