//! What members and support read over HTTP: statements, why, adjustments, the programme, the ledger's heads.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{Client, TestApp, facts};

async fn order(shop: &Client, member: &str, reference: &str) {
    let order = json!({ "reference": reference, "member": { "id": member }, "currency": "EUR", "channel": "web",
        "lines": [{ "id": "1", "amount": "10.00" }] });
    assert_eq!(shop.post("/v1/orders", &order).await.status, 201);
}

async fn seqs(shop: &Client, member: &str, limit: u16) -> Vec<i64> {
    let (mut seqs, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = shop.get(&format!("/v1/members/{member}/statement?limit={limit}{cursor}")).await.json;
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= usize::from(limit));
        seqs.extend(items.iter().map(|item| item["seq"].as_i64().unwrap()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return seqs,
        }
    }
}

#[tokio::test]
async fn a_statement_has_every_posting_once_whatever_the_page() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "external_id": "c-17" })).await;
    for n in 0..11 {
        order(&shop, &ana, &format!("o-{n}")).await;
    }
    let all: Vec<i64> = (1..=12).rev().collect();
    for limit in [1, 2, 3, 4, 6, 11, 12, 13, 200] {
        assert_eq!(seqs(&shop, &ana, limit).await, all, "{limit}");
    }
    // What is written while somebody pages does not shift the pages.
    let first = shop.get(&format!("/v1/members/{ana}/statement?limit=5")).await.json;
    order(&shop, &ana, "late").await;
    let next = first["next_cursor"].as_str().unwrap();
    let second = shop.get(&format!("/v1/members/{ana}/statement?limit=5&cursor={next}")).await.json;
    let seqs: Vec<i64> = second["items"].as_array().unwrap().iter().map(|item| item["seq"].as_i64().unwrap()).collect();
    assert_eq!(seqs, [7, 6, 5, 4, 3]);
}

#[tokio::test]
async fn a_statement_says_what_happened() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "external_id": "c-17" })).await;
    shop.adjust(&ana, 1_234).await;
    let order = json!({ "reference": "1", "member": { "id": ana }, "currency": "EUR", "points": { "spend": 1_000 },
        "lines": [{ "id": "1", "amount": "20.00" }] });
    assert_eq!(shop.post("/v1/orders", &order).await.status, 201);
    assert_eq!(shop.post("/v1/orders/1/returns", &json!({ "reference": "r", "all": true })).await.status, 201);
    let statement = shop.get(&format!("/v1/members/{ana}/statement")).await.json;
    let items = statement["items"].as_array().unwrap();
    let told: Vec<Value> =
        items.iter().map(|item| json!([item["seq"], item["kind"], item["reference"], item["says"]])).collect();
    let adjusted = items[2]["reference"].clone();
    let enrolled = items[3]["reference"].clone();
    assert_eq!(
        json!(told),
        json!([
            [4, "return", "order:1/return:r", "1,000 points given back, 10 points taken back for a return"],
            [3, "order", "order:1", "1,000 points paid, 10 points earned"],
            [2, "adjust", adjusted, "1,234 points added by us"],
            [1, "enrol", enrolled, "Welcome"]
        ])
    );
    let entries = &items[1]["entries"];
    assert_eq!(
        json!([entries[0]["kind"], entries[0]["points"], entries[0]["spendable_after"]]),
        json!(["spend", -1_000, 234])
    );
    assert_eq!(
        json!([entries[2]["wallet"], entries[2]["amount"], entries[2]["amount_after"]]),
        json!(["status", "10.00", "10.00"])
    );
}

#[tokio::test]
async fn why_tells_the_receipt_who_did_it_and_the_reason() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "external_id": "c-17" })).await;
    let path = format!("/v1/members/{ana}/adjustments");
    let body = json!({ "wallet": "points", "points": -3, "reason": "Ana's \"parcel\" 📦 came late" });
    shop.post_keyed(&path, "a-1", &body).await.refused(409, "insufficient_points");
    let body = json!({ "wallet": "points", "points": 3, "reason": "Ana's \"parcel\" 📦 came late" });
    let adjusted = shop.post_keyed(&path, "a-1", &body).await;
    assert_eq!(adjusted.status, 201, "a refused key is free: {}", adjusted.text);
    let posting = adjusted.text_at("/posting");
    let expected = json!({ "posting": posting, "member": ana, "wallet": "points", "points": 3, "spendable": 3 });
    assert_eq!(adjusted.json, expected);
    let why = shop.get(&format!("/v1/postings/{posting}/why")).await.json;
    assert_eq!(why["receipt"], expected);
    assert_eq!(why["texts"], json!({ "reason": "Ana's \"parcel\" 📦 came late" }));
    assert_eq!(
        json!([why["member"], why["cause"], why["program_version"], why["imported"], why["reference"], why["kind"]]),
        json!([ana, format!("key:{}", shop.key_id()), 1, false, "adjust:a-1", "adjust"])
    );
    order(&shop, &ana, "1").await;
    let receipt = shop.get("/v1/orders/1").await.json;
    let why = shop.get(&format!("/v1/postings/{}/why", receipt["posting"].as_str().unwrap())).await.json;
    assert_eq!((&why["receipt"], &why["texts"]["channel"]), (&receipt, &json!("web")));
}

