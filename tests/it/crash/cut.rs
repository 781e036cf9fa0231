//! The connection breaks in COMMIT: the engine cannot know whether it is done, and is honest all the same.

use perennial::loyalty::ledger::writer::Pace;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::crash::call::Call;
use crate::crash::kind::{Answers, Kind};
use crate::harness::{Break, Client, Process, Reply, TestApp, TestDb, Wire, facts};

/// How often the engine tries a group; then it asks the caller for patience.
const TRIES: usize = 4;
/// Orders that meet in groups.
const MANY: usize = 40;

/// A process that reaches its database over a wire that can break.
struct Wired {
    app: TestApp,
    wire: Wire,
    process: Process,
}

impl Wired {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let wire = Wire::to(TestDb::socket_directory());
        let process = Process::start_at(&app.test.through(&wire), Pace::serving()).await;
        Self { app, wire, process }
    }

    async fn shop(&self) -> Client {
        self.process.client(self.app.shop().await.key())
    }

    /// How many postings have a command's name; with the other member, if there is one, there are as many.
    async fn postings(&self, call: &Call) -> i64 {
        let named = |name: String| async move {
            facts::count(&self.app.test.db, &format!("postings WHERE reference = '{name}'")).await
        };
        let own = named(call.reference.clone()).await;
        if call.kind.mirrored().is_some() {
            assert_eq!(named(format!("{}/in", call.reference)).await, own, "{}", call.reference);
        }
        own
    }
}

fn order(reference: &str, member: &Value, points: u64) -> Call {
    let mut body = json!({ "reference": reference, "member": member, "currency": "EUR",
        "enrol": member.get("external_id").is_some(), "lines": [{ "id": "1", "amount": "20.00" }] });
    if points > 0 {
        body["points"] = json!({ "spend": points });
    }
    Call::order(body)
}

/// One command of every kind, for a member who has points and an order, and another who turns out to be the same.
fn every_kind([member, double]: &[String; 2]) -> Vec<Call> {
    let key = |name: &str| name.to_owned();
    let (members, own) = ("/v1/members".to_owned(), format!("/v1/members/{member}"));
    let adjust = json!({ "wallet": "points", "points": 5, "reason": "a parcel came late" });
    let post = |(kind, command): (Kind, &str), (whose, room): (&str, &str), body: Value| {
        let path = format!("/v1/members/{whose}/{room}");
        Call::keyed(kind, command, (Method::POST, path), key(command), body)
    };
    let (gift, why) = (json!({ "to": { "id": double }, "wallet": "points", "points": 5 }), json!({ "reason": "why" }));
    let same = json!({ "source": { "id": double }, "reason": "the same person" });
    vec![
        Call::keyed(Kind::Enrol, "enrol", (Method::POST, members), key("e"), json!({ "email": "eva@example.com" })),
        Call::keyed(Kind::Change, "change", (Method::PATCH, own), key("c"), json!({ "email": "ana@example.com" })),
        post((Kind::Adjust, "adjust"), (member, "adjustments"), adjust),
        order("plain", &json!({ "id": member }), 0),
        order("paid", &json!({ "id": member }), 70),
        order("newcomer", &json!({ "external_id": "c-18" }), 0),
        order("guest", &Value::Null, 0),
        Call::order_return("first", "r", json!({ "reference": "r", "amount": "5.00" })),
        Call::hold("h", json!({ "reference": "h", "member": { "id": member }, "points": { "spend": 10 } })),
        Call::release("h"),
        Call::claim("guest", json!({ "member": { "id": member } })),
        post((Kind::Transfer, "transfer"), (member, "transfers"), gift),
        post((Kind::Suspend, "suspend"), (double, "suspensions"), why.clone()),
        post((Kind::Reinstate, "reinstate"), (double, "reinstatements"), why),
        post((Kind::Merge, "merge"), (member, "merges"), same),
    ]
}

/// Somebody who has bought, and somebody who has not.
async fn customers(shop: &Client) -> [String; 2] {
    let bob = shop.enrol(&json!({})).await;
    let ana = shop.enrol(&json!({ "external_id": "c-17" })).await;
    shop.adjust(&ana, 100).await;
    assert_eq!(order("first", &json!({ "id": ana }), 0).send(shop).await.unwrap().status, 201);
    [ana, bob]
}

