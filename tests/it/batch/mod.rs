//! Orders by the batch.

mod lines;
mod streams;
mod trouble;

use serde_json::{Value, json};

use crate::harness::{Client, Reply};

const PATH: &str = "/v1/orders/batch";

/// An order of a member, as named.
fn order(reference: &str, member: &Value, amount: &str) -> Value {
    json!({ "reference": reference, "member": member, "currency": "EUR", "lines": [{ "id": "1", "amount": amount }] })
}

/// The same, paid with points.
fn with_points(order: &Value, spend: i64) -> Value {
    let mut order = order.clone();
    order["points"] = json!({ "spend": spend });
    order
}

fn ndjson(orders: &[Value]) -> String {
    orders.iter().map(|order| format!("{order}\n")).collect()
}

async fn send(shop: &Client, orders: &[Value]) -> Vec<Value> {
    shop.post_lines(PATH, ndjson(orders)).await.lines()
}

/// Line, status and code of each answer.
fn told(items: &[Value]) -> Vec<(u64, u64, &str)> {
    let of = |item: &Value, name: &str| item[name].as_u64().unwrap();
    items.iter().map(|item| (of(item, "line"), of(item, "status"), item["code"].as_str().unwrap())).collect()
}

/// How many answers have a status.
fn count(items: &[Value], status: u64) -> usize {
    items.iter().filter(|item| item["status"] == json!(status)).count()
}

async fn get_order(shop: &Client, reference: &str) -> Reply {
    shop.get(&format!("/v1/orders/{reference}")).await
}
