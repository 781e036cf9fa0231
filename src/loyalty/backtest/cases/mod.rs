//! The past of a ledger in memory, replayed.

mod again;
mod figures;

use chrono::{DateTime, Duration, NaiveDate};
use uuid::Uuid;

use crate::kernel::clock::Instant;
use crate::kernel::id::{MemberId, ProgramId, Version};
use crate::kernel::money::Money;
use crate::kernel::points::Points;
use crate::kernel::scope::{Principal, ProgramScope};
use crate::loyalty::backtest::budgets::Spent;
use crate::loyalty::backtest::past::{KINDS, Past, Reading, Recorded};
use crate::loyalty::backtest::replay::{Replayed, Span, replay};
use crate::loyalty::backtest::report::{PreviewReport, report};
use crate::loyalty::backtest::tally::Tally;
use crate::loyalty::checkout::cart::{Cart, CartLine, Place, Prices, Tax};
use crate::loyalty::checkout::return_order::ReturnOrder;
use crate::loyalty::checkout::returns::ReturnRequest;
use crate::loyalty::checkout::settle::{OrderedAt, SettleOrder};
use crate::loyalty::earning::model::LineKind;
use crate::loyalty::ledger::account::{Account, Status};
use crate::loyalty::ledger::adjust::{Adjust, Direction};
use crate::loyalty::ledger::catch_up::catch_up;
use crate::loyalty::ledger::memory::MemoryLedger;
use crate::loyalty::ledger::opening::OpenBalance;
use crate::loyalty::ledger::posting::{AccountTime, Posting, Reference, RequestHash, Target};
use crate::loyalty::ledger::suspend::Suspend;
use crate::loyalty::members::model::Profile;
use crate::loyalty::membership::enrol::Enrol;
use crate::loyalty::program::compile::compile;
use crate::loyalty::program::document::Document;
use crate::loyalty::program::model::Timeline;
use crate::loyalty::program::slots::{Slots, assign_slots};

/// A programme with something of everything that can be booked.
const RICH: &str = r#"
program = { name = "Acme", currency = "EUR", timezone = "Europe/Amsterdam" }
[wallets]
points = { kind = "redeemable", value = "0.01", pending = { after = "P14D" }, expiry = { after = "P6M", round = "end_of_month", restore_grace = "P30D" }, returns = "allow" }
coins = { kind = "redeemable", value = "0.10", expiry = { inactive = "P3M" } }
status = { kind = "qualifying", counts = "spend" }
[earning]
base = { wallet = "points", award = { per = "1.00", points = 3 } }
more = { wallet = "points", when = 'order.channel == "app"', award = { multiply = "2" }, caps = { per_member = { points = 200, each = "P1M" } } }
gift = { wallet = "coins", when = 'member.order_count >= 1', award = { points = 2 } }
[tiers]
wallet = "status"
ladder = [{ code = "silver", from = "250.00" }, { code = "gold", from = "700.00" }]
valid = "end_of_next_period"
downgrade = { at = "period_end", to = "one_down", grace = "P30D" }
"#;

fn timeline(text: &str, version: i32) -> Timeline {
    let document = Document::from_toml(text).unwrap();
    let known = assign_slots(&Slots::default(), &Document::from_toml(RICH).unwrap()).unwrap();
    let slots = assign_slots(&known, &document).unwrap();
    Timeline::new(compile(&document, Version(version), Instant::MIN_UTC, &slots).unwrap().into(), Vec::new())
}

fn member(number: u32) -> MemberId {
    MemberId(Uuid::from_u128(number.into()))
}

fn points(n: i64) -> Points {
    Points::try_from(n).unwrap()
}

fn begin() -> Instant {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap()
}

/// A shop in memory and its clock.
struct Shop {
    ledger: MemoryLedger,
    scope: ProgramScope,
    timeline: Timeline,
    now: Instant,
    count: u32,
}

impl Shop {
    fn new(text: &str) -> Self {
        let scope = ProgramScope::new(ProgramId(Uuid::from_u128(9)), Principal::Operator);
        Self { ledger: MemoryLedger::default(), scope, timeline: timeline(text, 1), now: begin(), count: 0 }
    }

    fn post<P: Posting>(&mut self, posting: P) -> Option<P::Receipt> {
        self.ledger.post(&self.scope, posting, self.now, &self.timeline).ok().map(|posted| posted.receipt)
    }

    fn name(&mut self) -> (String, RequestHash) {
        self.count += 1;
        (self.count.to_string(), RequestHash([0; 16]))
    }

    fn enrol(&mut self, number: u32) {
        let (name, hash) = self.name();
        let (reference, profile) = (Reference::keyed("enrol", &name), Profile::default());
        let (program, member) = (self.scope.program(), member(number));
        self.post(Enrol {
            program,
            reference,
            hash,
            member,
            profile,
            enrolled_on: None,
            welcomes: true,
            time: AccountTime::Live,
        })
        .unwrap();
    }

