//! Members who sign in by e-mail and password.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::harness::{Client, Reply, TestApp, facts};

const PASSWORD: &str = "correct horse";

/// The code of a programme.
async fn code_of(app: &TestApp, place: &str) -> String {
    let program = if place == "ours" { &app.program } else { &app.other };
    let query = format!("SELECT code AS fact FROM programs WHERE program_id = '{}'", program.program());
    facts::one(&app.owner().await, &query).await
}

async fn sign_in(app: &TestApp, program: &str, email: &str, password: &str) -> Reply {
    let body = json!({ "program": program, "email": email, "password": password });
    app.anonymous().post("/v1/auth/sign-in", &body).await
}

async fn set(app: &TestApp, token: &str, password: &str) -> Reply {
    let body = json!({ "reset_token": token, "password": password });
    app.anonymous().post("/v1/auth/password", &body).await
}

async fn offered(shop: &Client, member: &str) -> String {
    let offered = shop.post(&format!("/v1/members/{member}/password-resets"), &Value::Null).await;
    assert_eq!(offered.status, 201, "{offered:?}");
    offered.text_at("/reset_token")
}

#[tokio::test]
async fn a_member_sets_a_password_with_the_shops_token_and_signs_in_with_it() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "email": "ana@example.com" })).await;
    let ours = code_of(&app, "ours").await;
    sign_in(&app, &ours, "ana@example.com", PASSWORD).await.refused(401, "sign_in_failed");
    let token = offered(&shop, &ana).await;
    let tokens = set(&app, &token, PASSWORD).await;
    assert_eq!((tokens.status, tokens.text_at("/member")), (200, ana.clone()));
    assert_eq!(app.process().client(&tokens.text_at("/access_token")).get("/v1/me").await.text_at("/id"), ana);
    set(&app, &token, "another one").await.refused(401, "reset_token_invalid");
    for email in ["ana@example.com", " Ana@Example.com "] {
        let tokens = sign_in(&app, &ours, email.trim(), PASSWORD).await;
        assert_eq!((tokens.status, tokens.text_at("/member")), (200, ana.clone()), "{tokens:?}");
    }
    let kept = facts::one(&app.owner().await, "SELECT password_hash AS fact FROM logins").await;
    assert!(kept.starts_with("$argon2id$") && !kept.contains("horse"), "{kept}");
    // A newer token ends the one before, and one that is over is none.
    let (first, second) = (offered(&shop, &ana).await, offered(&shop, &ana).await);
    set(&app, &first, "another one").await.refused(401, "reset_token_invalid");
    let over = "WITH over AS (UPDATE logins SET reset_expires_at = now() RETURNING 1) \
        SELECT count(*)::text AS fact FROM over";
    assert_eq!(facts::one(&app.owner().await, over).await, "1");
    set(&app, &second, "another one").await.refused(401, "reset_token_invalid");
    for bad in ["prp_none", "prs_0_0", &"x".repeat(200)] {
        set(&app, bad, "another one").await.refused(401, "reset_token_invalid");
    }
    let short = set(&app, &second, "short").await;
    short.refused(422, "invalid_field");
    assert_eq!((short.pointer(), short.text.contains("\"short\"")), (Some("/password"), false), "{}", short.text);
    assert_eq!(sign_in(&app, &ours, "ana@example.com", PASSWORD).await.status, 200, "the password is what it was");
}

