//! Random commands that make sense often enough: they look at the model to find orders, points and days.

mod baskets;
mod times;

use chrono::Duration;

use crate::command::{Asked, Command, Order, Ordered, What};
use crate::facts::Time;
use crate::naive::Naive;
use crate::naive::discounts::When;
use crate::naive::orders::Sale;
use crate::naive::returns::stays;
use crate::naive::wallets::MOST;
use crate::rng::Rng;
use crate::spec::{CODES, Spec};

pub struct Generator {
    rng: Rng,
    clock: Time,
    /// Business time of an import of history that runs first.
    history: Option<Time>,
    said: Vec<Command>,
    names: u32,
    minted: u32,
    crowd: u32,
}

const MEMBERS: i64 = 3;

impl Generator {
    /// A generator; `crowd` is how many opening balances come first.
    pub fn new(seed: u64, spec: &Spec, crowd: u32) -> Self {
        let mut rng = Rng::new(seed);
        let clock = spec.calendar.start(spec.first_day) + Duration::seconds(rng.within(0, 86_400 * 100));
        let history = rng.percent(30).then_some(clock);
        let clock = if history.is_some() { clock + Duration::days(rng.within(200, 900)) } else { clock };
        Self { rng, clock, history, said: Vec::new(), names: 0, minted: 0, crowd }
    }

    pub fn length(&mut self) -> i64 {
        // Long ones are rarer: they cost most.
        self.rng.within(30, 200).min(self.rng.within(30, 200))
    }

    pub fn next(&mut self, model: &Naive<'_>) -> Command {
        if self.crowd > 0 {
            self.crowd -= 1;
            return self.bring(model);
        }
        self.pass_time(model);
        let command = match self.rng.within(1, 100) {
            1..=6 if !self.said.is_empty() => self.again(),
            7..=9 if !self.said.is_empty() => self.other_with_the_same_name(model),
            _ => {
                let what = self.what(model);
                self.fresh(what)
            }
        };
        self.said.push(command.clone());
        command
    }

    /// A member who comes with very many lots, some of which end and wait alike.
    fn bring(&mut self, model: &Naive<'_>) -> Command {
        self.history = None;
        let today = model.spec.calendar.day(self.clock);
        let mut day =
            |chance, from, to| self.rng.percent(chance).then(|| today + Duration::days(self.rng.within(from, to)));
        let (available, end) = (day(30, 20, 40), day(80, 30, 400));
        let (wallet, points) = (*self.rng.pick(&CODES[..2]), self.rng.within(1, 9));
        let what = if model.members.contains_key(&0) {
            What::Opening { member: 0, wallet, points, available, end, imported: None }
        } else {
            What::Enrol { member: 0, email: None, on: None, imported: None }
        };
        self.fresh(what)
    }

    fn fresh(&mut self, what: What) -> Command {
        self.names += 1;
        Command { clock: self.clock, hash: self.rng.next(), name: format!("n{}", self.names), what }
    }

    fn again(&mut self) -> Command {
        let mut command = self.rng.pick(&self.said).clone();
        command.clock = self.clock;
        self.mint(&mut command.what);
        command
    }

    /// Whoever enrols makes a new id each time.
    fn mint(&mut self, what: &mut What) {
        self.minted += 1;
        match what {
            What::Enrol { member, .. } => *member = 100 + self.minted,
            What::Order(order) if order.new => order.member = 100 + self.minted,
            _ => {}
        }
    }

    fn other_with_the_same_name(&mut self, model: &Naive<'_>) -> Command {
        let earlier = self.rng.pick(&self.said).clone();
        if self.rng.percent(50) {
            let mut command = Command { clock: self.clock, hash: self.rng.next(), ..earlier };
            let other = self.member();
            match &mut command.what {
                What::Order(order) => order.member = other,
                What::Return { member, .. } | What::Adjust { member, .. } | What::Hold { member, .. } => {
                    *member = other;
                }
                _ => {}
            }
            self.mint(&mut command.what);
            return command;
        }
        let what = self.what(model);
        Command { name: earlier.name, ..self.fresh(what) }
    }

    fn member(&mut self) -> u32 {
        u32::try_from(self.rng.within(0, MEMBERS - 1)).unwrap()
    }

    fn email(&mut self, member: u32) -> String {
        let member = if self.rng.percent(5) { self.member() } else { member };
        format!("{member}@example.org")
    }

    fn imported(&mut self) -> Option<Time> {
        let past = self.clock - Duration::days(self.rng.within(0, 100));
        self.history.or_else(|| self.rng.percent(2).then_some(past))
    }

