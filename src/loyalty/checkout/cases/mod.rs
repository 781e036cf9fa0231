//! Whole stories over a ledger in memory: orders, returns and the days between them.

mod budgets;
mod caps;
mod conditions;
mod days;
mod discounts;
mod edges;
mod events;
mod golden;
mod held_discounts;
mod holds;
mod merges;
mod own_expiry;
mod pains;
mod rewards;
mod segments;
mod spending;
mod stacks;
mod stated;
mod tiers;
mod verified;
mod why;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::kernel::clock::Instant;
use crate::kernel::id::{MemberId, ProgramId, Version};
use crate::kernel::money::{Currency, Money};
use crate::kernel::points::Points;
use crate::kernel::scope::{Principal, ProgramScope};
use crate::loyalty::checkout::cart::{Cart, CartLine, Prices, Tax};
use crate::loyalty::checkout::error::{OrderRefusal, ReturnRefusal};
use crate::loyalty::checkout::receipt::{OrderReceipt, ReturnReceipt};
use crate::loyalty::checkout::return_order::ReturnOrder;
use crate::loyalty::checkout::returns::{LineReturn, ReturnRequest};
use crate::loyalty::checkout::settle::{OrderedAt, SettleOrder};
use crate::loyalty::earning::model::LineKind;
use crate::loyalty::ledger::account::{Account, Status};
use crate::loyalty::ledger::accounts::DirectoryKey;
use crate::loyalty::ledger::catch_up::catch_up;
use crate::loyalty::ledger::figures::Figures;
use crate::loyalty::ledger::lot::LotExpiry;
use crate::loyalty::ledger::memory::MemoryLedger;
use crate::loyalty::ledger::opening::OpenBalance;
use crate::loyalty::ledger::posting::{AccountTime, Posting, Reference, RequestHash, Target};
use crate::loyalty::ledger::queue::{Answer, PostError};
use crate::loyalty::ledger::suspend::Suspend;
use crate::loyalty::members::model::Profile;
use crate::loyalty::membership::enrol::Enrol;
use crate::loyalty::program::compile::compile;
use crate::loyalty::program::document::Document;
use crate::loyalty::program::model::{Slot, Timeline};
use crate::loyalty::program::slots::{Slots, assign_slots};

/// The first wallet of every programme here: points worth a cent.
const POINTS: Slot = Slot(0);
/// The second: spend.
const STATUS: Slot = Slot(1);

/// A programme of one wallet of points, as `points` says, and one that counts spend; `base` ends its earning rule.
fn program(points: &str, base: &str) -> String {
    format!(
        "program = {{ name = \"Acme\", currency = \"EUR\", timezone = \"Europe/Amsterdam\" }}\n\
         [wallets]\npoints = {{ kind = \"redeemable\", value = \"0.01\", {points} }}\n\
         status = {{ kind = \"qualifying\", counts = \"spend\", window = \"lifetime\" }}\n\
         [earning.base]\naward = {{ per = \"1.00\", points = 1 }}\n{base}"
    )
}

