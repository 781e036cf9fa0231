//! Members over HTTP: enrolled, found by what they are known by, changed.

use perennial::loyalty::ledger::writer::Pace;
use serde_json::{Value, json};

use crate::harness::{EURO, Reply, TestApp, facts, fresh};

#[tokio::test]
async fn enrolling_again_with_the_same_key_answers_the_same_member() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let ana = json!({ "external_id": "c-17", "email": "Ana@Example.com ", "phone": "+31612345678", "card": "9826000017",
        "name": "Ana", "birthday": "1990-02-28", "locale": "nl", "attributes": { "newsletter": true, "shoe_size": 39.5 } });
    let first = shop.post_keyed("/v1/members", "e-1", &ana).await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (201, None), "{}", first.text);
    let today = facts::one(&app.test.db, "SELECT (now() AT TIME ZONE 'Europe/Amsterdam')::date::text AS fact").await;
    let expected = json!({ "id": first.json["id"], "external_id": "c-17", "email": "ana@example.com",
        "phone": "+31612345678", "card": "9826000017", "name": "Ana", "birthday": "1990-02-28", "locale": "nl",
        "attributes": { "newsletter": true, "shoe_size": 39.5 }, "segments": [], "status": "active", "enrolled_on": today });
    assert_eq!(first.json, expected);
    let again = shop.post_keyed("/v1/members", "e-1", &ana).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, Some("true")));
    assert_eq!(again.json, first.json);
    shop.post_keyed("/v1/members", "e-1", &json!({ "name": "Eva" })).await.refused(409, "idempotency_conflict");
    assert_eq!(facts::count(&app.test.db, "accounts").await, 1);
}

#[tokio::test]
async fn a_member_is_found_by_each_identity_however_it_is_written() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let ana = json!({ "external_id": "c-17", "email": "ana@example.com", "phone": "+31612345678", "card": "98 26" });
    let id = shop.enrol(&ana).await;
    let known = shop.get(&format!("/v1/members/{id}")).await.json;
    for name in [
        json!({ "id": id }),
        json!({ "external_id": "c-17" }),
        json!({ "email": " ANA@example.COM" }),
        json!({ "phone": "+31612345678" }),
        json!({ "card": "98 26" }),
    ] {
        let found = shop.post("/v1/members/lookups", &name).await;
        assert_eq!((found.status, &found.json), (200, &known), "{name}");
    }
    for name in
        [json!({ "external_id": "C-17" }), json!({ "email": "eva@example.com" }), json!({ "id": known["enrolled_on"] })]
    {
        assert!([404, 422].contains(&shop.post("/v1/members/lookups", &name).await.status), "{name}");
    }
    for name in [json!({}), json!({ "external_id": "c-17", "card": "98 26" }), json!({ "id": id, "card": "98 26" })] {
        shop.post("/v1/members/lookups", &name).await.refused(422, "invalid_field");
    }
}

#[tokio::test]
async fn names_of_every_script_are_kept_as_they_are() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    for name in
        ["Zoë", "Zoe\u{308}", "李小龍", "محمد", "👩🏽‍🚀 Ada", "O'Neill \"Al\" \\ <b>", "\u{1F3F4}\u{E0067}\u{E0062}", "ﬁ"]
    {
        let id = shop.enrol(&json!({ "name": name, "external_id": name, "attributes": { "alias": name } })).await;
        let known = shop.get(&format!("/v1/members/{id}")).await.json;
        assert_eq!((&known["name"], &known["attributes"]["alias"]), (&json!(name), &json!(name)));
        let found = shop.post("/v1/members/lookups", &json!({ "external_id": name })).await;
        assert_eq!(found.text_at("/id"), id);
    }
}

#[tokio::test]
async fn a_change_keeps_what_is_absent_and_clears_what_is_null() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let ana = json!({ "external_id": "c-17", "email": "ana@example.com", "name": "Ana", "birthday": "1990-02-28",
        "attributes": { "newsletter": true, "shoe_size": 39 } });
    let path = format!("/v1/members/{}", shop.enrol(&ana).await);
    let before = shop.get(&path).await.json;
    let nothing = shop.patch(&path, &json!({})).await;
    assert_eq!((nothing.status, &nothing.json), (200, &before));
    let change = json!({ "name": "Anna", "birthday": null, "email": null, "locale": "nl-NL",
        "attributes": { "shoe_size": null, "colour": "red" } });
    let changed = shop.patch(&path, &change).await;
    let mut expected = before.clone();
    for (field, value) in [
        ("name", json!("Anna")),
        ("birthday", Value::Null),
        ("email", Value::Null),
        ("locale", json!("nl-NL")),
        ("attributes", json!({ "newsletter": true, "colour": "red" })),
    ] {
        expected[field] = value;
    }
    assert_eq!((changed.status, &changed.json), (200, &expected));
    assert_eq!(shop.get(&path).await.json, expected);
    shop.post("/v1/members/lookups", &json!({ "email": "ana@example.com" })).await.refused(404, "member_unknown");
}

