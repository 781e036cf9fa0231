//! What storefronts and tills send.

use std::sync::Arc;

use perennial::kernel::id::MemberId;

use super::driver::{Requests, request, request_of};
use super::product::{Product, member_of};
use super::sizes::BATCH_ORDERS;

/// What a storefront wants of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// That it is settled, and earns.
    Earn,
    /// That it is settled, and is paid in part with points.
    Spend,
    /// What it would earn.
    Quote,
}

/// The points that pay: a few more than such an order earns, so that two lots give and nobody runs out.
const POINTS: &str = r#""points":{"spend":100},"#;
/// What follows in each order.
const ORDER_TAIL: &str = r#""currency":"EUR","channel":"web","store":"ams-1","prices":"tax_included","lines":[{"id":"1","kind":"product","sku":"S-42","category":"shoes","quantity":1,"amount":"89.99","tax_rate":"21"},{"id":"2","kind":"product","sku":"S-43","category":"socks","quantity":3,"amount":"23.85","tax_rate":"21"}]}"#;

/// Orders, one a request.
#[derive(Clone)]
pub struct OrderRequests {
    members: Arc<[MemberId]>,
    keys: Arc<[String]>,
    name: Arc<str>,
    ask: Ask,
    body: Vec<u8>,
}

impl OrderRequests {
    /// Orders whose references begin with a name.
    pub fn new(product: &Product, ask: Ask, name: String) -> Self {
        let (members, keys) = (Arc::clone(&product.members), Arc::clone(&product.keys));
        Self { members, keys, name: name.into(), ask, body: Vec::with_capacity(1024) }
    }

    fn add(&mut self, number: usize) {
        let member = member_of(&self.members, number);
        let head = format!(r#"{{"reference":"{}-{number}","member":{{"id":"{member}"}},"#, self.name);
        self.body.extend_from_slice(head.as_bytes());
        if self.ask == Ask::Spend {
            self.body.extend_from_slice(POINTS.as_bytes());
        }
        self.body.extend_from_slice(ORDER_TAIL.as_bytes());
    }
}

impl Requests for OrderRequests {
    fn write(&mut self, number: usize, out: &mut Vec<u8>) {
        self.body.clear();
        self.add(number);
        let path = if self.ask == Ask::Quote { "/v1/checkout/quotes" } else { "/v1/orders" };
        request(out, "POST", path, key(&self.keys, number), &self.body);
    }

    fn is_good(&self, body: &[u8]) -> bool {
        // It stands near the end, and only an order that was paid with points has it.
        let spent = br#""spent":[{"#;
        self.ask != Ask::Spend || body.windows(spent.len()).rev().any(|part| part == spent)
    }
}

/// Orders, [`BATCH_ORDERS`] a request.
#[derive(Clone)]
pub struct BatchRequests(pub OrderRequests);

impl Requests for BatchRequests {
    fn write(&mut self, number: usize, out: &mut Vec<u8>) {
        let Self(orders) = self;
        orders.body.clear();
        for item in 0..BATCH_ORDERS {
            orders.add(number * BATCH_ORDERS + item);
            orders.body.push(b'\n');
        }
        let key = key(&orders.keys, number);
        request_of("application/x-ndjson", out, ("POST", "/v1/orders/batch"), key, &orders.body);
    }

    fn is_good(&self, body: &[u8]) -> bool {
        let settled = br#","code":"settled","#;
        body.windows(settled.len()).filter(|part| part == settled).count() == BATCH_ORDERS
    }
}

/// Balances.
#[derive(Clone)]
pub struct BalanceRequests {
    members: Arc<[MemberId]>,
    keys: Arc<[String]>,
}

impl BalanceRequests {
    /// Of all members.
    pub fn new(product: &Product) -> Self {
        Self { members: Arc::clone(&product.members), keys: Arc::clone(&product.keys) }
    }
}

impl Requests for BalanceRequests {
    fn write(&mut self, number: usize, out: &mut Vec<u8>) {
        let path = format!("/v1/members/{}/balances", member_of(&self.members, number));
        request(out, "GET", &path, key(&self.keys, number), &[]);
    }
}

fn key(keys: &[String], number: usize) -> &str {
    keys.get(number % keys.len().max(1)).map_or("", String::as_str)
}
