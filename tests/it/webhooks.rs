//! Webhooks: what happens is told, signed, to whoever wants to know; again where it was not taken, and never inward.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use perennial::loyalty::events::jobs::note_events;
use perennial::platform::webhooks::address::Reach;
use perennial::platform::webhooks::deliveries::deliver::{Deliverer, WAITS_S};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::harness::{Client, Reply, TestApp, facts};

/// A request as a receiver got it.
#[derive(Clone, Debug)]
struct Got {
    id: String,
    timestamp: String,
    signature: String,
    body: String,
}

impl Got {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Whether it is signed with a secret, by the specification and not by our own code.
    fn is_signed(&self, secret: &str) -> bool {
        let bytes = BASE64.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
        let tag = hmac::sign(&key, format!("{}.{}.{}", self.id, self.timestamp, self.body).as_bytes());
        let wanted = format!("v1,{}", BASE64.encode(tag));
        self.signature.split(' ').any(|one| one == wanted)
    }
}

/// Somebody who listens, and answers as it was told to.
#[derive(Clone)]
struct Receiver {
    address: String,
    got: Arc<Mutex<Vec<Got>>>,
    answers: Arc<Mutex<u16>>,
}

impl Receiver {
    /// One that answers after a while.
    fn start(waits: Duration) -> Self {
        let (got, answers) = (Arc::<Mutex<Vec<Got>>>::default(), Arc::new(Mutex::new(204)));
        let shared = Data::new((Arc::clone(&got), Arc::clone(&answers), waits));
        let app = move || App::new().app_data(shared.clone()).default_service(web::to(take));
        let server = HttpServer::new(app).workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
        let address = format!("http://{}/hook", server.addrs().first().unwrap());
        tokio::spawn(server.run());
        Self { address, got, answers }
    }

    fn answer(&self, status: u16) {
        *self.answers.lock().unwrap() = status;
    }

    fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    fn types(&self) -> Vec<String> {
        self.got().iter().map(|got| got.json()["type"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits until it has got so many.
    async fn has(&self, count: usize) {
        for _ in 0..400 {
            if self.got().len() >= count {
                return;
            }
            sleep(Duration::from_millis(25)).await;
        }
        panic!("{} of {count} came: {:?}", self.got().len(), self.types());
    }
}

type Shared = (Arc<Mutex<Vec<Got>>>, Arc<Mutex<u16>>, Duration);

async fn take(request: HttpRequest, body: Bytes, shared: Data<Shared>) -> HttpResponse {
    let header = |name: &str| request.headers().get(name).map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default();
    let (got, answers, waits) = shared.get_ref();
    sleep(*waits).await;
    got.lock().unwrap().push(Got {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signature: header("webhook-signature"),
        body: String::from_utf8(body.to_vec()).unwrap(),
    });
    let status = *answers.lock().unwrap();
    let mut answer = HttpResponse::build(status.try_into().unwrap());
    if status == 302 {
        answer.insert_header(("location", "/elsewhere"));
    }
    answer.finish()
}

fn deliverer(app: &TestApp) -> Deliverer {
    Deliverer::new(app.test.db.clone(), Reach::Loopback).unwrap()
}

/// What the program does every now and then.
async fn tell(app: &TestApp, deliverer: &Deliverer) {
    note_events(&app.test.db, &app.process().ledger).await.unwrap();
    deliverer.dispatch().await.unwrap();
}

/// Whatever waits is due now.
async fn hurry(app: &TestApp) {
    let due = "WITH due AS (UPDATE webhook_deliveries SET next_at = now() WHERE status = 0 RETURNING 1) \
               SELECT count(*)::text AS fact FROM due";
    facts::one(&app.owner().await, due).await;
}

async fn hook(shop: &Client, url: &str, events: &[&str]) -> (String, String) {
    let made = shop.post("/v1/webhooks", &json!({ "url": url, "events": events })).await;
    assert_eq!(made.status, 201, "{made:?}");
    (made.text_at("/webhook/id"), made.text_at("/secret"))
}

async fn order(shop: &Client, reference: &str, member: &str) -> Reply {
    let order = json!({ "reference": reference, "member": { "id": member }, "currency": "EUR",
        "lines": [{ "id": "1", "amount": "100.00" }] });
    let settled = shop.post("/v1/orders", &order).await;
    assert_eq!(settled.status, 201, "{settled:?}");
    settled
}

async fn deliveries(shop: &Client, hook: &str) -> Vec<Value> {
    let reply = shop.get(&format!("/v1/webhooks/{hook}/deliveries")).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn what_happens_is_told_once_signed_and_in_order_of_its_member() {
    let app = TestApp::new().await;
    let (shop, stranger) = (app.shop().await, app.stranger().await);
    let (receiver, sender) = (Receiver::start(Duration::ZERO), deliverer(&app));
    let ana = shop.enrol(&json!({ "name": "Before anybody wants to know" })).await;
    let (id, secret) = hook(&shop, &receiver.address, &[]).await;
    let settled = order(&shop, "1", &ana).await;
    let others = stranger.enrol(&json!({ "name": "Somebody else's" })).await;
    order(&stranger, "1", &others).await;
    tell(&app, &sender).await;
    receiver.has(2).await;
    let mut got = receiver.got();
    got.sort_by_key(|got| got.id.clone());
    assert_eq!(
        got.iter().map(|got| got.json()["type"].clone()).collect::<Vec<_>>(),
        ["order.settled", "points.earned"]
    );
    assert!(got.iter().all(|got| got.is_signed(&secret)));
    let data = &got[0].json()["data"];
    assert_eq!((data["member"].as_str(), data["seq"].as_i64()), (Some(ana.as_str()), Some(2)));
    assert_eq!((&data["receipt"], &data["reference"]), (&settled.json, &json!("order:1")));
    assert_eq!(data["entries"][0]["spendable_after"], json!(100));
    // Nothing more comes of it.
    tell(&app, &sender).await;
    sleep(Duration::from_millis(200)).await;
    assert_eq!(receiver.got().len(), 2);
    let log = deliveries(&shop, &id).await;
    assert_eq!(log.len(), 2);
    assert!(log.iter().all(|one| one["status"] == "delivered" && one["answered"] == 204 && one["tries"] == 1));
    for path in ["/v1/webhooks".to_owned(), format!("/v1/webhooks/{id}"), format!("/v1/webhooks/{id}/deliveries")] {
        let text = shop.get(&path).await.text;
        assert!(!text.contains("whsec_") && !text.contains(&secret[6..]), "{text}");
    }
}

#[tokio::test]
async fn what_is_not_taken_is_tried_again_ever_more_rarely_and_given_up_after_a_day() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let (receiver, sender) = (Receiver::start(Duration::ZERO), deliverer(&app));
    let (id, _) = hook(&shop, &receiver.address, &["member.enrolled"]).await;
    shop.enrol(&json!({})).await;
    receiver.answer(500);
    for tries in 1..=WAITS_S.len() + 1 {
        tell(&app, &sender).await;
        receiver.has(tries).await;
        let over = tries > WAITS_S.len();
        let mut log = deliveries(&shop, &id).await;
        for _ in 0..100 {
            if log[0]["answered"] == 500 && log[0]["tries"] == tries && (log[0]["status"] == "given_up") == over {
                break;
            }
            sleep(Duration::from_millis(25)).await;
            log = deliveries(&shop, &id).await;
        }
        assert_eq!(log[0]["trouble"], json!("it answered 500"), "{log:?}");
        assert_eq!(log[0]["status"], if over { "given_up" } else { "waiting" });
        // Not before its time.
        tell(&app, &sender).await;
        sleep(Duration::from_millis(50)).await;
        assert_eq!(receiver.got().len(), tries);
        hurry(&app).await;
    }
    assert_eq!(WAITS_S.iter().sum::<i32>(), 86_155, "about a day");
    // It is told again when somebody asks, by the same name.
    receiver.answer(200);
    let all = json!({ "from": "2026-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z" });
    let replayed = shop.post(&format!("/v1/webhooks/{id}/replays"), &all).await;
    assert_eq!((replayed.status, &replayed.json["deliveries"]), (202, &json!(1)));
    tell(&app, &sender).await;
    receiver.has(WAITS_S.len() + 2).await;
    let got = receiver.got();
    assert!(got.iter().all(|one| one.id == got[0].id && one.body == got[0].body));
}

#[tokio::test]
async fn a_slow_receiver_delays_neither_a_checkout_nor_another_receiver() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let (slow, quick) = (Receiver::start(Duration::from_secs(4)), Receiver::start(Duration::ZERO));
    let sender = deliverer(&app);
    for receiver in [&slow, &quick] {
        hook(&shop, &receiver.address, &["order.settled"]).await;
    }
    let ana = shop.enrol(&json!({})).await;
    for n in 0..30 {
        order(&shop, &n.to_string(), &ana).await;
    }
    tell(&app, &sender).await;
    quick.has(30).await;
    order(&shop, "more", &ana).await;
    tell(&app, &sender).await;
    quick.has(31).await;
    assert_eq!(slow.got().len(), 0, "it has not answered anything yet");
}

#[tokio::test]
async fn a_receiver_is_told_what_it_asked_for_and_may_rest() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let (receiver, sender) = (Receiver::start(Duration::ZERO), deliverer(&app));
    let (id, first) = hook(&shop, &receiver.address, &["member.enrolled"]).await;
    let ana = shop.enrol(&json!({})).await;
    order(&shop, "1", &ana).await;
    tell(&app, &sender).await;
    receiver.has(1).await;
    let path = format!("/v1/webhooks/{id}");
    let rests = shop.patch(&path, &json!({ "enabled": false, "events": ["order.returned", "order.settled"] })).await;
    assert_eq!((rests.status, &rests.json["enabled"]), (200, &json!(false)));
    order(&shop, "2", &ana).await;
    tell(&app, &sender).await;
    sleep(Duration::from_millis(200)).await;
    assert_eq!(receiver.types(), ["member.enrolled"]);
    // What happened meanwhile waits; and both secrets sign for a while.
    let rotated = shop.post(&format!("{path}/secrets"), &json!({ "overlap_s": 60 })).await;
    assert_eq!(rotated.status, 201, "{rotated:?}");
    shop.patch(&path, &json!({ "enabled": true })).await;
    tell(&app, &sender).await;
    receiver.has(2).await;
    let last = receiver.got().pop().unwrap();
    assert_eq!(last.json()["type"], json!("order.settled"));
    assert!(last.is_signed(&first) && last.is_signed(&rotated.text_at("/secret")));
    shop.post(&format!("{path}/secrets"), &json!({ "overlap_s": 0 })).await;
    order(&shop, "3", &ana).await;
    tell(&app, &sender).await;
    receiver.has(3).await;
    assert!(!receiver.got().pop().unwrap().is_signed(&first));
    assert_eq!(shop.delete(&path).await.status, 204);
    shop.get(&path).await.refused(404, "webhook_unknown");
    assert_eq!(facts::count(&app.test.db, "webhook_deliveries").await, 0);
    order(&shop, "4", &ana).await;
    tell(&app, &sender).await;
    sleep(Duration::from_millis(100)).await;
    assert_eq!(receiver.got().len(), 3);
}

#[tokio::test]
async fn nobody_is_led_inward_nor_elsewhere() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    for url in ["http://example.com/", "https://10.0.0.1/", "https://169.254.169.254/", "ftp://example.com/", "/hook"] {
        let refused = shop.post("/v1/webhooks", &json!({ "url": url })).await;
        refused.refused(422, "url_refused");
        assert_eq!(refused.text_at("/pointer"), "/url");
    }
    let unknown = shop.post("/v1/webhooks", &json!({ "url": "https://example.com/", "events": ["order.made"] })).await;
    unknown.refused(422, "invalid_field");
    assert_eq!(unknown.text_at("/pointer"), "/events/0");
    // A redirect is an answer like any other, and is not taken.
    let (receiver, sender) = (Receiver::start(Duration::ZERO), deliverer(&app));
    receiver.answer(302);
    let (id, _) = hook(&shop, &receiver.address, &["member.enrolled"]).await;
    // Where the process does not reach any more, and a name that leads inward.
    let named = receiver.address.replace("127.0.0.1", "localhost");
    let (inward, _) = hook(&shop, &named, &["member.enrolled"]).await;
    shop.enrol(&json!({})).await;
    tell(&app, &sender).await;
    receiver.has(2).await;
    sleep(Duration::from_millis(200)).await;
    assert_eq!(receiver.got().len(), 2, "one from each, and nothing at /elsewhere");
    assert_eq!(deliveries(&shop, &id).await[0]["answered"], json!(302));
    hurry(&app).await;
    let public = Deliverer::new(app.test.db.clone(), Reach::Public).unwrap();
    tell(&app, &public).await;
    for _ in 0..100 {
        if deliveries(&shop, &inward).await[0]["tries"] == 2 {
            break;
        }
        sleep(Duration::from_millis(25)).await;
    }
    sleep(Duration::from_millis(100)).await;
    let log = deliveries(&shop, &inward).await;
    assert_eq!(log[0]["trouble"], json!("the address is not an address that is public"), "{log:?}");
    assert_eq!(receiver.got().len(), 2);
    for n in 0..18 {
        hook(&shop, &format!("https://example.com/{n}"), &[]).await;
    }
    shop.post("/v1/webhooks", &json!({ "url": "https://example.com/" })).await.refused(409, "webhooks_too_many");
}

