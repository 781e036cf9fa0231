//! Members who are signed in: by the shop, for as long as their session goes on, and nobody else by anything else.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use perennial::loyalty::ledger::writer::Pace;
use perennial::platform::auth::session::SESSION_CACHE_S;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::harness::{
    Client, Home, Process, Reply, Serving, TestApp, TestDb, facts, fresh, perennial, said, token_keys,
};

/// A member who is signed in: the id, a client with the access token, and the refresh token.
async fn signed_in(app: &TestApp, shop: &Client, member: &str) -> (Client, String) {
    let tokens = shop.post(&format!("/v1/members/{member}/tokens"), &Value::Null).await;
    assert_eq!((tokens.status, tokens.text_at("/token_type").as_str()), (201, "Bearer"), "{tokens:?}");
    (app.process().client(&tokens.text_at("/access_token")), tokens.text_at("/refresh_token"))
}

async fn refresh(app: &TestApp, token: &str) -> Reply {
    app.anonymous().post("/v1/auth/refresh", &json!({ "refresh_token": token })).await
}

async fn sign_out(app: &TestApp, token: &str) -> Reply {
    app.anonymous().post("/v1/auth/sign-out", &json!({ "refresh_token": token })).await
}

fn order(reference: &str, member: &str) -> Value {
    json!({ "reference": reference, "member": { "id": member }, "currency": "EUR",
        "lines": [{ "id": "1", "amount": "100.00" }] })
}

#[tokio::test]
async fn the_app_reads_what_the_shop_reads_of_the_same_member() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "external_id": "c-17", "email": "ana@example.com" })).await;
    shop.enrol(&json!({ "external_id": "c-18" })).await;
    assert_eq!(shop.post("/v1/orders", &order("1", &ana)).await.status, 201);
    let (me, _) = signed_in(&app, &shop, &ana).await;
    for (mine, theirs) in [
        ("/v1/me", format!("/v1/members/{ana}")),
        ("/v1/me/statement?limit=1", format!("/v1/members/{ana}/statement?limit=1")),
        ("/v1/me/statement?language=nl", format!("/v1/members/{ana}/statement?language=nl")),
    ] {
        let (mine, theirs) = (me.get(mine).await, shop.get(&theirs).await);
        assert_eq!((mine.status, &mine.json), (200, &theirs.json));
    }
    let balances = me.get("/v1/me/balances").await;
    assert_eq!((balances.status, &balances.json["wallets"][0]["spendable"]), (200, &json!(100)));
    assert_eq!(me.get("/v1/me/tier").await.json["tier"], Value::Null);
    assert_eq!(me.get("/v1/me/entitlements").await.json["items"], json!([]));
    me.get("/v1/me/statement?limit=0").await.refused(422, "invalid_parameter");
    let limits = balances.header("ratelimit-policy");
    assert!(limits.is_some_and(|policy| policy.contains("q=")), "{limits:?}");
}

#[tokio::test]
async fn who_was_merged_reads_as_whom_they_go_on() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let (ana, twin) =
        (shop.enrol(&json!({ "external_id": "c-17" })).await, shop.enrol(&json!({ "name": "Ana" })).await);
    let (me, _) = signed_in(&app, &shop, &twin).await;
    let merge = json!({ "source": { "id": twin }, "reason": "one person" });
    assert_eq!(shop.post_keyed(&format!("/v1/members/{ana}/merges"), &fresh("merge"), &merge).await.status, 201);
    assert_eq!(shop.post("/v1/orders", &order("1", &ana)).await.status, 201);
    assert_eq!(me.get("/v1/me").await.text_at("/id"), ana);
    assert_eq!(me.get("/v1/me/balances").await.json["wallets"][0]["spendable"], json!(100));
    assert_eq!(me.get("/v1/me/statement?limit=1").await.json["items"][0]["reference"], json!("order:1"));
    let again = shop.post(&format!("/v1/members/{twin}/tokens"), &Value::Null).await;
    assert_eq!((again.status, again.text_at("/member").as_str()), (201, ana.as_str()));
    // Merged once more: whoever is signed out is so by every id that leads there.
    let last = shop.enrol(&json!({ "name": "Anna" })).await;
    let (between, _) = signed_in(&app, &shop, &ana).await;
    let merge = json!({ "source": { "id": ana }, "reason": "one person" });
    assert_eq!(shop.post_keyed(&format!("/v1/members/{last}/merges"), &fresh("merge"), &merge).await.status, 201);
    assert_eq!(shop.delete(&format!("/v1/members/{twin}/tokens")).await.status, 204);
    for app in [me, between] {
        app.get("/v1/me").await.refused(401, "token_invalid");
    }
}

