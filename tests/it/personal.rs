//! What is known of a person: changed by the member, handed out whole, and forgotten everywhere.

use perennial::loyalty::ledger::writer::Pace;
use perennial::platform::auth::login::KnockRules;
use perennial::platform::web::rate::RateSettings;
use serde_json::{Value, json};

use crate::harness::{Client, EURO, Process, Reply, TestApp, facts, fresh, verify};

const PASSWORD: &str = "open sesame";

/// Whatever is personal here has this in it.
const MARK: &str = "zebra";

async fn app() -> TestApp {
    let open = EURO.replace("timezone = \"Europe/Amsterdam\"", "timezone = \"Europe/Amsterdam\", sign_up = true");
    let attributes =
        "[attributes.member]\nnewsletter = { kind = \"flag\", by_member = true }\nvip = { kind = \"flag\" }\n";
    TestApp::with(&format!("{open}\n{attributes}"), Pace::serving()).await
}

async fn code(app: &TestApp) -> String {
    let code = format!("SELECT code AS fact FROM programs WHERE program_id = '{}'", app.program.program());
    facts::one(&app.test.db, &code).await
}

async fn sign_up(app: &TestApp, email: &str) -> Reply {
    let body =
        json!({ "program": code(app).await, "email": email, "password": PASSWORD, "name": "Ana", "locale": "nl" });
    app.anonymous().post("/v1/auth/sign-up", &body).await
}

async fn signed_in(app: &TestApp, shop: &Client, member: &str) -> Client {
    let tokens = shop.post(&format!("/v1/members/{member}/tokens"), &Value::Null).await;
    app.process().client(&tokens.text_at("/access_token"))
}

#[tokio::test]
async fn somebody_signs_up_once_and_takes_over_nobody() {
    let app = app().await;
    let shop = app.shop().await;
    shop.enrol(&json!({ "email": "eva@example.com" })).await;
    sign_up(&app, "EVA@example.com").await.refused(409, "identity_taken");
    let tokens = sign_up(&app, "ana@example.com").await;
    assert_eq!(tokens.status, 201, "{tokens:?}");
    let me = app.process().client(&tokens.text_at("/access_token"));
    let profile = me.get("/v1/me").await;
    assert_eq!((profile.text_at("/email"), profile.text_at("/locale")), ("ana@example.com".into(), "nl".into()));
    sign_up(&app, "ana@example.com").await.refused(409, "identity_taken");
    let body = json!({ "program": code(&app).await, "email": "ana@example.com", "password": PASSWORD });
    assert_eq!(app.anonymous().post("/v1/auth/sign-in", &body).await.status, 200);
    sign_up(&app, "no e-mail").await.refused(422, "invalid_field");
    // Nobody where the programme does not say so, or is not there.
    for program in ["other", "nowhere"] {
        let body = json!({ "program": program, "email": "x@example.com", "password": PASSWORD });
        app.anonymous().post("/v1/auth/sign-up", &body).await.refused(409, "sign_up_closed");
    }
    verify(&app.test.db).await;
}

#[tokio::test]
async fn an_address_that_tries_too_often_waits_and_others_do_not() {
    let app = app().await;
    let knocks = KnockRules { rate: RateSettings { per_second: 1, burst: 3 }, proxies: 1 };
    let process = Process::start_with(&app.test.url, Pace::serving(), knocks).await;
    let body = json!({ "program": "nowhere", "email": "x@example.com", "password": PASSWORD });
    let client = process.anonymous();
    let attempt = async |from: &str| {
        let request = client.request(reqwest::Method::POST, "/v1/auth/sign-in").header("X-Forwarded-For", from);
        Reply::of(request.json(&body)).await
    };
    for _ in 0..3 {
        attempt("6.6.6.6, 1.1.1.1").await.refused(401, "sign_in_failed");
    }
    // Whatever it says of those before it.
    let refused = attempt("7.7.7.7, 1.1.1.1").await;
    refused.refused(429, "rate_limited");
    assert!(refused.header("retry-after").is_some() && refused.header("ratelimit-policy").is_some());
    attempt("6.6.6.6, 1.1.1.2").await.refused(401, "sign_in_failed");
}