    fn what(&mut self, model: &Naive<'_>) -> What {
        let mut member = self.member();
        if self.rng.percent(60) && !model.members.is_empty() {
            let there: Vec<u32> = model.members.keys().copied().collect();
            member = *self.rng.pick(&there);
        }
        let known = model.members.contains_key(&member);
        if !known && self.rng.percent(70) {
            let email = self.rng.percent(60).then(|| self.email(member));
            let today = model.spec.calendar.day(self.history.unwrap_or(self.clock));
            let on = self.rng.percent(20).then(|| today - Duration::days(self.rng.within(-3, 900)));
            return What::Enrol { member, email, on, imported: self.imported() };
        }
        match self.rng.within(1, 100) {
            1..=48 => What::Order(Box::new(self.order(model, member, known))),
            49..=74 if !model.sales.is_empty() => self.give_back(model, member),
            75..=82 => self.adjust(model, member),
            83..=84 => self.opening(model, member),
            85 => self.transfer(model, member),
            86 => self.merge(model, member),
            87..=88 => self.release(model, member),
            89..=93 => self.hold(model, member),
            94..=95 => {
                let is = model.members.get(&member).is_some_and(|m| m.suspended);
                // Now and then once more what is already so.
                What::Suspend { member, suspended: is == self.rng.percent(10) }
            }
            _ => What::Look,
        }
    }

    fn adjust(&mut self, model: &Naive<'_>, member: u32) -> What {
        let wallet = if self.rng.percent(3) { "gone" } else { *self.rng.pick(&CODES) };
        let there = model.wallet(wallet).and_then(|w| model.members.get(&member).map(|m| m.spendable(w))).unwrap_or(0);
        let up = self.rng.percent(50);
        let points = match self.rng.within(1, 40) {
            1 => 0,
            2 if up => 1_000_000_000_000_000,
            3..=5 => (there + self.rng.within(0, 1)).min(MOST),
            _ if up => self.rng.within(1, 500),
            _ => self.rng.within(1, there.max(1)),
        };
        What::Adjust { member, wallet, up, points }
    }

    fn opening(&mut self, model: &Naive<'_>, member: u32) -> What {
        let today = model.spec.calendar.day(self.history.unwrap_or(self.clock));
        let wallet = if self.rng.percent(3) { "gone" } else { *self.rng.pick(&CODES) };
        let mut day =
            |chance, from, to| self.rng.percent(chance).then(|| today + Duration::days(self.rng.within(from, to)));
        let (available, end) = (day(30, -2, 40), day(50, -2, 90));
        What::Opening { member, wallet, points: self.rng.within(1, 400), available, end, imported: self.imported() }
    }

    fn order(&mut self, model: &Naive<'_>, member: u32, known: bool) -> Order {
        let imported = self.imported();
        let now = imported.unwrap_or(self.clock);
        let ordered = match self.rng.within(1, 100) {
            1..=14 => Ordered::At(now - Duration::seconds(self.rng.within(0, 86_400 * 60))),
            15..=17 => Ordered::At(now - Duration::days(self.rng.within(100, 800))),
            18..=26 => Ordered::On(model.spec.calendar.day(now) - Duration::days(self.rng.within(-1, 20))),
            27..=28 => Ordered::At(now + Duration::seconds(self.rng.within(0, 600))),
            29..=31 => Ordered::At(self.edge(model, now - Duration::days(700), now)),
            _ if imported.is_some() => Ordered::At(now),
            _ => Ordered::Now,
        };
        let from = match self.rng.within(1, 40) {
            1 => Some("gone"),
            2 => Some("spend"),
            3..=14 => Some("coins"),
            15..=25 => Some("points"),
            _ => None,
        };
        let new = !known && self.rng.percent(80);
        let email = self.rng.percent(if new { 80 } else { 5 }).then(|| self.email(member));
        let stated = imported.is_none() && self.rng.percent(20);
        let calendar = &model.spec.calendar;
        let placed = match ordered {
            Ordered::Now => now,
            Ordered::At(at) => at,
            Ordered::On(day) => calendar.start(day),
        };
        let when = When { ordered: placed, day: calendar.day(placed), now: self.clock };
        let basket = self.basket(model, member, (from.unwrap_or("points"), stated), when);
        let mut hold = None;
        let (mut basket, mut from) = (basket, from);
        if imported.is_none() && self.rng.percent(12) {
            hold = self.any_hold(model, member);
            if let Some(held) = hold.as_ref().and_then(|h| model.holds.get(h)) {
                let took: i64 = held.took.iter().map(|t| t.1).sum();
                basket.points = if self.rng.percent(40) { took } else { self.rng.within(0, took + 1) };
                from = if self.rng.percent(5) { from } else { None };
            }
        }
        Order { member, new, email, ordered, imported, basket, from, hold, stated }
    }

    /// A hold of the member's, mostly one that is open.
    fn any_hold(&mut self, model: &Naive<'_>, member: u32) -> Option<String> {
        let open: Vec<String> =
            model.members.get(&member).iter().flat_map(|m| &m.holds).map(|h| h.name.clone()).collect();
        let all: Vec<String> = model.holds.keys().cloned().collect();
        let released: Vec<String> = model.holds.iter().filter(|h| h.1.released).map(|h| h.0.clone()).collect();
        match self.rng.within(1, 30) {
            1 => Some("none".into()),
            2..=6 if !all.is_empty() => Some(self.rng.pick(&all).clone()),
            7..=10 if !released.is_empty() => Some(self.rng.pick(&released).clone()),
            _ if !open.is_empty() => Some(self.rng.pick(&open).clone()),
            _ => None,
        }
    }