/// Signs claims as the server does, but for what is to be tried.
struct Forger {
    header: Header,
    claims: Value,
    key: EncodingKey,
}

impl Forger {
    /// Of a good token.
    fn of(token: &str) -> Self {
        let part = |place: usize| BASE64.decode(token.split('.').nth(place).unwrap()).unwrap();
        let kid = serde_json::from_slice::<Value>(&part(0)).unwrap()["kid"].as_str().unwrap().to_owned();
        let files = fs::read_dir(token_keys()).unwrap().map(|file| file.unwrap().path());
        let ours = files.filter(|path| path.to_str().unwrap().ends_with(&format!("{kid}.pem")));
        let text = fs::read(ours.last().unwrap()).unwrap();
        let key = EncodingKey::from_ed_der(pem::parse(text).unwrap().contents());
        let header = Header { kid: Some(kid), ..Header::new(Algorithm::EdDSA) };
        Self { header, claims: serde_json::from_slice(&part(1)).unwrap(), key }
    }

    fn with(&self, changes: &Value) -> String {
        let mut claims = self.claims.clone();
        for (claim, value) in changes.as_object().unwrap() {
            claims[claim] = value.clone();
        }
        encode(&self.header, &claims, &self.key).unwrap()
    }
}

#[tokio::test]
async fn nobody_comes_in_by_a_token_that_is_not_good() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let (ana, eva) = (shop.enrol(&json!({ "external_id": "c-17" })).await, shop.enrol(&json!({ "name": "Eva" })).await);
    let (me, refresh_token) = signed_in(&app, &shop, &ana).await;
    let good = me.key().to_owned();
    let forger = Forger::of(&good);
    let came_in = app.process().client(&forger.with(&json!({}))).get("/v1/me").await;
    assert_eq!(came_in.status, 200, "what the forger signs is good as it is: {came_in:?}");
    let iat = forger.claims["iat"].as_i64().unwrap();
    let signed_by = |header: Header, key: &EncodingKey| encode(&header, &forger.claims, key).unwrap();
    let stranger = Ed25519KeyPair::generate().unwrap();
    let stranger = EncodingKey::from_ed_der(stranger.to_pkcs8().unwrap().as_ref());
    let public = app.anonymous().get("/.well-known/jwks.json").await.text_at("/keys/0/x");
    let public = BASE64.decode(public).unwrap();
    let unsigned = {
        let header = BASE64.encode(json!({ "alg": "none", "typ": "JWT", "kid": forger.header.kid }).to_string());
        format!("{header}.{}.", good.split('.').nth(1).unwrap())
    };
    let other_payload = {
        let parts: Vec<&str> = good.split('.').collect();
        let mut claims = forger.claims.clone();
        claims["sub"] = json!(eva);
        format!("{}.{}.{}", parts[0], BASE64.encode(claims.to_string()), parts[2])
    };
    let kid = |kid: Option<&str>| Header { kid: kid.map(str::to_owned), ..forger.header.clone() };
    let hs = Header { alg: Algorithm::HS256, ..forger.header.clone() };
    for (what, token) in [
        ("no signature", unsigned),
        ("the public key as a shared secret", signed_by(hs, &EncodingKey::from_secret(&public))),
        ("another key under our name", signed_by(forger.header.clone(), &stranger)),
        ("a key that nobody knows", signed_by(kid(Some("0123456789abcdef0123456789abcdef")), &stranger)),
        ("no name of a key", signed_by(kid(None), &forger.key)),
        ("claims of another member", other_payload),
        ("another member of another session", forger.with(&json!({ "sub": eva }))),
        ("a foreign programme", forger.with(&json!({ "program": app.other.program() }))),
        ("a session that there is not", forger.with(&json!({ "sid": eva }))),
        ("another audience", forger.with(&json!({ "aud": "perennial:staff" }))),
        ("another issuer", forger.with(&json!({ "iss": "somebody" }))),
        ("over", forger.with(&json!({ "iat": iat - 1_000, "nbf": iat - 1_000, "exp": iat - 100 }))),
        ("not yet", forger.with(&json!({ "iat": iat + 500, "nbf": iat + 500, "exp": iat + 1_400 }))),
        ("too long", forger.with(&json!({ "exp": iat + 86_400 }))),
        ("a claim that is none", forger.with(&json!({ "exp": "soon" }))),
        ("cut", good[..good.len() - 2].to_owned()),
        ("nothing", String::new()),
        ("a key of a shop", shop.key().to_owned()),
        ("a refresh token", refresh_token),
    ] {
        let reply = app.process().client(&token).get("/v1/me").await;
        assert_eq!((reply.status, reply.code()), (401, "token_invalid"), "{what}: {}", reply.text);
        assert!(reply.header("www-authenticate").unwrap().contains("invalid_token"), "{what}");
    }
    app.anonymous().get("/v1/me").await.refused(401, "token_missing");
    // And no shop by a member's.
    me.get(&format!("/v1/members/{ana}")).await.refused(401, "credential_invalid");
    assert_eq!(me.get("/v1/me").await.status, 200);
}

