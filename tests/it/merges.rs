//! Members that turn out to be one, and guests' orders that find their member, over HTTP and from two processes at once.

use perennial::loyalty::ledger::writer::Pace;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{Client, Process, TestApp, fresh, verify};

fn goods(reference: &str, member: &Value, amount: &str, points: i64) -> Value {
    json!({ "reference": reference, "member": member, "currency": "EUR",
        "lines": [{ "id": "1", "quantity": 2, "amount": amount }], "points": { "spend": points } })
}

async fn buy(shop: &Client, reference: &str, member: &str, amount: &str, points: i64) -> Value {
    let reply = shop.post("/v1/orders", &goods(reference, &json!({ "id": member }), amount, points)).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    reply.json
}

async fn give_back(shop: &Client, order: &str, reference: &str, what: Value) -> Value {
    let mut body = json!({ "reference": reference });
    body.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
    let reply = shop.post(&format!("/v1/orders/{order}/returns"), &body).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    reply.json
}

#[tokio::test]
async fn merging_two_members_loses_no_point_and_no_day() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "external_id": "c-17", "email": "ana@example.com" })).await;
    let eva = shop.enrol(&json!({ "external_id": "c-18" })).await;
    app.open_lot(&ana, 300, "2099-05-31").await;
    app.open_lot(&eva, 50, "2099-06-30").await;
    buy(&shop, "1001", &ana, "100.00", 0).await;
    let before = shop.wallet(&ana).await;

    let path = format!("/v1/members/{eva}/merges");
    let body = json!({ "source": { "email": "ana@example.com" }, "reason": "the same person" });
    let seen = shop.post_keyed(&format!("{path}?preview=true"), "m-1", &body).await;
    assert_eq!((seen.status, seen.json.get("posting")), (200, None), "{seen:?}");
    let merged = shop.post_keyed(&path, "m-1", &body).await;
    assert_eq!(merged.status, 201, "{merged:?}");
    let mut same = merged.json.clone();
    for only_done in ["posting", "merged_in"] {
        assert!(same.as_object_mut().unwrap().remove(only_done).is_some());
    }
    assert_eq!(same, seen.json);
    assert_eq!((merged.text_at("/member"), merged.text_at("/into")), (ana.clone(), eva.clone()));
    assert_eq!(merged.json["identities"], json!(["external_id", "email"]));
    let [points, status] = [0, 1].map(|n| &merged.json["wallets"][n]);
    assert_eq!((&points["wallet"], &points["spendable"], &points["debt"]), (&json!("points"), &json!(400), &json!(0)));
    assert_eq!((&status["wallet"], &status["amount"]), (&json!("status"), &json!("100.00")));
    assert_eq!(merged.json["orders"], 1);

    let after = shop.wallet(&eva).await;
    assert_eq!((&before["spendable"], &after["spendable"]), (&json!(400), &json!(450)));
    let ends = |wallet: &Value| wallet["expiring"].as_array().unwrap().clone();
    assert_eq!(ends(&after).len(), ends(&before).len() + 1);
    assert!(ends(&before).iter().all(|lot| ends(&after).contains(lot)), "{before} {after}");

    // The same again is the same; whoever asks by the old name means who goes on.
    let again = shop.post_keyed(&path, "m-1", &body).await;
    assert_eq!((again.status, again.header("idempotency-replayed"), &again.text), (200, Some("true"), &merged.text));
    assert_eq!(shop.wallet(&ana).await["spendable"], 450);
    let source = shop.get(&format!("/v1/members/{ana}")).await.json;
    assert_eq!((&source["status"], &source["merged_into"]), (&json!("merged"), &json!(eva)));
    let found = shop.post("/v1/members/lookups", &json!({ "email": "ana@example.com" })).await.json;
    assert_eq!(found["id"], json!(eva));
    let order = shop.post("/v1/orders", &goods("1002", &json!({ "email": "ana@example.com" }), "10.00", 400)).await;
    assert_eq!((order.status, order.text_at("/member")), (201, eva.clone()), "{order:?}");

    // What the first order brought is taken back of who goes on; what the second took goes back.
    let back = give_back(&shop, "1001", "r-1", json!({ "lines": [{ "id": "1", "quantity": 1 }] })).await;
    assert_eq!((&back["member"], &back["clawed_back"][0]["taken"]), (&json!(eva), &json!(50)), "{back}");
    give_back(&shop, "1002", "r-1", json!({ "all": true })).await;
    let back = give_back(&shop, "1001", "r-2", json!({ "all": true })).await;
    assert_eq!(back["clawed_back"][0]["points"], 50, "{back}");
    assert_eq!(shop.spendable(&eva).await, 350);
    verify(&app.test.db).await;
}

#[tokio::test]
async fn a_guests_order_is_claimed_once_and_returned_by_who_claimed_it() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "external_id": "c-17" })).await;
    let mut order = goods("1001", &Value::Null, "100.00", 0);
    order.as_object_mut().unwrap().remove("member");
    assert_eq!(shop.post("/v1/orders", &order).await.status, 201);
    let claim = json!({ "member": { "external_id": "c-17" } });
    let seen = shop.post("/v1/orders/1001/claims?preview=true", &claim).await;
    assert_eq!((seen.status, shop.spendable(&ana).await), (200, 0), "{seen:?}");
    let claimed = shop.post("/v1/orders/1001/claims", &claim).await;
    assert_eq!((claimed.status, claimed.text_at("/into")), (201, ana.clone()), "{claimed:?}");
    assert_eq!(shop.spendable(&ana).await, 100);
    let again = shop.post("/v1/orders/1001/claims", &json!({ "member": { "id": ana } })).await;
    assert_eq!((again.status, &again.text), (200, &claimed.text));
    let back = give_back(&shop, "1001", "r-1", json!({ "all": true })).await;
    assert_eq!((&back["member"], shop.spendable(&ana).await), (&json!(ana), 0), "{back}");
    verify(&app.test.db).await;
}

/// Pairs of members, each of whom is merged into the other while both buy, from two processes: one goes on, and has all.
#[tokio::test]
async fn merges_that_cross_leave_one_member_with_everything() {
    let app = TestApp::new().await;
    let near = app.shop().await;
    let other = Process::start(&app.test, Pace::serving()).await;
    let far = other.client(near.key());
    let mut pairs = Vec::new();
    for _ in 0..8 {
        pairs.push((near.enrol(&json!({})).await, near.enrol(&json!({})).await));
    }
    let mut under_way = JoinSet::new();
    for (n, (ana, eva)) in pairs.iter().enumerate() {
        for (client, source, into) in [(&near, ana, eva), (&far, eva, ana)] {
            let (merging, buying) = (client.clone(), client.clone());
            let (from, to, buyer) = (source.clone(), into.clone(), source.clone());
            under_way.spawn(async move {
                let body = json!({ "source": { "id": from }, "reason": "the same person" });
                let reply = merging.post_keyed(&format!("/v1/members/{to}/merges"), &fresh("m"), &body).await;
                assert!(reply.status == 201 || reply.code() == "already_merged", "{reply:?}");
                usize::from(reply.status == 201)
            });
            under_way.spawn(async move {
                for order in 0..5 {
                    buy(&buying, &format!("{buyer}-{n}-{order}"), &buyer, "10.00", 0).await;
                }
                0
            });
        }
    }
    let merged: usize = under_way.join_all().await.into_iter().sum();
    assert_eq!(merged, pairs.len());
    for (ana, eva) in &pairs {
        let all = near.spendable(ana).await;
        assert_eq!((all, near.spendable(eva).await), (100, 100), "by either name the same");
    }
    verify(&app.test.db).await;
}
