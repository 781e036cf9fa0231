//! Every operation of the API × everybody who may call it.

use std::collections::BTreeSet;

use perennial::app::http::api;
use perennial::loyalty::ledger::writer::Pace;
use perennial::platform::auth::Scopes;
use perennial::platform::jobs::{NewJob, queue_job};
use perennial::platform::web::openapi::written;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Client, EURO, Reply, TestApp, facts, fresh};

/// What of ours others try to reach.
struct Ours {
    hold: String,
    member: String,
    posting: String,
    order: String,
    key: String,
    job: String,
}

/// What somebody of another programme meets.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Strangers {
    /// Nothing: 404, as if it were not there.
    Meet404,
    /// Their own programme, without a trace of ours.
    MeetTheirOwn,
}
use Strangers::{Meet404, MeetTheirOwn};

/// How an operation is called: its scope, what strangers meet, the last part of its path that is ours, and its body.
type Row = (&'static str, Strangers, String, Value);

/// In the place of a scope: for members who are signed in, each for themselves.
const MEMBERS: &str = "(member)";
/// In the place of a scope: for everybody.
const EVERYBODY: &str = "(everybody)";

/// Everybody's here.
const PASSWORD: &str = "open sesame";

/// What needs no key.
fn keyless_row(operation: &str) -> Option<Row> {
    let (none, token) = (String::new(), json!({ "refresh_token": "prs_none" }));
    Some(match operation {
        "get_me" | "get_my_balances" | "get_my_tier" | "list_my_statement" | "list_my_entitlements" => {
            (MEMBERS, MeetTheirOwn, none, Value::Null)
        }
        "sign_out_everywhere" => (MEMBERS, MeetTheirOwn, none, Value::Null),
        "change_my_password" => (MEMBERS, MeetTheirOwn, none, json!({ "current": PASSWORD, "password": PASSWORD })),
        "sign_in" => (
            EVERYBODY,
            MeetTheirOwn,
            none,
            json!({ "program": "ours", "email": "ours@example.com", "password": PASSWORD }),
        ),
        "reset_password" => (EVERYBODY, MeetTheirOwn, none, json!({ "reset_token": "prp_none", "password": PASSWORD })),
        "refresh_tokens" | "sign_out" => (EVERYBODY, MeetTheirOwn, none, token),
        "get_jwks" => (EVERYBODY, MeetTheirOwn, none, Value::Null),
        _ => return None,
    })
}

fn known_as(external_id: &str) -> Value {
    json!({ "external_id": external_id })
}

/// The table. An operation that is not in it fails the test.
fn row(operation: &str, ours: &Ours) -> Option<Row> {
    let (member, none) = (ours.member.clone(), String::new());
    let order = json!({ "reference": fresh("order"), "member": { "id": member }, "currency": "EUR",
        "lines": [{ "id": "1", "amount": "1.00" }] });
    let adjustment = json!({ "wallet": "points", "points": 1, "reason": "mine" });
    let transfer = json!({ "to": known_as("ours-18"), "wallet": "points", "points": 1 });
    Some(match operation {
        "enrol_member" => ("members:write", MeetTheirOwn, none, json!({ "name": "Ana" })),
        "get_member" | "get_balances" | "get_tier" | "list_statement" | "list_entitlements" => {
            ("members:read", Meet404, member, Value::Null)
        }
        "look_up_member" => ("members:read", Meet404, none, known_as("ours-17")),
        "create_tokens" | "revoke_tokens" | "create_password_reset" => ("tokens:write", Meet404, member, Value::Null),
        "change_member" => ("members:write", Meet404, member, json!({ "name": "Eva", "email": "eva@example.com" })),
        "get_why" => ("members:read", Meet404, ours.posting.clone(), Value::Null),
        "create_adjustment" => ("adjustments:write", Meet404, member, adjustment),
        "create_tier_grant" => ("tiers:write", Meet404, member, json!({ "tier": "gold", "reason": "mine" })),
        "change_segment" => ("segments:write", Meet404, "ours".to_owned(), json!({ "add": [{ "id": member }] })),
        "create_event" => ("events:write", Meet404, none, json!({ "member": { "id": member }, "event": "review" })),
        "list_segment" => ("members:read", Meet404, "ours".to_owned(), Value::Null),
        "create_suspension" | "create_reinstatement" => {
            ("suspensions:write", Meet404, member, json!({ "reason": "mine" }))
        }
        "quote_order" | "settle_order" => ("orders:write", Meet404, none, order),
        "create_transfer" => ("transfers:write", Meet404, member, transfer),
        "create_merge" => ("merges:write", Meet404, member, json!({ "source": known_as("ours-19"), "reason": "mine" })),
        "claim_order" => ("orders:write", Meet404, "ours-guest".to_owned(), json!({ "member": { "id": member } })),
        "create_hold" => (
            "orders:write",
            Meet404,
            none,
            json!({ "reference": fresh("hold"), "member": { "id": member }, "points": { "spend": 1 } }),
        ),
        "get_hold" => ("orders:read", Meet404, ours.hold.clone(), Value::Null),
        "release_hold" => ("orders:write", Meet404, ours.hold.clone(), Value::Null),
        // Each line has a status of its own.
        "settle_batch" => ("orders:write", MeetTheirOwn, none, order),
        "get_order" => ("orders:read", Meet404, ours.order.clone(), Value::Null),
        "return_order" => (
            "orders:write",
            Meet404,
            ours.order.clone(),
            json!({ "reference": "r-1", "lines": [{ "id": "1", "quantity": 1 }] }),
        ),
        "get_program" | "get_draft" | "list_program_versions" => ("program:read", MeetTheirOwn, none, Value::Null),
        // A version's number is nobody's secret: everybody has a first one.
        "get_program_version" => ("program:read", MeetTheirOwn, "1".to_owned(), Value::Null),
        "get_program_changes" => ("program:read", MeetTheirOwn, "1/diff?with=1".to_owned(), Value::Null),
        "validate_draft" => ("program:read", MeetTheirOwn, none, json!({})),
        "write_draft" | "change_draft" => ("program:write", MeetTheirOwn, none, json!({ "goals": {} })),
        "discard_draft" => ("program:write", MeetTheirOwn, none, Value::Null),
        "publish_program" => ("program:write", MeetTheirOwn, none, json!({ "version": 1 })),
        "create_preview" => (
            "program:write",
            MeetTheirOwn,
            none,
            json!({ "from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z", "toml": EURO }),
        ),
        "get_job" => ("program:read", Meet404, ours.job.clone(), Value::Null),
        "cancel_job" => ("program:write", Meet404, ours.job.clone(), Value::Null),
        "get_integrity" => ("integrity:read", MeetTheirOwn, none, Value::Null),
        "list_api_keys" => ("keys:manage", MeetTheirOwn, none, Value::Null),
        "create_api_key" => ("keys:manage", MeetTheirOwn, none, json!({ "name": "more", "scopes": ["keys:manage"] })),
        "rotate_api_key" => ("keys:manage", Meet404, ours.key.clone(), json!({})),
        "revoke_api_key" => ("keys:manage", Meet404, ours.key.clone(), Value::Null),
        "list_audit" => ("audit:read", MeetTheirOwn, none, Value::Null),
        _ => return None,
    })
}

/// One operation with its row.
struct Call {
    id: String,
    method: Method,
    path: String,
    scope: &'static str,
    strangers: Strangers,
    body: Value,
}

impl Call {
    async fn by(&self, who: &Client) -> Reply {
        let request = who.request(self.method.clone(), &self.path).header("Idempotency-Key", fresh(&self.id));
        // Whatever it is like: who may change it is asked here.
        let request = request.header("If-Match", "*");
        Reply::of(match self.id.as_str() {
            "settle_batch" => request.header("Content-Type", "application/x-ndjson").body(self.body.to_string()),
            _ if self.body.is_null() => request,
            _ => request.json(&self.body),
        })
        .await
    }
}

/// What is called with a key.
fn calls(ours: &Ours) -> Vec<Call> {
    all_calls(ours).into_iter().filter(|call| ![MEMBERS, EVERYBODY].contains(&call.scope)).collect()
}

fn all_calls(ours: &Ours) -> Vec<Call> {
    let document: Value = serde_json::from_str(&written(&api())).unwrap();
    let mut calls = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap().to_owned();
            let (scope, strangers, place, body) = keyless_row(&id)
                .or_else(|| row(&id, ours))
                .unwrap_or_else(|| panic!("{id} is not in the table: who may call it?"));
            let path = path.replace("{id}", &place).replace("{reference}", &place).replace("{code}", &place);
            // What has to be in a query stands in the table.
            let path = path.replace(if place.contains('?') { "{version}/diff" } else { "{version}" }, &place);
            let method = method.to_uppercase().parse().unwrap();
            calls.push(Call { id, method, path, scope, strangers, body });
        }
    }
    calls
}

