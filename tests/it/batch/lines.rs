//! What each line is answered.

use std::collections::BTreeMap;

use perennial::loyalty::ledger::writer::Pace;
use reqwest::Method;
use serde_json::{Value, json};

use super::{PATH, count, get_order, ndjson, order, send, told, with_points};
use crate::harness::{Process, Reply, TestApp, facts};

#[tokio::test]
async fn each_line_has_an_answer_of_its_own_in_its_place() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let ana = json!({ "external_id": "c-17" });
    shop.enrol(&ana).await;
    let good = |reference: &str| order(reference, &ana, "10.00").to_string();
    let mut dollars = order("3", &ana, "1.00");
    dollars["currency"] = json!("USD");
    let mut odd = order("4", &ana, "1.00");
    odd["colour"] = json!("red");
    let mut old = order("5", &ana, "1.00");
    old["ordered_on"] = json!("2020-01-01");
    let lines = [
        good("1").into_bytes(),
        b"".to_vec(),
        b"{\"reference\": \"2\", ".to_vec(),
        dollars.to_string().into_bytes(),
        b" \t\r".to_vec(),
        odd.to_string().into_bytes(),
        b"{\"reference\": \"\xff\"}".to_vec(),
        old.to_string().into_bytes(),
        order("6", &json!({ "email": "nobody@example.com" }), "1.00").to_string().into_bytes(),
        [good("7").as_bytes(), b"\r"].concat(),
        good("1").into_bytes(),
        order("1", &ana, "11.00").to_string().into_bytes(),
        order("8", &Value::Null, "5.00").to_string().into_bytes(),
    ];
    let reply = shop.post_lines(PATH, lines.join(&b'\n')).await;
    let items = reply.lines();
    let expected = [
        (1, 201, "settled"),
        (3, 400, "malformed_json"),
        (4, 422, "currency_mismatch"),
        (6, 422, "unknown_field"),
        (7, 400, "malformed_json"),
        (8, 422, "order_too_old"),
        (9, 404, "member_unknown"),
        (10, 201, "settled"),
        (11, 200, "replayed"),
        (12, 409, "idempotency_conflict"),
        (13, 201, "settled"),
    ];
    assert_eq!(told(&items), expected);
    let named: Vec<_> = items.iter().map(|item| item["reference"].as_str()).collect();
    let some = |name| Some(name);
    let expected =
        [some("1"), None, some("3"), some("4"), None, some("5"), some("6"), some("7"), some("1"), some("1"), some("8")];
    assert_eq!(named, expected);
    assert_eq!(items[3]["problem"]["pointer"], json!("/colour"));
    assert_eq!(items[5]["problem"]["pointer"], json!("/ordered_on"));
    assert_eq!(items[3]["problem"]["request_id"].as_str(), reply.header("x-request-id"));
    // The receipt is the stored one, byte for byte.
    let first = get_order(&shop, "1").await.text;
    assert!(reply.text.starts_with(&format!(
        "{{\"line\":1,\"reference\":\"1\",\"status\":201,\"code\":\"settled\",\"receipt\":{first}}}\n"
    )));
    assert_eq!(items[8]["receipt"], items[0]["receipt"]);
    assert_eq!(facts::count(&app.test.db, "postings WHERE kind = 2").await, 3);
    assert_eq!(shop.post_lines(PATH, "").await.text, "");
    assert_eq!(shop.post_lines(PATH, "\n \r\n\n").await.text, "");
}

