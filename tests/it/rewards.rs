//! Rewards over HTTP: what a member can have, redeems, uses, and gets back; and the last ones, whoever comes at once.

use perennial::loyalty::ledger::writer::Pace;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{Client, EURO, Process, Reply, TestApp, facts, fresh, verify};

const REWARDS: &str = "
[rewards.five_off]
cost = { points = 500 }
gives = { voucher = { amount = \"5.00\" }, valid = \"P90D\" }
limits = { per_member = { uses = 2, each = \"P1Y\" } }
text.en = { title = \"5 euro off\" }
text.nl = { title = \"5 euro korting\", says = \"Spaar nog even door\" }

[rewards.mug]
cost = { points = 10 }
gives = { product = \"mug-1\" }
limits = { stock = 10 }
";

async fn app() -> TestApp {
    TestApp::with(&format!("{EURO}\n{REWARDS}"), Pace::serving()).await
}

async fn redeem(shop: &Client, member: &str, key: &str, reward: &str) -> Reply {
    shop.post_keyed(&format!("/v1/members/{member}/redemptions"), key, &json!({ "reward": reward })).await
}

#[tokio::test]
async fn a_member_redeems_by_app_and_the_shop_takes_the_voucher_once() {
    let app = app().await;
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "external_id": "c-17", "locale": "nl" })).await;
    let tokens = shop.post(&format!("/v1/members/{ana}/tokens"), &Value::Null).await;
    let me = app.process().client(&tokens.text_at("/access_token"));
    let rewards = me.get("/v1/me/rewards").await;
    let first = &rewards.json["items"][0];
    assert_eq!((first["title"].clone(), first["missing"].clone()), (json!("5 euro korting"), json!(500)));
    assert_eq!((first["available"].clone(), first["reason"].clone()), (json!(false), json!("insufficient_points")));
    assert_eq!(first["says"], json!("Spaar nog even door"));
    assert_eq!(first["gives"], json!({ "kind": "amount_voucher", "amount": "5.00" }));
    let short = me.post_keyed("/v1/me/redemptions", "a", &json!({ "reward": "five_off" })).await;
    short.refused(409, "insufficient_points");
    assert_eq!((&short.json["missing"], &short.json["asked"]), (&json!(500), &json!(500)));
    shop.adjust(&ana, 1_200).await;
    me.post_keyed("/v1/me/redemptions", "a", &json!({ "reward": "sauna" })).await.refused(422, "reward_unknown");
    let redeemed = me.post_keyed("/v1/me/redemptions", "a", &json!({ "reward": "five_off" })).await;
    assert_eq!((redeemed.status, &redeemed.json["spendable"]), (201, &json!(700)));
    let again = me.post_keyed("/v1/me/redemptions", "a", &json!({ "reward": "five_off" })).await;
    assert_eq!((again.status, &again.text), (200, &redeemed.text));
    let other = me.post_keyed("/v1/me/redemptions", "a", &json!({ "reward": "mug" })).await;
    other.refused(409, "idempotency_conflict");

    // In capitals or not, with blanks or dashes.
    let code = redeemed.text_at("/voucher");
    let entered = code.to_lowercase().replace('-', "%20");
    let found = shop.get(&format!("/v1/vouchers/{entered}")).await;
    assert_eq!((found.text_at("/status"), found.text_at("/voucher")), ("issued".into(), code.clone()));
    assert_eq!(found.json["title"], json!("5 euro off"));
    let path = format!("/v1/vouchers/{code}/uses");
    let used = shop.post(&path, &json!({ "used_for": "1001" })).await;
    assert_eq!(used.status, 201, "{used:?}");
    assert_eq!(shop.post(&path, &json!({ "used_for": "1001" })).await.text, used.text);
    let twice = shop.post(&path, &json!({ "used_for": "1002" })).await;
    twice.refused(409, "voucher_used");
    assert_eq!(twice.json["used_for"], json!("1001"));
    shop.post(&format!("/v1/vouchers/{code}/cancellations"), &Value::Null).await.refused(409, "voucher_used");
    shop.post(&path, &json!({ "used_for": "no/such" })).await.refused(422, "invalid_field");

    // The order came back: the voucher can be used again, or given back with its points.
    let taken_back = shop.delete(&format!("{path}/1001")).await;
    assert_eq!(taken_back.status, 200, "{taken_back:?}");
    assert_eq!(shop.delete(&format!("{path}/1001")).await.header("idempotency-replayed"), Some("true"));
    shop.delete(&format!("{path}/1002")).await.refused(409, "voucher_not_used");
    let cancelled = shop.post(&format!("/v1/vouchers/{code}/cancellations"), &Value::Null).await;
    assert_eq!((cancelled.status, &cancelled.json["spendable"]), (201, &json!(1_200)));
    shop.post(&path, &json!({ "used_for": "1003" })).await.refused(409, "voucher_cancelled");
    let mine = me.get("/v1/me/vouchers").await;
    assert_eq!(mine.json["items"][0]["status"], json!("cancelled"));
    verify(&app.test.db).await;
}

#[tokio::test]
async fn a_code_with_a_slip_of_somebody_else_or_of_nobody_is_not_found() {
    let app = app().await;
    let (shop, stranger) = (app.shop().await, app.stranger().await);
    let ana = shop.enrol(&json!({})).await;
    shop.adjust(&ana, 500).await;
    let code = redeem(&shop, &ana, "a", "five_off").await.text_at("/voucher");
    stranger.get(&format!("/v1/vouchers/{code}")).await.refused(404, "voucher_unknown");
    let (head, last) = code.split_at(code.len() - 1);
    let slip = if last == "7" { "8" } else { "7" };
    let misspelt = shop.get(&format!("/v1/vouchers/{head}{slip}")).await;
    misspelt.refused(404, "voucher_unknown");
    assert_eq!(misspelt.json["detail"], json!("the code is misspelt"));
    for nobody in ["SUMMER", "%25%25", "-"] {
        shop.get(&format!("/v1/vouchers/{nobody}")).await.refused(404, "voucher_unknown");
    }
}

#[tokio::test]
async fn vouchers_are_listed_newest_first_with_those_of_who_was_merged() {
    let app = app().await;
    let shop = app.shop().await;
    let (ana, twin) = (shop.enrol(&json!({})).await, shop.enrol(&json!({})).await);
    assert_eq!(
        shop.get(&format!("/v1/members/{ana}/vouchers")).await.json,
        json!({ "items": [], "next_cursor": null })
    );
    for member in [&ana, &twin] {
        shop.adjust(member, 2_000).await;
        for n in 0..3 {
            assert_eq!(redeem(&shop, member, &fresh(&format!("r{n}")), "mug").await.status, 201);
        }
    }
    let merge = json!({ "source": { "id": twin }, "reason": "one person" });
    assert_eq!(shop.post_keyed(&format!("/v1/members/{ana}/merges"), &fresh("merge"), &merge).await.status, 201);
    let (mut seen, mut path) = (Vec::new(), format!("/v1/members/{twin}/vouchers?limit=4"));
    loop {
        let page = shop.get(&path).await;
        assert_eq!(page.status, 200, "{page:?}");
        seen.extend(page.json["items"].as_array().unwrap().iter().map(|item| item["voucher"].to_string()));
        let Some(cursor) = page.json["next_cursor"].as_str() else { break };
        path = format!("/v1/members/{ana}/vouchers?limit=4&cursor={cursor}");
    }
    assert_eq!(seen.len(), 6);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 6, "each once");
    let code = seen[0].trim_matches('"').to_owned();
    assert_eq!(shop.post(&format!("/v1/vouchers/{code}/uses"), &json!({ "used_for": "1" })).await.status, 201);
    let all = shop.get(&format!("/v1/members/{ana}/vouchers")).await;
    let used = all.json["items"].as_array().unwrap().iter().filter(|item| item["status"] == "used").count();
    assert_eq!(used, 1);
    verify(&app.test.db).await;
}

/// product.md: stock that is given out twice.
#[tokio::test]
async fn sixty_four_who_want_the_last_ten_get_exactly_ten_over_two_processes() {
    let app = app().await;
    let other = Process::start(&app.test, Pace::serving()).await;
    let shop = app.shop().await;
    let far = other.client(shop.key());
    let mut clients = JoinSet::new();
    for n in 0..64 {
        let client = if n % 2 == 0 { shop.clone() } else { far.clone() };
        clients.spawn(async move {
            let member = client.enrol(&json!({})).await;
            client.adjust(&member, 20).await;
            let reply = redeem(&client, &member, &format!("r-{n}"), "mug").await;
            // Whoever asks again hears the same.
            let again = redeem(&client, &member, &format!("r-{n}"), "mug").await;
            assert_eq!(again.status, if reply.status == 201 { 200 } else { 409 }, "{again:?}");
            reply
        });
    }
    let replies: Vec<Reply> = clients.join_all().await;
    let (given, refused): (Vec<&Reply>, Vec<&Reply>) = replies.iter().partition(|reply| reply.status == 201);
    assert_eq!(given.len(), 10);
    refused.iter().for_each(|reply| reply.refused(409, "out_of_stock"));
    let spent = "SELECT sum(points)::text AS fact FROM (SELECT (document::json ->> 'points')::bigint AS points FROM postings \
                 WHERE kind = 19) AS p";
    assert_eq!(facts::one(&app.test.db, spent).await, "100", "points and stock agree");
    verify(&app.test.db).await;
}
