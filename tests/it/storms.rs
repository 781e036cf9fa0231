//! Many callers at once, several processes, and a database that is slow: nothing is done twice, nothing is lost.

use std::collections::BTreeSet;
use std::time::Duration;

use diesel_async::SimpleAsyncConnection;
use perennial::kernel::id::MemberId;
use perennial::loyalty::ledger::writer::Pace;
use perennial::platform::auth::KEY_CACHE_S;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep as wait};

use crate::harness::{Client, LANES, Process, Reply, TestApp, facts, fresh, verify};

fn order(reference: &str, member: &str, spend: i64) -> Value {
    json!({ "reference": reference, "member": { "id": member }, "currency": "EUR", "points": { "spend": spend },
        "lines": [{ "id": "1", "amount": "100.00" }] })
}

/// Sends all of them at once.
async fn at_once(calls: impl IntoIterator<Item = (Client, Value)>) -> Vec<Reply> {
    let mut under_way = JoinSet::new();
    for (client, body) in calls {
        under_way.spawn(async move { client.post("/v1/orders", &body).await });
    }
    under_way.join_all().await
}

fn statuses(replies: &[Reply], status: u16) -> usize {
    replies.iter().filter(|reply| reply.status == status).count()
}

#[tokio::test]
async fn an_order_that_comes_twenty_times_at_once_is_settled_once() {
    let app = TestApp::new().await;
    let (one, two) = (app.shop().await, app.shop().await);
    let ana = one.enrol(&json!({ "external_id": "c-17" })).await;
    one.adjust(&ana, 100).await;
    let calls = (0..20).map(|n| (if n % 2 == 0 { one.clone() } else { two.clone() }, order("1", &ana, 100)));
    let replies = at_once(calls).await;
    assert_eq!((statuses(&replies, 201), statuses(&replies, 200)), (1, 19));
    let first = replies.iter().find(|reply| reply.status == 201).unwrap();
    for reply in replies.iter().filter(|reply| reply.status == 200) {
        assert_eq!((&reply.text, reply.header("idempotency-replayed")), (&first.text, Some("true")));
    }
    assert_eq!((one.spendable(&ana).await, facts::count(&app.test.db, "postings WHERE kind = 2").await), (99, 1));
}

#[tokio::test]
async fn a_guests_order_that_comes_twenty_times_at_once_makes_one_guest() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let guest = json!({ "reference": "1", "currency": "EUR", "lines": [{ "id": "1", "amount": "5.00" }] });
    let replies = at_once((0..20).map(|_| (shop.clone(), guest.clone()))).await;
    assert_eq!((statuses(&replies, 201), statuses(&replies, 200)), (1, 19), "{replies:?}");
    assert_eq!(facts::count(&app.test.db, "accounts").await, 1);
}

/// 64 clients of two processes want 100 points each, as payment, as hold, as gift and as correction, of every lane's
/// member at once: ten get them, whoever they are.
#[tokio::test]
async fn many_who_spend_at_once_spend_what_is_there_and_no_more() {
    let app = TestApp::new().await;
    let other = Process::start(&app.test, Pace::serving()).await;
    let shop = app.shop().await;
    let far = other.client(shop.key());
    let friend = shop.enrol(&json!({ "external_id": "friend" })).await;
    let (mut spenders, mut lanes) = (Vec::new(), BTreeSet::new());
    while lanes.len() < usize::try_from(LANES.0).unwrap() {
        let member = shop.enrol(&json!({})).await;
        if lanes.insert(MemberId(member.parse().unwrap()).lane(LANES)) {
            shop.adjust(&member, 1_050).await;
            spenders.push(member);
        }
    }
    let mut under_way = JoinSet::new();
    for n in 0..64 {
        for (lane, member) in spenders.iter().enumerate() {
            let client = if n % 2 == 0 { shop.clone() } else { far.clone() };
            let (member, friend, name) = (member.clone(), friend.clone(), format!("{lane}-{n}"));
            under_way.spawn(async move { (lane, spend(&client, &member, &friend, &name, n % 4).await) });
        }
    }
    let mut spent = vec![0; spenders.len()];
    for (lane, done) in under_way.join_all().await {
        spent[lane] += u32::from(done);
    }
    assert_eq!(spent, vec![10; spenders.len()]);
    for member in &spenders {
        assert_eq!((shop.spendable(member).await, far.spendable(member).await), (50, 50));
    }
    verify(&app.test.db).await;
}

