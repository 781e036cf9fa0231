//! Who shops, and what they do next: a mixed load, by chance.

use std::collections::HashSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::call::{Call, Kind};
use crate::harness::Dice;

/// Everybody who shops, as far as the shop was answered.
pub struct Crowd {
    dice: Dice,
    count: u64,
    members: Vec<String>,
    orders: Vec<String>,
    /// Holds that nobody has released, each with its member and how many points it holds.
    holds: Vec<(String, String, u64)>,
    /// What was learnt already: a command may be answered many times.
    learnt: HashSet<String>,
}

impl Crowd {
    /// Nobody yet.
    pub fn new(dice: Dice) -> Self {
        let learnt = HashSet::new();
        Self { dice, count: 0, members: Vec::new(), orders: Vec::new(), holds: Vec::new(), learnt }
    }

    /// The command that enrols somebody.
    pub fn enrol(&mut self) -> Call {
        let name = self.name("c");
        let body = json!({ "external_id": name, "email": format!("{name}@example.com"), "name": "Ana" });
        Call::keyed(Kind::Enrol, "enrol", (Method::POST, "/v1/members".to_owned()), name, body)
    }

    /// What happens next.
    pub fn plan(&mut self) -> Call {
        if self.members.is_empty() {
            return self.enrol();
        }
        match self.dice.roll(30) {
            0 => self.enrol(),
            1..=2 => self.change(),
            3..=6 => self.adjust(),
            7..=10 if !self.orders.is_empty() => self.give_back(),
            11..=15 => self.order_paid_with_points(),
            16 => self.order_of(json!({ "external_id": format!("new-{}", self.count) }), 0),
            17 => self.order_of(Value::Null, 0),
            18..=20 => self.hold(),
            21..=22 if !self.holds.is_empty() => self.capture(),
            23 if !self.holds.is_empty() => self.release(),
            _ => {
                let member = self.member();
                self.order_of(json!({ "id": member }), 0)
            }
        }
    }

    /// What an accepted command says of who is there.
    pub fn learn(&mut self, call: &Call, answer: &Value) {
        if !self.learnt.insert(call.reference.clone()) {
            return;
        }
        match call.kind {
            Kind::Enrol => self.members.extend(answer["id"].as_str().map(str::to_owned)),
            Kind::Order => self.orders.extend(answer["reference"].as_str().map(str::to_owned)),
            Kind::Hold => {
                let [hold, member] = ["reference", "member"].map(|name| answer[name].as_str().unwrap().to_owned());
                self.holds.push((hold, member, call.body["points"]["spend"].as_u64().unwrap()));
            }
            Kind::Change | Kind::Adjust | Kind::Return | Kind::Release => {}
        }
    }

    /// True once in `sides` times.
    pub fn once_in(&mut self, sides: u64) -> bool {
        self.dice.once_in(sides)
    }

    /// 0 up to one less than `sides`.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.dice.roll(sides)
    }

    fn name(&mut self, what: &str) -> String {
        self.count += 1;
        format!("{what}-{}", self.count)
    }

    /// Some member; the first ones come more often, so that commands of one member meet.
    fn member(&mut self) -> String {
        let most = if self.dice.once_in(2) { 3 } else { self.members.len() };
        let most = most.min(self.members.len());
        self.dice.pick(&self.members[..most]).clone()
    }

    fn change(&mut self) -> Call {
        let (name, member) = (self.name("h"), self.member());
        let body = match self.dice.roll(3) {
            0 => json!({ "email": format!("{name}@example.com") }),
            1 => json!({ "attributes": { "newsletter": self.dice.once_in(2) } }),
            _ => json!({ "name": name }),
        };
        Call::keyed(Kind::Change, "change", (Method::PATCH, format!("/v1/members/{member}")), name, body)
    }

    fn adjust(&mut self) -> Call {
        let (name, member) = (self.name("a"), self.member());
        let size = i64::try_from(1 + self.dice.roll(800)).unwrap();
        let points = if self.dice.once_in(4) { -size } else { size };
        let body = json!({ "wallet": "points", "points": points, "reason": "a parcel came late" });
        Call::keyed(Kind::Adjust, "adjust", (Method::POST, format!("/v1/members/{member}/adjustments")), name, body)
    }

    fn order_paid_with_points(&mut self) -> Call {
        let (member, points) = (self.member(), 1 + self.dice.roll(300));
        self.order_of(json!({ "id": member }), points)
    }

    fn order_of(&mut self, member: Value, points: u64) -> Call {
        let reference = self.name("o");
        let cents = 500 + self.dice.roll(9_500);
        let mut body = json!({ "reference": reference, "member": member, "currency": "EUR", "channel": "web", "lines": [
            { "id": "1", "sku": "S-42", "quantity": 2, "amount": format!("{}.{:02}", cents / 100, cents % 100) },
            { "id": "s", "kind": "shipping", "amount": "4.95" }] });
        body["enrol"] = json!(member.get("external_id").is_some());
        if points > 0 {
            body["points"] = json!({ "spend": points });
        }
        Call::order(&reference, body)
    }

    /// Some end by themselves, soon.
    fn hold(&mut self) -> Call {
        let (reference, member, points) = (self.name("hold"), self.member(), 1 + self.dice.roll(200));
        let lasts_s = if self.dice.once_in(2) { 1 } else { 900 };
        let body = json!({ "reference": reference, "member": { "id": member }, "points": { "spend": points },
            "lasts_s": lasts_s });
        Call::hold(&reference, body)
    }

    /// An order that is paid with what is held, or with a part of it; perhaps another one was before it.
    fn capture(&mut self) -> Call {
        let (hold, member, points) = self.dice.pick(&self.holds).clone();
        let points = if self.dice.once_in(2) { points } else { points.div_ceil(2) };
        let mut order = self.order_of(json!({ "id": member }), points);
        order.body["hold"] = json!(hold);
        order
    }

    /// Once a hold: a release has no other name.
    fn release(&mut self) -> Call {
        let place = usize::try_from(self.dice.roll(u64::try_from(self.holds.len()).unwrap())).unwrap();
        Call::release(&self.holds.swap_remove(place).0)
    }

    fn give_back(&mut self) -> Call {
        let (reference, order) = (self.name("r"), self.dice.pick(&self.orders).clone());
        let body = match self.dice.roll(3) {
            0 => json!({ "reference": reference, "all": true }),
            1 => json!({ "reference": reference, "amount": "1.50" }),
            _ => json!({ "reference": reference, "lines": [{ "id": "1", "quantity": 1 }] }),
        };
        Call::order_return(&order, &reference, body)
    }
}
