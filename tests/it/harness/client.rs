//! A client of the API, and what it is answered.

use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;

/// Somebody who calls.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    address: String,
    key: Option<String>,
}

/// What a call answered.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub text: String,
    /// The body as JSON; null when it is none.
    pub json: Value,
}

impl Client {
    /// Somebody at an address, with a key or without.
    pub fn new(address: &str, key: Option<&str>) -> Self {
        Self { http: reqwest::Client::new(), address: address.to_owned(), key: key.map(str::to_owned) }
    }

    /// Its key.
    pub fn key(&self) -> &str {
        self.key.as_ref().unwrap()
    }

    /// The public half of its key.
    pub fn key_id(&self) -> &str {
        &self.key()[4..20]
    }

    /// A request with the key, to be completed.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.address));
        match &self.key {
            Some(key) => request.header(AUTHORIZATION, format!("Bearer {key}")),
            None => request,
        }
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> Reply {
        Reply::of(self.request(Method::GET, path)).await
    }

    /// Posts a document.
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        Reply::of(self.request(Method::POST, path).json(body)).await
    }

    /// Posts a document under an idempotency key.
    pub async fn post_keyed(&self, path: &str, key: &str, body: &Value) -> Reply {
        Reply::of(self.request(Method::POST, path).header("Idempotency-Key", key).json(body)).await
    }

    /// Posts bytes as JSON, under an idempotency key of their own.
    pub async fn post_bytes(&self, path: &str, bytes: Vec<u8>) -> Reply {
        let request = self.request(Method::POST, path).header("Idempotency-Key", fresh("raw"));
        Reply::of(request.header(CONTENT_TYPE, "application/json").body(bytes)).await
    }

    /// Posts lines as NDJSON.
    pub async fn post_lines(&self, path: &str, lines: impl Into<reqwest::Body>) -> Reply {
        Reply::of(self.request(Method::POST, path).header(CONTENT_TYPE, "application/x-ndjson").body(lines)).await
    }

    /// Where it calls: host and port.
    pub fn address(&self) -> &str {
        self.address.trim_start_matches("http://")
    }

    /// Changes a document.
    pub async fn patch(&self, path: &str, body: &Value) -> Reply {
        Reply::of(self.request(Method::PATCH, path).json(body)).await
    }

    /// Deletes.
    pub async fn delete(&self, path: &str) -> Reply {
        Reply::of(self.request(Method::DELETE, path)).await
    }

    /// Enrols a member and answers the id.
    pub async fn enrol(&self, member: &Value) -> String {
        let reply = self.post_keyed("/v1/members", &fresh("enrol"), member).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.text_at("/id")
    }

    /// Adds points to the first wallet of a programme, or takes them.
    pub async fn adjust(&self, member: &str, points: i64) {
        let body = serde_json::json!({ "wallet": "points", "points": points, "reason": "test" });
        let reply = self.post_keyed(&format!("/v1/members/{member}/adjustments"), &fresh("adjust"), &body).await;
        assert_eq!(reply.status, 201, "{reply:?}");
    }

    /// What a member has in the first wallet: `spendable` and the rest.
    pub async fn wallet(&self, member: &str) -> Value {
        let reply = self.get(&format!("/v1/members/{member}/balances")).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json["wallets"][0].clone()
    }

    /// What a member can spend.
    pub async fn spendable(&self, member: &str) -> i64 {
        self.wallet(member).await["spendable"].as_i64().unwrap()
    }
}

impl Reply {
    /// Sends a request.
    pub async fn of(request: RequestBuilder) -> Self {
        Self::if_any(request).await.unwrap()
    }

    /// Sends a request to somebody who may not live to answer it to the end.
    pub async fn if_any(request: RequestBuilder) -> Result<Self, reqwest::Error> {
        Self::read(request.send().await?).await
    }

    /// Reads what has begun to come.
    pub async fn read(response: Response) -> Result<Self, reqwest::Error> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Self { status, headers, text, json })
    }

    /// The documents of an NDJSON body.
    pub fn lines(&self) -> Vec<Value> {
        assert_eq!((self.status, self.header("content-type")), (200, Some("application/x-ndjson")), "{}", self.text);
        self.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The code of a problem.
    pub fn code(&self) -> &str {
        self.json.get("code").and_then(Value::as_str).unwrap_or_default()
    }

    /// The pointer of a problem.
    pub fn pointer(&self) -> Option<&str> {
        self.json.get("pointer").and_then(Value::as_str)
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// A text of the document, by its JSON pointer.
    pub fn text_at(&self, pointer: &str) -> String {
        self.json.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} in {self:?}")).to_owned()
    }

    /// Asserts status and code of a problem.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.code()), (status, code), "{}", self.text);
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.text);
    }
}

/// A name that no other call of this process uses.
pub fn fresh(what: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{what}-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}