#[tokio::test]
async fn what_happened_is_told_in_the_language_that_is_asked_for_or_in_the_members() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "external_id": "c-17", "locale": "nl-BE" })).await;
    let body = json!({ "wallet": "points", "points": 1_234, "reason": "sorry" });
    let posting = shop.post_keyed(&format!("/v1/members/{ana}/adjustments"), "a-1", &body).await.text_at("/posting");
    let told = async |path: String| {
        let answer = shop.get(&path).await.json;
        let says = if answer["items"].is_array() { &answer["items"][0]["says"] } else { &answer["says"] };
        (answer["language"].as_str().unwrap().to_owned(), says.as_str().unwrap().to_owned())
    };
    let pair = |language: &str, says: &str| (language.to_owned(), says.to_owned());
    for path in [format!("/v1/postings/{posting}/why"), format!("/v1/members/{ana}/statement")] {
        assert_eq!(told(path.clone()).await, pair("nl", "1.234 punten door ons toegevoegd"));
        assert_eq!(told(format!("{path}?language=de")).await, pair("de", "1.234 Punkte von uns hinzugefügt"));
        assert_eq!(told(format!("{path}?language=fr")).await, pair("en", "1,234 points added by us"));
        shop.get(&format!("{path}?language=d%20e")).await.refused(422, "invalid_parameter");
    }
}

#[tokio::test]
async fn an_adjustment_is_made_once_and_stands_in_the_audit_log_without_its_reason() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "external_id": "c-17" })).await;
    let path = format!("/v1/members/{ana}/adjustments");
    let body = json!({ "wallet": "points", "points": 10, "reason": "a secret" });
    let first = shop.post_keyed(&path, "a-1", &body).await;
    let again = shop.post_keyed(&path, "a-1", &body).await;
    assert_eq!((first.status, again.status, &again.text), (201, 200, &first.text));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let other = json!({ "wallet": "points", "points": 11, "reason": "a secret" });
    shop.post_keyed(&path, "a-1", &other).await.refused(409, "idempotency_conflict");
    assert_eq!(shop.spendable(&ana).await, 10);
    let log = shop.get("/v1/audit?action=ledger.adjusted").await.json;
    let entries = log["items"].as_array().unwrap();
    assert_eq!(entries.len(), 1, "{log}");
    assert_eq!(entries[0]["subject"], json!(ana));
    assert_eq!(entries[0]["detail"], json!({ "wallet": "points", "points": 10, "posting": first.text_at("/posting") }));
    assert!(!log.to_string().contains("a secret"), "{log}");
}

#[tokio::test]
async fn the_programme_is_read_with_its_versions_and_a_tag() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let program = shop.get("/v1/program").await;
    assert_eq!((program.status, program.header("etag")), (200, Some("\"v1\"")));
    assert_eq!(
        (&program.json["version"], &program.json["document"]["program"]["currency"]),
        (&json!(1), &json!("EUR"))
    );
    let versions = shop.get("/v1/program/versions").await.json;
    assert_eq!((versions["items"].as_array().unwrap().len(), &versions["next_cursor"]), (1, &Value::Null));
    assert_eq!(versions["items"][0]["note"], "created");
}

#[tokio::test]
async fn each_posting_moves_its_lanes_head_and_no_other() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "external_id": "c-17" })).await;
    let heads = async |shop: &Client| shop.get("/v1/integrity").await.json;
    let before = heads(&shop).await;
    assert_eq!((&before["append_only_enforced"], before["lanes"].as_array().unwrap().len()), (&json!(true), 4));
    shop.get(&format!("/v1/members/{ana}/balances")).await;
    assert_eq!(heads(&shop).await, before, "reading writes nothing");
    order(&shop, &ana, "1").await;
    let after = heads(&shop).await;
    let lanes = before["lanes"].as_array().unwrap().iter().zip(after["lanes"].as_array().unwrap());
    let moved: Vec<_> = lanes.filter(|(before, after)| before != after).collect();
    assert_eq!(moved.len(), 1);
    let (old, new) = moved[0];
    assert_eq!(old["number"].as_i64().unwrap() + 1, new["number"].as_i64().unwrap());
    assert_ne!(old["digest"], new["digest"]);
    let head = format!("SELECT encode(digest, 'hex') AS fact FROM lanes WHERE lane = {}", new["lane"]);
    assert_eq!(new["digest"], json!(facts::one(&app.test.db, &head).await));
}

#[tokio::test]
async fn what_carries_no_key_is_open_and_says_nothing_of_anybody() {
    let app = TestApp::new().await;
    let nobody = app.anonymous();
    let document = nobody.get("/openapi.json").await;
    assert_eq!((document.status, document.json["openapi"].as_str()), (200, Some("3.1.0")));
    assert_eq!(nobody.get("/livez").await.status, 200);
    assert_eq!(nobody.get("/readyz").await.status, 200);
    let docs = nobody.get("/docs/").await;
    assert!(docs.status == 200 && !docs.text.contains("http://") && !docs.text.contains("https://"), "{}", docs.text);
    let codes: BTreeSet<&str> = ["order_unknown", "queue_full", "insufficient_points", "credential_missing"].into();
    for code in codes {
        let page = nobody.get(&format!("/problems/{code}")).await;
        assert_eq!(page.status, 200, "{code}");
    }
    nobody.get("/problems/nothing").await.refused(404, "not_found");
}