/// An app whose programme has a list of members.
async fn app() -> TestApp {
    TestApp::with(
        &format!("{EURO}\n[segments.ours]\n[attributes.event.review]\nstars = {{ kind = \"number\" }}\n"),
        Pace::serving(),
    )
    .await
}

async fn ours(app: &TestApp, shop: &Client) -> Ours {
    let member = shop.enrol(&json!({ "external_id": "ours-17", "email": "ours@example.com" })).await;
    let order = json!({ "reference": "ours-1001", "member": { "id": member }, "currency": "EUR",
        "lines": [{ "id": "1", "quantity": 9, "amount": "900.00" }] });
    let settled = shop.post("/v1/orders", &order).await;
    assert_eq!(settled.status, 201, "{settled:?}");
    let key = app.key(&app.program, "members:read".parse().unwrap()).await;
    shop.enrol(&json!({ "external_id": "ours-18" })).await;
    shop.enrol(&json!({ "external_id": "ours-19" })).await;
    let guest = json!({ "reference": "ours-guest", "member": null, "currency": "EUR",
        "lines": [{ "id": "1", "amount": "1.00" }] });
    assert_eq!(shop.post("/v1/orders", &guest).await.status, 201);
    let hold = json!({ "reference": "ours-hold", "member": { "id": member }, "points": { "spend": 1 } });
    assert_eq!(shop.post("/v1/checkout/holds", &hold).await.status, 201);
    let hold = "ours-hold".to_owned();
    let new = NewJob { kind: "tenancy", request: "{}".to_owned() };
    let job = queue_job(&app.test.db.conn().await.unwrap(), &app.program, new).await.unwrap().unwrap();
    Ours {
        hold,
        member,
        posting: settled.text_at("/posting"),
        order: "ours-1001".to_owned(),
        key: key[4..20].to_owned(),
        job: job.to_string(),
    }
}

