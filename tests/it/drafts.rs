//! The draft of the next version, over the API: written by several editors, looked at for mistakes, published, rolled back.

use perennial::kernel::id::Version;
use perennial::loyalty::program::document::Document;
use perennial::loyalty::program::publish::{Publication, PublishError, publish};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Client, Reply, TestApp, facts};

/// Where the draft is.
pub const DRAFT: &str = "/v1/program/draft";

/// Sends a body, with what its caller has seen.
pub async fn send(shop: &Client, method: Method, path: &str, tag: Option<&str>, body: &Value) -> Reply {
    send_text(shop, method, path, tag, body.to_string()).await
}

async fn send_text(shop: &Client, method: Method, path: &str, tag: Option<&str>, body: String) -> Reply {
    let mut request = shop.request(method, path).header("content-type", "application/json").body(body);
    if let Some(tag) = tag {
        request = request.header("if-match", tag);
    }
    Reply::of(request).await
}

/// What an answer lets its caller say that it has seen.
pub fn tag(reply: &Reply) -> String {
    reply.header("etag").unwrap().to_owned()
}

/// The draft with an earning rule more.
async fn with_rule(shop: &Client, code: &str, points: i64) -> Reply {
    let before = shop.get(DRAFT).await;
    let patch = json!({ "earning": { code: { "award": { "points": points } } } });
    let changed = send(shop, Method::PATCH, DRAFT, Some(&tag(&before)), &patch).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    changed
}

#[tokio::test]
async fn of_two_editors_the_second_is_told_what_the_first_did() {
    let app = TestApp::new().await;
    let (ana, ben) = (app.shop().await, app.shop().await);
    let seen = ana.get(DRAFT).await;
    assert_eq!(
        (&seen.json["draft"], &seen.json["based_on"], tag(&seen).as_str()),
        (&json!(false), &json!(1), "\"v1\"")
    );
    let first = with_rule(&ana, "welcome", 50).await;
    assert_eq!((&first.json["draft"], tag(&first).as_str()), (&json!(true), "\"d1\""));

    let second = send(&ben, Method::PUT, DRAFT, Some(&tag(&seen)), &json!({})).await;
    second.refused(412, "precondition_failed");
    assert_eq!(second.json["etag"], json!("\"d1\""));
    assert_eq!(second.json["author"], first.json["author"]);
    for (method, path) in [(Method::PUT, DRAFT), (Method::PATCH, DRAFT), (Method::POST, "/v1/program/publications")] {
        send(&ben, method, path, None, &json!({})).await.refused(428, "precondition_required");
    }
    assert_eq!(ben.get(DRAFT).await.text, first.text, "nothing was changed");

    let gone = send(&ben, Method::DELETE, DRAFT, Some("\"d1\""), &json!({})).await;
    assert_eq!((gone.status, tag(&gone).as_str()), (204, "\"v1\""));
    assert_eq!(tag(&with_rule(&ana, "welcome", 50).await), "\"d3\"", "a new draft is never taken for the old one");
    let seen = send(&ben, Method::PUT, DRAFT, Some("\"d1\""), &json!({})).await;
    seen.refused(412, "precondition_failed");
}

#[tokio::test]
async fn a_draft_is_kept_as_it_is_sent_and_its_mistakes_are_named_where_they_stand() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let text = "{\n  \"wallets\": {},\n  \"zebra\": 1,\n  \"earning\": { \"b\": {}, \"a\": { \"award\": { \"points\": 5 } } }\n}";
    let put = send_text(&shop, Method::PUT, DRAFT, Some("\"v1\""), text.to_owned()).await;
    assert_eq!(put.status, 200, "{}", put.text);
    assert!(put.text.contains(text), "{}", put.text);
    let found = shop.post(&format!("{DRAFT}/validations"), &json!({})).await;
    let mistakes = found.json["mistakes"].as_array().unwrap();
    let at = |pointer: &str| mistakes.iter().find(|m| m["pointer"] == json!(pointer)).unwrap_or(&Value::Null);
    assert_eq!(at("/zebra")["position"], json!({ "line": 3, "column": 3 }), "{}", found.text);
    assert!(!at("/program/name").is_null() && !at("/wallets").is_null(), "{}", found.text);

    let refused = send(&shop, Method::POST, "/v1/program/publications", Some("\"d1\""), &json!({})).await;
    refused.refused(422, "program_invalid");
    assert_eq!(refused.json["mistakes"], found.json["mistakes"]);
    assert_eq!(shop.get("/v1/program").await.json["version"], json!(1), "a refused publish changes nothing");
    assert_eq!(tag(&shop.get(DRAFT).await), "\"d1\"");

    let toml = shop.post(&format!("{DRAFT}/validations"), &json!({ "toml": "[program]\nname = 3\n" })).await;
    assert_eq!(toml.json["mistakes"][0]["position"]["line"], json!(2), "{}", toml.text);
    let other = json!({ "toml": crate::harness::EURO.replace("Europe/Amsterdam", "Europe/Paris") });
    let fixed = shop.post(&format!("{DRAFT}/validations"), &other).await;
    assert_eq!(fixed.json["mistakes"][0]["pointer"], json!("/program/timezone"), "{}", fixed.text);
    shop.post(&format!("{DRAFT}/validations"), &json!({ "toml": "", "document": {} }))
        .await
        .refused(422, "invalid_field");
    send_text(&shop, Method::PUT, DRAFT, Some("\"d1\""), "[1]".to_owned()).await.refused(422, "invalid_field");
    send_text(&shop, Method::PUT, DRAFT, Some("\"d1\""), "{".to_owned()).await.refused(400, "malformed_json");
    let large = format!("{{\"x\": \"{}\"}}", "x".repeat(256 * 1024));
    send_text(&shop, Method::PUT, DRAFT, Some("\"d1\""), large).await.refused(413, "body_too_large");
}