fn replayed(reply: &Reply) -> bool {
    reply.header("idempotency-replayed") == Some("true")
}

#[tokio::test]
async fn whatever_is_cut_in_commit_is_answered_and_done_once() {
    for (how, done_before) in [(Break::Before, false), (Break::After, true)] {
        let wired = Wired::new().await;
        let shop = wired.shop().await;
        let both = customers(&shop).await;
        for call in every_kind(&both) {
            wired.wire.break_at([how]);
            let first = call.send(&shop).await.unwrap();
            assert_eq!(wired.wire.planned(), 0, "{} was cut", call.reference);
            let fresh = if matches!(call.kind, Kind::Change | Kind::Release) { 200 } else { 201 };
            // What Postgres had done is found again under its name.
            let expected = if done_before { 200 } else { fresh };
            assert_eq!((first.status, replayed(&first)), (expected, done_before), "{first:?}");
            let again = call.send(&shop).await.unwrap();
            assert_eq!((again.status, replayed(&again)), (200, true), "{again:?}");
            match call.kind.answers() {
                Answers::Receipt => assert_eq!(again.text, first.text),
                Answers::Member => assert_eq!(again.json["id"], first.json["id"]),
            }
            assert_eq!(wired.postings(&call).await, 1, "{}", call.reference);
        }
        let audited = facts::count(&wired.app.test.db, "audit_log WHERE action = 'ledger.adjusted'").await;
        assert_eq!(audited, 2, "each adjustment is noted once");
    }
}

#[tokio::test]
async fn a_commit_that_never_arrives_is_a_503_and_the_retry_does_it() {
    let wired = Wired::new().await;
    let shop = wired.shop().await;
    let both = customers(&shop).await;
    for call in every_kind(&both) {
        wired.wire.break_at([Break::Before; TRIES]);
        let refused = call.send(&shop).await.unwrap();
        refused.refused(503, "unavailable");
        assert_eq!((refused.header("retry-after"), &refused.json["retryable"]), (Some("1"), &json!(true)));
        assert_eq!((wired.wire.planned(), wired.postings(&call).await), (0, 0), "{}", call.reference);
        let retried = call.send(&shop).await.unwrap();
        assert_eq!((retried.status / 100, replayed(&retried)), (2, false), "{retried:?}");
        assert_eq!(wired.postings(&call).await, 1, "{}", call.reference);
    }
}

#[tokio::test]
async fn a_commit_that_is_done_while_the_database_goes_away_is_a_503_and_the_retry_finds_it() {
    let wired = Wired::new().await;
    let shop = wired.shop().await;
    let both = customers(&shop).await;
    for call in every_kind(&both) {
        wired.wire.break_at([Break::AfterForGood]);
        let refused = call.send(&shop).await.unwrap();
        refused.refused(503, "unavailable");
        assert_eq!(wired.postings(&call).await, 1, "{} is done, and nobody knows", call.reference);
        wired.wire.mend();
        let retried = call.send(&shop).await.unwrap();
        assert_eq!((retried.status, replayed(&retried)), (200, true), "{retried:?}");
        assert_eq!(wired.postings(&call).await, 1, "{}", call.reference);
    }
}

#[tokio::test]
async fn a_group_that_is_cut_in_commit_is_answered_whole() {
    let wired = Wired::new().await;
    let shop = wired.shop().await;
    let [ana, _] = customers(&shop).await;
    wired.wire.break_at([Break::After, Break::Before, Break::After, Break::After]);
    let mut under_way = JoinSet::new();
    for n in 0..MANY {
        let (shop, call) = (shop.clone(), order(&format!("o-{n}"), &json!({ "id": ana }), 1));
        under_way.spawn(async move { call.send(&shop).await.unwrap() });
    }
    let replies = under_way.join_all().await;
    assert!(replies.iter().all(|reply| matches!(reply.status, 200 | 201)), "{replies:?}");
    let db = &wired.app.test.db;
    assert_eq!(facts::count(db, "postings WHERE reference LIKE 'order:o-%'").await, i64::try_from(MANY).unwrap());
    // 100 and 20 from the first order, less 1 and plus 19 for each of these.
    assert_eq!(shop.spendable(&ana).await, 120 + 18 * i64::try_from(MANY).unwrap());
}
