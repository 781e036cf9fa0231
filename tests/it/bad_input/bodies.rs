//! Bodies that are no documents.

use reqwest::Method;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};

use super::{Expected, Scene};
use crate::harness::{Reply, fresh};

const MALFORMED: Expected = (400, "malformed_json", None);

#[tokio::test]
async fn bodies_that_are_no_json_are_refused_everywhere() {
    let scene = Scene::new().await;
    let [adjust, transfer, merge, suspend] = ["adjustments", "transfers", "merges", "suspensions"]
        .map(|what| format!("/v1/members/{}/{what}", scene.member));
    let paths = [
        ("/v1/orders", "reference"),
        ("/v1/checkout/quotes", "reference"),
        ("/v1/orders/1001/returns", "reference"),
        ("/v1/members", "name"),
        ("/v1/members/lookups", "card"),
        ("/v1/orders/1001/claims", "member"),
        ("/v1/checkout/holds", "reference"),
        (adjust.as_str(), "reason"),
        (transfer.as_str(), "wallet"),
        (merge.as_str(), "reason"),
        (suspend.as_str(), "reason"),
        ("/v1/api-keys", "name"),
    ];
    let deep = |open: &str, close: &str| [open.repeat(100_000), close.repeat(100_000)].concat().into_bytes();
    let cases: Vec<(&str, Vec<u8>, Expected)> = vec![
        ("nothing", Vec::new(), MALFORMED),
        ("a blank", b" ".to_vec(), MALFORMED),
        ("cut off", b"{\"reference\": \"1".to_vec(), MALFORMED),
        ("invalid UTF-8", b"{\"reference\": \"\xff\xfe\"}".to_vec(), MALFORMED),
        ("half a surrogate", b"{\"reference\": \"\\ud800\"}".to_vec(), MALFORMED),
        ("a mark of order", b"\xef\xbb\xbf{}".to_vec(), MALFORMED),
        ("a raw control character", b"{\"reference\": \"a\nb\"}".to_vec(), MALFORMED),
        ("no number", b"{\"reference\": NaN}".to_vec(), MALFORMED),
        ("another format", b"reference: 1".to_vec(), MALFORMED),
        ("deep arrays", deep("[", "]"), (422, "invalid_field", Some(""))),
        ("an array", b"[]".to_vec(), (422, "invalid_field", Some(""))),
        ("a string", b"\"x\"".to_vec(), (422, "invalid_field", Some(""))),
        ("null", b"null".to_vec(), (422, "invalid_field", Some(""))),
        ("far too much", vec![b' '; 1024 * 1024 + 1], (413, "body_too_large", None)),
    ];
    for (path, field) in paths {
        for (what, body, expected) in &cases {
            let reply = scene.shop.post_bytes(path, of_field(body, field)).await;
            scene.refuses(&format!("{path}: {what}"), &reply, *expected).await;
        }
    }
}

/// The same body with a field that the call knows.
fn of_field(body: &[u8], field: &str) -> Vec<u8> {
    let known = b"reference";
    match body.windows(known.len()).position(|part| part == known) {
        Some(at) => [body.split_at(at).0, field.as_bytes(), body.split_at(at + known.len()).1].concat(),
        None => body.to_vec(),
    }
}

#[tokio::test]
async fn a_field_that_is_there_twice_is_refused() {
    let scene = Scene::new().await;
    for (path, body, pointer) in [
        ("/v1/members", r#"{"name":"a","name":"b"}"#, "/name"),
        ("/v1/members", r#"{"attributes":{"a":1},"attributes":{}}"#, "/attributes"),
        ("/v1/orders", r#"{"reference":"2","reference":"3","currency":"EUR","lines":[]}"#, "/reference"),
        (
            "/v1/orders",
            r#"{"reference":"2","currency":"EUR","lines":[{"id":"1","amount":"1","amount":"2"}]}"#,
            "/lines/0/amount",
        ),
        (
            "/v1/orders",
            r#"{"reference":"2","currency":"EUR","points":{"spend":1,"spend":2},"lines":[]}"#,
            "/points/spend",
        ),
    ] {
        let reply = scene.shop.post_bytes(path, body.into()).await;
        scene.refuses(body, &reply, (422, "duplicate_field", Some(pointer))).await;
    }
}

#[tokio::test]
async fn other_types_and_encodings_are_refused() {
    let scene = Scene::new().await;
    let unsupported = (415, "unsupported_media_type", None);
    for kind in
        ["text/plain", "application/xml", "application/x-www-form-urlencoded", "application/json; charset=latin1", ""]
    {
        let request = scene.shop.request(Method::POST, "/v1/members").header("Idempotency-Key", fresh("type"));
        let reply = Reply::of(request.header(CONTENT_TYPE, kind).body("{}")).await;
        scene.refuses(kind, &reply, unsupported).await;
    }
    for encoding in ["gzip", "br", "deflate"] {
        let request = scene.shop.request(Method::POST, "/v1/members").header("Idempotency-Key", fresh("encoding"));
        let request = request.header(CONTENT_TYPE, "application/json").header(CONTENT_ENCODING, encoding);
        scene.refuses(encoding, &Reply::of(request.body("{}")).await, unsupported).await;
    }
}

#[tokio::test]
async fn one_document_is_one_document() {
    let scene = Scene::new().await;
    let reply = scene.shop.post_bytes("/v1/members", b"{} {}".to_vec()).await;
    scene.refuses("more behind", &reply, MALFORMED).await;
}

#[tokio::test]
async fn a_document_goes_only_so_deep() {
    let scene = Scene::new().await;
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = [open.repeat(100_000), "1".to_owned(), close.repeat(100_000)].concat();
        let body = format!("{{\"attributes\": {{\"a\": {deep}}}}}");
        scene.refuses(open, &scene.shop.post_bytes("/v1/members", body.into()).await, MALFORMED).await;
    }
}