#[tokio::test]
async fn without_a_good_key_no_operation_answers() {
    let app = app().await;
    let shop = app.shop().await;
    let calls = calls(&ours(&app, &shop).await);
    let (revoked, expired) = (app.shop().await, app.shop().await);
    assert_eq!(shop.delete(&format!("/v1/api-keys/{}", revoked.key_id())).await.status, 204);
    let over = format!(
        "WITH over AS (UPDATE api_keys SET created_at = now() - interval '1 day', expires_at = now() WHERE key_id = '{}' \
         RETURNING 1) SELECT count(*)::text AS fact FROM over",
        expired.key_id()
    );
    assert_eq!(facts::one(&app.owner().await, &over).await, "1");
    let before = facts::fingerprint(&app.test.db).await;
    for call in &calls {
        let nobody = call.by(&app.anonymous()).await;
        nobody.refused(401, "credential_missing");
        assert_eq!(nobody.header("www-authenticate"), Some("Bearer realm=\"perennial\""), "{}", call.id);
        for who in [&revoked, &expired] {
            let reply = call.by(who).await;
            reply.refused(401, "credential_invalid");
            assert!(reply.header("www-authenticate").unwrap().contains("invalid_token"), "{}", call.id);
        }
    }
    assert_eq!(facts::fingerprint(&app.test.db).await, before);
}

#[tokio::test]
async fn a_key_without_the_scope_is_told_which_it_lacks() {
    let app = app().await;
    let shop = app.shop().await;
    let calls = calls(&ours(&app, &shop).await);
    for scope in calls.iter().map(|call| call.scope).collect::<BTreeSet<_>>() {
        let lacking: Scopes = Scopes::all().iter().filter(|one| one.name() != scope).collect();
        let who = app.process().client(&app.key(&app.program, lacking).await);
        let before = facts::fingerprint(&app.test.db).await;
        for call in calls.iter().filter(|call| call.scope == scope) {
            let reply = call.by(&who).await;
            reply.refused(403, "scope_missing");
            assert_eq!(reply.json["scope"], json!(scope), "{}", call.id);
        }
        assert_eq!(facts::fingerprint(&app.test.db).await, before, "{scope}");
    }
}

#[tokio::test]
async fn another_programmes_key_finds_nothing_of_ours_and_changes_nothing() {
    let app = app().await;
    let shop = app.shop().await;
    let ours = ours(&app, &shop).await;
    let stranger = app.stranger().await;
    for call in calls(&ours) {
        let before = facts::fingerprint(&app.test.db).await;
        let reply = call.by(&stranger).await;
        match call.strangers {
            Meet404 => {
                assert_eq!(reply.status, 404, "{}: {}", call.id, reply.text);
                assert_eq!(facts::fingerprint(&app.test.db).await, before, "{}", call.id);
            }
            MeetTheirOwn => assert!(reply.status < 300, "{}: {}", call.id, reply.text),
        }
        for trace in [&ours.member, &ours.posting, &ours.key, shop.key_id(), "ours@example.com", "\"Ours\""] {
            assert!(!reply.text.contains(trace), "{} shows {trace}: {}", call.id, reply.text);
        }
    }
    assert_eq!(shop.get(&format!("/v1/members/{}", ours.member)).await.text_at("/email"), "ours@example.com");
}

