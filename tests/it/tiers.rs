//! Tiers over HTTP: published, reached, shown and taken back.

use chrono::TimeDelta;
use diesel::sql_query;
use diesel_async::RunQueryDsl;
use perennial::kernel::id::Version;
use perennial::loyalty::ledger::reviews::jobs::run_reviews;
use perennial::loyalty::ledger::writer::Pace;
use perennial::loyalty::program::document::Document;
use perennial::loyalty::program::publish::{Publication, PublishError, publish};
use perennial::loyalty::program::store::read_clock;
use serde_json::{Value, json};

use crate::harness::{Client, EURO, Process, TestApp, facts, verify};

/// The usual programme with two tiers of what was spent.
fn with_tiers(silver: &str, gold: &str) -> Document {
    let text = format!(
        "{EURO}\n[tiers]\nwallet = \"status\"\n\
         ladder = [{{ code = \"silver\", from = \"{silver}\" }}, {{ code = \"gold\", from = \"{gold}\" }}]\n"
    );
    Document::from_toml(&text).unwrap()
}

async fn publish_on(app: &TestApp, document: &Document, based_on: i32) {
    let wanted = Publication { document, based_on: Version(based_on), starts: None, note: "a test", draft: None };
    publish(&mut app.test.db.conn().await.unwrap(), &app.program, &wanted).await.unwrap();
}

async fn buy(shop: &Client, member: &str, reference: &str, amount: &str) -> Value {
    let order = json!({ "reference": reference, "member": { "id": member }, "currency": "EUR",
        "lines": [{ "id": "1", "amount": amount }] });
    let reply = shop.post("/v1/orders", &order).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    reply.json
}

async fn tier(shop: &Client, member: &str) -> Value {
    shop.get(&format!("/v1/members/{member}/balances")).await.json["tier"].clone()
}

#[tokio::test]
async fn an_order_reaches_gold_and_its_return_takes_it_back() {
    let app = TestApp::new().await;
    let other = Process::start(&app.test, Pace::serving()).await;
    let shop = app.shop().await;
    let member = shop.enrol(&json!({})).await;
    assert_eq!(buy(&shop, &member, "1", "300.00").await["tier"], Value::Null);
    publish_on(&app, &with_tiers("250.00", "1000.00"), 1).await;
    // Who reads sees the publish, also in another process, and before anybody has touched the member.
    assert_eq!(
        (tier(&shop, &member).await, tier(&other.client(shop.key()), &member).await),
        (json!("silver"), json!("silver"))
    );
    let gold = buy(&shop, &member, "2", "700.00").await;
    assert_eq!((&gold["tier"]["before"], &gold["tier"]["after"]), (&json!("silver"), &json!("gold")));
    assert_eq!(gold["tier"]["was"]["tier"], "silver");
    assert_eq!(tier(&shop, &member).await, "gold");
    let back = shop.post("/v1/orders/2/returns", &json!({ "reference": "r", "all": true })).await;
    assert_eq!((back.status, &back.json["tier"]["after"]), (201, &json!("silver")), "{back:?}");
    assert_eq!(tier(&shop, &member).await, "silver");
    // A raised threshold takes no tier away.
    publish_on(&app, &with_tiers("500.00", "2000.00"), 2).await;
    assert_eq!(tier(&shop, &member).await, "silver");
    assert_eq!(buy(&shop, &member, "3", "1.00").await["tier"]["after"], "silver");
}