#[tokio::test]
async fn whoever_does_not_come_in_is_not_told_why() {
    let app = TestApp::new().await;
    let (shop, stranger) = (app.shop().await, app.stranger().await);
    let ana = shop.enrol(&json!({ "email": "ana@example.com" })).await;
    let theirs = stranger.enrol(&json!({ "email": "ana@example.com" })).await;
    shop.enrol(&json!({ "email": "eva@example.com" })).await;
    let (ours, other) = (code_of(&app, "ours").await, code_of(&app, "other").await);
    assert_eq!(set(&app, &offered(&shop, &ana).await, PASSWORD).await.status, 200);
    assert_eq!(set(&app, &offered(&stranger, &theirs).await, "their own one").await.status, 200);
    let told = |reply: &Reply| {
        let mut json = reply.json.clone();
        json.as_object_mut().unwrap().remove("request_id");
        (reply.status, json)
    };
    let mut answers = Vec::new();
    for (program, email, password) in [
        (ours.as_str(), "ana@example.com", "wrong horse"),
        (&ours, "ana@example.com", "their own one"),
        (&other, "ana@example.com", PASSWORD),
        (&ours, "eva@example.com", PASSWORD),
        (&ours, "nobody@example.com", PASSWORD),
        (&ours, "no address", PASSWORD),
        ("nowhere", "ana@example.com", PASSWORD),
    ] {
        let reply = sign_in(&app, program, email, password).await;
        reply.refused(401, "sign_in_failed");
        answers.push(told(&reply));
    }
    assert!(answers.windows(2).all(|two| two[0] == two[1]), "{answers:?}");
    assert_eq!(sign_in(&app, &ours, "ana@example.com", PASSWORD).await.text_at("/member"), ana);
    assert_eq!(sign_in(&app, &other, "ana@example.com", "their own one").await.text_at("/member"), theirs);
}

#[tokio::test]
async fn after_some_wrong_passwords_nobody_comes_in_for_a_while() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "email": "ana@example.com" })).await;
    let ours = code_of(&app, "ours").await;
    assert_eq!(set(&app, &offered(&shop, &ana).await, PASSWORD).await.status, 200);
    for _ in 0..5 {
        sign_in(&app, &ours, "ana@example.com", "wrong horse").await.refused(401, "sign_in_failed");
    }
    sign_in(&app, &ours, "ana@example.com", PASSWORD).await.refused(401, "sign_in_failed");
    sleep(Duration::from_millis(2_100)).await;
    assert_eq!(
        sign_in(&app, &ours, "ana@example.com", PASSWORD).await.status,
        200,
        "what was refused meanwhile is none"
    );
    let failures = "SELECT failures::text AS fact FROM logins";
    assert_eq!(facts::one(&app.owner().await, failures).await, "0");
}

#[tokio::test]
async fn whoever_tries_many_passwords_at_once_has_no_more_tries() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "email": "ana@example.com" })).await;
    let ours = code_of(&app, "ours").await;
    assert_eq!(set(&app, &offered(&shop, &ana).await, PASSWORD).await.status, 200);
    let many = (0..16).map(|_| sign_in(&app, &ours, "ana@example.com", "wrong horse"));
    for reply in join_all(many).await {
        reply.refused(401, "sign_in_failed");
    }
    let failures = "SELECT failures::text AS fact FROM logins";
    assert_eq!(facts::one(&app.owner().await, failures).await, "5", "the others were not looked at");
}

#[tokio::test]
async fn a_member_changes_the_password_and_is_out_elsewhere() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "email": "ana@example.com" })).await;
    let ours = code_of(&app, "ours").await;
    let tokens = set(&app, &offered(&shop, &ana).await, PASSWORD).await;
    let me = app.process().client(&tokens.text_at("/access_token"));
    let change = |current: &str, password: &str| {
        let body = json!({ "current": current, "password": password });
        Reply::of(me.request(reqwest::Method::PUT, "/v1/me/password").json(&body))
    };
    let refused = change("wrong horse", "battery staple").await;
    refused.refused(422, "password_wrong");
    assert_eq!(refused.pointer(), Some("/current"));
    let changed = change(PASSWORD, "battery staple").await;
    assert_eq!(changed.status, 200, "{changed:?}");
    me.get("/v1/me").await.refused(401, "token_invalid");
    assert_eq!(app.process().client(&changed.text_at("/access_token")).get("/v1/me").await.status, 200);
    sign_in(&app, &ours, "ana@example.com", PASSWORD).await.refused(401, "sign_in_failed");
    assert_eq!(sign_in(&app, &ours, "ana@example.com", "battery staple").await.status, 200);
}