#[tokio::test]
async fn a_sale_that_happened_is_settled_as_stated_and_flagged() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "external_id": "c-17" })).await;
    let eva = shop.enrol(&json!({ "external_id": "c-18" })).await;
    shop.adjust(&ana, 320).await;
    shop.adjust(&eva, 320).await;
    let out = shop.post_keyed(&format!("/v1/members/{eva}/suspensions"), "k", &json!({ "reason": "x" })).await;
    assert_eq!(out.status, 201);
    let short = with_points(&order("1", &json!({ "id": ana }), "20.00"), 500);
    let suspended = with_points(&order("2", &json!({ "id": eva }), "20.00"), 100);
    let never = with_points(&order("3", &json!({ "id": ana }), "1.00"), 500);
    shop.post("/v1/orders", &short).await.refused(409, "insufficient_points");
    shop.post("/v1/orders", &suspended).await.refused(409, "member_suspended");
    let ida = shop.enrol(&json!({ "external_id": "c-19" })).await;
    shop.adjust(&ida, 100).await;
    let mut unheld = with_points(&order("4", &json!({ "id": ida }), "20.00"), 100);
    unheld["hold"] = json!("none");
    let items = send(&shop, &[short.clone(), suspended.clone(), never, unheld]).await;
    let settled = [(1, 201, "settled"), (2, 201, "settled"), (3, 422, "points_exceed_order"), (4, 201, "settled")];
    assert_eq!(told(&items), settled);
    // `perennial verify` reads such a flag as well: it runs when the test ends.
    assert_eq!(items[3]["receipt"]["flags"], json!([{ "code": "hold_unavailable", "hold": "none" }]));
    let flag = json!([{ "code": "insufficient_points", "wallet": "points", "asked": 500, "spendable": 320, "uncovered": "1.80" }]);
    let receipt = &items[0]["receipt"];
    assert_eq!((&receipt["flags"], &receipt["paid"]), (&flag, &json!("15.00")));
    assert_eq!(receipt["spent"], json!([{ "wallet": "points", "points": 320, "worth": "3.20" }]));
    assert_eq!(receipt["lines"][0]["uncovered"], json!("1.80"));
    let flag = json!([{ "code": "member_suspended", "wallet": "points", "asked": 100, "uncovered": "1.00" }]);
    assert_eq!((&items[1]["receipt"]["flags"], &items[1]["receipt"]["paid"]), (&flag, &json!("19.00")));
    // 15 points for what was paid, and nothing is owed.
    assert_eq!((shop.spendable(&ana).await, shop.wallet(&ana).await["debt"].as_i64()), (15, Some(0)));
    assert_eq!(shop.spendable(&eva).await, 320);
    // The same again says the same, also as a single order: it is the same command.
    let again = send(&shop, &[short.clone(), suspended]).await;
    assert_eq!(told(&again), [(1, 200, "replayed"), (2, 200, "replayed")]);
    assert_eq!((&again[0]["receipt"], &again[1]["receipt"]), (&items[0]["receipt"], &items[1]["receipt"]));
    let single = shop.post("/v1/orders", &short).await;
    assert_eq!((single.status, &single.json), (200, &items[0]["receipt"]));
    // A return gives back what was paid and taken, and no more.
    let back = shop.post("/v1/orders/1/returns", &json!({ "reference": "r", "all": true })).await;
    assert_eq!((back.text_at("/money"), back.json["restored"][0]["points"].as_i64()), ("15.00".into(), Some(320)));
    assert_eq!(shop.spendable(&ana).await, 320);
}

#[tokio::test]
async fn an_order_is_the_same_command_by_itself_and_in_a_batch() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let ana = json!({ "email": "ana@example.com" });
    shop.enrol(&ana).await;
    let (first, second) = (order("1", &ana, "10.00"), order("2", &ana, "10.00"));
    let single = shop.post("/v1/orders", &first).await;
    let items = send(&shop, &[first, second.clone()]).await;
    assert_eq!(told(&items), [(1, 200, "replayed"), (2, 201, "settled")]);
    assert_eq!(items[0]["receipt"], single.json);
    let single = shop.post("/v1/orders", &second).await;
    assert_eq!((single.status, single.header("idempotency-replayed")), (200, Some("true")));
    assert_eq!(single.json, items[1]["receipt"]);
}

#[tokio::test]
async fn thousands_of_orders_share_commits_and_keep_each_members_order() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let known = shop.enrol(&json!({ "card": "9826000017" })).await;
    let whose = |n: usize| match n % 60 {
        0 => json!({ "card": "9826000017" }),
        1 => json!({ "id": known }),
        2 => Value::Null,
        m if m % 2 == 0 => json!({ "external_id": format!("c-{m}") }),
        m => json!({ "email": format!("m{m}@example.com") }),
    };
    let orders: Vec<Value> = (0..3_000)
        .map(|n| {
            let mut order = order(&format!("o-{n:04}"), &whose(n), "7.00");
            order["enrol"] = json!(true);
            order
        })
        .collect();
    let items = send(&shop, &orders).await;
    let expected: Vec<_> = (1..=3_000).map(|line| (line, 201, "settled")).collect();
    assert_eq!(told(&items), expected);
    let references: Vec<_> = items.iter().map(|item| item["reference"].as_str().unwrap().to_owned()).collect();
    assert_eq!(references, (0..3_000).map(|n| format!("o-{n:04}")).collect::<Vec<_>>());
    let mut members: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for item in &items {
        let member = item["receipt"]["member"].as_str().unwrap();
        members.entry(member.to_owned()).or_default().push(item["receipt"]["posting"].as_str().unwrap().to_owned());
    }
    assert_eq!(members.len(), 58 + 50, "58 members, and 50 guests");
    let seqs = |postings: &[String]| -> Vec<u64> {
        postings.iter().map(|posting| u64::from_str_radix(&posting[32..], 16).unwrap()).collect()
    };
    assert!(members.values().all(|postings| seqs(postings).is_sorted()), "each member's are in the order they came");
    assert_eq!(members[&known].len(), 100);
    assert_eq!(shop.spendable(&known).await, 700);
    let commits = facts::count(&app.test.db, "journal").await;
    assert!(commits < 1_000, "3,000 orders in {commits} rows of journals");
    let again = send(&shop, &orders).await;
    assert_eq!(count(&again, 200), 3_000);
    assert!(items.iter().zip(&again).all(|(first, again)| first["receipt"] == again["receipt"]));
}