#[tokio::test]
async fn members_say_of_themselves_what_the_programme_lets_them() {
    let app = app().await;
    let shop = app.shop().await;
    let (ana, eva) = (shop.enrol(&json!({ "name": "Ana" })).await, shop.enrol(&json!({ "external_id": "c-18" })).await);
    let me = signed_in(&app, &shop, &ana).await;
    let changed = me.patch("/v1/me", &json!({ "name": "Anna", "attributes": { "newsletter": true } })).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!((changed.text_at("/name"), &changed.json["attributes"]["newsletter"]), ("Anna".into(), &json!(true)));
    let vip = me.patch("/v1/me", &json!({ "attributes": { "vip": true } })).await;
    vip.refused(422, "invalid_field");
    assert_eq!(vip.text_at("/pointer"), "/attributes/vip");
    me.patch("/v1/me", &json!({ "email": "else@example.com" })).await.refused(422, "unknown_field");
    me.patch("/v1/me", &json!({ "attributes": { "newsletter": "yes" } })).await.refused(422, "invalid_field");
    assert_eq!(me.patch("/v1/me", &json!({ "locale": null })).await.json["locale"], Value::Null);
    // And give points to others.
    shop.adjust(&ana, 100).await;
    let gift = json!({ "to": { "external_id": "c-18" }, "wallet": "points", "points": 30 });
    let given = me.post_keyed("/v1/me/transfers", "t", &gift).await;
    assert_eq!((given.status, &given.json["spendable"]), (201, &json!(70)));
    assert_eq!(me.post_keyed("/v1/me/transfers", "t", &gift).await.text, given.text);
    assert_eq!(shop.spendable(&eva).await, 30);
    let much = json!({ "to": { "external_id": "c-18" }, "wallet": "points", "points": 71 });
    me.post_keyed("/v1/me/transfers", "u", &much).await.refused(409, "insufficient_points");
    verify(&app.test.db).await;
}

/// Somebody with a past full of personal data, in two accounts that became one; the members, who goes on first.
async fn somebody(app: &TestApp, shop: &Client) -> (String, String) {
    let mark = |what: &str| format!("{MARK}-{what}");
    let ana = shop
        .enrol(
            &json!({ "external_id": mark("1"), "email": "zebra@example.com", "phone": "+31612345678", "card": mark("2"),
            "name": mark("3"), "birthday": "1990-02-28", "attributes": { "newsletter": true } }),
        )
        .await;
    let twin = shop.enrol(&json!({ "external_id": mark("4"), "name": mark("5") })).await;
    for (n, member) in [&ana, &twin].into_iter().enumerate() {
        let order = json!({ "reference": format!("order-{n}"), "member": { "id": member }, "currency": "EUR",
            "channel": mark("6"), "store": mark("7"), "attributes": { "note": mark("8") },
            "lines": [{ "id": "1", "sku": mark("9"), "amount": "100.00" }] });
        let settled = shop.post("/v1/orders", &order).await;
        assert_eq!(settled.status, 201, "{settled:?}");
    }
    let merge = json!({ "source": { "id": twin }, "reason": mark("reason") });
    assert_eq!(shop.post_keyed(&format!("/v1/members/{ana}/merges"), &fresh("merge"), &merge).await.status, 201);
    let adjust = json!({ "wallet": "points", "points": 5, "reason": mark("reason") });
    let path = format!("/v1/members/{ana}/adjustments");
    assert_eq!(shop.post_keyed(&path, &fresh("adjust"), &adjust).await.status, 201);
    let offered = shop.post(&format!("/v1/members/{ana}/password-resets"), &Value::Null).await;
    let body = json!({ "reset_token": offered.text_at("/reset_token"), "password": PASSWORD });
    assert_eq!(app.anonymous().post("/v1/auth/password", &body).await.status, 200);
    (ana, twin)
}

