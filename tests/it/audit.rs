//! The audit log over HTTP.

use actix_web::http::Method;
use diesel::sql_query;
use diesel_async::RunQueryDsl;
use perennial::platform::web::rate::RateSettings;
use serde_json::{Value, json};

use crate::harness::{Platform, program};

async fn platform() -> Platform {
    Platform::new(RateSettings::default()).await
}

fn actions(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect()
}

#[actix_web::test]
async fn the_life_of_a_key_is_in_the_log() {
    let platform = platform().await;
    let owner = platform.key(&program(), "keys:manage audit:read").await;
    let issued = platform.post(&owner, "/v1/api-keys", json!({ "name": "shop", "scopes": ["audit:read"] })).await.json;
    let id = issued["api_key"]["id"].as_str().unwrap();
    platform.post(&owner, &format!("/v1/api-keys/{id}/rotations"), json!({})).await;
    platform.call(&owner, Method::DELETE, &format!("/v1/api-keys/{id}"), Value::Null).await;
    let log = platform.get(&owner, "/v1/audit").await.json;
    assert_eq!(actions(&log), ["api_key.revoked", "api_key.rotated", "api_key.issued", "api_key.issued"]);
    let entry = &log["items"][2];
    assert_eq!((entry["subject"].as_str(), entry["detail"]["scopes"].as_str()), (Some(id), Some("audit:read")));
    assert_eq!(entry["principal"], json!(format!("key:{}", &owner[4..20])));
    assert_eq!(log["items"][3]["principal"], "operator");
    assert!(!log.to_string().contains(&issued["key"].as_str().unwrap()[21..]));
}

#[actix_web::test]
async fn the_log_is_filtered_and_paged() {
    let platform = platform().await;
    let scope = program();
    let owner = platform.key(&scope, "keys:manage audit:read").await;
    for _ in 0..3 {
        platform.post(&owner, "/v1/api-keys", json!({ "name": "a", "scopes": ["audit:read"] })).await;
    }
    let mine = format!("/v1/audit?principal=key:{}", &owner[4..20]);
    let page = platform.get(&owner, &format!("{mine}&limit=2")).await.json;
    assert_eq!(actions(&page).len(), 2);
    let next = format!("{mine}&limit=2&cursor={}", page["next_cursor"].as_str().unwrap());
    let page = platform.get(&owner, &next).await.json;
    assert_eq!((actions(&page).len(), page["next_cursor"].is_null()), (1, true));
    let at = page["items"][0]["at"].as_str().unwrap();
    let after = platform.get(&owner, &format!("/v1/audit?action=api_key.issued&from={at}")).await.json;
    assert_eq!(actions(&after).len(), 3);
    let before = platform.get(&owner, &format!("/v1/audit?until={at}")).await.json;
    assert_eq!(actions(&before).len(), 1);
    let none = platform.get(&owner, "/v1/audit?action=api_key.revoked").await.json;
    assert_eq!(none, json!({ "items": [], "next_cursor": null }));
    let odd = platform.get(&owner, "/v1/audit?from=yesterday").await;
    assert_eq!((odd.status, odd.code(), odd.json["parameter"].as_str()), (422, "invalid_parameter", Some("from")));
}

#[actix_web::test]
async fn another_programmes_log_is_not_seen() {
    let platform = platform().await;
    let (mine, theirs) = (program(), program());
    let key = platform.key(&mine, "audit:read").await;
    platform.key(&theirs, "audit:read").await;
    assert_eq!(actions(&platform.get(&key, "/v1/audit").await.json).len(), 1);
}

#[actix_web::test]
async fn the_application_cannot_rewrite_the_log() {
    let platform = platform().await;
    platform.key(&program(), "audit:read").await;
    let mut conn = platform.db().conn().await.unwrap();
    for statement in
        ["UPDATE audit_log SET subject = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log", "DELETE FROM api_keys"]
    {
        let refused = sql_query(statement).execute(&mut conn).await.unwrap_err();
        assert!(refused.to_string().contains("permission denied"), "{statement}: {refused}");
    }
}