fn instant(text: &str) -> Instant {
    text.parse().unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn money(text: &str) -> Money {
    Money::from_decimal(Decimal::from_str_exact(text).unwrap(), Currency::parse("EUR").unwrap()).unwrap()
}

fn points(n: i64) -> Points {
    Points::try_from(n).unwrap()
}

/// One line of goods without tax.
fn goods(amount: &str) -> Cart {
    lines(&[("1", 1, amount)])
}

fn lines(lines: &[(&str, u32, &str)]) -> Cart {
    let line = |(id, quantity, amount): &(&str, u32, &str)| CartLine {
        attributes: Default::default(),
        id: (*id).into(),
        kind: LineKind::Product,
        sku: None,
        category: None,
        brand: None,
        quantity: *quantity,
        amount: money(amount),
        tax: Tax::None,
    };
    Cart {
        attributes: Default::default(),
        prices: Prices::NoTax,
        lines: lines.iter().map(line).collect(),
        discounts: Vec::new(),
        entered: Vec::new(),
        points: Points::ZERO,
        gift_card: Money::ZERO,
        total: None,
    }
}

fn paid_with(n: i64, cart: Cart) -> Cart {
    Cart { points: points(n), ..cart }
}

fn pieces(lines: &[(&str, u32)]) -> ReturnRequest {
    let line = |(id, n): &(&str, u32)| LineReturn { id: (*id).into(), quantity: Some(*n), amount: None };
    ReturnRequest { lines: Some(lines.iter().map(line).collect()), ..ReturnRequest::default() }
}

fn amount(text: &str) -> ReturnRequest {
    ReturnRequest { amount: Some(money(text)), ..ReturnRequest::default() }
}

fn all() -> ReturnRequest {
    ReturnRequest { all: true, ..ReturnRequest::default() }
}

/// A programme, its only member, and a clock that is set by hand.
struct Shop {
    ledger: MemoryLedger,
    timeline: Timeline,
    scope: ProgramScope,
    member: MemberId,
    now: Instant,
}

impl Shop {
    /// A programme of one version.
    fn new(now: &str, document: &str) -> Self {
        Self::with_versions(now, &[(now, document)])
    }

    /// A programme of several, each with its start.
    fn with_versions(now: &str, versions: &[(&str, &str)]) -> Self {
        let (mut slots, mut books) = (Slots::default(), Vec::new());
        for ((starts, text), number) in versions.iter().zip(1..) {
            let document = Document::from_toml(text).unwrap();
            slots = assign_slots(&slots, &document).unwrap();
            books.push(compile(&document, Version(number), instant(starts), &slots).unwrap().into());
        }
        let timeline = Timeline::new(books.remove(0), books);
        let scope = ProgramScope::new(ProgramId(Uuid::from_u128(1)), Principal::Operator);
        let member = MemberId(Uuid::from_u128(2));
        let mut shop = Self { ledger: MemoryLedger::default(), timeline, scope, member, now: instant(now) };
        shop.enrol(2);
        shop
    }

    /// Enrols a member of that number.
    fn enrol(&mut self, number: u128) -> MemberId {
        let member = MemberId(Uuid::from_u128(number));
        let enrol = Enrol {
            program: self.scope.program(),
            reference: Reference::keyed("enrol", &number.to_string()),
            hash: RequestHash::of(&number),
            member,
            profile: Profile::default(),
            enrolled_on: None,
            welcomes: true,
            time: AccountTime::Live,
        };
        self.post(enrol).unwrap();
        member
    }

    fn post<P: Posting>(&mut self, posting: P) -> Result<P::Receipt, PostError<P::Refusal>> {
        self.ledger.post(&self.scope, posting, self.now, &self.timeline).map(|posted| posted.receipt)
    }

    fn at(&mut self, now: &str) -> &mut Self {
        self.now = instant(now);
        self
    }

    /// Points that the member brings along.
    fn bring(&mut self, n: i64, last_day: &str) {
        self.bring_waiting(n, None, last_day);
    }

    /// The same, usable from a day on.
    fn bring_waiting(&mut self, n: i64, available_on: Option<&str>, last_day: &str) {
        let posting = OpenBalance {
            reference: Reference::keyed("opening", &format!("{n} {last_day}")),
            hash: RequestHash::of(&n),
            member: self.member,
            wallet: "points".into(),
            points: points(n),
            available_on: available_on.map(day),
            expires_on: Some(day(last_day)),
            time: AccountTime::Live,
        };
        self.post(posting).unwrap();
    }

    fn post_order(&mut self, reference: &str, cart: Cart) -> Answer<SettleOrder> {
        self.post_order_of(OrderedAt::Now, reference, cart)
    }

    /// An order of a till that was offline: the sale has happened.
    fn stated_order(&mut self, reference: &str, cart: Cart) -> OrderReceipt {
        let order = SettleOrder { stated: true, ..self.settle(OrderedAt::Now, reference, cart) };
        self.post(order).unwrap()
    }

    fn change_status(&mut self, key: &str, status: Status) -> Answer<Suspend> {
        let (reference, reason) = (Reference::keyed("status", key), String::from("a test"));
        let suspend = Suspend { reference, hash: RequestHash::of(&key), member: self.member, status, reason };
        self.ledger.post(&self.scope, suspend, self.now, &self.timeline)
    }

    /// An order that the shop hands in later than it was placed.
    fn late_order(&mut self, ordered: &str, reference: &str, cart: Cart) -> OrderReceipt {
        self.post_order_of(OrderedAt::At(instant(ordered)), reference, cart).unwrap().receipt
    }

    fn post_order_of(&mut self, ordered: OrderedAt, reference: &str, cart: Cart) -> Answer<SettleOrder> {
        let posting = self.settle(ordered, reference, cart);
        self.ledger.post(&self.scope, posting, self.now, &self.timeline)
    }

    fn settle(&self, ordered: OrderedAt, reference: &str, cart: Cart) -> SettleOrder {
        SettleOrder {
            reference: reference.into(),
            hash: RequestHash::of(&format!("{cart:?}")),
            target: Target::Member(self.member),
            named: Reference::order(reference),
            identity: None,
            profile: Profile::default(),
            enrol: false,
            ordered,
            time: AccountTime::Live,
            cart,
            stated: false,
            quoted: false,
            valid_with: None,
            says_points: true,
            spend_from: None,
            hold: None,
            place: None,
        }
    }

    fn order(&mut self, reference: &str, cart: Cart) -> OrderReceipt {
        self.post_order(reference, cart).unwrap().receipt
    }

    fn refused_order(&mut self, reference: &str, cart: Cart) -> OrderRefusal {
        refused(self.post_order(reference, cart)).unwrap_err()
    }

    fn post_return(&mut self, order: &str, reference: &str, request: ReturnRequest) -> Answer<ReturnOrder> {
        // Who placed it, as the directory says, whoever goes on by now.
        let placed = DirectoryKey::reference(self.scope.program(), &Reference::order(order));
        let posting = ReturnOrder {
            reference: reference.into(),
            order: order.into(),
            hash: RequestHash::of(&format!("{request:?}")),
            member: self.ledger.owners.get(&placed).map_or(self.member, |owner| owner.member),
            request,
            time: AccountTime::Live,
        };
        self.ledger.post(&self.scope, posting, self.now, &self.timeline)
    }

    fn give_back(&mut self, order: &str, reference: &str, request: ReturnRequest) -> ReturnReceipt {
        self.post_return(order, reference, request).unwrap().receipt
    }

    fn refused_return(&mut self, order: &str, reference: &str, request: ReturnRequest) -> ReturnRefusal {
        refused(self.post_return(order, reference, request)).unwrap_err()
    }

    /// The account as stored.
    fn stored(&self) -> &Account {
        &self.ledger.accounts[&self.member]
    }

    /// The account as a reader sees it now; nothing is written.
    fn seen(&self) -> Account {
        let mut account = self.stored().clone();
        catch_up(&mut account, &self.timeline, self.now).unwrap();
        account
    }

    fn figures(&self) -> Figures {
        self.seen().figures(POINTS)
    }

    fn spendable(&self) -> i64 {
        self.figures().spendable.get()
    }

    fn debt(&self) -> i64 {
        self.figures().debt.get()
    }

    /// What is there, soonest-expiring first, each with its last day.
    fn lots(&self) -> Vec<(i64, String)> {
        let last = |expiry: LotExpiry| match expiry {
            LotExpiry::On(day) => day.to_string(),
            LotExpiry::Inactive => "inactive".into(),
            LotExpiry::Never => "never".into(),
        };
        self.seen().lots_of(POINTS).map(|l| (l.remaining.get(), last(l.expiry))).collect()
    }
}

fn refused<R, E: std::fmt::Debug>(posted: Result<R, PostError<E>>) -> Result<R, E> {
    posted.map_err(|error| match error {
        PostError::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    })
}

/// Lots as [`Shop::lots`] says them.
fn lots(expected: &[(i64, &str)]) -> Vec<(i64, String)> {
    expected.iter().map(|(n, last)| (*n, (*last).to_owned())).collect()
}
