//! Both ways at once: callers who trickle, who do not read, and who hang up.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

use super::{PATH, get_order, order};
use crate::harness::{Client, TestApp, facts};

/// A request whose body is sent piece by piece.
struct Caller {
    stream: BufReader<TcpStream>,
}

impl Caller {
    /// Sends the head; a small buffer for what comes back makes a slow reader felt soon.
    async fn new(shop: &Client) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(16 * 1024).unwrap();
        let stream = socket.connect(shop.address().parse().unwrap()).await.unwrap();
        let mut caller = Self { stream: BufReader::new(stream) };
        let head = format!(
            "POST {PATH} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {}\r\nContent-Type: application/x-ndjson\r\n\
             Transfer-Encoding: chunked\r\n\r\n",
            shop.key()
        );
        caller.write(head.as_bytes()).await;
        caller
    }

    async fn write(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).await.unwrap();
    }

    async fn piece(&mut self, text: &str) {
        self.write(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes()).await;
    }

    async fn end(&mut self) {
        self.write(b"0\r\n\r\n").await;
    }

    async fn head(&mut self) -> String {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(self.stream.read_line(&mut head).await.unwrap() > 0, "{head}");
        }
        head
    }

    /// A chunk of the answer; empty at its end.
    async fn chunk(&mut self) -> String {
        let mut size = String::new();
        self.stream.read_line(&mut size).await.unwrap();
        let mut chunk = vec![0; usize::from_str_radix(size.trim(), 16).unwrap() + 2];
        self.stream.read_exact(&mut chunk).await.unwrap();
        String::from_utf8(chunk).unwrap().trim_end_matches("\r\n").to_owned()
    }

    async fn rest(&mut self) -> Vec<Value> {
        let mut text = String::new();
        loop {
            match self.chunk().await {
                chunk if chunk.is_empty() => break,
                chunk => text.push_str(&chunk),
            }
        }
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// An order whose receipt is some kilobytes long.
fn long(reference: &str) -> String {
    let lines: Vec<Value> = (0..40).map(|n| json!({ "id": format!("line-{n}"), "amount": "1.00" })).collect();
    let mut order = order(reference, &Value::Null, "1.00");
    order["lines"] = json!(lines);
    format!("{order}\n")
}

async fn settled(app: &TestApp) -> i64 {
    facts::count(&app.test.db, "postings WHERE kind = 2").await
}

/// Waits until nothing more is settled.
async fn quiet(app: &TestApp) -> i64 {
    let mut before = -1;
    loop {
        let now = settled(app).await;
        if now == before {
            return now;
        }
        before = now;
        sleep(Duration::from_millis(700)).await;
    }
}

#[tokio::test]
async fn a_line_is_answered_while_the_next_ones_are_still_to_come() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let mut caller = Caller::new(&shop).await;
    assert!(caller.head().await.starts_with("HTTP/1.1 200 "), "before the first line");
    for n in 1..=3 {
        let text = order(&format!("o-{n}"), &Value::Null, "1.00").to_string();
        let (one, other) = text.split_at(20);
        caller.piece(one).await;
        caller.piece(other).await;
        assert!(timeout(Duration::from_millis(100), caller.chunk()).await.is_err(), "half a line is no line");
        caller.piece("\r\n").await;
        let answer: Value = serde_json::from_str(caller.chunk().await.trim_end()).unwrap();
        assert_eq!((answer["line"].as_u64(), answer["status"].as_u64()), (Some(n), Some(201)));
        assert_eq!(get_order(&shop, &format!("o-{n}")).await.json, answer["receipt"]);
    }
    caller.piece(order("last", &Value::Null, "1.00").to_string().as_str()).await;
    caller.end().await;
    let rest = caller.rest().await;
    assert_eq!((rest.len(), &rest[0]["reference"]), (1, &json!("last")), "the last line needs no end");
}

#[tokio::test]
async fn who_does_not_read_is_not_read_from() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let mut caller = Caller::new(&shop).await;
    let (mut sent, count) = (0, 4_000);
    while sent < count {
        let piece: String = (sent..sent + 50).map(|n| long(&format!("o-{n}"))).collect();
        match timeout(Duration::from_secs(2), caller.piece(&piece)).await {
            Ok(()) => sent += 50,
            Err(_) => break,
        }
    }
    let held = quiet(&app).await;
    assert!(held < i64::from(count), "all {held} were settled, and no answer was read");
    assert_eq!(shop.get("/v1/program").await.status, 200, "others are served");
    drop(caller);
    // What was under way is settled; nothing more is read.
    let after = quiet(&app).await;
    assert!(after < i64::from(count), "{held} before it hung up, {after} after");
}

#[tokio::test]
async fn what_was_sent_before_a_caller_hung_up_is_settled_once() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let orders: Vec<Value> = (0..400).map(|n| order(&format!("o-{n}"), &Value::Null, "2.00")).collect();
    let mut caller = Caller::new(&shop).await;
    caller.head().await;
    let piece: String = orders.iter().map(|order| format!("{order}\n")).collect();
    caller.piece(&piece).await;
    // And half of one more.
    caller.piece("{\"reference\": \"half\", \"member\": null, \"currency\": \"EUR\", \"lines\": [{\"id\": \"1\"").await;
    assert!(caller.chunk().await.contains("\"settled\""));
    drop(caller);
    let settled = quiet(&app).await;
    assert!((1..=400).contains(&settled), "{settled}");
    let again = super::send(&shop, &orders).await;
    assert_eq!(i64::try_from(super::count(&again, 200)).unwrap(), settled);
    assert_eq!(super::count(&again, 201), 400 - super::count(&again, 200));
    assert_eq!(facts::count(&app.test.db, "postings WHERE kind = 2").await, 400);
    get_order(&shop, "half").await.refused(404, "order_unknown");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_it_is_read() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let mut stream = TcpStream::connect(shop.address()).await.unwrap();
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {}\r\nContent-Type: application/x-ndjson\r\n\
         Content-Length: {}\r\n\r\n",
        shop.key(),
        32 * 1024 * 1024 + 1
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 512];
    let length = stream.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("application/problem+json"), "{answer}");
}
