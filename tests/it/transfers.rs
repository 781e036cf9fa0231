//! Points that one member gives another, over HTTP and from two processes at once.

use perennial::loyalty::ledger::writer::Pace;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{Client, EURO, Process, TestApp, verify};

fn give(to: &str, points: i64) -> Value {
    json!({ "to": { "id": to }, "wallet": "points", "points": points })
}

async fn spendable(shop: &Client, member: &str) -> i64 {
    shop.get(&format!("/v1/members/{member}/balances")).await.json["wallets"][0]["spendable"].as_i64().unwrap()
}

#[tokio::test]
async fn points_go_over_once_and_keep_their_days() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "external_id": "c-17" })).await;
    let eva = shop.enrol(&json!({ "external_id": "c-18", "email": "eva@example.com" })).await;
    shop.adjust(&ana, 800).await;
    let path = format!("/v1/members/{ana}/transfers");
    let body = json!({ "to": { "email": "eva@example.com" }, "wallet": "points", "points": 300 });
    let given = shop.post_keyed(&path, "t-1", &body).await;
    assert_eq!(
        (given.status, given.text_at("/to"), &given.json["spendable"]),
        (201, eva.clone(), &json!(500)),
        "{given:?}"
    );
    let ends = |who: &Value| who["wallets"][0]["expiring"][0]["expires_on"].clone();
    let (from, to) = (format!("/v1/members/{ana}/balances"), format!("/v1/members/{eva}/balances"));
    let (from, to) = (shop.get(&from).await.json, shop.get(&to).await.json);
    assert_eq!((ends(&from), &to["wallets"][0]["spendable"]), (ends(&to), &json!(300)));
    // The name that was used is gone; the transfer is the same one.
    assert_eq!(shop.patch(&format!("/v1/members/{eva}"), &json!({ "email": null })).await.status, 200);
    let again = shop.post_keyed(&path, "t-1", &body).await;
    assert_eq!((again.status, again.header("idempotency-replayed"), &again.text), (200, Some("true"), &given.text));
    let why = shop.get(&format!("/v1/postings/{}/why", given.text_at("/received_in"))).await;
    assert_eq!(why.status, 200, "{why:?}");
    let statement = shop.get(&format!("/v1/members/{eva}/statement")).await.json;
    assert_eq!(statement["items"][1]["says"], "300 points got from another member");

    // 1,000 a month, of which 300 are given.
    shop.adjust(&ana, 1_000).await;
    let beyond = shop.post_keyed(&path, "t-2", &give(&eva, 701)).await;
    beyond.refused(409, "transfer_limit");
    assert_eq!((beyond.pointer(), &beyond.json["left"]), (Some("/points"), &json!(700)));
    assert_eq!(shop.post_keyed(&path, "t-2", &give(&eva, 700)).await.status, 201);
    shop.post_keyed(&path, "t-3", &give(&eva, 1)).await.refused(409, "transfer_limit");
    verify(&app.test.db).await;
}

/// Twelve members in a ring, each of whom gives the next all the time, from two processes: nobody waits for ever, and
/// what is there at the end is what was there.
#[tokio::test]
async fn a_ring_of_transfers_does_not_deadlock() {
    let open = EURO.replace("max = 1000", "max = 1000000");
    let app = TestApp::with(&open, Pace::serving()).await;
    let near = app.shop().await;
    let other = Process::start(&app.test, Pace::serving()).await;
    let far = other.client(near.key());
    let mut ring = Vec::new();
    for n in 0..12 {
        let member = near.enrol(&json!({ "external_id": format!("c-{n}") })).await;
        near.adjust(&member, 100).await;
        ring.push(member);
    }
    let mut under_way = JoinSet::new();
    for n in 0..240_usize {
        let client = if n % 2 == 0 { near.clone() } else { far.clone() };
        let (from, to) = (ring[n % 12].clone(), ring[(n + 1 + n / 60) % 12].clone());
        under_way.spawn(async move {
            let reply =
                client.post_keyed(&format!("/v1/members/{from}/transfers"), &format!("t-{n}"), &give(&to, 10)).await;
            assert!(reply.status == 201 || reply.code() == "insufficient_points", "{reply:?}");
            u32::from(reply.status == 201)
        });
    }
    let given: u32 = under_way.join_all().await.into_iter().sum();
    assert!(given > 100, "{given} transfers");
    let mut there = 0;
    for member in &ring {
        there += spendable(&near, member).await;
    }
    assert_eq!(there, 1_200);
    verify(&app.test.db).await;
}