#[tokio::test]
async fn a_key_with_the_one_scope_may_do_what_the_scope_says() {
    let app = app().await;
    let shop = app.shop().await;
    for call in calls(&ours(&app, &shop).await) {
        let scopes = if call.id == "rotate_api_key" { "keys:manage members:read" } else { call.scope };
        let reply = call.by(&app.with_scopes(scopes).await).await;
        // What was revoked before it is rotated is refused for that, and who is suspended for being so.
        let late = ["key_not_active", "member_suspended", "not_suspended"];
        assert!(reply.status < 300 || late.contains(&reply.code()), "{}: {}", call.id, reply.text);
    }
}

/// A client of a member who is signed in.
async fn signed_in(app: &TestApp, shop: &Client, member: &str) -> Client {
    let tokens = shop.post(&format!("/v1/members/{member}/tokens"), &Value::Null).await;
    app.process().client(&tokens.text_at("/access_token"))
}

#[tokio::test]
async fn members_who_are_signed_in_have_what_is_their_own_and_nobody_else_has_it() {
    let app = app().await;
    let (shop, stranger) = (app.shop().await, app.stranger().await);
    let ours = ours(&app, &shop).await;
    let (eva, theirs) = (shop.enrol(&json!({ "name": "Eva" })).await, stranger.enrol(&json!({ "name": "Ana" })).await);
    let calls: Vec<Call> = all_calls(&ours).into_iter().filter(|call| call.scope == MEMBERS).collect();
    for (shop, member) in [(&stranger, &theirs), (&shop, &eva)] {
        let offered = shop.post(&format!("/v1/members/{member}/password-resets"), &Value::Null).await;
        let body = json!({ "reset_token": offered.text_at("/reset_token"), "password": PASSWORD });
        assert_eq!(app.anonymous().post("/v1/auth/password", &body).await.status, 200);
    }
    assert!(calls.len() > 5);
    for call in &calls {
        let before = facts::fingerprint(&app.test.db).await;
        call.by(&app.anonymous()).await.refused(401, "token_missing");
        call.by(&shop).await.refused(401, "token_invalid");
        assert_eq!(facts::fingerprint(&app.test.db).await, before, "{}", call.id);
        let members = [(&stranger, &theirs), (&shop, &eva)];
        for (shop, member) in members {
            let reply = call.by(&signed_in(&app, shop, member).await).await;
            assert!(reply.status < 300, "{}: {}", call.id, reply.text);
            for trace in [&ours.member, &ours.posting, "ours@example.com", "ours-"] {
                assert!(!reply.text.contains(trace), "{} shows {trace}: {}", call.id, reply.text);
            }
        }
    }
    // And a member's token is no key.
    let member = signed_in(&app, &shop, &ours.member).await;
    for call in self::calls(&ours) {
        call.by(&member).await.refused(401, "credential_invalid");
    }
    let public: Vec<Call> = all_calls(&ours).into_iter().filter(|call| call.scope == EVERYBODY).collect();
    let answered: Vec<u16> = {
        let mut answered = Vec::new();
        for call in &public {
            answered.push(call.by(&app.anonymous()).await.status);
        }
        answered
    };
    let none = "the keys, and a token to set a password, one to refresh, a sign-in and a sign-out of nobody";
    assert_eq!(answered, [200, 401, 401, 401, 204], "{none}");
}

#[tokio::test]
async fn two_programmes_may_use_the_same_names() {
    let app = app().await;
    let (shop, stranger) = (app.shop().await, app.stranger().await);
    let ana = json!({ "external_id": "c-17", "email": "ana@example.com" });
    let (mine, theirs) = (shop.enrol(&ana).await, stranger.enrol(&ana).await);
    assert_ne!(mine, theirs);
    let order = json!({ "reference": "1001", "member": { "external_id": "c-17" }, "currency": "EUR",
        "lines": [{ "id": "1", "amount": "7.00" }] });
    for (who, member) in [(&shop, &mine), (&stranger, &theirs)] {
        let settled = who.post("/v1/orders", &order).await;
        assert_eq!((settled.status, &settled.text_at("/member")), (201, member));
        assert_eq!(who.get("/v1/orders/1001").await.text_at("/member"), *member);
    }
    let same_key = json!({ "name": "x" });
    assert_eq!(shop.post_keyed("/v1/members", "k", &same_key).await.status, 201);
    assert_eq!(stranger.post_keyed("/v1/members", "k", &same_key).await.status, 201);
}