#[tokio::test]
async fn a_person_gives_a_tier_and_ends_it_and_what_is_earned_goes_on_beside_it() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let member = shop.enrol(&json!({})).await;
    let (grants, place) = (format!("/v1/members/{member}/tier-grants"), format!("/v1/members/{member}/tier"));
    let gold = json!({ "tier": "gold", "until": "2099-12-31", "reason": "a founder" });
    let stands = shop.get(&place).await;
    assert_eq!((&stands.json["tier"], &stands.json["wallet"]), (&Value::Null, &Value::Null), "there are no tiers");
    shop.post_keyed(&grants, "early", &gold).await.refused(422, "tier_unknown");

    publish_on(&app, &with_tiers("250.00", "1000.00"), 1).await;
    let none = shop.get(&place).await;
    let next = json!({ "tier": "silver", "from": { "amount": "250.00" }, "missing": { "amount": "250.00" } });
    assert_eq!((&none.json["tier"], &none.json["next"]), (&Value::Null, &next), "{}", none.text);
    shop.post_keyed(&grants, "none", &json!({ "tier": null, "reason": "x" })).await.refused(409, "no_grant");
    shop.post_keyed(&grants, "odd", &json!({ "tier": "bronze", "reason": "x" })).await.refused(422, "tier_unknown");
    let over = shop.post_keyed(&grants, "over", &json!({ "tier": "gold", "until": "2020-01-01", "reason": "x" })).await;
    over.refused(422, "invalid_field");
    assert_eq!(over.pointer(), Some("/until"));
    shop.post(&grants, &gold).await.refused(400, "idempotency_key_required");

    let given = shop.post_keyed(&grants, "vip", &gold).await;
    assert_eq!(
        (given.status, &given.json["given"]["tier"], &given.json["tier"]["after"]),
        (201, &json!("gold"), &json!("gold"))
    );
    let again = shop.post_keyed(&grants, "vip", &gold).await;
    assert_eq!((again.status, &again.text), (200, &given.text));
    shop.post_keyed(&grants, "vip", &json!({ "tier": "silver", "reason": "x" }))
        .await
        .refused(409, "idempotency_conflict");
    let order = buy(&shop, &member, "1", "300.00").await;
    assert_eq!((&order["tier"]["before"], &order["tier"]["after"]), (&json!("gold"), &json!("gold")));
    let stands = shop.get(&place).await;
    assert_eq!(
        (&stands.json["tier"], &stands.json["earned"]["tier"], &stands.json["given"]["until"], &stands.json["next"]),
        (&json!("gold"), &json!("silver"), &json!("2099-12-31"), &Value::Null),
        "{}",
        stands.text
    );
    assert_eq!(stands.json["keep"]["missing"], json!({ "amount": "0.00" }), "{}", stands.text);
    let ended = shop.post_keyed(&grants, "end", &json!({ "tier": null, "reason": "no more" })).await;
    assert_eq!(
        (ended.status, &ended.json["tier"]["after"], &ended.json["given"]),
        (201, &json!("silver"), &Value::Null)
    );
    assert_eq!(shop.get(&place).await.json["next"]["missing"], json!({ "amount": "700.00" }));

    let told = shop.get(&format!("/v1/members/{member}/statement?language=de")).await;
    assert_eq!(
        (&told.json["items"][0]["kind"], &told.json["items"][0]["says"]),
        (&json!("grant_tier"), &json!("Status von uns verliehen"))
    );
    let why = shop.get(&format!("/v1/postings/{}/why", given.text_at("/posting"))).await;
    assert_eq!(why.json["texts"], json!({ "reason": "a founder" }));
    let audit = shop.get("/v1/audit").await;
    assert_eq!(audit.json["items"][0]["action"], json!("membership.tier_granted"), "{}", audit.text);
    assert!(!audit.text.contains("founder"), "reasons are personal");
    shop.post_keyed(&format!("/v1/members/{member}/suspensions"), "s", &json!({ "reason": "x" })).await;
    shop.post_keyed(&grants, "late", &gold).await.refused(409, "member_suspended");
    verify(&app.owner().await).await;
}