#[tokio::test]
async fn who_is_enrolled_by_one_line_is_known_to_the_next() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let new = |reference: &str, enrol: bool| {
        let mut order = order(reference, &json!({ "email": "Eva@example.com" }), "10.00");
        order["enrol"] = json!(enrol);
        order
    };
    let mut refused = new("1", true);
    refused["ordered_on"] = json!("2020-01-01");
    // The first one that would enrol is refused, so the next one has to; the one before it cannot.
    let items = send(&shop, &[new("0", false), refused, new("2", false), new("3", true), new("4", false)]).await;
    let expected = [
        (1, 404, "member_unknown"),
        (2, 422, "order_too_old"),
        (3, 404, "member_unknown"),
        (4, 201, "settled"),
        (5, 201, "settled"),
    ];
    assert_eq!(told(&items), expected);
    assert_eq!(items[3]["receipt"]["member"], items[4]["receipt"]["member"]);
    assert_eq!(facts::count(&app.test.db, "accounts").await, 1);
    let items = send(&shop, &[new("5", true), new("6", true)]).await;
    assert_eq!(told(&items), [(1, 201, "settled"), (2, 201, "settled")]);
    assert_eq!(facts::count(&app.test.db, "accounts").await, 1);
}

#[tokio::test]
async fn an_identity_that_has_found_another_owner_is_followed() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let email = json!({ "email": "ana@example.com" });
    let first = shop.enrol(&email).await;
    assert_eq!(count(&send(&shop, &[order("0", &email, "5.00")]).await, 201), 1);
    // Another process changes it, so that this one believes what it knows.
    let far = Process::start(&app.test, Pace::serving()).await;
    let far = far.client(shop.key());
    assert_eq!(far.patch(&format!("/v1/members/{first}"), &json!({ "email": null })).await.status, 200);
    let second = far.enrol(&email).await;
    let orders: Vec<Value> = (1..=250).map(|n| order(&format!("{n}"), &email, "1.00")).collect();
    let items = send(&shop, &orders).await;
    assert_eq!(count(&items, 201), 250);
    let postings: Vec<_> = items.iter().map(|item| item["receipt"]["posting"].as_str().unwrap().to_owned()).collect();
    let seqs = postings.iter().map(|posting| u64::from_str_radix(&posting[32..], 16).unwrap());
    assert!(seqs.is_sorted() && items.iter().all(|item| item["receipt"]["member"] == json!(second)));
    assert_eq!((shop.spendable(&first).await, shop.spendable(&second).await), (5, 250));
}

#[tokio::test]
async fn what_is_no_batch_is_refused_as_a_whole() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let body = ndjson(&[order("1", &Value::Null, "1.00")]);
    for kind in ["application/json", "text/plain", "application/x-ndjson; charset=latin1", ""] {
        let request = shop.request(Method::POST, PATH).header("Content-Type", kind).body(body.clone());
        Reply::of(request).await.refused(415, "unsupported_media_type");
    }
    let zipped = shop.request(Method::POST, PATH).header("Content-Type", "application/x-ndjson");
    let zipped = zipped.header("Content-Encoding", "gzip").body(body.clone());
    Reply::of(zipped).await.refused(415, "unsupported_media_type");
    assert_eq!(facts::count(&app.test.db, "postings").await, 0);
    let request = shop.request(Method::POST, PATH).header("Content-Type", "Application/X-NDJSON; charset=\"UTF-8\"");
    assert_eq!(count(&Reply::of(request.body(body)).await.lines(), 201), 1);
}

#[tokio::test]
async fn a_line_and_a_batch_have_limits_and_say_so() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let good = order("1", &Value::Null, "1.00").to_string();
    let long = format!("{}\n{good}\n", "x".repeat(1024 * 1024 + 1));
    let items = shop.post_lines(PATH, long).await.lines();
    assert_eq!(told(&items), [(1, 413, "line_too_long"), (2, 201, "settled")]);
    assert_eq!(items[0]["problem"]["bytes_max"], json!(1024 * 1024));
    let many = format!("{}{good}\n{}", "x\n".repeat(9_999), "x\n".repeat(2_000));
    let items = shop.post_lines(PATH, many).await.lines();
    assert_eq!((items.len(), count(&items, 400)), (10_001, 9_999));
    assert_eq!(told(&items[9_999..]), [(10_000, 200, "replayed"), (10_001, 413, "batch_too_large")]);
    assert_eq!(items[10_000]["problem"]["items_max"], json!(10_000));
}
