//! What the rules see of an order, and what they say of it.

use chrono::NaiveDate;

use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::loyalty::checkout::cart::{Cart, CartLine, Place};
use crate::loyalty::checkout::price::Priced;
use crate::loyalty::earning::asked::Trigger;
use crate::loyalty::earning::credit::{Credit, credits};
use crate::loyalty::earning::model::LineKind;
use crate::loyalty::earning::rows::{Awarded, Row, Skipped, award};
use crate::loyalty::ledger::account::{Account, Status};
use crate::loyalty::ledger::counters::Counters;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::facts::member_facts;
use crate::loyalty::membership::awards::bounds::Bounds;
use crate::loyalty::program::facts::{Facts, LineFacts, OrderFacts, Values};
use crate::loyalty::program::model::tiers::Tier;
use crate::loyalty::program::model::{EarningRule, On, Rulebook};
use crate::loyalty::program::reason::Reason;

/// An order that is decided.
#[derive(Clone, Copy)]
pub struct Judged<'o> {
    /// The version that decides,
    pub book: &'o Rulebook,
    /// by what caps and budgets go,
    pub bounds: Bounds<'o>,
    /// and whether somebody is enrolled with it.
    pub enrols: bool,
    /// What was bought.
    pub cart: &'o Cart,
    /// What it costs.
    pub priced: &'o Priced,
    /// Where it was placed.
    pub place: Option<&'o Place>,
    /// When,
    pub ordered: Instant,
    /// and on which local day.
    pub day: NaiveDate,
    /// The member's attributes, where the version reads them.
    pub attributes: Option<&'o Values>,
}

impl<'o> Judged<'o> {
    /// What the order earns a member, as the account was before it: of a member who is suspended, nothing.
    ///
    /// # Errors
    /// When it is more than a wallet holds.
    pub fn awarded(self, account: &Account, counters: &mut Counters<'_>) -> Result<Awarded<'o>, LedgerRefusal> {
        let rules = &self.book.earning;
        if account.status == Status::Suspended {
            let due = rules.iter().filter(|rule| rule.on == On::Order && rule.schedule.has(self.ordered));
            let skipped = due.map(|rule| Skipped::plain(rule, Reason::MemberSuspended));
            return Ok(Awarded { rows: Vec::new(), skipped: skipped.collect() });
        }
        // Ordinary orders are not looked at line by line.
        let lines: Option<Vec<LineFacts<'_>>> =
            self.book.has_conditions().then(|| self.cart.lines.iter().map(line_facts).collect());
        let facts = lines.as_ref().map(|lines| self.facts(lines, account));
        let room = |rule: &EarningRule| self.bounds.room(account, counters, rule);
        let (trigger, lines) = (Trigger::Order { enrols: self.enrols }, &self.priced.lines);
        let awarded = award(rules, trigger, lines, self.ordered, (facts.as_ref(), self.tier(account)), room);
        awarded.map_err(|_| LedgerRefusal::TooManyPoints)
    }

    /// What the order adds to the qualifying wallets: of a member who is suspended, nothing.
    ///
    /// # Errors
    /// When it is more than a wallet holds.
    pub fn credits(self, rows: &[Row<'_>], account: &Account) -> Result<Vec<Credit>, LedgerRefusal> {
        if account.status == Status::Suspended {
            return Ok(Vec::new());
        }
        credits(self.book, &self.priced.lines, rows).map_err(|_| LedgerRefusal::TooManyPoints)
    }

    /// The tier that the member was in, where tiers earn anything on top.
    fn tier(self, account: &Account) -> Option<&'o Tier> {
        let ladder = self.book.tiers.as_ref().filter(|ladder| ladder.tiers.iter().any(|tier| tier.earn.is_some()))?;
        ladder.tier(account.tier_at(self.book, self.ordered)?)
    }

    fn facts<'f>(&'f self, lines: &'f [LineFacts<'f>], account: &Account) -> Facts<'f> {
        let prices = (self.priced.charged, self.priced.shipping);
        Facts {
            book: self.book,
            at: self.ordered,
            local: self.book.zone.time_of(self.ordered),
            member: member_facts(account, self.book, (self.ordered, self.day), self.attributes),
            order: Some(order_facts(self.cart, self.place, lines, prices)),
            event: None,
        }
    }
}

/// What the rules see of an order whose products and shipping cost so much.
pub fn order_facts<'f>(
    cart: &'f Cart,
    place: Option<&'f Place>,
    lines: &'f [LineFacts<'f>],
    (products, shipping): (Money, Money),
) -> OrderFacts<'f> {
    let pieces = cart.lines.iter().filter(|line| line.kind == LineKind::Product);
    let label = |label: fn(&Place) -> &Option<String>| place.and_then(|p| label(p).as_deref()).unwrap_or("");
    OrderFacts {
        total: products.plus(shipping).unwrap_or(Money::MAX),
        products,
        shipping,
        channel: label(|place| &place.channel),
        store: label(|place| &place.store),
        quantity: pieces.map(|line| u64::from(line.quantity)).sum(),
        lines,
        attributes: Some(&cart.attributes),
    }
}

/// What the rules see of a line.
pub fn line_facts(stated: &CartLine) -> LineFacts<'_> {
    LineFacts {
        kind: stated.kind,
        sku: stated.sku.as_deref().unwrap_or(""),
        category: stated.category.as_deref().unwrap_or(""),
        brand: stated.brand.as_deref().unwrap_or(""),
        quantity: stated.quantity,
        amount: stated.amount,
        attributes: Some(&stated.attributes),
    }
}