#[tokio::test]
async fn an_identity_is_one_members_until_it_is_given_up() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let email = json!({ "email": "ana@example.com" });
    let ana = format!("/v1/members/{}", shop.enrol(&email).await);
    let eva = format!("/v1/members/{}", shop.enrol(&json!({ "email": "eva@example.com" })).await);
    let taken = shop.patch(&eva, &email).await;
    taken.refused(409, "identity_taken");
    assert_eq!(taken.pointer(), Some("/email"));
    assert_eq!(shop.get(&eva).await.text_at("/email"), "eva@example.com");
    let taken =
        shop.post_keyed("/v1/members", &fresh("enrol"), &json!({ "name": "x", "email": "ANA@example.com" })).await;
    taken.refused(409, "identity_taken");
    assert_eq!(facts::count(&app.test.db, "accounts").await, 2);

    assert_eq!(shop.patch(&ana, &json!({ "email": "anna@example.com" })).await.status, 200);
    assert_eq!(shop.patch(&eva, &email).await.status, 200);
    let found = shop.post("/v1/members/lookups", &email).await;
    assert_eq!(format!("/v1/members/{}", found.text_at("/id")), eva);
    shop.patch(&ana, &email).await.refused(409, "identity_taken");
    assert_eq!(shop.patch(&eva, &json!({ "email": null })).await.status, 200);
    assert_eq!(shop.patch(&ana, &email).await.status, 200);
}

#[tokio::test]
async fn a_change_with_a_key_is_one_posting() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let path = format!("/v1/members/{}", shop.enrol(&json!({ "name": "Ana" })).await);
    let change = |key: &'static str, body: Value| {
        let request = shop.request(reqwest::Method::PATCH, &path).header("Idempotency-Key", key).json(&body);
        async { crate::harness::Reply::of(request).await }
    };
    assert_eq!(change("k", json!({ "name": "Anna" })).await.status, 200);
    assert_eq!(change("l", json!({ "name": "Hanna" })).await.status, 200);
    let again = change("k", json!({ "name": "Anna" })).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, Some("true")));
    assert_eq!(again.text_at("/name"), "Hanna", "a replay answers the member as it is now");
    change("k", json!({ "name": "Eva" })).await.refused(409, "idempotency_conflict");
    assert_eq!(facts::count(&app.test.db, "postings").await, 3);
}

#[tokio::test]
async fn one_of_many_enrolments_with_one_email_succeeds() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let calls = (0..16).map(|n| {
        let shop = shop.clone();
        tokio::spawn(async move {
            let member = json!({ "email": "ana@example.com", "name": format!("Ana {n}") });
            shop.post_keyed("/v1/members", &fresh("storm"), &member).await
        })
    });
    let mut enrolled = 0;
    for call in calls.collect::<Vec<_>>() {
        let reply = call.await.unwrap();
        if reply.status == 201 {
            enrolled += 1;
        } else {
            reply.refused(409, "identity_taken");
        }
    }
    assert_eq!((enrolled, facts::count(&app.test.db, "accounts").await), (1, 1));
}

#[tokio::test]
async fn rules_read_what_is_known_of_a_member_and_it_is_what_the_programme_declares() {
    let declared = "[attributes.member]\nshoe_size = { kind = \"number\" }\n[earning.large]\nwallet = \"points\"\n\
        when = 'member.attributes.shoe_size >= 45'\naward = { points = 9 }\n";
    let app = TestApp::with(&format!("{EURO}\n{declared}"), Pace::serving()).await;
    let shop = app.shop().await;
    let wrong = json!({ "attributes": { "shoe_size": "large" } });
    let refused = shop.post_keyed("/v1/members", &fresh("enrol"), &wrong).await;
    refused.refused(422, "invalid_field");
    assert_eq!(refused.pointer(), Some("/attributes/shoe_size"));
    let ana = shop.enrol(&json!({ "attributes": { "shoe_size": 46, "mood": "good" } })).await;
    let refused = shop.patch(&format!("/v1/members/{ana}"), &json!({ "attributes": { "shoe_size": true } })).await;
    assert_eq!(refused.pointer(), Some("/attributes/shoe_size"));
    let order = |reference: &str| {
        json!({ "reference": reference, "member": { "id": ana }, "currency": "EUR",
        "lines": [{ "id": "1", "amount": "1.00" }] })
    };
    let large = |reply: &Reply| reply.json["rows"].as_array().unwrap().iter().any(|row| row["rule"] == "large");
    let quoted = shop.post("/v1/checkout/quotes", &order("1")).await;
    let settled = shop.post("/v1/orders", &order("1")).await;
    assert!(large(&quoted) && large(&settled), "{quoted:?} {settled:?}");
    let cleared = shop.patch(&format!("/v1/members/{ana}"), &json!({ "attributes": { "shoe_size": null } })).await;
    assert_eq!((cleared.status, &cleared.json["attributes"]), (200, &json!({ "mood": "good" })));
    let settled = shop.post("/v1/orders", &order("2")).await;
    assert_eq!(settled.json["skipped"][0]["reason"], "condition_failed", "{settled:?}");
}