#[tokio::test]
async fn anybody_can_check_a_token_with_the_public_keys() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "external_id": "c-17" })).await;
    let (me, _) = signed_in(&app, &shop, &ana).await;
    let kid = jsonwebtoken::decode_header(me.key()).unwrap().kid;
    let keys = app.anonymous().get("/.well-known/jwks.json").await;
    let key = keys.json["keys"].as_array().unwrap().iter().find(|key| key["kid"].as_str() == kid.as_deref()).unwrap();
    assert_eq!(
        (&key["kty"], &key["crv"], &key["alg"], &key["use"]),
        (&json!("OKP"), &json!("Ed25519"), &json!("EdDSA"), &json!("sig"))
    );
    assert_eq!(key.get("d"), None, "the private half is nobody's");
    let mut wants = Validation::new(Algorithm::EdDSA);
    wants.set_audience(&["perennial:member"]);
    wants.set_issuer(&["perennial"]);
    let checks = DecodingKey::from_ed_components(key["x"].as_str().unwrap()).unwrap();
    let claims = decode::<Value>(me.key(), &checks, &wants).unwrap().claims;
    assert_eq!(claims["sub"], json!(ana));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 900);
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_used_twice_ends_the_session() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "external_id": "c-17" })).await;
    let (me, first) = signed_in(&app, &shop, &ana).await;
    let (elsewhere, _) = signed_in(&app, &shop, &ana).await;
    let second = refresh(&app, &first).await;
    assert_eq!(second.status, 200, "{second:?}");
    let (access, second) = (second.text_at("/access_token"), second.text_at("/refresh_token"));
    assert_eq!(me.get("/v1/me").await.status, 200, "a token is good until it is over");
    refresh(&app, &first).await.refused(401, "refresh_token_invalid");
    // Whoever has which: both are out.
    refresh(&app, &second).await.refused(401, "refresh_token_invalid");
    me.get("/v1/me").await.refused(401, "token_invalid");
    app.process().client(&access).get("/v1/me").await.refused(401, "token_invalid");
    assert_eq!(elsewhere.get("/v1/me").await.status, 200, "another device goes on");
    let audit = shop.get("/v1/audit?action=session.reused").await;
    assert_eq!(audit.json["items"][0]["principal"], json!(format!("member:{ana}")), "{audit:?}");
    refresh(&app, "").await.refused(422, "invalid_field");
    for bad in ["prs_", "prs_0_0_0", &second.replace("prs_", "prn_"), &"x".repeat(200)] {
        refresh(&app, bad).await.refused(401, "refresh_token_invalid");
    }
}

#[tokio::test]
async fn a_session_ends_by_signing_out_everywhere_or_here_by_the_shop_and_by_itself() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "external_id": "c-17" })).await;
    let (here, token) = signed_in(&app, &shop, &ana).await;
    let (there, _) = signed_in(&app, &shop, &ana).await;
    for token in [token.replace('_', "-"), format!("{}0000", &token[..token.len() - 4])] {
        assert_eq!(sign_out(&app, &token).await.status, 204, "of what is no token of a session nothing is told");
    }
    assert_eq!(here.get("/v1/me").await.status, 200);
    assert_eq!((sign_out(&app, &token).await.status, sign_out(&app, &token).await.status), (204, 204));
    here.get("/v1/me").await.refused(401, "token_invalid");
    refresh(&app, &token).await.refused(401, "refresh_token_invalid");
    assert_eq!(there.get("/v1/me").await.status, 200);
    let (one, two) = (signed_in(&app, &shop, &ana).await.0, signed_in(&app, &shop, &ana).await.0);
    assert_eq!(one.delete("/v1/me/sessions").await.status, 204);
    for who in [&one, &two, &there] {
        who.get("/v1/me").await.refused(401, "token_invalid");
    }
    let (again, _) = signed_in(&app, &shop, &ana).await;
    assert_eq!(shop.delete(&format!("/v1/members/{ana}/tokens")).await.status, 204);
    again.get("/v1/me").await.refused(401, "token_invalid");
    let (_, late) = signed_in(&app, &shop, &ana).await;
    let over = "WITH over AS (UPDATE sessions SET created_at = now() - interval '70 days', \
        refreshed_at = now() - interval '61 days', expires_at = now() - interval '1 day' RETURNING 1) \
        SELECT count(*)::text AS fact FROM over";
    assert_eq!(facts::one(&app.owner().await, over).await, "1");
    refresh(&app, &late).await.refused(401, "refresh_token_invalid");
    assert_eq!(facts::count(&app.test.db, "sessions").await, 0);
}

