//! Keys over HTTP: who is let in, and what they may do to other keys.

use actix_web::http::Method;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_query;
use diesel_async::RunQueryDsl;
use perennial::platform::web::rate::RateSettings;
use serde_json::{Value, json};

use crate::harness::{Platform, program};

async fn platform() -> Platform {
    Platform::new(RateSettings::default()).await
}

fn instant(json: &Value) -> DateTime<Utc> {
    json.as_str().unwrap().parse().unwrap()
}

#[actix_web::test]
async fn without_a_good_key_nobody_comes_in() {
    let platform = platform().await;
    let key = platform.key(&program(), "keys:manage").await;
    let missing = platform.get("", "/v1/api-keys").await;
    assert_eq!((missing.status, missing.code()), (401, "credential_missing"));
    assert_eq!(missing.headers.get("www-authenticate").unwrap(), "Bearer realm=\"perennial\"");
    let wrong_secret = format!("{}{}", &key[..key.len() - 4], "0000");
    let unknown = format!("prn_{}_{}", "0".repeat(16), "0".repeat(64));
    for bad in [wrong_secret.as_str(), &unknown, "prn_x", "ünknown"] {
        let answer = platform.get(bad, "/v1/api-keys").await;
        assert_eq!((answer.status, answer.code()), (401, "credential_invalid"), "{bad}");
        assert!(answer.headers.contains_key("www-authenticate"));
    }
    assert_eq!(platform.get(&key, "/v1/api-keys").await.status, 200);
}

#[actix_web::test]
async fn a_missing_scope_is_named() {
    let platform = platform().await;
    let key = platform.key(&program(), "members:read").await;
    let answer = platform.get(&key, "/v1/api-keys").await;
    assert_eq!(
        (answer.status, answer.code(), answer.json["scope"].as_str()),
        (403, "scope_missing", Some("keys:manage"))
    );
}

#[actix_web::test]
async fn a_new_key_works_and_is_shown_once() {
    let platform = platform().await;
    let owner = platform.key(&program(), "keys:manage members:read").await;
    let wanted = json!({ "name": "shop", "scopes": ["members:read", "keys:manage"] });
    let issued = platform.post(&owner, "/v1/api-keys", wanted).await;
    assert_eq!(issued.status, 201, "{issued:?}");
    let key = issued.json["key"].as_str().unwrap();
    assert_eq!(issued.json["api_key"]["scopes"], json!(["keys:manage", "members:read"]));
    assert_eq!(issued.json["api_key"]["created_by"], json!(format!("key:{}", &owner[4..20])));
    let listed = platform.get(key, "/v1/api-keys").await;
    let first = &listed.json["items"][0];
    assert_eq!((first["name"].as_str(), first["status"].as_str()), (Some("shop"), Some("active")));
    assert!(first["last_used_at"].is_string(), "{first}");
    assert!(!listed.json.to_string().contains(&key[21..]));
}

#[actix_web::test]
async fn a_key_cannot_give_what_it_does_not_have() {
    let platform = platform().await;
    let scope = program();
    let manager = platform.key(&scope, "keys:manage").await;
    let mighty = platform.key(&scope, "keys:manage orders:write").await;
    let wanted = json!({ "name": "more", "scopes": ["orders:write"] });
    let refused = platform.post(&manager, "/v1/api-keys", wanted).await;
    assert_eq!((refused.status, refused.json["scope"].as_str()), (403, Some("orders:write")));
    let rotations = format!("/v1/api-keys/{}/rotations", &mighty[4..20]);
    let refused = platform.post(&manager, &rotations, json!({})).await;
    assert_eq!((refused.status, refused.code()), (403, "scope_missing"));
    for (body, code, pointer) in [
        (json!({ "name": "none", "scopes": [] }), "invalid_field", "/scopes"),
        (json!({ "name": "odd", "scopes": ["keys:eat"] }), "invalid_field", "/scopes/0"),
        (json!({ "name": "a\u{0}", "scopes": ["keys:manage"] }), "invalid_field", "/name"),
        (
            json!({ "name": "old", "scopes": ["keys:manage"], "expires_at": "2020-01-01T00:00:00Z" }),
            "expiry_passed",
            "/expires_at",
        ),
    ] {
        let refused = platform.post(&manager, "/v1/api-keys", body).await;
        assert_eq!((refused.status, refused.code(), refused.json["pointer"].as_str()), (422, code, Some(pointer)));
    }
}

