//! Members, adjustments, keys and lists that are refused.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Expected, NOBODY, Scene, invalid, unfit};
use crate::harness::{Reply, fresh};

#[tokio::test]
async fn profiles_that_cannot_be_are_refused() {
    let scene = Scene::new().await;
    let attributes = |n: usize| (0..n).map(|i| (format!("a{i}"), json!(1))).collect::<serde_json::Map<_, _>>();
    let mut cases: Vec<(&str, Value, Expected)> = vec![
        ("birthday", json!("1899-12-31"), invalid("/birthday")),
        ("birthday", json!("2999-01-01"), invalid("/birthday")),
        ("birthday", json!("+12026-01-01"), invalid("/birthday")),
        ("birthday", json!("1990-02-30"), invalid("/birthday")),
        ("birthday", json!(19_900_228), invalid("/birthday")),
        ("name", json!(""), invalid("/name")),
        ("name", json!("   "), invalid("/name")),
        ("name", json!("x".repeat(201)), invalid("/name")),
        ("name", json!("a\nb"), invalid("/name")),
        ("name", json!("a\u{0}b"), invalid("/name")),
        ("external_id", json!("x".repeat(255)), invalid("/external_id")),
        ("external_id", json!(17), invalid("/external_id")),
        ("card", json!(" 1"), invalid("/card")),
        ("attributes", json!("x"), invalid("/attributes")),
        ("attributes", json!(attributes(51)), invalid("/attributes")),
        ("attributes", json!({ "a/b\n": 1 }), invalid("/attributes/a~1b\n")),
        ("attributes", json!({ "": 1 }), invalid("/attributes/")),
        ("attributes", json!({ "a": [1] }), invalid("/attributes/a")),
        ("attributes", json!({ "a": {} }), invalid("/attributes/a")),
        ("attributes", json!({ "a": "x".repeat(501) }), invalid("/attributes/a")),
        ("attributes", json!({ "a": "\u{0}" }), invalid("/attributes/a")),
        ("id", json!(scene.member), unfit("unknown_field", "/id")),
        ("status", json!("active"), unfit("unknown_field", "/status")),
        ("enrolled_on", json!("2020-01-01"), unfit("unknown_field", "/enrolled_on")),
    ];
    for bad in ["x", "a@b", "a b@c.de", "@b.cd", "a@", "a@.cd", "a@b.", "a@b..cd", "a@@b.cd", "a@b.cd\u{0}"] {
        cases.push(("email", json!(bad), invalid("/email")));
    }
    cases.push(("email", json!(format!("{}@b.cd", "x".repeat(250))), invalid("/email")));
    for bad in [
        "0612345678",
        "+0123456789",
        "+12",
        "+1234567890123456",
        "+31 6 1234 5678",
        "+３１612345678",
        "tel:+31612345678",
    ] {
        cases.push(("phone", json!(bad), invalid("/phone")));
    }
    for bad in ["e", "nl_NL", "nl-", "english-", "-nl", "nl-NL-toolongpart", "12", ""] {
        cases.push(("locale", json!(bad), invalid("/locale")));
    }
    let change = format!("/v1/members/{}", scene.member);
    for (field, value, expected) in cases {
        let mut body = json!({});
        body[field] = value.clone();
        let what = format!("{field} = {}", value.to_string().chars().take(60).collect::<String>());
        let enrolled = scene.shop.post_keyed("/v1/members", &fresh("bad"), &body).await;
        scene.refuses(&format!("enrol {what}"), &enrolled, expected).await;
        scene.refuses(&format!("change {what}"), &scene.shop.patch(&change, &body).await, expected).await;
    }
}

#[tokio::test]
async fn adjustments_that_cannot_be_are_refused() {
    let scene = Scene::new().await;
    let path = format!("/v1/members/{}/adjustments", scene.member);
    let good = json!({ "wallet": "points", "points": 1, "reason": "x" });
    let most = 1_000_000_000_000_000_i64;
    let cases: [(&str, Value, Expected); 15] = [
        ("points", json!(0), invalid("/points")),
        ("points", json!(1.5), invalid("/points")),
        ("points", json!("1"), invalid("/points")),
        ("points", json!(most + 1), invalid("/points")),
        ("points", json!(i64::MIN), invalid("/points")),
        ("points", json!(u64::MAX), invalid("/points")),
        ("points", json!(-531), (409, "insufficient_points", Some("/points"))),
        ("points", json!(most), unfit("points_out_of_range", "/points")),
        ("wallet", json!("nope"), unfit("wallet_unknown", "/wallet")),
        ("wallet", json!("Points"), unfit("wallet_unknown", "/wallet")),
        ("wallet", json!("x".repeat(10_000)), unfit("wallet_unknown", "/wallet")),
        ("wallet", json!("a\u{0}"), unfit("wallet_unknown", "/wallet")),
        ("reason", json!(""), invalid("/reason")),
        ("reason", json!("x".repeat(501)), invalid("/reason")),
        ("approved", json!(true), unfit("unknown_field", "/approved")),
    ];
    for (field, value, expected) in cases {
        let mut body = good.clone();
        body[field] = value;
        let reply = scene.shop.post_keyed(&path, &fresh("bad"), &body).await;
        scene.refuses(&body.to_string().chars().take(90).collect::<String>(), &reply, expected).await;
    }
    let reply = scene.shop.post_keyed(&format!("/v1/members/{NOBODY}/adjustments"), "k", &good).await;
    scene.refuses("nobody", &reply, (404, "member_unknown", None)).await;
}