#[tokio::test]
async fn a_quote_says_what_is_missing_to_the_next_tier() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    publish_on(&app, &with_tiers("250.00", "1000.00"), 1).await;
    let member = shop.enrol(&json!({})).await;
    let cart = |amount: &str| json!({ "reference": "q", "member": { "id": member }, "currency": "EUR", "lines": [{ "id": "1", "amount": amount }] });
    let quote = shop.post("/v1/checkout/quotes", &cart("122.19")).await;
    let next = json!({ "tier": "silver", "from": { "amount": "250.00" }, "missing": { "amount": "127.81" } });
    assert_eq!(quote.json["next_tier"], next, "{}", quote.text);
    let quote = shop.post("/v1/checkout/quotes", &cart("1000.00")).await;
    assert_eq!(
        (&quote.json["tier"]["after"], &quote.json["next_tier"]),
        (&json!("gold"), &Value::Null),
        "{}",
        quote.text
    );
    assert_eq!(buy(&shop, &member, "1", "122.19").await["next_tier"], Value::Null, "an order does not ask");
}

#[tokio::test]
async fn a_member_is_told_of_each_perk_whether_it_is_theirs() {
    let perks = "[tiers]\nwallet = \"status\"\n\
        ladder = [{ code = \"gold\", from = \"100.00\", perks = [\"lounge\"] }]\n\
        [perks.lounge]\ntext.en = { title = \"The lounge\", says = \"From gold on\" }\ntext.nl.title = \"De lounge\"\n\
        [perks.early]\naudience = { when = 'member.order_count >= 1' }\n\
        [perks.summer]\naudience = { tiers = [\"none\"] }\nschedule = { until = \"2026-01-01T00:00\" }\n";
    let app = TestApp::with(&format!("{EURO}\n{perks}"), Pace::serving()).await;
    let shop = app.shop().await;
    let member = shop.enrol(&json!({ "locale": "nl-NL" })).await;
    let path = format!("/v1/members/{member}/entitlements");
    let nothing = shop.get(&format!("{path}?language=en")).await;
    let lounge = json!({ "perk": "lounge", "entitled": false, "reason": "wrong_tier", "title": "The lounge", "says": "From gold on" });
    let early = json!({ "perk": "early", "entitled": false, "reason": "condition_false" });
    let summer = json!({ "perk": "summer", "entitled": false, "reason": "not_scheduled" });
    assert_eq!((nothing.status, &nothing.json["items"]), (200, &json!([lounge, early, summer])), "{nothing:?}");
    buy(&shop, &member, "1", "150.00").await;
    let gold = shop.get(&path).await.json;
    let lounge = json!({ "perk": "lounge", "entitled": true, "through": "tier:gold", "title": "De lounge" });
    let early = json!({ "perk": "early", "entitled": true, "through": "audience" });
    assert_eq!((&gold["tier"], &gold["items"]), (&json!("gold"), &json!([lounge, early, summer])));
    let why = shop.get("/v1/orders/1").await.text_at("/posting");
    let why = shop.get(&format!("/v1/postings/{why}/why?language=en")).await;
    assert_eq!(why.json["rules"][0]["says"], "base: 150 points", "{why:?}");
    assert_eq!(why.json["rules"][0]["exact"], "150.0000");
}

#[tokio::test]
async fn a_tier_that_goes_says_where_its_members_go() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let member = shop.enrol(&json!({})).await;
    publish_on(&app, &with_tiers("250.00", "1000.00"), 1).await;
    buy(&shop, &member, "1", "1000.00").await;
    assert_eq!(tier(&shop, &member).await, "gold");
    let ladder = |rest: &str| {
        let ladder = "[tiers]\nwallet = \"status\"\nladder = [{ code = \"linen\", from = \"5000.00\" }]\n";
        Document::from_toml(&format!("{EURO}\n{ladder}{rest}")).unwrap()
    };
    let publish_now = async |document: &Document| {
        let wanted = Publication { document, based_on: Version(2), starts: None, note: "a test", draft: None };
        publish(&mut app.test.db.conn().await.unwrap(), &app.program, &wanted).await
    };
    let refused = publish_now(&ladder("[mapping.tiers]\nsilver = \"none\"\n")).await;
    let Err(PublishError::Mistakes(mistakes)) = refused else { panic!("{refused:?}") };
    assert!(mistakes[0].to_string().starts_with("/mapping/tiers/gold: is no tier any more"), "{mistakes:?}");
    publish_now(&ladder("[mapping.tiers]\nsilver = \"none\"\ngold = \"linen\"\n")).await.unwrap();
    assert_eq!(tier(&shop, &member).await, "linen");
    buy(&shop, &member, "2", "1.00").await;
    verify(&app.test.db).await;
}

