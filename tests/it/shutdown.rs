//! The program stopped under load: what it answered is done, what it did is answered.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use perennial::platform::auth::Scopes;
use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep as wait;

use crate::harness::{Client, Home, Serving, TestApp, facts, perennial};

/// Callers at once.
const CALLERS: usize = 12;

fn order(reference: &str) -> Value {
    json!({ "reference": reference, "member": { "external_id": "c-17" }, "currency": "EUR",
        "lines": [{ "id": "1", "amount": "1.00" }] })
}

fn serve(app: &TestApp, home: &Home) -> Serving {
    let mut command = perennial(home.path());
    command.env("DATABASE_URL", app.test.text()).env("PERENNIAL_LOG", "warn");
    Serving::start(command)
}

/// Settles orders one after the other until nobody answers any more; those that were sent, and those answered 201.
async fn settle_until_it_ends(client: Client, caller: usize, done: Arc<AtomicUsize>) -> (Vec<String>, Vec<String>) {
    let (mut sent, mut settled) = (Vec::new(), Vec::new());
    for n in 0.. {
        let reference = format!("{caller}-{n}");
        sent.push(reference.clone());
        let request = client.request(reqwest::Method::POST, "/v1/orders").json(&order(&reference));
        // A connection that is refused or cut says nothing of the order.
        let Ok(answer) = request.send().await else { break };
        if answer.status().as_u16() == 201 && answer.text().await.is_ok() {
            settled.push(reference);
            done.fetch_add(1, Ordering::Relaxed);
        }
    }
    (sent, settled)
}

async fn under_load(signal: Signal) {
    let (app, home) = (TestApp::new().await, Home::new());
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "external_id": "c-17" })).await;
    let key = app.key(&app.program, Scopes::all()).await;
    let serving = serve(&app, &home);
    let client = Client::new(&serving.address, Some(&key));
    let done = Arc::new(AtomicUsize::new(0));
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        callers.spawn(settle_until_it_ends(client.clone(), caller, Arc::clone(&done)));
    }
    while done.load(Ordering::Relaxed) < 60 {
        wait(Duration::from_millis(5)).await;
    }
    kill_process(serving.pid(), signal).unwrap();
    let ended = tokio::task::spawn_blocking(move || serving.ended_well());
    let told = callers.join_all().await;
    assert_eq!(ended.await.unwrap(), signal == Signal::INT);

    let stored = facts::one(
        &app.test.db,
        "SELECT coalesce(string_agg(substr(reference, 7), ' '), '') AS fact FROM postings WHERE kind = 2",
    )
    .await;
    let stored: Vec<&str> = stored.split(' ').collect();
    let set: BTreeSet<&str> = stored.iter().copied().collect();
    assert_eq!(set.len(), stored.len(), "each is there once");
    let (mut sent, mut settled) = (0, 0);
    for (of_caller, answered) in &told {
        sent += of_caller.len();
        settled += answered.len();
        for reference in answered {
            assert!(set.contains(reference.as_str()), "{reference} was answered and is not there");
        }
    }
    if signal == Signal::INT {
        assert_eq!(settled, stored.len(), "what is there was answered");
    }
    // After a restart a retry of everything finds what is there, and settles the rest.
    let serving = serve(&app, &home);
    let client = Client::new(&serving.address, Some(&key));
    for reference in told.iter().flat_map(|(sent, _)| sent) {
        let again = client.post("/v1/orders", &order(reference)).await;
        assert_eq!(again.status, if set.contains(reference.as_str()) { 200 } else { 201 }, "{again:?}");
    }
    assert_eq!(client.spendable(&ana).await, i64::try_from(sent).unwrap());
    kill_process(serving.pid(), Signal::TERM).unwrap();
    assert!(serving.ended_well());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn interrupted_under_load_it_answers_what_it_accepted() {
    under_load(Signal::INT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_under_load_it_has_done_what_it_answered() {
    under_load(Signal::KILL).await;
}
