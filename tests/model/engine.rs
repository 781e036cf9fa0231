//! The product's side: the real decisions over a ledger in memory, and its answers as plain facts.

use std::collections::BTreeMap;

use perennial::kernel::id::{MemberId, ProgramId};
use perennial::kernel::money::{Currency, Money};
use perennial::kernel::points::Points;
use perennial::kernel::scope::{Principal, ProgramScope};
use perennial::loyalty::checkout::cart::{Cart, CartLine, DiscountedLine, Prices, StatedDiscount, Tax};
use perennial::loyalty::checkout::claim_order::ClaimOrder;
use perennial::loyalty::checkout::holds::open_hold::OpenHold;
use perennial::loyalty::checkout::holds::release::ReleaseHold;
use perennial::loyalty::checkout::return_order::ReturnOrder;
use perennial::loyalty::checkout::returns::{LineReturn, ReturnRequest};
use perennial::loyalty::checkout::settle::{OrderedAt, SettleOrder};
use perennial::loyalty::earning::model::LineKind;
use perennial::loyalty::ledger::account::Status;
use perennial::loyalty::ledger::adjust::{Adjust, Direction};
use perennial::loyalty::ledger::memory::MemoryLedger;
use perennial::loyalty::ledger::opening::OpenBalance;
use perennial::loyalty::ledger::posting::{AccountTime, Posting, Reference, RequestHash, Target};
use perennial::loyalty::ledger::queue::PostError;
use perennial::loyalty::ledger::suspend::{StatusName, Suspend};
use perennial::loyalty::members::model::{Identity, IdentityKind, Profile};
use perennial::loyalty::membership::enrol::Enrol;
use perennial::loyalty::membership::merges::merge_members::MergeMembers;
use perennial::loyalty::membership::transfer::TransferPoints;
use perennial::loyalty::program::model::Timeline;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::command::{Asked, Basket, Command, Line, Order, Ordered, Taxed, What};
use crate::facts::{Answer, OrderFacts, Said, Time};
use crate::receipts::{
    claim_code, ended, hold_code, ledger_code, membership_code, merge_code, merged_facts, order_code, order_facts,
    return_code, return_facts, transfer_code,
};
use crate::spec::Spec;

pub struct Engine<'s> {
    pub spec: &'s Spec,
    pub scope: ProgramScope,
    pub ledger: MemoryLedger,
    currency: Currency,
}

pub fn member_id(member: u32) -> MemberId {
    MemberId(Uuid::from_u128(u128::from(member) + 1))
}

pub fn member_of(id: Uuid) -> u32 {
    u32::try_from(id.as_u128() - 1).unwrap()
}

fn points(n: i64) -> Points {
    Points::try_from(n).unwrap()
}

fn money(n: i64) -> Money {
    Money::from_minor(n).unwrap()
}

fn time_of(imported: Option<Time>) -> AccountTime {
    imported.map_or(AccountTime::Live, AccountTime::Imported)
}

/// Whoever gets commands posted: a ledger in memory, a caller of the simulation.
pub trait Poster {
    type Said;
    fn post<P: Posting>(self, posting: P, facts: Facts<P>, code: fn(&P::Refusal) -> String) -> Self::Said;
    /// Nobody posts.
    fn look(self) -> Self::Said;
}

/// How a receipt is read.
pub type Facts<P> = fn(Currency, &<P as Posting>::Receipt) -> Answer;

/// A ledger in memory at a time.
struct Now<'e> {
    ledger: &'e mut MemoryLedger,
    scope: &'e ProgramScope,
    clock: Time,
    timeline: &'e Timeline,
    currency: Currency,
}

impl Poster for Now<'_> {
    type Said = Said;

    fn post<P: Posting>(self, posting: P, facts: Facts<P>, code: fn(&P::Refusal) -> String) -> Said {
        match self.ledger.post(self.scope, posting, self.clock, self.timeline) {
            Ok(posted) => Ok(facts(self.currency, &posted.receipt)),
            Err(PostError::Refused(refusal)) => Err(code(&refusal)),
            Err(PostError::Conflict) => Err("Conflict".into()),
            Err(PostError::Busy | PostError::Unavailable | PostError::Unreadable(_)) => Err("broken".into()),
        }
    }

    fn look(self) -> Said {
        Ok(Answer::Silent)
    }
}

impl<'s> Engine<'s> {
    pub fn new(spec: &'s Spec) -> Self {
        let scope = scope();
        Self { spec, scope, ledger: MemoryLedger::default(), currency: Currency::parse(spec.currency).unwrap() }
    }

    /// Another one that stands where this one does.
    pub fn beside(&self) -> Self {
        Self { spec: self.spec, scope: self.scope.clone(), ledger: self.ledger.clone(), currency: self.currency }
    }

    /// By rule and period, what of budgets is used.
    pub fn counters(&self) -> BTreeMap<(String, String), i64> {
        let used = self.ledger.counters.iter().filter(|(_, used)| **used != 0);
        used.map(|(key, used)| ((key.rule.clone(), key.period.clone()), *used)).collect()
    }