    fn hold(&mut self, model: &Naive<'_>, member: u32) -> What {
        let wallet = match self.rng.within(1, 30) {
            1 => Some("gone"),
            2 => Some("spend"),
            3..=10 => Some("coins"),
            _ => None,
        };
        let there = model.wallet(wallet.unwrap_or("points")).unwrap_or(0);
        let there = model.members.get(&member).map_or(0, |m| m.spendable(there));
        let points = match self.rng.within(1, 20) {
            1 => there + 1,
            2..=6 => there.max(1),
            _ => self.rng.within(1, there.max(1)),
        };
        let seconds = match self.rng.within(1, 3) {
            1 => self.rng.within(1, 900),
            2 => self.rng.within(1, 86_400),
            // Longer than the door lets in, so that more happens while it is open.
            _ => self.rng.within(1, 86_400 * 40),
        };
        What::Hold { member, wallet, points: points.min(MOST), seconds }
    }

    fn transfer(&mut self, model: &Naive<'_>, from: u32) -> What {
        let to = if self.rng.percent(5) { from } else { self.member() };
        let wallet = match self.rng.within(1, 30) {
            1 => "gone",
            2 => "spend",
            3..=12 => "coins",
            _ => "points",
        };
        let there = model.wallet(wallet).and_then(|w| model.members.get(&from).map(|m| m.spendable(w))).unwrap_or(0);
        let points = if self.rng.percent(10) { (there + 1).min(MOST) } else { self.rng.within(1, there.clamp(1, 200)) };
        What::Transfer { from, to, wallet, points }
    }

    /// A merge, or the claim of an order, mostly of a guest's.
    fn merge(&mut self, model: &Naive<'_>, member: u32) -> What {
        let guests: Vec<&String> = model.sales.iter().filter(|s| s.1.guest).map(|s| s.0).collect();
        let all: Vec<&String> = model.sales.keys().collect();
        let there: Vec<u32> = model.members.keys().copied().collect();
        let other = if self.rng.percent(8) || there.is_empty() { self.member() } else { *self.rng.pick(&there) };
        if all.is_empty() || self.rng.percent(50) {
            return What::Merge { source: member, into: other };
        }
        let any = guests.is_empty() || self.rng.percent(15);
        let order = self.rng.pick(if any { &all } else { &guests });
        let guest = if self.rng.percent(5) { other } else { model.sales[*order].member };
        What::Claim { order: (*order).clone(), guest, member }
    }

    fn release(&mut self, model: &Naive<'_>, member: u32) -> What {
        match self.any_hold(model, member) {
            Some(hold) => What::Release { member, hold },
            None => self.hold(model, member),
        }
    }

    fn give_back(&mut self, model: &Naive<'_>, member: u32) -> What {
        let mine: Vec<&String> = model.sales.iter().filter(|s| s.1.member == member).map(|s| s.0).collect();
        let all: Vec<&String> = model.sales.keys().collect();
        let order = match self.rng.within(1, 50) {
            1 => String::from("none"),
            2 => (*self.rng.pick(&all)).clone(),
            _ if mine.is_empty() => (*self.rng.pick(&all)).clone(),
            _ => (*self.rng.pick(&mine)).clone(),
        };
        let asked = model.sales.get(&order).map_or(Asked::All, |sale| self.asked(sale));
        What::Return { member, order, asked, imported: self.imported() }
    }

    fn asked(&mut self, sale: &Sale) -> Asked {
        let left = |i: usize| stays(sale.lines[i].gone, sale.lines[i].priced.charged);
        let all: i64 = (0..sale.lines.len()).map(left).sum();
        let beyond = self.rng.percent(5);
        match self.rng.within(1, 30) {
            1..=8 => return Asked::All,
            9..=12 if beyond => return Asked::Amount(all + 1),
            9..=12 => return Asked::Amount(self.rng.within(0, all)),
            13 => return Asked::Nothing,
            _ => {}
        }
        let mut lines = Vec::new();
        for (i, line) in sale.lines.iter().enumerate() {
            let out = line.priced.quantity - line.pieces_back;
            match self.rng.within(1, 10) {
                1..=5 => {
                    let most = (out + i64::from(beyond)).max(0);
                    let some = self.rng.within(i64::from(most > 0), most);
                    lines.push((i, Some(u32::try_from(some).unwrap()), None));
                }
                6 | 7 if beyond => lines.push((i, None, Some(left(i) + 1))),
                6 | 7 => lines.push((i, None, Some(self.rng.within(0, left(i))))),
                _ => {}
            }
        }
        match self.rng.within(1, 60) {
            1 => lines.push((9, Some(1), None)),
            2 => lines.push((0, None, None)),
            3 if !lines.is_empty() => lines.push(lines[0]),
            _ => {}
        }
        Asked::Lines(lines)
    }
}