/// Wants 100 points of a member in one of four ways; whether it got them.
async fn spend(client: &Client, member: &str, friend: &str, name: &str, way: usize) -> bool {
    let path = |what: &str| format!("/v1/members/{member}/{what}");
    let reply = match way {
        0 => {
            // Nothing is earned on nothing paid in money: 100 points are worth 1.00 of a line of 1.00.
            let mut order = order(name, member, 100);
            order["lines"][0]["amount"] = json!("1.00");
            client.post("/v1/orders", &order).await
        }
        1 => {
            let hold = json!({ "reference": name, "member": { "id": member }, "points": { "spend": 100 } });
            client.post("/v1/checkout/holds", &hold).await
        }
        2 => {
            let gift = json!({ "to": { "id": friend }, "wallet": "points", "points": 100 });
            client.post_keyed(&path("transfers"), name, &gift).await
        }
        _ => {
            let correction = json!({ "wallet": "points", "points": -100, "reason": "too many" });
            client.post_keyed(&path("adjustments"), name, &correction).await
        }
    };
    if reply.status != 201 {
        reply.refused(409, "insufficient_points");
        assert_eq!(reply.json["asked"], 100);
    }
    reply.status == 201
}

#[tokio::test]
async fn two_processes_share_the_same_members_and_never_disagree() {
    let app = TestApp::new().await;
    let other = Process::start(&app.test, Pace::serving()).await;
    let near = app.shop().await;
    let far = other.client(near.key());
    let mut members = Vec::new();
    for n in 0..6 {
        members.push(near.enrol(&json!({ "external_id": format!("c-{n}") })).await);
    }
    let mut under_way = JoinSet::new();
    for (n, member) in members.iter().enumerate() {
        for round in 0..8 {
            let client = if round % 2 == 0 { near.clone() } else { far.clone() };
            let mut body = order(&format!("o-{n}-{round}"), member, 0);
            // By an identity that each process remembers for itself.
            body["member"] = json!({ "external_id": format!("c-{n}") });
            under_way.spawn(async move {
                let settled = client.post("/v1/orders", &body).await;
                assert_eq!(settled.status, 201, "{settled:?}");
                let path = format!("/v1/orders/{}/returns", settled.text_at("/reference"));
                let part = client.post(&path, &json!({ "reference": "r", "amount": "50.00" })).await;
                assert_eq!(part.status, 201, "{part:?}");
            });
        }
    }
    under_way.join_all().await;
    for member in &members {
        assert_eq!((near.spendable(member).await, far.spendable(member).await), (400, 400));
    }
    assert_eq!(facts::count(&app.test.db, "postings").await, 6 + 6 * 8 * 2);
}

#[tokio::test]
async fn an_identity_that_moves_is_followed_by_the_process_that_remembers_it() {
    let app = TestApp::new().await;
    let other = Process::start(&app.test, Pace::serving()).await;
    let near = app.shop().await;
    let far = other.client(near.key());
    let ana = near.enrol(&json!({ "email": "ana@example.com" })).await;
    let eva = near.enrol(&json!({ "external_id": "c-18" })).await;
    let by_mail = |reference: &str| {
        let mut body = order(reference, &ana, 0);
        body["member"] = json!({ "email": "ana@example.com" });
        body
    };
    assert_eq!(far.post("/v1/orders", &by_mail("1")).await.text_at("/member"), ana);
    assert_eq!(near.patch(&format!("/v1/members/{ana}"), &json!({ "email": null })).await.status, 200);
    far.post("/v1/orders", &by_mail("2")).await.refused(404, "member_unknown");
    let again = far.post("/v1/orders", &by_mail("1")).await;
    assert_eq!((again.status, again.text_at("/member")), (200, ana.clone()), "{again:?}");
    assert_eq!(near.patch(&format!("/v1/members/{eva}"), &json!({ "email": "ana@example.com" })).await.status, 200);
    assert_eq!(far.post("/v1/orders", &by_mail("2")).await.text_at("/member"), eva);
    // What was Ana's when it was settled stays her order.
    let again = far.post("/v1/orders", &by_mail("1")).await;
    assert_eq!((again.status, again.text_at("/member")), (200, ana), "{again:?}");
}