/// What is written down of tiers, read from the rows.
async fn written(app: &TestApp) -> String {
    let tiers = "SELECT coalesce(string_agg(format('%s', n), ' ' ORDER BY n), '') AS fact FROM (\
        SELECT count(*) AS n FROM member_tiers WHERE kind = 0 GROUP BY tier) AS t";
    facts::one(&app.test.db, tiers).await
}

#[tokio::test]
async fn members_whom_nobody_touches_are_reviewed_once_after_a_publish_that_changes_tiers() {
    let app = TestApp::new().await;
    let other = Process::start(&app.test, Pace::serving()).await;
    let shop = app.shop().await;
    for n in 0..30 {
        let member = shop.enrol(&json!({})).await;
        buy(&shop, &member, &n.to_string(), if n % 3 == 0 { "300.00" } else { "20.00" }).await;
    }
    let review = async || {
        let (near, far) = (&app.process().ledger, &other.ledger);
        let (one, two) = tokio::join!(run_reviews(&app.test.db, near, 2), run_reviews(&app.test.db, far, 2));
        let rest = run_reviews(&app.test.db, near, 2).await.unwrap();
        (one.unwrap() + two.unwrap(), rest)
    };
    assert_eq!(review().await, (0, 0), "there is one version");
    publish_on(&app, &with_tiers("250.00", "1000.00"), 1).await;
    assert_eq!(written(&app).await, "");
    let (near, rest) = review().await;
    assert_eq!((near + rest, written(&app).await), (10, "10".into()));
    let postings = "SELECT count(*)::text AS fact FROM postings WHERE kind = 5";
    assert_eq!((review().await, facts::one(&app.test.db, postings).await), ((0, 0), "10".into()));
    // A version that is about something else moves on without a look at anybody, one that starts later waits.
    let mut titled = with_tiers("250.00", "1000.00");
    titled.earning[0].campaign = Some("spring".into());
    publish_on(&app, &titled, 2).await;
    assert_eq!(review().await, (0, 0));
    let reviewed = "SELECT format('%s %s', min(version), count(reviewed_to)) AS fact FROM reviews";
    assert_eq!(facts::one(&app.test.db, reviewed).await, "3 0");
    let tomorrow = Some(read_clock(&app.test.db.conn().await.unwrap()).await.unwrap() + TimeDelta::days(1));
    let cheap = with_tiers("10.00", "100.00");
    let wanted = Publication { document: &cheap, based_on: Version(3), starts: tomorrow, note: "a test", draft: None };
    publish(&mut app.test.db.conn().await.unwrap(), &app.program, &wanted).await.unwrap();
    assert_eq!((review().await, facts::one(&app.test.db, reviewed).await), ((0, 0), "3 0".into()));
    // What is published meanwhile is in force at once, and everybody is somebody now; also where a run for an earlier version
    // stopped right before its end.
    let stopped = "UPDATE reviews SET version = 1, reviewed_to = 'ffffffff-ffff-ffff-ffff-ffffffffffff'";
    sql_query(stopped).execute(&mut app.test.db.conn().await.unwrap()).await.unwrap();
    publish_on(&app, &cheap, 4).await;
    let (near, rest) = review().await;
    assert_eq!((near + rest, written(&app).await), (30, "10 20".into()));
    assert_eq!(facts::one(&app.test.db, reviewed).await, "5 0");
    verify(&app.test.db).await;
}
