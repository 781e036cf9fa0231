//! What the rules see of an order, and what they say of it.

use chrono::NaiveDate;

use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::loyalty::checkout::cart::{Cart, CartLine, Place};
use crate::loyalty::checkout::price::Priced;
use crate::loyalty::checkout::receipt::SkippedReceipt;
use crate::loyalty::earning::model::LineKind;
use crate::loyalty::earning::rows::{Awarded, Skipped, award};
use crate::loyalty::ledger::account::{Account, Status};
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::program::facts::{Facts, LineFacts, MemberFacts, OrderFacts};
use crate::loyalty::program::model::{Cap, Rulebook, SegmentSet};
use crate::loyalty::program::reason::Reason;

/// An order that is decided.
#[derive(Clone, Copy)]
pub struct Judged<'o> {
    /// The version that decides.
    pub book: &'o Rulebook,
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
}

impl<'o> Judged<'o> {
    /// What the order earns a member, as the account was before it: of a member who is suspended, nothing.
    ///
    /// # Errors
    /// When it is more than a wallet holds.
    pub fn awarded(self, account: &Account) -> Result<Awarded<'o>, LedgerRefusal> {
        let rules = &self.book.earning;
        if account.status == Status::Suspended {
            let skipped = |rule| Skipped { rule, reason: Reason::MemberSuspended, detail: None };
            return Ok(Awarded { rows: Vec::new(), skipped: rules.iter().map(skipped).collect() });
        }
        // Ordinary orders are not looked at line by line.
        let lines: Option<Vec<LineFacts<'_>>> =
            self.book.has_conditions().then(|| self.cart.lines.iter().map(line).collect());
        let facts = lines.as_ref().map(|lines| self.facts(lines, account));
        let room = |cap: &Cap| account.room(cap, self.day);
        let awarded = award(rules, &self.priced.lines, self.ordered, facts.as_ref(), room);
        awarded.map_err(|_| LedgerRefusal::TooManyPoints)
    }

    fn facts<'f>(&'f self, lines: &'f [LineFacts<'f>], account: &Account) -> Facts<'f> {
        let (charged, shipping) = (self.priced.charged, self.priced.shipping);
        let products = self.cart.lines.iter().filter(|line| line.kind == LineKind::Product);
        let label = |label: fn(&Place) -> &Option<String>| self.place.and_then(|p| label(p).as_deref()).unwrap_or("");
        let order = OrderFacts {
            // Pricing has summed them already.
            total: charged.plus(shipping).unwrap_or(Money::ZERO),
            products: charged,
            shipping,
            channel: label(|place| &place.channel),
            store: label(|place| &place.store),
            quantity: products.map(|line| u64::from(line.quantity)).sum(),
            lines,
            attributes: None,
        };
        Facts {
            book: self.book,
            at: self.ordered,
            local: self.book.zone.time_of(self.ordered),
            member: self.member(account),
            order: Some(order),
            event: None,
        }
    }

    fn member(&self, account: &Account) -> MemberFacts<'static> {
        // A late order may be older than the last one, or than the enrolment.
        let days_since = |day: NaiveDate| self.day.signed_duration_since(day).num_days().max(0);
        MemberFacts {
            member: account.member,
            tier: None,
            segments: SegmentSet::default(),
            order_count: account.order_count,
            // Orders that came back do not count, and their day stays in the account.
            days_since_last_order: account.last_order_on.filter(|_| account.order_count > 0).map(days_since),
            days_enrolled: days_since(account.enrolled_on),
            attributes: None,
        }
    }
}

fn line(stated: &CartLine) -> LineFacts<'_> {
    LineFacts {
        kind: stated.kind,
        sku: stated.sku.as_deref().unwrap_or(""),
        category: stated.category.as_deref().unwrap_or(""),
        brand: stated.brand.as_deref().unwrap_or(""),
        quantity: stated.quantity,
        amount: stated.amount,
        attributes: None,
    }
}

/// What did not apply, as it is stored.
pub fn skipped_receipt(skipped: &Skipped<'_>) -> SkippedReceipt {
    SkippedReceipt {
        rule: skipped.rule.code.clone(),
        reason: skipped.reason.name().to_owned(),
        detail: skipped.detail.as_ref().map(ToString::to_string),
    }
}
