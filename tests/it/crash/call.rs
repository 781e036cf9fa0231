//! A command as a storefront sends it, and sends it again.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use super::kind::Kind;
use crate::harness::{Client, Reply};

/// After how long nobody waits for an answer any more.
pub const ANSWER: Duration = Duration::from_secs(30);

/// A command under its name: it may be sent any number of times.
#[derive(Clone, Debug)]
pub struct Call {
    pub kind: Kind,
    pub method: Method,
    pub path: String,
    /// The `Idempotency-Key`, where the body does not name the command.
    pub key: Option<String>,
    /// What is sent; null is nothing.
    pub body: Value,
    /// Its name in the ledger.
    pub reference: String,
    /// Where its receipt can be read afterwards.
    pub read_at: Option<String>,
}

/// What a command was answered, alone or in a batch.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    /// Whether it had been done before.
    pub replayed: bool,
    /// Whether it says when to come again, as far as it can.
    pub says_when: bool,
    /// The receipt or the problem as it came.
    pub text: String,
    /// The same as JSON.
    pub json: Value,
}

impl Answer {
    /// The answer to a command that was sent alone.
    pub fn of(reply: Reply) -> Self {
        let replayed = reply.header("idempotency-replayed") == Some("true");
        let says_when = reply.header("retry-after").is_some();
        Self { status: reply.status, replayed, says_when, text: reply.text, json: reply.json }
    }

    /// What no shop should be told.
    pub fn unheard_of(text: &str) -> Self {
        Self { status: 0, replayed: false, says_when: false, text: text.to_owned(), json: Value::Null }
    }

    /// The code of a problem.
    pub fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }

    /// Whether it is said that the same may be asked again.
    pub fn retryable(&self) -> bool {
        self.json["retryable"] == true
    }
}

impl Call {
    /// A command whose key names it: `adjust:<key>`.
    pub fn keyed(kind: Kind, command: &str, (method, path): (Method, String), key: String, body: Value) -> Self {
        let reference = format!("{command}:{key}");
        Self { kind, method, path, key: Some(key), body, reference, read_at: None }
    }

    /// An order.
    pub fn order(body: Value) -> Self {
        let reference = body["reference"].as_str().unwrap();
        Self {
            kind: Kind::Order,
            method: Method::POST,
            path: "/v1/orders".to_owned(),
            key: None,
            reference: format!("order:{reference}"),
            read_at: Some(format!("/v1/orders/{reference}")),
            body,
        }
    }

    /// An order in a batch: a sale that has happened.
    pub fn item(body: Value) -> Self {
        Self { kind: Kind::Item, path: "/v1/orders/batch".to_owned(), ..Self::order(body) }
    }

    /// A return of an order.
    pub fn order_return(order: &str, reference: &str, body: Value) -> Self {
        Self {
            kind: Kind::Return,
            method: Method::POST,
            path: format!("/v1/orders/{order}/returns"),
            key: None,
            body,
            reference: format!("order:{order}/return:{reference}"),
            read_at: None,
        }
    }

    /// A hold.
    pub fn hold(reference: &str, body: Value) -> Self {
        Self {
            kind: Kind::Hold,
            method: Method::POST,
            path: "/v1/checkout/holds".to_owned(),
            key: None,
            body,
            reference: format!("hold:{reference}"),
            read_at: None,
        }
    }

    /// The release of a hold.
    pub fn release(hold: &str) -> Self {
        Self {
            kind: Kind::Release,
            method: Method::DELETE,
            path: format!("/v1/checkout/holds/{hold}"),
            key: None,
            body: Value::Null,
            reference: format!("hold:{hold}/release"),
            read_at: None,
        }
    }

    /// The claim of a guest's order: once an order, it has no other name.
    pub fn claim(order: &str, body: Value) -> Self {
        Self {
            kind: Kind::Claim,
            method: Method::POST,
            path: format!("/v1/orders/{order}/claims"),
            key: None,
            body,
            reference: format!("order:{order}/claim"),
            read_at: None,
        }
    }

    /// Sends it; none when it was not answered to the end.
    pub async fn send(&self, client: &Client) -> Option<Reply> {
        let mut request = client.request(self.method.clone(), &self.path);
        if !self.body.is_null() {
            request = request.json(&self.body);
        }
        if let Some(key) = &self.key {
            request = request.header("Idempotency-Key", key);
        }
        Reply::if_any(request.timeout(ANSWER)).await.ok()
    }
}