/// Ends it whatever becomes of the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[tokio::test]
async fn the_receiver_among_the_examples_believes_us_and_handles_everything_once() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let (id, secret) = hook(&shop, &format!("http://127.0.0.1:{port}/"), &["order.settled"]).await;
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/webhook_receiver.py");
    let started = Command::new("python3").args([example, &port.to_string(), &secret]).stdout(Stdio::piped()).spawn();
    let mut running = Running(started.unwrap());
    let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
    for _ in 0..200 {
        if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            break;
        }
        sleep(Duration::from_millis(25)).await;
    }
    let (ana, sender) = (shop.enrol(&json!({})).await, deliverer(&app));
    order(&shop, "1", &ana).await;
    tell(&app, &sender).await;
    let line = tokio::task::spawn_blocking(move || (lines.next().unwrap().unwrap(), lines)).await.unwrap();
    assert_eq!(line.0, format!("order.settled {ana} 2 100 points earned"));
    // Told again it is taken and left alone; unsigned it is not taken.
    for _ in 0..100 {
        if deliveries(&shop, &id).await[0]["status"] == "delivered" {
            break;
        }
        sleep(Duration::from_millis(25)).await;
    }
    let all = json!({ "from": "2026-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z" });
    assert_eq!(shop.post(&format!("/v1/webhooks/{id}/replays"), &all).await.status, 202);
    order(&shop, "2", &ana).await;
    tell(&app, &sender).await;
    let mut lines = line.1;
    let next = tokio::task::spawn_blocking(move || lines.next().unwrap().unwrap()).await.unwrap();
    assert_eq!(next, format!("order.settled {ana} 3 100 points earned"));
    let unsigned = Client::new(&format!("http://127.0.0.1:{port}"), None).post("/", &json!({})).await;
    assert_eq!(unsigned.status, 401);
}