    /// What a quote of an order says, where it is not refused.
    pub fn quote(&self, order: &Order, command: &Command) -> Option<OrderFacts> {
        let hash = RequestHash::of(&command.hash);
        let posting = SettleOrder { quoted: true, ..settle(order, &command.name, hash) };
        let quoted = self.beside().ledger.post(&self.scope, posting, command.clock, &self.spec.timeline).ok()?;
        Some(order_facts(self.currency, &quoted.receipt))
    }

    pub fn run(&mut self, command: &Command) -> Said {
        let (scope, timeline, currency) = (&self.scope, &self.spec.timeline, self.currency);
        post(command, Now { ledger: &mut self.ledger, scope, clock: command.clock, timeline, currency })
    }
}

/// The one programme, and who asks.
pub fn scope() -> ProgramScope {
    ProgramScope::new(ProgramId(Uuid::from_u128(7)), Principal::Operator)
}

/// Posts a command as the product's door would.
pub fn post<T: Poster>(command: &Command, to: T) -> T::Said {
    let (hash, program) = (RequestHash::of(&command.hash), scope().program());
    let keyed = |what| Reference::keyed(what, &command.name);
    match &command.what {
        What::Enrol { member, email, on, imported } => {
            let profile = Profile { email: email.clone(), ..Profile::default() };
            let (reference, member, enrolled_on, time) = (keyed("enrol"), member_id(*member), *on, time_of(*imported));
            let posting = Enrol { program, reference, hash, member, profile, enrolled_on, welcomes: true, time };
            let facts: Facts<Enrol> = |_, r| Answer::Enrolled { member: member_of(r.member), on: r.enrolled_on };
            to.post(posting, facts, membership_code)
        }
        What::Order(order) => {
            let facts: Facts<SettleOrder> = |currency, r| Answer::Order(Box::new(order_facts(currency, r)));
            to.post(settle(order, &command.name, hash), facts, order_code)
        }
        What::Return { member, order, asked, imported } => {
            let (reference, order, member) = (command.name.clone(), order.clone(), member_id(*member));
            let (request, time) = (request(asked), time_of(*imported));
            let facts: Facts<ReturnOrder> = |currency, r| Answer::Return(Box::new(return_facts(currency, r)));
            to.post(ReturnOrder { reference, order, hash, member, request, time }, facts, return_code)
        }
        What::Adjust { member, wallet, up, points: n } => {
            let direction = if *up { Direction::Up } else { Direction::Down };
            let (reference, member, wallet) = (keyed("adjust"), member_id(*member), (*wallet).to_owned());
            let (points, reason) = (points(*n), String::from("a reason"));
            let facts: Facts<Adjust> = |_, r| Answer::Adjusted { points: r.points, spendable: r.spendable };
            to.post(Adjust { reference, hash, member, wallet, direction, points, reason }, facts, ledger_code)
        }
        What::Opening { member, wallet, points: n, available, end, imported } => {
            let (reference, member, wallet) = (keyed("opening"), member_id(*member), (*wallet).to_owned());
            let (points, available_on, expires_on, time) = (points(*n), *available, *end, time_of(*imported));
            let posting = OpenBalance { reference, hash, member, wallet, points, available_on, expires_on, time };
            let facts: Facts<OpenBalance> = |_, r| Answer::Opened { points: r.points };
            to.post(posting, facts, ledger_code)
        }
        What::Transfer { from, to: other, wallet, points: n } => {
            let (reference, wallet, points) = (keyed("transfer"), (*wallet).to_owned(), points(*n));
            let (from, other, identity) = (member_id(*from), member_id(*other), None);
            let posting = TransferPoints { reference, hash, from, to: other, identity, wallet, points };
            let facts: Facts<TransferPoints> = |_, r| Answer::Transferred { points: r.points, spendable: r.spendable };
            to.post(posting, facts, transfer_code)
        }
        What::Hold { .. }
        | What::Release { .. }
        | What::Merge { .. }
        | What::Claim { .. }
        | What::Suspend { .. }
        | What::Look => post_more(command, to),
    }
}