#[actix_web::test]
async fn a_rotated_key_works_until_its_overlap_is_over() {
    let mut platform = platform().await;
    let old = platform.key(&program(), "keys:manage").await;
    let rotations = format!("/v1/api-keys/{}/rotations", &old[4..20]);
    let issued = platform.post(&old, &rotations, json!({ "overlap_s": 60 })).await;
    assert_eq!(issued.status, 201, "{issued:?}");
    let new = issued.json["key"].as_str().unwrap();
    let again = platform.post(&old, &rotations, json!({})).await;
    assert_eq!((again.status, again.code()), (409, "key_not_active"), "once is enough");
    let listed = platform.get(new, "/v1/api-keys").await.json;
    let before = &listed["items"][1];
    assert_eq!(before["successor_id"], issued.json["api_key"]["id"]);
    let overlap = instant(&before["expires_at"]) - instant(&issued.json["api_key"]["created_at"]);
    assert_eq!(overlap, TimeDelta::seconds(60));

    let over =
        "UPDATE api_keys SET created_at = now() - interval '1 day', expires_at = now() WHERE successor_id IS NOT NULL";
    sql_query(over).execute(&mut platform.db().conn().await.unwrap()).await.unwrap();
    platform.later();
    assert_eq!(platform.get(&old, "/v1/api-keys").await.status, 401);
    let listed = platform.get(new, "/v1/api-keys").await.json;
    assert!(listed["items"].as_array().unwrap().iter().any(|key| key["status"] == "expired"), "{listed}");
}

#[actix_web::test]
async fn a_revoked_key_is_out_at_once() {
    let platform = platform().await;
    let scope = program();
    let (owner, other) = (platform.key(&scope, "keys:manage").await, platform.key(&scope, "keys:manage").await);
    assert_eq!(platform.get(&other, "/v1/api-keys").await.status, 200);
    let uri = format!("/v1/api-keys/{}", &other[4..20]);
    for _ in 0..2 {
        assert_eq!(platform.call(&owner, Method::DELETE, &uri, Value::Null).await.status, 204);
    }
    assert_eq!(platform.get(&other, "/v1/api-keys").await.status, 401);
}

#[actix_web::test]
async fn keys_of_another_programme_do_not_exist() {
    let platform = platform().await;
    let (mine, theirs) = (platform.key(&program(), "keys:manage").await, platform.key(&program(), "keys:manage").await);
    let listed = platform.get(&mine, "/v1/api-keys").await.json;
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    for id in [&theirs[4..20], "0000000000000000", "x"] {
        let uri = format!("/v1/api-keys/{id}");
        assert_eq!(platform.call(&mine, Method::DELETE, &uri, Value::Null).await.status, 404, "{id}");
        assert_eq!(platform.post(&mine, &format!("{uri}/rotations"), json!({})).await.status, 404, "{id}");
    }
    assert_eq!(platform.get(&theirs, "/v1/api-keys").await.status, 200);
}

#[actix_web::test]
async fn keys_are_listed_in_pages_without_a_gap() {
    let platform = platform().await;
    let scope = program();
    let owner = platform.key(&scope, "keys:manage").await;
    for _ in 0..6 {
        platform.key(&scope, "members:read").await;
    }
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    for _ in 0..3 {
        let page = platform.get(&owner, &format!("/v1/api-keys?limit=3{cursor}")).await.json;
        ids.extend(page["items"].as_array().unwrap().iter().map(|key| key["id"].as_str().unwrap().to_owned()));
        cursor = page["next_cursor"].as_str().map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
    }
    assert_eq!((ids.len(), cursor.as_str()), (7, ""));
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 7);
    let odd = platform.get(&owner, "/v1/api-keys?cursor=AAAA").await;
    assert_eq!((odd.status, odd.code()), (422, "invalid_cursor"));
}

#[actix_web::test]
async fn a_limited_key_is_told_its_limit_in_headers() {
    let platform = Platform::new(RateSettings { per_second: 1, burst: 2 }).await;
    let key = platform.key(&program(), "keys:manage").await;
    let first = platform.get(&key, "/v1/api-keys").await;
    assert_eq!(first.headers.get("ratelimit-policy").unwrap(), "\"key\";q=2;w=2");
    assert_eq!(first.headers.get("ratelimit").unwrap(), "\"key\";r=1;t=1");
    let mut refused = first;
    while refused.status == 200 {
        refused = platform.get(&key, "/v1/api-keys").await;
    }
    assert_eq!((refused.status, refused.code()), (429, "rate_limited"));
    assert_eq!(refused.headers.get("retry-after").unwrap(), "1");
    assert_eq!(refused.headers.get("ratelimit").unwrap(), "\"key\";r=0;t=2");
}

#[actix_web::test]
async fn a_database_that_is_away_is_a_503() {
    let platform = platform().await;
    let key = platform.key(&program(), "keys:manage").await;
    platform.db().close();
    let answer = platform.get(&key, "/v1/api-keys").await;
    assert_eq!((answer.status, answer.code(), answer.json["retryable"].as_bool()), (503, "unavailable", Some(true)));
    assert_eq!(answer.headers.get("retry-after").unwrap(), "1");
}