#[tokio::test]
async fn idempotency_keys_that_are_none_are_refused() {
    let scene = Scene::new().await;
    let [adjust, transfer, merge, suspend, reinstate] =
        ["adjustments", "transfers", "merges", "suspensions", "reinstatements"]
            .map(|what| format!("/v1/members/{}/{what}", scene.member));
    let other = json!({ "external_id": "c-18" });
    for (path, body) in [
        ("/v1/members", json!({ "name": "x" })),
        (adjust.as_str(), json!({ "wallet": "points", "points": 1, "reason": "x" })),
        (transfer.as_str(), json!({ "to": other, "wallet": "points", "points": 1 })),
        (merge.as_str(), json!({ "source": other, "reason": "x" })),
        (suspend.as_str(), json!({ "reason": "x" })),
        (reinstate.as_str(), json!({ "reason": "x" })),
    ] {
        let missing = scene.shop.post(path, &body).await;
        scene.refuses(path, &missing, (400, "idempotency_key_required", None)).await;
        for bad in [String::new(), "x".repeat(65), "a b".into(), "a/b".into(), "a,b".into()] {
            let reply = scene.shop.post_keyed(path, &bad, &body).await;
            scene.refuses(&bad, &reply, (400, "idempotency_key_invalid", None)).await;
        }
        let odd = scene.shop.request(Method::POST, path).header("Idempotency-Key", "ä".as_bytes()).json(&body);
        scene.refuses("ä", &Reply::of(odd).await, (400, "idempotency_key_invalid", None)).await;
        let twice =
            scene.shop.request(Method::POST, path).header("Idempotency-Key", "a").header("Idempotency-Key", "b");
        scene.refuses("twice", &Reply::of(twice.json(&body)).await, (400, "idempotency_key_invalid", None)).await;
    }
}

#[tokio::test]
async fn parameters_of_lists_that_are_none_are_refused() {
    let scene = Scene::new().await;
    let statement = format!("/v1/members/{}/statement", scene.member);
    let long = format!("cursor={}", "A".repeat(600));
    for list in [statement.as_str(), "/v1/program/versions", "/v1/api-keys", "/v1/audit"] {
        for (query, code) in [
            ("limit=0", "invalid_parameter"),
            ("limit=201", "invalid_parameter"),
            ("limit=-1", "invalid_parameter"),
            ("limit=ten", "invalid_parameter"),
            ("limit=", "invalid_parameter"),
            ("limit=99999999999", "invalid_parameter"),
            ("limit=1&limit=2", "duplicate_parameter"),
            ("cursor=x", "invalid_cursor"),
            ("cursor=AAAA", "invalid_cursor"),
            ("cursor=AXsi", "invalid_cursor"),
            ("cursor=%00", "invalid_cursor"),
            (long.as_str(), "invalid_cursor"),
            ("page=2", "unknown_parameter"),
            ("Limit=2", "unknown_parameter"),
        ] {
            let reply = scene.shop.get(&format!("{list}?{query}")).await;
            scene.refuses(&format!("{list}?{query}"), &reply, (422, code, None)).await;
        }
    }
    let (back, member) = (json!({ "reference": "r", "all": true }), json!({ "external_id": "c-18" }));
    let merges = format!("/v1/members/{}/merges", scene.member);
    for (path, body) in [
        ("/v1/orders/1001/returns", back),
        ("/v1/orders/1001/claims", json!({ "member": member })),
        (merges.as_str(), json!({ "source": member, "reason": "x" })),
    ] {
        let preview = scene.shop.post_keyed(&format!("{path}?preview=maybe"), "k", &body).await;
        scene.refuses(path, &preview, (422, "invalid_parameter", None)).await;
    }
}

#[tokio::test]
async fn places_that_are_none_are_not_found() {
    let scene = Scene::new().await;
    for (path, code) in [
        (format!("/v1/members/{NOBODY}"), "member_unknown"),
        (format!("/v1/members/{NOBODY}/balances"), "member_unknown"),
        (format!("/v1/members/{NOBODY}/statement"), "member_unknown"),
        ("/v1/members/c-17".into(), "not_found"),
        ("/v1/members/c-17/balances".into(), "not_found"),
        ("/v1/members/%00".into(), "not_found"),
        ("/v1/orders/nope".into(), "order_unknown"),
        ("/v1/orders/a%2Fb".into(), "order_unknown"),
        ("/v1/orders/1001%2Freturn:r".into(), "order_unknown"),
        ("/v1/orders/%00".into(), "order_unknown"),
        (format!("/v1/orders/{}", "x".repeat(5_000)), "order_unknown"),
        ("/v1/postings/nope/why".into(), "posting_unknown"),
        ("/v1/postings/%00/why".into(), "posting_unknown"),
        (format!("/v1/postings/{NOBODY}-1/why"), "posting_unknown"),
        ("/v1/nothing".into(), "not_found"),
        ("/v2/members".into(), "not_found"),
        ("/".into(), "not_found"),
    ] {
        scene.refuses(&path, &scene.shop.get(&path).await, (404, code, None)).await;
    }
    for (method, path, allow) in [
        (Method::DELETE, "/v1/members", "POST"),
        (Method::PATCH, "/v1/members/lookups", "POST"),
        (Method::GET, "/v1/orders", "POST"),
        (Method::PUT, "/v1/orders/1001", "GET"),
        (Method::POST, "/v1/program", "GET"),
    ] {
        let reply = Reply::of(scene.shop.request(method.clone(), path)).await;
        scene.refuses(path, &reply, (405, "method_not_allowed", None)).await;
        assert_eq!(reply.header("allow"), Some(allow), "{method} {path}");
    }
}