fn post_more<T: Poster>(command: &Command, to: T) -> T::Said {
    let (reference, hash) = (command.name.clone(), RequestHash::of(&command.hash));
    match &command.what {
        What::Hold { member, wallet, points: n, seconds } => {
            let (member, wallet) = (member_id(*member), wallet.map(str::to_owned));
            let (points, lasts_s, identity) = (points(*n), *seconds, None);
            let facts: Facts<OpenHold> = |_, r| Answer::Held { spendable: r.spendable.unwrap(), ends: r.ends_at };
            let order = None;
            to.post(OpenHold { reference, hash, member, identity, wallet, points, order, lasts_s }, facts, hold_code)
        }
        What::Release { member, hold } => {
            let facts: Facts<ReleaseHold> = |_, r| Answer::Released(ended(&r.ended), r.spendable.unwrap());
            to.post(ReleaseHold { reference: hold.clone(), member: member_id(*member) }, facts, hold_code)
        }
        What::Suspend { member, suspended } => {
            let (name, status) =
                if *suspended { ("suspend", Status::Suspended) } else { ("reinstate", Status::Active) };
            let (reference, member, reason) =
                (Reference::keyed(name, &command.name), member_id(*member), String::from("a reason"));
            let facts: Facts<Suspend> = |_, r| Answer::Suspended(r.status == StatusName::Suspended);
            to.post(Suspend { reference, hash, member, status, reason }, facts, ledger_code)
        }
        What::Merge { source, into } => {
            let reference = Reference::keyed("merge", &command.name);
            let (source, into, reason) = (member_id(*source), member_id(*into), String::from("a reason"));
            let posting = MergeMembers { reference, hash, source, identity: None, into, reason };
            to.post(posting, merged_facts, merge_code)
        }
        What::Claim { order, guest, member } => {
            let (order, guest, member) = (order.clone(), member_id(*guest), member_id(*member));
            to.post(ClaimOrder { order, hash, guest, member, identity: None }, merged_facts, claim_code)
        }
        _ => to.look(),
    }
}

fn settle(order: &Order, name: &str, hash: RequestHash) -> SettleOrder {
    let member = member_id(order.member);
    let identity =
        |value: &String| Identity { program: scope().program(), kind: IdentityKind::Email, value: value.clone() };
    let profile = if order.new { order.email.clone() } else { None };
    SettleOrder {
        named: Reference::order(name),
        reference: name.to_owned(),
        hash,
        target: if order.new { Target::New(member) } else { Target::Member(member) },
        identity: order.email.as_ref().map(identity),
        profile: Profile { email: profile, ..Profile::default() },
        enrol: order.new,
        ordered: match order.ordered {
            Ordered::Now => OrderedAt::Now,
            Ordered::At(at) => OrderedAt::At(at),
            Ordered::On(day) => OrderedAt::On(day),
        },
        time: time_of(order.imported),
        cart: cart(&order.basket),
        stated: order.stated,
        quoted: false,
        valid_with: None,
        says_points: true,
        spend_from: order.from.map(str::to_owned),
        hold: order.hold.clone(),
        place: None,
    }
}

fn id(place: usize) -> String {
    format!("l{place}")
}

pub fn cart(basket: &Basket) -> Cart {
    let line = |(i, line): (usize, &Line)| CartLine {
        attributes: Default::default(),
        id: id(if basket.twice && i == 1 { 0 } else { i }),
        kind: if line.product { LineKind::Product } else { LineKind::Shipping },
        sku: None,
        category: line.category.map(str::to_owned),
        brand: None,
        quantity: line.quantity,
        amount: money(line.amount),
        tax: match (line.rate, line.tax) {
            (Some(rate), _) => Tax::Rate(Decimal::new(rate, 1)),
            (None, Some(tax)) => Tax::Stated(money(tax)),
            (None, None) => Tax::None,
        },
    };
    let off = |(place, amount): &(usize, i64)| StatedDiscount {
        code: "off".into(),
        lines: vec![DiscountedLine { id: id(*place), amount: money(*amount) }],
    };
    let named = |(code, by_line): &(&str, Vec<i64>)| StatedDiscount {
        code: (*code).to_owned(),
        lines: by_line
            .iter()
            .enumerate()
            .filter(|(_, off)| **off > 0)
            .map(|(place, off)| DiscountedLine { id: id(place), amount: money(*off) })
            .collect(),
    };
    Cart {
        attributes: Default::default(),
        prices: match basket.taxed {
            Taxed::Included => Prices::TaxIncluded,
            Taxed::OnTop => Prices::TaxOnTop,
            Taxed::Not => Prices::NoTax,
        },
        lines: basket.lines.iter().enumerate().map(line).collect(),
        discounts: basket.off.iter().map(off).chain(basket.named.iter().map(named)).collect(),
        entered: Vec::new(),
        points: points(basket.points),
        gift_card: money(basket.gift),
        total: basket.total.map(money),
    }
}

fn request(asked: &Asked) -> ReturnRequest {
    match asked {
        Asked::All => ReturnRequest { all: true, ..ReturnRequest::default() },
        Asked::Amount(amount) => ReturnRequest { amount: Some(money(*amount)), ..ReturnRequest::default() },
        Asked::Nothing => ReturnRequest::default(),
        Asked::Lines(lines) => {
            let line = |(place, quantity, amount): &(usize, Option<u32>, Option<i64>)| LineReturn {
                id: id(*place),
                quantity: *quantity,
                amount: amount.map(money),
            };
            ReturnRequest { lines: Some(lines.iter().map(line).collect()), ..ReturnRequest::default() }
        }
    }
}
