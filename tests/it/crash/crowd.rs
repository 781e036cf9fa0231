//! Who shops, and what they do next: a mixed load, by chance.

use std::collections::HashSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::call::Call;
use super::kind::Kind;
use crate::harness::Dice;

/// The first ones, who come more often and are never merged away.
const REGULARS: usize = 3;
/// Some holds end by themselves after so long, in seconds.
const SHORT_HOLD_S: u64 = 1;
/// One request of so many is a batch,
const BATCH_ONCE_IN: u64 = 20;
/// of so many orders: at least, and by chance so many more, less one.
const BATCH_ITEMS: (u64, u64) = (2, 7);
/// While somebody is suspended, one command of so many ends that: soon, so that most commands are not refused for it.
const REINSTATE_ONCE_IN: u64 = 6;
/// One member of so many is called by a name that a merge has taken, or is about to take.
const BY_OLD_NAME_ONCE_IN: u64 = 10;

/// Everybody who shops, as far as the shop was answered.
pub struct Crowd {
    dice: Dice,
    count: u64,
    members: Vec<Member>,
    /// Whom a merge was asked for: names of others, once that is done.
    merged: Vec<Member>,
    /// Who is suspended, as far as nobody has asked for the end of it.
    suspended: Vec<String>,
    orders: Vec<String>,
    /// Orders of guests that nobody has claimed.
    guests: Vec<String>,
    /// Holds that nobody has released.
    holds: Vec<Hold>,
    /// What was learnt already: a command may be answered many times.
    learnt: HashSet<String>,
}

/// Somebody by both names.
#[derive(Clone, PartialEq, Eq)]
struct Member {
    id: String,
    external_id: String,
}

/// Points that were put aside.
#[derive(Clone)]
struct Hold {
    reference: String,
    member: String,
    points: u64,
    /// Whether they still are, as far as is known.
    open: bool,
}

impl Crowd {
    /// Nobody yet.
    pub fn new(dice: Dice) -> Self {
        Self {
            dice,
            count: 0,
            members: Vec::new(),
            merged: Vec::new(),
            suspended: Vec::new(),
            orders: Vec::new(),
            guests: Vec::new(),
            holds: Vec::new(),
            learnt: HashSet::new(),
        }
    }

    /// The command that enrols somebody.
    pub fn enrol(&mut self) -> Call {
        let name = self.name("c");
        let body = json!({ "external_id": name, "email": format!("{name}@example.com"), "name": "Ana" });
        Call::keyed(Kind::Enrol, "enrol", (Method::POST, "/v1/members".to_owned()), name, body)
    }

    /// What happens next: one command, or the items of a batch.
    pub fn plan(&mut self) -> Vec<Call> {
        if !self.members.is_empty() && self.dice.once_in(BATCH_ONCE_IN) {
            return self.batch();
        }
        vec![self.plan_one()]
    }

    fn plan_one(&mut self) -> Call {
        if self.members.is_empty() {
            return self.enrol();
        }
        if !self.suspended.is_empty() && self.dice.once_in(REINSTATE_ONCE_IN) {
            return self.reinstate();
        }
        match self.dice.roll(40) {
            // As many as are merged away, and some more.
            0..=2 => self.enrol(),
            3..=4 => self.change(),
            5..=8 => self.adjust(),
            9..=12 if !self.orders.is_empty() => self.give_back(),
            13..=17 => Call::order(self.cart_with_points()),
            18 => {
                let name = self.name("new");
                Call::order(self.cart_of_newcomer(&name))
            }
            19 => Call::order(self.cart(Value::Null, 0)),
            20..=22 => self.hold(),
            23..=24 if !self.holds.is_empty() => Call::order(self.cart_with_hold()),
            25 if !self.holds.is_empty() => self.release(),
            26..=27 => self.merge(),
            28..=30 => self.transfer(),
            31 => self.suspend(),
            32 if !self.guests.is_empty() => self.claim(),
            _ => Call::order(self.plain_cart()),
        }
    }

