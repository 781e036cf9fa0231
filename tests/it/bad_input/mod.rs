//! What never gets in: each case by status, code and pointer, and nothing has changed after it.

mod bodies;
mod holds;
mod members;
mod merges;
mod orders;
mod returns;
mod suspensions;
mod transfers;

use perennial::loyalty::ledger::writer::Pace;
use serde_json::{Value, json};

use crate::harness::{Client, Reply, TestApp, facts};

/// What a case expects: status, code, pointer.
type Expected = (u16, &'static str, Option<&'static str>);

/// A member whom nobody has enrolled.
const NOBODY: &str = "0198c0de-0000-7000-8000-000000000000";

/// A refusal of one field: 422 `invalid_field`.
fn invalid(pointer: &'static str) -> Expected {
    (422, "invalid_field", Some(pointer))
}

/// A refusal of one field with a code of its own.
fn unfit(code: &'static str, pointer: &'static str) -> Expected {
    (422, code, Some(pointer))
}

/// A document with a value put at a pointer; `null` takes the field out.
fn with(document: &Value, pointer: &str, value: Value) -> Value {
    let mut document = document.clone();
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    let parent = document.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer}"));
    match parent {
        Value::Object(fields) if value.is_null() => drop(fields.remove(last)),
        Value::Object(fields) => drop(fields.insert(last.to_owned(), value)),
        Value::Array(items) => {
            let place: usize = last.parse().unwrap();
            items.truncate(place);
            items.push(value);
        }
        other => panic!("{pointer} in {other}"),
    }
    document
}

/// A shop with one member who has points, an order, and what is stored.
struct Scene {
    app: TestApp,
    shop: Client,
    member: String,
    before: String,
}

impl Scene {
    async fn new() -> Self {
        Self::of(crate::harness::EURO, "EUR").await
    }

    async fn of(program: &str, currency: &str) -> Self {
        let app = TestApp::with(program, Pace::serving()).await;
        let shop = app.shop().await;
        let member = shop.enrol(&json!({ "external_id": "c-17", "email": "ana@example.com" })).await;
        shop.enrol(&json!({ "external_id": "c-18" })).await;
        shop.adjust(&member, 500).await;
        let order = json!({ "reference": "1001", "member": { "id": member }, "currency": currency,
            "lines": [{ "id": "1", "quantity": 3, "amount": "30" }, { "id": "free", "amount": "0" },
                { "id": "s", "kind": "shipping", "amount": "5" }] });
        assert_eq!(shop.post("/v1/orders", &order).await.status, 201);
        let before = facts::fingerprint(&app.test.db).await;
        Self { app, shop, member, before }
    }

    /// What has happened until now was meant to; from here on nothing may.
    async fn is_set(&mut self) {
        self.before = facts::fingerprint(&self.app.test.db).await;
    }

    /// Asserts that a line of a batch is refused as the order is online, unless it is only the points that are not there.
    async fn refuses_line(&self, order: &Value, (status, code, pointer): Expected) {
        if code == "insufficient_points" {
            return;
        }
        let reply = self.shop.post_lines("/v1/orders/batch", order.to_string()).await;
        let [item] = reply.lines().try_into().unwrap();
        let problem = &item["problem"];
        let told =
            (item["status"].as_u64(), item["code"].as_str(), problem["code"].as_str(), problem["pointer"].as_str());
        assert_eq!(told, (Some(status.into()), Some(code), Some(code), pointer), "{order}: {item}");
        assert_eq!((item["line"].as_u64(), problem["status"].as_u64()), (Some(1), Some(status.into())), "{item}");
        assert_eq!(facts::fingerprint(&self.app.test.db).await, self.before, "{order} changed something");
    }

    /// Asserts that a call was refused as expected, and that nothing has changed.
    async fn refuses(&self, what: &str, reply: &Reply, (status, code, pointer): Expected) {
        assert_eq!((reply.status, reply.code(), reply.pointer()), (status, code, pointer), "{what}: {}", reply.text);
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{what}");
        assert!(reply.json["request_id"].is_string() && reply.json["title"].is_string(), "{what}: {}", reply.text);
        assert_eq!(facts::fingerprint(&self.app.test.db).await, self.before, "{what} changed something");
    }
}
