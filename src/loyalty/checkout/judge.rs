//! What the rules see of an order, and what they say of it.

use chrono::NaiveDate;

use crate::kernel::clock::Instant;
use crate::kernel::id::ProgramId;
use crate::kernel::money::Money;
use crate::kernel::points::Points;
use crate::loyalty::checkout::cart::{Cart, CartLine, Place};
use crate::loyalty::checkout::price::Priced;
use crate::loyalty::checkout::receipt::SkippedReceipt;
use crate::loyalty::earning::model::LineKind;
use crate::loyalty::earning::rows::{Awarded, Room, Row, Skipped, award};
use crate::loyalty::ledger::account::{Account, Status};
use crate::loyalty::ledger::counters::{CounterKey, Counters};
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::facts::member_facts;
use crate::loyalty::program::facts::{Facts, LineFacts, OrderFacts, Values};
use crate::loyalty::program::model::tiers::Tier;
use crate::loyalty::program::model::{EarningRule, Rulebook};
use crate::loyalty::program::reason::Reason;

/// An order that is decided.
#[derive(Clone, Copy)]
pub struct Judged<'o> {
    /// The version that decides,
    pub book: &'o Rulebook,
    /// and the one that is in force now.
    pub now: &'o Rulebook,
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
            let skipped = |rule| Skipped::plain(rule, Reason::MemberSuspended);
            return Ok(Awarded { rows: Vec::new(), skipped: rules.iter().map(skipped).collect() });
        }
        // Ordinary orders are not looked at line by line.
        let lines: Option<Vec<LineFacts<'_>>> =
            self.book.has_conditions().then(|| self.cart.lines.iter().map(line_facts).collect());
        let facts = lines.as_ref().map(|lines| self.facts(lines, account));
        let room = |rule: &EarningRule| Room {
            cap: self.room(account, rule),
            budget: self.budget(account.program, rule).map(|(key, bound)| counters.left(&key, bound)),
        };
        let awarded = award(rules, &self.priced.lines, self.ordered, (facts.as_ref(), self.tier(account)), room);
        awarded.map_err(|_| LedgerRefusal::TooManyPoints)
    }

    /// Notes what caps and budgets have less left of.
    ///
    /// # Errors
    /// When that is more than can be counted.
    pub fn use_up(
        self,
        rows: &[Row<'_>],
        account: &mut Account,
        counters: &mut Counters<'_>,
    ) -> Result<(), LedgerRefusal> {
        for row in rows {
            let Some(rule) = row.rule() else { continue };
            if let Some(cap) = &rule.cap {
                account.use_up(cap, self.day, row.points)?;
            }
            if let Some(awards) = &rule.awards {
                account.use_up(awards, self.day, Points::ONE)?;
            }
            if let Some((key, bound)) = self.budget(account.program, rule) {
                counters.use_up(key, row.points.get(), Some(bound.get()))?;
            }
        }
        Ok(())
    }

    /// The tier that the member was in, where tiers earn anything on top.
    fn tier(self, account: &Account) -> Option<&'o Tier> {
        let ladder = self.book.tiers.as_ref().filter(|ladder| ladder.tiers.iter().any(|tier| tier.earn.is_some()))?;
        ladder.tier(account.tier_at(self.book, self.ordered)?)
    }

    /// What a member can still have of a rule: nothing once it has awarded as often as it may.
    fn room(self, account: &Account, rule: &EarningRule) -> Option<Points> {
        let often = rule.awards.is_some_and(|awards| account.room(&awards, self.day).is_zero());
        if often { Some(Points::ZERO) } else { rule.cap.map(|cap| account.room(&cap, self.day)) }
    }

    /// The counter of a rule's budget, of the business day, and its bound: as the version says that is in force now, which
    /// an older order does not spend beyond.
    fn budget(self, program: ProgramId, rule: &EarningRule) -> Option<(CounterKey, Points)> {
        let budget = rule.budget.as_ref()?;
        let now = self.now.rule(&rule.code).and_then(|rule| rule.budget).filter(|now| now.cycle == budget.cycle);
        Some((CounterKey::budget(program, &rule.code, budget, self.day), now.unwrap_or(*budget).points))
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

/// What did not apply, as it is stored.
pub fn skipped_receipt(skipped: &Skipped<'_>) -> SkippedReceipt {
    SkippedReceipt {
        rule: skipped.rule.code.clone(),
        reason: skipped.reason.name().to_owned(),
        detail: skipped.detail.as_ref().map(ToString::to_string),
        better: skipped.better.map(|rule| rule.code.clone()),
    }
}