    /// What an accepted command says of who is there.
    pub fn learn(&mut self, call: &Call, answer: &Value) {
        if !self.learnt.insert(call.reference.clone()) {
            return;
        }
        let told = |name: &str| answer[name].as_str().unwrap().to_owned();
        match call.kind {
            Kind::Enrol => self.members.push(Member { id: told("id"), external_id: told("external_id") }),
            Kind::Order | Kind::Item => {
                self.orders.push(told("reference"));
                self.guests.extend(call.body["member"].is_null().then(|| told("reference")));
                let taken = self.holds.iter_mut().find(|hold| call.body["hold"] == hold.reference);
                taken.into_iter().for_each(|hold| hold.open = false);
            }
            Kind::Hold => {
                let [points, lasts_s] = ["/points/spend", "/lasts_s"].map(|p| call.body.pointer(p).unwrap().as_u64());
                let (points, open) = (points.unwrap(), lasts_s > Some(SHORT_HOLD_S));
                self.holds.push(Hold { reference: told("reference"), member: told("member"), points, open });
            }
            Kind::Suspend => self.suspended.push(told("member")),
            Kind::Change
            | Kind::Adjust
            | Kind::Return
            | Kind::Release
            | Kind::Transfer
            | Kind::Reinstate
            | Kind::Merge
            | Kind::Claim => {}
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

    /// A place by chance, of so many.
    pub fn place(&mut self, of: usize) -> usize {
        usize::try_from(self.dice.roll(u64::try_from(of).unwrap())).unwrap()
    }

    /// Some member; the first ones come more often, so that commands of one member meet.
    fn member(&mut self) -> Member {
        if !self.merged.is_empty() && self.dice.once_in(BY_OLD_NAME_ONCE_IN) {
            return self.dice.pick(&self.merged).clone();
        }
        let most = if self.dice.once_in(2) { REGULARS } else { self.members.len() };
        let most = most.min(self.members.len());
        self.dice.pick(&self.members[..most]).clone()
    }

    /// Some member by either name.
    fn named(&mut self) -> Value {
        let member = self.member();
        self.by_either_name(member)
    }

    fn by_either_name(&mut self, member: Member) -> Value {
        if self.dice.once_in(2) { json!({ "id": member.id }) } else { json!({ "external_id": member.external_id }) }
    }

    /// A command of a member that its key names.
    fn keyed(&mut self, (kind, command): (Kind, &str), (member, room): (&str, &str), body: Value) -> Call {
        let (name, path) = (self.name(command), format!("/v1/members/{member}/{room}"));
        Call::keyed(kind, command, (Method::POST, path), name, body)
    }

    fn change(&mut self) -> Call {
        let (name, member) = (self.name("h"), self.member().id);
        let body = match self.dice.roll(3) {
            0 => json!({ "email": format!("{name}@example.com") }),
            1 => json!({ "attributes": { "newsletter": self.dice.once_in(2) } }),
            _ => json!({ "name": name }),
        };
        Call::keyed(Kind::Change, "change", (Method::PATCH, format!("/v1/members/{member}")), name, body)
    }

    fn adjust(&mut self) -> Call {
        let member = self.member().id;
        let size = i64::try_from(1 + self.dice.roll(800)).unwrap();
        let points = if self.dice.once_in(4) { -size } else { size };
        let body = json!({ "wallet": "points", "points": points, "reason": "a parcel came late" });
        self.keyed((Kind::Adjust, "adjust"), (&member, "adjustments"), body)
    }

    /// Somebody who is not held to a checkout, as far as is known: for good, so the next merge is another one's.
    fn merge(&mut self) -> Call {
        let held: HashSet<&String> = self.holds.iter().map(|hold| &hold.member).collect();
        let free = |place: &usize| !held.contains(&self.members[*place].id);
        let free: Vec<usize> = (REGULARS..self.members.len()).filter(free).collect();
        if free.is_empty() {
            return self.enrol();
        }
        let source = self.members.swap_remove(*self.dice.pick(&free));
        let into = self.member().id;
        self.merged.push(source.clone());
        let body = json!({ "source": self.by_either_name(source), "reason": "the same person" });
        self.keyed((Kind::Merge, "merge"), (&into, "merges"), body)
    }

    fn transfer(&mut self) -> Call {
        let (from, to) = (self.member(), self.member());
        if from == to {
            return self.adjust();
        }
        let body = json!({ "to": self.by_either_name(to), "wallet": "points", "points": 1 + self.dice.roll(40) });
        self.keyed((Kind::Transfer, "transfer"), (&from.id, "transfers"), body)
    }

    fn suspend(&mut self) -> Call {
        let member = self.member().id;
        self.keyed((Kind::Suspend, "suspend"), (&member, "suspensions"), json!({ "reason": "too many returns" }))
    }

    /// Once a suspension.
    fn reinstate(&mut self) -> Call {
        let place = self.place(self.suspended.len());
        let member = self.suspended.swap_remove(place);
        self.keyed((Kind::Reinstate, "reinstate"), (&member, "reinstatements"), json!({ "reason": "all is well" }))
    }

    fn plain_cart(&mut self) -> Value {
        let member = self.named();
        self.cart(member, 0)
    }

    fn cart_with_points(&mut self) -> Value {
        let (member, points) = (self.named(), 1 + self.dice.roll(150));
        self.cart(member, points)
    }

    fn cart_of_newcomer(&mut self, name: &str) -> Value {
        let mut cart = self.cart(json!({ "external_id": name }), 0);
        cart["enrol"] = json!(true);
        cart
    }

    fn cart(&mut self, member: Value, points: u64) -> Value {
        let reference = self.name("o");
        let cents = 500 + self.dice.roll(9_500);
        let mut body = json!({ "reference": reference, "member": member, "currency": "EUR", "channel": "web", "lines": [
            { "id": "1", "sku": "S-42", "quantity": 2, "amount": format!("{}.{:02}", cents / 100, cents % 100) },
            { "id": "s", "kind": "shipping", "amount": "4.95" }] });
        if points > 0 {
            body["points"] = json!({ "spend": points });
        }
        body
    }

    /// Sales of a till that was offline: of regulars, guests, and a newcomer who may have come more than once.
    fn batch(&mut self) -> Vec<Call> {
        let newcomer = self.name("new");
        let (least, more) = BATCH_ITEMS;
        let items = 0..least + self.dice.roll(more);
        let carts = items.map(|_| match self.dice.roll(8) {
            0 => self.cart(Value::Null, 0),
            1..=2 => self.cart_of_newcomer(&newcomer),
            3..=4 => self.cart_with_points(),
            5 if !self.holds.is_empty() => self.cart_with_hold(),
            _ => self.plain_cart(),
        });
        carts.map(Call::item).collect()
    }

    /// Once an order: a claim has no other name.
    fn claim(&mut self) -> Call {
        let place = self.place(self.guests.len());
        let (order, member) = (self.guests.swap_remove(place), self.named());
        Call::claim(&order, json!({ "member": member }))
    }

    /// Some end by themselves, soon.
    fn hold(&mut self) -> Call {
        let (reference, member, points) = (self.name("hold"), self.named(), 1 + self.dice.roll(100));
        let lasts_s = if self.dice.once_in(3) { SHORT_HOLD_S } else { 900 };
        let body = json!({ "reference": reference, "member": member, "points": { "spend": points },
            "lasts_s": lasts_s });
        Call::hold(&reference, body)
    }

    /// Of an order that is paid with what is held, or with a part of it; perhaps another one was before it.
    fn cart_with_hold(&mut self) -> Value {
        let Hold { reference, member, points, .. } = self.dice.pick(&self.holds).clone();
        let points = if self.dice.once_in(2) { points } else { points.div_ceil(2) };
        let mut cart = self.cart(json!({ "id": member }), points);
        cart["hold"] = json!(reference);
        cart
    }

    /// Once a hold: a release has no other name. Mostly of one that is open.
    fn release(&mut self) -> Call {
        let any = self.dice.once_in(3);
        let places: Vec<usize> = (0..self.holds.len()).filter(|place| any || self.holds[*place].open).collect();
        let place = if places.is_empty() { self.place(self.holds.len()) } else { *self.dice.pick(&places) };
        Call::release(&self.holds.swap_remove(place).reference)
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