#[tokio::test]
async fn a_draft_is_published_once_and_an_earlier_version_can_decide_again() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "external_id": "c-17" })).await;
    let order = |reference: &str| {
        json!({ "reference": reference, "member": { "id": ana }, "currency": "EUR",
            "lines": [{ "id": "1", "amount": "10.00" }] })
    };
    let publish =
        async |tag: &str, body: Value| send(&shop, Method::POST, "/v1/program/publications", Some(tag), &body).await;
    publish("\"v1\"", json!({})).await.refused(409, "draft_missing");
    let draft = with_rule(&shop, "welcome", 50).await;
    publish(&tag(&draft), json!({ "starts_at": "2020-01-01T00:00:00Z" })).await.refused(422, "invalid_field");
    let published = publish(&tag(&draft), json!({ "note": "fifty for everybody" })).await;
    assert_eq!((published.status, &published.json["version"]), (201, &json!(2)), "{}", published.text);
    assert_eq!(published.header("location"), Some("/v1/program/versions/2"));
    assert_eq!(published.json["note"], json!("fifty for everybody"));
    publish(&tag(&draft), json!({})).await.refused(412, "precondition_failed");
    let changes = shop.get("/v1/program/versions/2/diff?with=1").await;
    assert_eq!(changes.json["changes"][0]["pointer"], json!("/earning/welcome"), "{}", changes.text);
    assert_eq!(shop.post("/v1/orders", &order("1")).await.json["earned"][0]["points"], json!(60));

    let back = publish("\"v2\"", json!({ "version": 1, "note": "too much" })).await;
    assert_eq!((back.status, &back.json["version"]), (201, &json!(3)), "{}", back.text);
    assert_eq!(shop.post("/v1/orders", &order("2")).await.json["earned"][0]["points"], json!(10));
    publish("\"v3\"", json!({ "version": 9 })).await.refused(404, "not_found");

    // A draft of a version that is not the newest any more would undo what came after it.
    let draft = with_rule(&shop, "late", 5).await;
    let later = "2099-01-01T00:00:00Z";
    let other = publish(&tag(&draft), json!({ "version": 2, "starts_at": later })).await;
    assert_eq!((other.status, &other.json["starts"]), (201, &json!(later)), "{}", other.text);
    publish(&tag(&draft), json!({})).await.refused(409, "program_outdated");
    assert_eq!(shop.get("/v1/program").await.json["version"], json!(3), "version 4 starts later");
    let told = "SELECT string_agg(action, ' ' ORDER BY at) AS fact FROM audit_log WHERE action LIKE 'program.%' AND action <> 'program.created'";
    let told = facts::one(&app.test.db, told).await;
    let want = "program.draft_changed program.published program.published program.draft_changed \
        program.published";
    assert_eq!(told, want);
}

#[tokio::test]
async fn a_draft_that_two_publish_at_once_is_published_once() {
    let app = TestApp::new().await;
    let (ana, ben) = (app.shop().await, app.shop().await);
    let seen = tag(&with_rule(&ana, "welcome", 50).await);
    let body = json!({});
    let publish =
        async |who: &Client| send(who, Method::POST, "/v1/program/publications", Some(&seen), &body).await.status;
    let mut statuses = <[u16; 2]>::from(tokio::join!(publish(&ana), publish(&ben)));
    statuses.sort_unstable();
    assert!(statuses[0] == 201 && [409, 412].contains(&statuses[1]), "{statuses:?}");
    assert_eq!(facts::count(&app.test.db, "program_versions WHERE version > 1").await, 1);
}

#[tokio::test]
async fn a_draft_that_is_changed_while_it_is_published_is_not() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let draft = with_rule(&shop, "welcome", 50).await;
    let document = Document::from_json(&draft.json["document"].to_string()).unwrap();
    with_rule(&shop, "welcome", 60).await;
    let (starts, note) = (None, "of what was seen before");
    let wanted = Publication { document: &document, based_on: Version(1), starts, note, draft: Some(1) };
    let refused = publish(&mut app.test.db.conn().await.unwrap(), &app.program, &wanted).await;
    assert!(matches!(refused, Err(PublishError::DraftChanged)), "{refused:?}");
    assert_eq!(
        facts::count(&app.test.db, "program_versions WHERE program_id = (SELECT program_id FROM program_drafts)").await,
        1
    );
    assert_eq!(tag(&shop.get(DRAFT).await), "\"d2\"");
}
