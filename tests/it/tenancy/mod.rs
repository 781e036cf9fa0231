//! Every operation of the API × everybody who may call it.

mod table;

use std::collections::BTreeSet;

use perennial::app::http::api;
use perennial::loyalty::ledger::writer::Pace;
use perennial::platform::auth::Scopes;
use perennial::platform::jobs::{NewJob, queue_job};
use perennial::platform::web::openapi::written;
use reqwest::Method;
use serde_json::{Value, json};

use self::table::{
    EVERYBODY, MEMBERS, Meet404, MeetTheirOwn, Ours, PASSWORD, Strangers, keyless_row, reward_row, row, webhook_row,
};
use crate::harness::{Client, EURO, Reply, TestApp, facts, fresh};

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
                .or_else(|| reward_row(&id, ours))
                .or_else(|| webhook_row(&id, ours))
                .or_else(|| row(&id, ours))
                .unwrap_or_else(|| panic!("{id} is not in the table: who may call it?"));
            let path = path.replace("{id}", &place).replace("{reference}", &place).replace("{code}", &place);
            let path = path.replace("{used_for}", "ours-use");
            // What has to be in a query stands in the table.
            let path = path.replace(if place.contains('?') { "{version}/diff" } else { "{version}" }, &place);
            let method = method.to_uppercase().parse().unwrap();
            calls.push(Call { id, method, path, scope, strangers, body });
        }
    }
    calls
}

/// A reward that everybody can afford.
const REWARD: &str = "[rewards.ours]\ncost = { points = 1 }\ngives = { product = \"mug\" }\n";

/// An app whose programme has a list of members, and a reward.
async fn app() -> TestApp {
    TestApp::with(
        &format!("{EURO}\n[segments.ours]\n[attributes.event.review]\nstars = {{ kind = \"number\" }}\n{REWARD}"),
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
    let mut webhooks = [String::new(), String::new()];
    for webhook in &mut webhooks {
        let made = shop.post("/v1/webhooks", &json!({ "url": "https://ours.example/" })).await;
        assert_eq!(made.status, 201, "{made:?}");
        *webhook = made.text_at("/webhook/id");
    }
    let mut vouchers = [String::new(), String::new(), String::new()];
    for voucher in &mut vouchers {
        let path = format!("/v1/members/{member}/redemptions");
        let redeemed = shop.post_keyed(&path, &fresh("redeem"), &json!({ "reward": "ours" })).await;
        assert_eq!(redeemed.status, 201, "{redeemed:?}");
        *voucher = redeemed.text_at("/voucher");
    }
    let used = shop.post(&format!("/v1/vouchers/{}/uses", vouchers[1]), &json!({ "used_for": "ours-use" })).await;
    assert_eq!(used.status, 201, "{used:?}");
    let new = NewJob { kind: "tenancy", request: "{}".to_owned() };
    let job = queue_job(&app.test.db.conn().await.unwrap(), &app.program, new).await.unwrap().unwrap();
    Ours {
        hold,
        member,
        posting: settled.text_at("/posting"),
        order: "ours-1001".to_owned(),
        key: key[4..20].to_owned(),
        job: job.to_string(),
        vouchers,
        webhooks,
        erased: shop.enrol(&json!({ "name": "Nobody any more" })).await,
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
    let mut calls: Vec<Call> = all_calls(&ours).into_iter().filter(|call| call.scope == MEMBERS).collect();
    for (shop, member) in [(&stranger, &theirs), (&shop, &eva)] {
        let offered = shop.post(&format!("/v1/members/{member}/password-resets"), &Value::Null).await;
        let body = json!({ "reset_token": offered.text_at("/reset_token"), "password": PASSWORD });
        assert_eq!(app.anonymous().post("/v1/auth/password", &body).await.status, 200);
    }
    assert!(calls.len() > 5);
    // Who is forgotten has nothing any more.
    calls.sort_by_key(|call| call.id == "erase_me");
    for call in &calls {
        let before = facts::fingerprint(&app.test.db).await;
        call.by(&app.anonymous()).await.refused(401, "token_missing");
        call.by(&shop).await.refused(401, "token_invalid");
        assert_eq!(facts::fingerprint(&app.test.db).await, before, "{}", call.id);
        let members = [(&stranger, &theirs), (&shop, &eva)];
        for (shop, member) in members {
            let reply = call.by(&signed_in(&app, shop, member).await).await;
            // Neither has points, and the strangers' programme no such reward.
            let nothing = ["insufficient_points", "member_unknown", "reward_unknown"].contains(&reply.code());
            assert!(reply.status < 300 || nothing, "{}: {}", call.id, reply.text);
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
    let none =
        "the keys, and a token to set a password, one to refresh, a sign-in, a sign-out of nobody, and a sign-up";
    assert_eq!(answered, [200, 401, 401, 401, 204, 409], "{none}");
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