#[tokio::test]
async fn another_process_notices_the_end_of_a_session_within_seconds() {
    let app = TestApp::new().await;
    let other = Process::start(&app.test, Pace::serving()).await;
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "external_id": "c-17" })).await;
    let (me, _) = signed_in(&app, &shop, &ana).await;
    let there = other.client(me.key());
    assert_eq!(there.get("/v1/me").await.status, 200, "each process knows the keys");
    assert_eq!(me.delete("/v1/me/sessions").await.status, 204);
    sleep(Duration::from_secs(SESSION_CACHE_S + 1)).await;
    there.get("/v1/me").await.refused(401, "token_invalid");
}

#[tokio::test]
async fn a_member_is_signed_in_on_so_many_devices_and_the_quietest_gives_way() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "external_id": "c-17" })).await;
    let (_, first) = signed_in(&app, &shop, &ana).await;
    let (_, second) = signed_in(&app, &shop, &ana).await;
    for _ in 2..20 {
        signed_in(&app, &shop, &ana).await;
    }
    let kept = refresh(&app, &first).await;
    assert_eq!(kept.status, 200, "it is not quiet any more");
    signed_in(&app, &shop, &ana).await;
    refresh(&app, &second).await.refused(401, "refresh_token_invalid");
    assert_eq!(refresh(&app, &kept.text_at("/refresh_token")).await.status, 200);
    assert_eq!(facts::count(&app.test.db, "sessions").await, 20);
}

#[tokio::test]
async fn an_operator_changes_the_keys_and_nobody_is_signed_out() {
    let (test, home) = (TestDb::new().await, Home::new());
    let program = || {
        let mut command = perennial(home.path());
        command.env("DATABASE_URL", test.text());
        command
    };
    let run = |args: &[&str]| {
        let output = program().args(args).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    run(&["program", "create", "acme", "--currency", "EUR", "--timezone", "UTC"]);
    let key = run(&["keys", "create", "--program", "acme", "--scopes", "all"]);
    let serving = Serving::start(program());
    let shop = Client::new(&serving.address, Some(&key));
    let member = shop.enrol(&json!({ "external_id": "c-17" })).await;
    let tokens = shop.post(&format!("/v1/members/{member}/tokens"), &Value::Null).await;
    assert!(run(&["tokens", "rotate"]).starts_with("made "));
    let files = fs::read_dir(home.path().join("token-keys")).unwrap().map(|file| file.unwrap());
    let modes: Vec<u32> = files.map(|file| file.metadata().unwrap().permissions().mode() & 0o777).collect();
    assert_eq!(modes, [0o600, 0o600], "nobody else reads them");
    drop(serving);
    let serving = Serving::start(program());
    let me = Client::new(&serving.address, Some(&tokens.text_at("/access_token")));
    assert_eq!(me.get("/v1/me").await.status, 200, "what the old key signed is good");
    let nobody = Client::new(&serving.address, None);
    assert_eq!(nobody.get("/.well-known/jwks.json").await.json["keys"].as_array().unwrap().len(), 2);
    drop(serving);
    // Without keys the shop goes on.
    let mut command = program();
    command.env("PERENNIAL_TOKEN_KEYS", "/dev/null/keys").env("PERENNIAL_LOG", "off");
    let serving = Serving::start(command);
    let shop = Client::new(&serving.address, Some(&key));
    assert_eq!(shop.get(&format!("/v1/members/{member}/balances")).await.status, 200);
    let refused = shop.post(&format!("/v1/members/{member}/tokens"), &Value::Null).await;
    refused.refused(503, "tokens_not_set_up");
    assert_eq!(refused.header("retry-after"), Some("60"));
    let (status, said) = {
        let output =
            program().env("PERENNIAL_TOKEN_KEYS", "/dev/null/keys").args(["tokens", "rotate"]).output().unwrap();
        (output.status.code(), said(&output))
    };
    assert_eq!((status, said.contains("PERENNIAL_TOKEN_KEYS: /dev/null/keys")), (Some(2), true), "{said}");
}
