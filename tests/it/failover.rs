//! A server of the operator's own goes away, and another takes its place: nothing that was answered is lost, nothing is
//! done twice, and nobody has to be restarted.

use std::collections::BTreeMap;
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use perennial::platform::db::{Db, POOL_WAIT_S, PoolSize, Role};
use perennial::platform::entropy::uuid_v7;
use reqwest::Method;
use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep as wait};

use crate::harness::{Client, Home, Pair, Serving, TestDb, facts};

/// Callers at once.
const CALLERS: usize = 8;
/// How many orders are answered before anything happens, and after it.
const ORDERS: usize = 150;
/// How long the shop may take to notice a change, in seconds.
const NOTICED_S: u64 = 25;

/// What happened to the orders of all callers.
#[derive(Default)]
struct Told {
    receipts: Mutex<BTreeMap<String, String>>,
    turned_away: AtomicUsize,
    stop: AtomicBool,
}

impl Told {
    fn answered(&self) -> usize {
        self.receipts.lock().unwrap().len()
    }

    async fn until_answered(&self, count: usize) {
        let begun = Instant::now();
        while self.answered() < count {
            assert!(begun.elapsed() < Duration::from_secs(NOTICED_S), "{} of {count}", self.answered());
            wait(Duration::from_millis(5)).await;
        }
    }
}

fn order(reference: &str) -> Value {
    json!({ "reference": reference, "member": { "external_id": "c-17" }, "currency": "EUR",
        "lines": [{ "id": "1", "amount": "1.00" }] })
}

/// Settles order after order, each again and again until it is answered, as a shop does.
async fn settle(client: Client, caller: usize, told: Arc<Told>) {
    for n in 0.. {
        if told.stop.load(Ordering::Relaxed) {
            return;
        }
        let reference = format!("{caller}-{n}");
        loop {
            let reply = client.post("/v1/orders", &order(&reference)).await;
            match reply.status {
                200 | 201 => {
                    told.receipts.lock().unwrap().insert(reference, reply.text);
                    break;
                }
                503 => {
                    assert_eq!(reply.json["retryable"], true, "{reply:?}");
                    told.turned_away.fetch_add(1, Ordering::Relaxed);
                    wait(Duration::from_millis(50)).await;
                }
                _ => panic!("{reply:?}"),
            }
        }
    }
}

/// Waits until readyz answers a status, and says the reason it gave.
async fn until_ready(client: &Client, status: u16) -> String {
    let begun = Instant::now();
    loop {
        let reply = client.get("/readyz").await;
        if reply.status == status {
            return reply.json["reason"].as_str().unwrap_or_default().to_owned();
        }
        assert!(begun.elapsed() < Duration::from_secs(NOTICED_S), "readyz still says {}", reply.text);
        wait(Duration::from_millis(20)).await;
    }
}

/// A pair of servers with a programme and a member, and a shop's key.
async fn shop() -> Option<(Pair, String)> {
    let pair = Pair::start().await?;
    let url = pair.both();
    pair.out(&url, &["migrate"]);
    pair.out(&url, &["program", "create", "acme", "--currency", "EUR", "--timezone", "UTC"]);
    let key = pair.out(&url, &["keys", "create", "--program", "acme", "--scopes", "all"]);
    Some((pair, key))
}