#[tokio::test]
async fn a_revoked_key_is_out_everywhere_within_seconds() {
    let app = TestApp::new().await;
    let other = Process::start(&app.test, Pace::serving()).await;
    let shop = app.shop().await;
    let lost = app.shop().await;
    let far = other.client(lost.key());
    assert_eq!((lost.get("/v1/program").await.status, far.get("/v1/program").await.status), (200, 200));
    assert_eq!(shop.delete(&format!("/v1/api-keys/{}", lost.key_id())).await.status, 204);
    let revoked = Instant::now();
    lost.get("/v1/program").await.refused(401, "credential_invalid");
    while far.get("/v1/program").await.status == 200 {
        assert!(revoked.elapsed() < Duration::from_secs(KEY_CACHE_S + 1), "it still works");
        wait(Duration::from_millis(100)).await;
    }
    far.get("/v1/program").await.refused(401, "credential_invalid");
}

#[tokio::test]
async fn a_lane_that_is_held_is_a_503_and_the_same_order_succeeds_later_once() {
    let app = TestApp::with(crate::harness::EURO, Pace { lock_timeout_ms: 100, ..Pace::serving() }).await;
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "external_id": "c-17" })).await;
    let owner = app.owner().await;
    let mut holder = owner.conn().await.unwrap();
    holder.batch_execute("BEGIN; SELECT 1 FROM lanes FOR UPDATE").await.unwrap();
    let refused = shop.post("/v1/orders", &order("1", &ana, 0)).await;
    refused.refused(503, "unavailable");
    assert_eq!((refused.header("retry-after"), &refused.json["retryable"]), (Some("1"), &json!(true)));
    assert_eq!(shop.get(&format!("/v1/members/{ana}/balances")).await.status, 200, "reading waits for nobody");
    assert_eq!(shop.post("/v1/checkout/quotes", &order("1", &ana, 0)).await.status, 200, "nor does a quote");
    holder.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(shop.post("/v1/orders", &order("1", &ana, 0)).await.status, 201);
    assert_eq!(shop.post("/v1/orders", &order("1", &ana, 0)).await.status, 200);
    assert_eq!(shop.spendable(&ana).await, 100);
}

#[tokio::test]
async fn a_full_queue_is_a_503_at_once_and_what_was_taken_is_answered() {
    let pace = Pace { queue_max: 2, group_max: 2, lock_timeout_ms: 60_000, ..Pace::serving() };
    let app = TestApp::with(crate::harness::EURO, pace).await;
    let shop = app.shop().await;
    // One of each of the two writers.
    let mut members = [None, None];
    while members.contains(&None) {
        let id = shop.enrol(&json!({ "external_id": fresh("c") })).await;
        let lane = MemberId(id.parse().unwrap()).lane(LANES).0;
        members[usize::from(lane % 2 == 1)] = Some(id);
    }
    let owner = app.owner().await;
    let mut holder = owner.conn().await.unwrap();
    holder.batch_execute("BEGIN; SELECT 1 FROM lanes FOR UPDATE").await.unwrap();
    let mut under_way = JoinSet::new();
    for (at_work, member) in (1..).zip(members.iter().flatten()) {
        for n in 0..12 {
            let (shop, body) = (shop.clone(), order(&format!("o-{at_work}-{n}"), member, 0));
            under_way.spawn(async move { shop.post("/v1/orders", &body).await });
            // The others come when the writer has the first in its hands.
            while n == 0 && facts::count(&app.test.db, "pg_locks WHERE NOT granted").await < at_work {
                wait(Duration::from_millis(10)).await;
            }
        }
    }
    // Two wait in each queue: the rest is told at once.
    let mut replies = Vec::new();
    while replies.len() < 18 {
        replies.push(under_way.join_next().await.unwrap().unwrap());
    }
    // Nobody reads what is refused anyhow.
    replies.push(shop.post("/v1/orders", &json!("no order")).await);
    for reply in &replies {
        reply.refused(503, "queue_full");
        assert_eq!((reply.header("retry-after"), &reply.json["retryable"]), (Some("1"), &json!(true)));
    }
    let ana = members[0].as_ref().unwrap();
    assert_eq!(shop.get(&format!("/v1/members/{ana}/balances")).await.status, 200);
    holder.batch_execute("ROLLBACK").await.unwrap();
    let taken = under_way.join_all().await;
    assert_eq!((taken.len(), statuses(&taken, 201)), (6, 6), "{taken:?}");
    assert_eq!(facts::count(&app.test.db, "postings WHERE kind = 2").await, 6);
}
