//! Random commands that make sense often enough: they look at the model to find orders, points and days.

use chrono::{Datelike, Duration};

use crate::command::{Asked, Basket, Command, Line, Order, Ordered, Taxed, What};
use crate::facts::{Day, End, Time};
use crate::naive::Naive;
use crate::naive::calendar::tomorrow;
use crate::naive::orders::Sale;
use crate::naive::price::price;
use crate::naive::returns::stays;
use crate::naive::wallets::MOST;
use crate::rng::Rng;
use crate::spec::{CODES, Purse, Spec};

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

    fn pass_time(&mut self, model: &Naive<'_>) {
        let mut now = self.history.unwrap_or(self.clock);
        let days = match self.rng.within(1, 100) {
            1..=45 => Duration::seconds(self.rng.within(0, 20_000)),
            46..=75 => Duration::seconds(self.rng.within(0, 86_400 * 12)),
            76..=82 => Duration::days(self.rng.within(20, 200)),
            83 => Duration::days(self.rng.within(300, 800)),
            84..=85 if self.history.is_none() => Duration::seconds(-self.rng.within(0, 60)),
            _ => {
                let at = self.midnight(model, now);
                at.max(now) - now
            }
        };
        now += days;
        match self.history {
            Some(_) if now < self.clock && !self.rng.percent(3) => self.history = Some(now),
            Some(_) => self.history = None,
            None => self.clock = now,
        }
    }

    /// The start of a day that matters, or a moment beside it.
    fn midnight(&mut self, model: &Naive<'_>, now: Time) -> Time {
        let calendar = &model.spec.calendar;
        let today = calendar.day(now);
        let month = |m: u32, y| Day::from_ymd_opt(y, m, 1).unwrap();
        let mut days = vec![
            tomorrow(today),
            month(today.month() % 12 + 1, today.year() + i32::from(today.month() == 12)),
            month(1, today.year() + 1),
            month(3, today.year() + i32::from(today.month() > 2)),
        ];
        days.extend(calendar.next_odd(today).into_iter().flat_map(|d| [d, tomorrow(d)]));
        for member in model.members.values() {
            for lot in member.lots.iter().filter(|l| l.left > 0) {
                if let End::On(day) = lot.end {
                    days.push(tomorrow(day));
                }
                days.extend(lot.waits);
            }
            days.extend(member.purses.iter().filter_map(|p| p.active_until).map(tomorrow));
        }
        days.retain(|d| *d > today && *d < today + Duration::days(800));
        let day = *self.rng.pick(&days);
        calendar.start(day) + Duration::seconds(*self.rng.pick(&[-1, 0, 0, 1]))
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
                What::Return { member, .. } | What::Adjust { member, .. } => *member = other,
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
            83..=88 => self.opening(model, member),
            89..=91 => {
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
        let email = self.rng.percent(if new { 100 } else { 5 }).then(|| self.email(member));
        let stated = imported.is_none() && self.rng.percent(20);
        let basket = self.basket(model, member, (from.unwrap_or("points"), stated));
        Order { member, new, email, ordered, imported, basket, from, stated }
    }

    fn basket(&mut self, model: &Naive<'_>, member: u32, (from, stated): (&str, bool)) -> Basket {
        let taxed = *self.rng.pick(&[Taxed::Included, Taxed::Included, Taxed::OnTop, Taxed::Not]);
        let lines = (0..self.rng.within(1, 4)).map(|_| self.line(taxed)).collect();
        let mut basket = Basket { taxed, lines, off: Vec::new(), points: 0, gift: 0, total: None, twice: false };
        if self.rng.percent(30) {
            for (i, line) in basket.lines.iter().enumerate() {
                basket.off.push((i, self.rng.within(0, line.amount / 2)));
            }
        }
        let wallet = model.wallet(from).unwrap_or(0);
        let value = match model.spec.versions[0].purses[wallet] {
            Purse::Points { value, .. } => value,
            Purse::Counter { .. } => (1, 1),
        };
        let Ok(priced) = price(&basket, 0, value) else { return basket };
        let there = model.members.get(&member).map_or(0, |m| m.spendable(wallet));
        let room = priced.products * value.1 / value.0;
        basket.points = match self.rng.within(1, 100) {
            1..=30 if stated => self.rng.within(0, room),
            1..=30 => self.rng.within(0, there.min(room)),
            31..=38 => there.min(room),
            39..=40 => (there + 1).min(MOST),
            41 => room + 2,
            _ => 0,
        };
        if self.rng.percent(10) {
            basket.gift = self.rng.within(0, priced.products / 3 + priced.shipping);
        }
        if self.rng.percent(20) {
            basket.total = Some(priced.products + priced.shipping + i64::from(self.rng.percent(5)));
        }
        if self.rng.percent(4) {
            self.spoil(&mut basket);
        }
        basket
    }

    fn line(&mut self, taxed: Taxed) -> Line {
        let amount = match self.rng.within(1, 20) {
            1 => 0,
            2..=8 => self.rng.within(1, 600),
            _ => self.rng.within(100, 20_000),
        };
        let (mut rate, mut tax) = (None, None);
        if taxed != Taxed::Not {
            match self.rng.within(1, 10) {
                1..=6 => rate = Some(*self.rng.pick(&[210, 90, 55, 0])),
                7..=8 => tax = Some(self.rng.within(0, amount / 4)),
                _ => {}
            }
        }
        let quantity = u32::try_from(self.rng.within(1, 5)).unwrap();
        Line { product: self.rng.percent(85), quantity, amount, rate, tax }
    }

    fn spoil(&mut self, basket: &mut Basket) {
        let line = &mut basket.lines[0];
        match self.rng.within(1, 9) {
            1 => basket.lines.clear(),
            2 => basket.twice = true,
            3 => line.quantity = 0,
            4 => basket.off.push((9, 1)),
            5 => basket.off.push((0, line.amount + 1)),
            6 => (line.rate, line.tax) = (None, Some(line.amount + 1)),
            7 => line.rate = Some(1_001),
            8 => (basket.taxed, line.rate) = (Taxed::Not, Some(210)),
            _ => basket.gift = 1_000_000,
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
            9..=12 => return Asked::Amount(self.rng.within(0, all + i64::from(beyond))),
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
                6 | 7 => lines.push((i, None, Some(self.rng.within(0, left(i) + i64::from(beyond))))),
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