fn end(serving: Serving) {
    kill_process(serving.pid(), Signal::TERM).unwrap();
    assert!(serving.ended_well());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_primary_dies_the_standby_has_every_order_that_was_answered_once() {
    let Some((pair, key)) = shop().await else { return };
    let serving = Serving::start(pair.command(&pair.both(), &[]));
    let client = Client::new(&serving.address, Some(&key));
    let member = client.enrol(&json!({ "external_id": "c-17" })).await;
    until_ready(&client, 200).await;
    let told: Arc<Told> = Arc::default();
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        callers.spawn(settle(client.clone(), caller, Arc::clone(&told)));
    }
    told.until_answered(ORDERS).await;

    pair.primary.signal(Signal::KILL).await;
    assert_eq!(until_ready(&client, 503).await, "the database cannot be reached");
    assert_eq!(client.get("/livez").await.status, 200, "it lives: a restart would mend nothing");
    let turned_away = told.turned_away.load(Ordering::Relaxed);
    let begun = Instant::now();
    while told.turned_away.load(Ordering::Relaxed) < turned_away + CALLERS {
        assert!(begun.elapsed() < Duration::from_secs(NOTICED_S), "who asks is told so");
        assert_eq!(client.get("/readyz").await.status, 503, "a standby does not make it ready");
    }
    let before = told.answered();
    pair.standby.promote();
    until_ready(&client, 200).await;
    told.until_answered(before + ORDERS).await;
    told.stop.store(true, Ordering::Relaxed);
    callers.join_all().await;

    let receipts = told.receipts.lock().unwrap().clone();
    let stored = "SELECT count(*) || ' ' || count(DISTINCT reference) AS fact FROM postings WHERE kind = 2";
    let stored = facts::one(&pair.standby.shop().await, stored).await;
    assert_eq!(stored, format!("{0} {0}", receipts.len()), "each is there once, whatever its caller was told first");
    for (reference, receipt) in &receipts {
        let again = client.post("/v1/orders", &order(reference)).await;
        assert_eq!((again.status, &again.text), (200, receipt), "{reference}");
    }
    assert_eq!(client.spendable(&member).await, i64::try_from(receipts.len()).unwrap());
    // Whoever starts now finds it, too.
    assert!(pair.out(&pair.both(), &["verify"]).contains("every law holds"));
    end(serving);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_led_to_a_standby_leads_to_the_primary_without_a_restart() {
    let Some((pair, key)) = shop().await else { return };
    Pair::point_at(&pair.link, &pair.standby);
    let serving = Serving::start(pair.command(&pair.either(), &[]));
    let client = Client::new(&serving.address, Some(&key));
    assert_eq!(until_ready(&client, 503).await, "the database is a standby");
    let new_key = json!({ "name": "till", "scopes": ["orders:write"] });
    let member = json!({ "external_id": "c-17" });
    for n in 0..4 {
        let name = format!("e-{n}");
        // All at once, so that the pool has several connections that lead to the standby.
        let (one, two, three) = tokio::join!(
            client.post("/v1/api-keys", &new_key),
            client.post_keyed("/v1/members", &name, &member),
            client.get("/v1/program"),
        );
        one.refused(503, "unavailable");
        two.refused(503, "unavailable");
        assert_eq!(three.status, 200, "a standby can be read");
    }

    for _ in 0..2 {
        client.get(&format!("/v1/members/{}/balances", uuid_v7())).await.refused(404, "member_unknown");
    }

    Pair::point_at(&pair.link, &pair.primary);
    let begun = Instant::now();
    while client.post_keyed("/v1/members", "e-0", &member).await.status != 201 {
        assert!(begun.elapsed() < Duration::from_secs(NOTICED_S), "the writers still have the standby");
        wait(Duration::from_millis(50)).await;
    }
    until_ready(&client, 200).await;
    for _ in 0..8 {
        let (one, two) = tokio::join!(client.post("/v1/api-keys", &new_key), client.post("/v1/api-keys", &new_key));
        assert_eq!((one.status, two.status), (201, 201), "{one:?} {two:?}");
    }
    assert_eq!(client.post("/v1/orders", &order("1")).await.status, 201);

    // Who reads has come along: the standby, which may be behind, is asked nothing more.
    let member = client.post("/v1/orders", &order("1")).await.text_at("/member");
    assert_eq!((client.spendable(&member).await, client.spendable(&member).await), (1, 1));
    let left = "SELECT count(*)::text AS fact FROM pg_stat_activity \
        WHERE application_name = 'perennial' AND pid <> pg_backend_pid()";
    let begun = Instant::now();
    // One look after the other by the same connection: one of before may still be on its way out.
    let standby = pair.standby.shop().await;
    while facts::one(&standby, left).await != "0" {
        assert!(begun.elapsed() < Duration::from_secs(NOTICED_S), "connections to the standby are left");
        wait(Duration::from_millis(50)).await;
    }

    // A server that takes no writes for a while, as one whose disk is full does.
    let read_only = |on| format!("ALTER SYSTEM SET default_transaction_read_only = {on}");
    let reload = "SET transaction_read_only = off; SELECT pg_reload_conf()";
    pair.primary.run("postgres", &[&read_only("on"), reload]).await;
    assert_eq!(until_ready(&client, 503).await, "the database is read-only");
    client.post("/v1/orders", &order("2")).await.refused(503, "unavailable");
    let off = [&*read_only("off"), "SELECT pg_reload_conf()"];
    pair.primary.run("postgres", &off).await;
    until_ready(&client, 200).await;
    let begun = Instant::now();
    while client.post("/v1/orders", &order("2")).await.status != 201 {
        assert!(begun.elapsed() < Duration::from_secs(NOTICED_S), "the writers still take it for read-only");
    }
    end(serving);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_no_standby_confirms_nothing_is_answered_and_readyz_says_so() {
    let Some((pair, key)) = shop().await else { return };
    let serving = Serving::start(pair.command(&pair.both(), &[]));
    let client = Client::new(&serving.address, Some(&key));
    let member = client.enrol(&json!({ "external_id": "c-17" })).await;
    until_ready(&client, 200).await;
    pair.standby.signal(Signal::STOP).await;
    let waiting = client.request(Method::POST, "/v1/orders").json(&order("1")).send();
    let waiting = tokio::spawn(waiting);
    assert_eq!(until_ready(&client, 503).await, "the database does not commit");
    assert!(!waiting.is_finished(), "it is not durable yet");
    assert_eq!(client.spendable(&member).await, 0, "nor does anybody see it");
    pair.standby.resume();
    assert_eq!(waiting.await.unwrap().unwrap().status().as_u16(), 201);
    until_ready(&client, 200).await;
    assert_eq!(client.spendable(&member).await, 1);
    end(serving);
}

#[tokio::test]
async fn a_host_that_lets_nobody_in_is_passed_over() {
    let (test, home) = (TestDb::new().await, Home::new());
    // It is connected to, and then says nothing, as a server whose disk is gone does.
    let _silent = UnixListener::bind(home.path().join(".s.PGSQL.5432")).unwrap();
    let text = test.text().replace("host='", &format!("host='{},/nowhere,", home.path().display()));
    let begun = Instant::now();
    let db = Db::open(&text.parse().unwrap(), PoolSize(2), Role::App).await.unwrap();
    assert_eq!(facts::count(&db, "postings").await, 0);
    assert!(begun.elapsed() < Duration::from_secs(POOL_WAIT_S), "{:?}", begun.elapsed());
}