#[tokio::test]
async fn all_that_is_stored_is_handed_out() {
    let app = app().await;
    let shop = app.shop().await;
    let (ana, twin) = somebody(&app, &shop).await;
    // More than is read at a time.
    for _ in 0..210 {
        shop.adjust(&ana, 1).await;
    }
    let me = signed_in(&app, &shop, &ana).await;
    let (mine, theirs) = (me.get("/v1/me/export").await, shop.get(&format!("/v1/members/{twin}/export")).await);
    assert_eq!((mine.status, theirs.status), (200, 200));
    assert_eq!(mine.json["postings"], theirs.json["postings"]);
    let (all, postings) = (&mine.json, mine.json["postings"].as_array().unwrap());
    assert_eq!((all["member"]["id"].as_str(), &all["merged"]), (Some(ana.as_str()), &json!([twin])));
    assert_eq!(all["wallets"][0]["spendable"], json!(415));
    let count = |kind: &str| postings.iter().filter(|posting| posting["kind"] == kind).count();
    assert_eq!(["enrol", "order", "adjust", "merge_out", "merge_in"].map(count), [2, 2, 211, 1, 1]);
    for n in ["1", "2", "3", "6", "7", "8", "9", "reason"] {
        assert!(mine.text.contains(&format!("{MARK}-{n}")), "{n}: {}", &mine.text[..500]);
    }
    assert!(mine.header("content-disposition").unwrap().starts_with("attachment"));
}

#[tokio::test]
async fn who_is_forgotten_is_nowhere_any_more_and_the_ledger_is_sound() {
    let app = app().await;
    let shop = app.shop().await;
    let (ana, twin) = somebody(&app, &shop).await;
    let eva = shop.enrol(&json!({ "external_id": "c-18", "name": "Eva" })).await;
    let me = signed_in(&app, &shop, &ana).await;
    let erased = shop.delete(&format!("/v1/members/{twin}")).await;
    assert_eq!(erased.status, 200, "{erased:?}");
    assert_eq!(erased.json["members"].as_array().unwrap().len(), 2);
    // Asked for again there is nothing left to do.
    assert_eq!(shop.delete(&format!("/v1/members/{ana}")).await.json, erased.json);
    let owner = app.owner().await;
    for table in ["members", "directory", "postings", "audit_log", "logins", "sessions", "webhook_deliveries"] {
        let marks = format!(
            "SELECT count(*)::text AS fact FROM {table} AS t WHERE t::text ~ '{MARK}|\\+31612345678|1990-02-28'"
        );
        assert_eq!(facts::one(&owner, &marks).await, "0", "{table}");
    }
    assert_eq!((facts::count(&app.test.db, "logins").await, facts::count(&app.test.db, "sessions").await), (0, 0));
    me.get("/v1/me").await.refused(401, "token_invalid");
    let profile = shop.get(&format!("/v1/members/{ana}")).await;
    assert_eq!((&profile.json["name"], profile.text_at("/status")), (&Value::Null, "suspended".into()));
    // The points are nobody's: they are not spent, and not lost from the sums.
    assert_eq!(shop.spendable(&ana).await, 205);
    let order = json!({ "reference": "late", "member": { "id": ana }, "currency": "EUR", "points": { "spend": 1 },
        "lines": [{ "id": "1", "amount": "10.00" }] });
    shop.post("/v1/orders", &order).await.refused(409, "member_suspended");
    // By what the member was known somebody else can be.
    let next = shop.enrol(&json!({ "external_id": format!("{MARK}-1"), "email": "zebra@example.com" })).await;
    assert_ne!(next, ana);
    assert_eq!(shop.get(&format!("/v1/members/{eva}")).await.text_at("/name"), "Eva");
    verify(&app.test.db).await;
    // And a member does so by app.
    let me = signed_in(&app, &shop, &next).await;
    assert_eq!(me.delete("/v1/me").await.status, 200);
    me.get("/v1/me").await.refused(401, "token_invalid");
    verify(&app.test.db).await;
}