    /// Two lines and shipping, paid with so many points; answers its name.
    fn order(&mut self, number: u32, minor: i64, spend: i64, late: i64) -> Option<String> {
        let (reference, hash) = self.name();
        let line = |id: &str, kind, quantity, minor| CartLine {
            attributes: Default::default(),
            id: id.to_owned(),
            kind,
            sku: None,
            category: None,
            brand: None,
            quantity,
            amount: Money::from_minor(minor).unwrap(),
            tax: Tax::Rate(21.into()),
        };
        let lines = vec![
            line("1", LineKind::Product, 3, minor),
            line("2", LineKind::Product, 1, minor / 7),
            line("3", LineKind::Shipping, 1, 495),
        ];
        let cart = Cart {
            attributes: Default::default(),
            prices: Prices::TaxOnTop,
            lines,
            discounts: Vec::new(),
            entered: Vec::new(),
            points: points(spend),
            gift_card: Money::from_minor(minor / 11).unwrap(),
            total: None,
        };
        let order = SettleOrder {
            named: Reference::order(&reference),
            reference: reference.clone(),
            hash,
            target: Target::Member(member(number)),
            identity: None,
            profile: Profile::default(),
            enrol: false,
            ordered: OrderedAt::At(self.now - Duration::days(late)),
            time: AccountTime::Live,
            cart,
            stated: false,
            quoted: false,
            valid_with: None,
            says_points: true,
            spend_from: None,
            hold: None,
            place: if minor % 2 == 0 { Place::of(Some("app".to_owned()), None) } else { None },
        };
        self.post(order).map(|_| reference)
    }

    fn give_back(&mut self, number: u32, order: &str, request: ReturnRequest) -> bool {
        let (reference, hash) = self.name();
        let (order, member, time) = (order.to_owned(), member(number), AccountTime::Live);
        self.post(ReturnOrder { reference, order, hash, member, request, time }).is_some()
    }

    fn adjust(&mut self, number: u32, signed: i64) {
        let (name, hash) = self.name();
        let direction = if signed < 0 { Direction::Down } else { Direction::Up };
        let (reference, wallet, reason) = (Reference::keyed("a", &name), "points".to_owned(), String::new());
        self.post(Adjust {
            reference,
            hash,
            member: member(number),
            wallet,
            direction,
            points: points(signed.abs()),
            reason,
        });
    }

    fn bring(&mut self, number: u32, n: i64, last: NaiveDate) {
        let (name, hash) = self.name();
        let (reference, wallet) = (Reference::keyed("o", &name), "points".to_owned());
        let (available_on, expires_on) = (None, Some(last));
        let (member, points, time) = (member(number), points(n), AccountTime::Live);
        self.post(OpenBalance { reference, hash, member, wallet, points, available_on, expires_on, time });
    }

    fn suspend(&mut self, number: u32, status: Status) {
        let (name, hash) = self.name();
        let reference = Reference::keyed("s", &name);
        self.post(Suspend { reference, hash, member: member(number), status, reason: String::new() });
    }

    fn past(&self, number: u32, until: Instant) -> Past {
        let book = self.timeline.newest();
        let reading = Reading { program: self.scope.program(), currency: book.currency, zone: book.zone };
        let rows = self.ledger.postings.get(&member(number)).into_iter().flatten();
        let rows = rows.filter(|row| KINDS.contains(&row.kind)).map(|row| Recorded {
            attributes: None,
            kind: row.kind,
            effective_at: row.effective_at,
            recorded_at: row.recorded_at,
            imported: row.imported,
            document: row.document.clone(),
            texts: row.texts.clone(),
            entries: row.entries.clone(),
        });
        Past::read(reading, member(number), rows, until)
    }

    fn replay(&self, number: u32, timeline: &Timeline, span: Span) -> Replayed {
        self.replay_spent(number, (timeline, &Spent::default()), span)
    }

    fn replay_spent(&self, number: u32, side: (&Timeline, &Spent), span: Span) -> Replayed {
        replay(&mut self.past(number, span.to), self.scope.program(), side, span)
    }

    /// The account just before an instant after the last posting.
    fn booked(&self, number: u32, until: Instant) -> Account {
        let mut account = self.ledger.accounts[&member(number)].clone();
        catch_up(&mut account, &self.timeline, until - Duration::microseconds(1)).unwrap();
        account
    }

    fn preview(&self, text: &str, span: Span, members: impl Iterator<Item = u32>) -> PreviewReport {
        let after = timeline(text, 2);
        let (mut tally, books) = (Tally::default(), [self.timeline.newest(), after.newest()].map(|book| &**book));
        for number in members {
            let sides = [self.replay(number, &self.timeline, span), self.replay(number, &after, span)];
            tally.add(member(number), [(books[0], &sides[0]), (books[1], &sides[1])]);
        }
        report(&tally, books, span)
    }
}

fn ever(to: Instant) -> Span {
    Span { from: Instant::MIN_UTC, to }
}
