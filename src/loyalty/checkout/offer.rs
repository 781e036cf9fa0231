//! What comes off an order: worked out for a quote, verified for an order, flagged for a sale that has happened.
//! Source: program.md, "Discounts".

use std::borrow::Cow;

use chrono::{Duration, NaiveDate};

use crate::kernel::clock::{Instant, earlier};
use crate::kernel::id::{ProgramId, Version};
use crate::kernel::money::{Currency, Money};
use crate::kernel::points::Points;
use crate::loyalty::checkout::cart::{Cart, CartLine, DiscountedLine, Place, StatedDiscount};
use crate::loyalty::checkout::error::DiscountRefusal;
use crate::loyalty::checkout::judge::{line_facts, order_facts};
use crate::loyalty::checkout::price::places;
use crate::loyalty::checkout::receipt::{
    DiscountOf, DiscountReceipt, DiscountedLineReceipt, FlagReceipt, SkippedDiscountReceipt,
};
use crate::loyalty::discounts::asked::{Asking, Skipped};
use crate::loyalty::discounts::best::best;
use crate::loyalty::discounts::checked::{Differs, Named, Why, differences};
use crate::loyalty::discounts::off::{Off, sum, take};
use crate::loyalty::earning::model::LineKind;
use crate::loyalty::ledger::account::{Account, Status};
use crate::loyalty::ledger::counters::{CounterKey, Counters};
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::facts::member_facts;
use crate::loyalty::program::facts::{Facts, LineFacts, Values};
use crate::loyalty::program::model::discounts::Discount;
use crate::loyalty::program::model::{Rulebook, Timeline};

/// For how long after a version was followed by another its quotes are kept, in hours.
pub const QUOTE_VALID_H: i64 = 24;

/// What is to be said of the discounts of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// What comes off: a quote.
    Work,
    /// Whether it is what a quote would take off.
    Verify,
    /// For what it would be refused, were it not a sale that has happened.
    Flag,
}

/// An order of which something may come off.
#[derive(Clone, Copy)]
pub struct Offering<'o> {
    /// What is bought,
    pub cart: &'o Cart,
    /// and where.
    pub place: Option<&'o Place>,
    /// What is to be said.
    pub manner: Manner,
    /// The version that quoted its discounts.
    pub valid_with: Option<Version>,
    /// What a hold promised it, whatever a quote says by now.
    pub promised: &'o [DiscountReceipt],
    /// The programme,
    pub program: &'o Timeline,
    /// the version that decides,
    pub book: &'o Rulebook,
    /// and the one that is in force now.
    pub now: &'o Rulebook,
    /// When it was placed,
    pub ordered: Instant,
    /// and on which local day.
    pub day: NaiveDate,
    /// The member's attributes, where a version reads them.
    pub attributes: Option<&'o Values>,
}

/// What comes off an order.
pub struct Offered<'o> {
    /// The cart with it.
    pub cart: Cow<'o, Cart>,
    /// All of it.
    pub receipts: Vec<DiscountReceipt>,
    /// Of a quote: the discounts that do not apply,
    pub skipped: Vec<SkippedDiscountReceipt>,
    /// and what was entered that is no code of any.
    pub unknown_codes: Vec<String>,
    /// Of a sale that has happened: what a quote would not have given.
    pub flags: Vec<FlagReceipt>,
}

impl<'o> Offering<'o> {
    /// What comes off it.
    ///
    /// # Errors
    /// It names what a quote would not give. What is wrong with its lines is left to pricing.
    pub fn offered(self, account: &Account, counters: &mut Counters<'_>) -> Result<Offered<'o>, Box<DiscountRefusal>> {
        let cart = self.cart;
        let asks = self.manner == Manner::Work && !(self.book.discounts.is_empty() && cart.entered.is_empty());
        let nothing = cart.discounts.is_empty() && !asks;
        let Some(by_line) = by_line(cart, &cart.discounts).filter(|_| !nothing) else {
            return Ok(Offered::of(Cow::Borrowed(cart), Vec::new()));
        };
        let is_ours = |stated: &StatedDiscount| self.program.discount(&stated.code).is_some();
        let mut left: Vec<Money> = cart.lines.iter().map(|line| line.amount).collect();
        for (stated, by_line) in cart.discounts.iter().zip(&by_line) {
            if !is_ours(stated) {
                take(&mut left, by_line);
            }
        }
        if self.manner == Manner::Work {
            return Ok(self.quoted(left, account, counters));
        }
        let mut offered = Offered::of(Cow::Borrowed(cart), self.receipts(&cart.discounts, &by_line));
        let ours = cart.discounts.iter().enumerate().zip(by_line).filter(|((_, stated), _)| is_ours(stated));
        let promised = |at: usize| offered.receipts.get(at).is_some_and(|receipt| self.is_promised(receipt));
        let named =
            |at, stated: &'o StatedDiscount, by_line| Named { code: &stated.code, by_line, promised: promised(at) };
        let (places, named): (Vec<usize>, Vec<Named<'_>>) =
            ours.map(|((at, stated), by_line)| (at, named(at, stated, by_line))).unzip();
        if named.is_empty() {
            return Ok(offered);
        }
        let verifies = self.manner == Manner::Verify;
        let by = match (self.quoted_by(), self.valid_with) {
            (Some(book), _) => book,
            (None, Some(valid_with)) if verifies && named.iter().any(|named| !named.promised) => {
                return Err(DiscountRefusal::QuoteTooOld { valid_with, decides: self.book.version }.into());
            }
            (None, _) => self.book,
        };
        let mut uses_left = |discount: &Discount| self.uses_left(account, counters, &discount.code);
        let found = self.asked(by, account, |asking| differences(&by.discounts, asking, &named, left, &mut uses_left));
        for differs in found {
            let refusal = refusal(differs, (&places, &named), self.book.currency);
            if verifies {
                return Err(refusal.into());
            }
            offered.flags.extend(flag(refusal));
        }
        offered.count(|code| self.uses_left(account, counters, code));
        Ok(offered)
    }

    /// Notes what can be had less often from now on.
    ///
    /// # Errors
    /// When that is more than can be counted.
    pub fn use_up(
        self,
        receipts: &[DiscountReceipt],
        account: &mut Account,
        counters: &mut Counters<'_>,
    ) -> Result<(), LedgerRefusal> {
        for receipt in receipts.iter().filter(|receipt| receipt.is_counted()) {
            let Some(discount) = self.book.discount(&receipt.code) else { continue };
            if let Some(cap) = &discount.per_member {
                account.use_up(cap, self.day, Points::ONE)?;
            }
            if let Some((key, bound)) = self.total(account.program, discount) {
                counters.use_up(key, 1, Some(bound.get()))?;
            }
        }
        Ok(())
    }

    /// Whether a hold promised a discount, and off these lines that much.
    fn is_promised(self, receipt: &DiscountReceipt) -> bool {
        self.promised.iter().any(|held| (&held.code, &held.lines) == (&receipt.code, &receipt.lines))
    }

    fn quoted(self, mut left: Vec<Money>, account: &Account, counters: &mut Counters<'_>) -> Offered<'o> {
        let cart = self.cart;
        let mut uses_left = |discount: &Discount| self.uses_left(account, counters, &discount.code);
        let offer = self.asked(self.book, account, |asking| {
            best(&self.book.discounts, asking, std::mem::take(&mut left), &mut uses_left)
        });
        let shops = cart.discounts.iter().filter(|stated| self.program.discount(&stated.code).is_none()).cloned();
        let off = |off: &Off<'_>| {
            let lines = cart.lines.iter().zip(&off.by_line).filter(|(_, off)| **off > Money::ZERO);
            let lines = lines.map(|(line, off)| DiscountedLine { id: line.id.clone(), amount: *off });
            StatedDiscount { code: off.discount.code.clone(), lines: lines.collect() }
        };
        let discounts: Vec<StatedDiscount> = shops.chain(offer.off.iter().map(off)).collect();
        let receipts = self.receipts(&discounts, &by_line(cart, &discounts).unwrap_or_default());
        let known = |code: &&String| self.book.discounts.iter().any(|discount| discount.codes.contains(*code));
        Offered {
            skipped: offer.skipped.iter().map(skipped_receipt).collect(),
            unknown_codes: cart.entered.iter().filter(|code| !known(code)).cloned().collect(),
            ..Offered::of(Cow::Owned(Cart { discounts, ..cart.clone() }), receipts)
        }
    }

    /// Asks by a version, of prices before discounts.
    fn asked<T>(self, by: &Rulebook, account: &Account, ask: impl FnOnce(Asking<'_>) -> T) -> T {
        let cart = self.cart;
        let lines: Vec<LineFacts<'_>> = cart.lines.iter().map(line_facts).collect();
        let of_kind = |kind| {
            let of_kind = cart.lines.iter().filter(move |line| line.kind == kind).map(|line| line.amount);
            sum(&of_kind.collect::<Vec<_>>())
        };
        let prices = (of_kind(LineKind::Product), of_kind(LineKind::Shipping));
        let facts = Facts {
            book: by,
            at: self.ordered,
            local: by.zone.time_of(self.ordered),
            member: member_facts(account, by, (self.ordered, self.day), self.attributes),
            order: Some(order_facts(cart, self.place, &lines, prices)),
            event: None,
        };
        ask(Asking { facts: &facts, entered: &cart.entered, suspended: account.status == Status::Suspended })
    }

    /// The version whose quote the order was paid by; `None` when it was not in force at the order's time, nor so short before
    /// that its quotes are kept.
    fn quoted_by(self) -> Option<&'o Rulebook> {
        let Some(version) = self.valid_with else { return Some(self.book) };
        let mut at = earlier(self.ordered, Duration::hours(QUOTE_VALID_H));
        while self.program.at(at).version != version {
            let next = self.program.next_start(at).filter(|next| next.starts <= self.ordered)?;
            at = next.starts;
        }
        Some(self.program.at(at))
    }

    fn receipts(self, discounts: &[StatedDiscount], by_line: &[Vec<Money>]) -> Vec<DiscountReceipt> {
        let currency = self.book.currency;
        let receipt = |(stated, by_line): (&StatedDiscount, &Vec<Money>)| {
            let lines = self.cart.lines.iter().zip(by_line).filter(|(_, off)| **off > Money::ZERO);
            let line = |(line, off): (&CartLine, &Money)| DiscountedLineReceipt {
                id: line.id.clone(),
                amount: off.amount(currency),
            };
            DiscountReceipt {
                code: stated.code.clone(),
                of: if self.program.discount(&stated.code).is_some() { DiscountOf::Program } else { DiscountOf::Shop },
                amount: sum(by_line).amount(currency),
                lines: lines.map(line).collect(),
                uncounted: false,
            }
        };
        discounts.iter().zip(by_line).map(receipt).collect()
    }

    fn uses_left(self, account: &Account, counters: &mut Counters<'_>, code: &str) -> bool {
        let Some(discount) = self.book.discount(code) else { return true };
        let of_member = discount.per_member.is_none_or(|cap| !account.room(&cap, self.day).is_zero());
        let of_all =
            self.total(account.program, discount).is_none_or(|(key, most)| !counters.left(&key, most).is_zero());
        of_member && of_all
    }

    /// The counter of all uses, of the business day, and its bound: as the version says that is in force now.
    fn total(self, program: ProgramId, discount: &Discount) -> Option<(CounterKey, Points)> {
        let total = discount.total.as_ref()?;
        let now = self.now.discount(&discount.code).and_then(|now| now.total).filter(|now| now.cycle == total.cycle);
        Some((CounterKey::uses(program, &discount.code, total, self.day), now.unwrap_or(*total).points))
    }
}

impl<'o> Offered<'o> {
    fn of(cart: Cow<'o, Cart>, receipts: Vec<DiscountReceipt>) -> Self {
        Self { cart, receipts, skipped: Vec::new(), unknown_codes: Vec::new(), flags: Vec::new() }
    }

    /// What can be had no more was taken off all the same: it is not counted.
    fn count(&mut self, mut uses_left: impl FnMut(&str) -> bool) {
        let mut counted: Vec<&str> = Vec::new();
        for receipt in self.receipts.iter_mut().filter(|receipt| receipt.of == DiscountOf::Program) {
            receipt.uncounted = counted.contains(&receipt.code.as_str()) || !uses_left(&receipt.code);
            counted.push(&receipt.code);
        }
    }
}

/// What each discount takes off each line; `None` where the cart is wrong.
fn by_line(cart: &Cart, discounts: &[StatedDiscount]) -> Option<Vec<Vec<Money>>> {
    let places = places(&cart.lines).ok()?;
    let of = |stated: &StatedDiscount| {
        let mut by_line = vec![Money::ZERO; cart.lines.len()];
        for line in &stated.lines {
            let off = by_line.get_mut(places.get(&line.id)?)?;
            *off = off.plus(line.amount)?;
        }
        Some(by_line)
    };
    discounts.iter().map(of).collect()
}

fn refusal(differs: Differs<'_>, (places, named): (&[usize], &[Named<'_>]), currency: Currency) -> DiscountRefusal {
    let Differs { at, why } = differs;
    let place = |at: usize| places.get(at).copied().unwrap_or_default();
    let (code, stated) = named.get(at).map_or(("", Money::ZERO), |named| (named.code, sum(&named.by_line)));
    let (ours, reason, detail, better) = match why {
        Why::Twice(other) => {
            return DiscountRefusal::Twice { at: place(at), other: place(other), code: code.to_owned() };
        }
        Why::Amount(ours) => (ours, None, None, None),
        Why::Unknown => (Money::ZERO, Some("not_in_version"), None, None),
        Why::Skipped(Skipped { reason, detail, better, .. }) => (
            Money::ZERO,
            Some(reason.name()),
            detail.map(|detail| detail.to_string()),
            better.map(|better| better.code.clone()),
        ),
    };
    let (code, stated, ours) = (code.to_owned(), stated.amount(currency), ours.amount(currency));
    DiscountRefusal::Differs { at: place(at), code, stated, ours, reason, detail, better }
}

/// What is said of a discount that an order online would have been refused for.
fn flag(refusal: DiscountRefusal) -> Option<FlagReceipt> {
    match refusal {
        DiscountRefusal::Differs { code, stated, ours, reason, .. } => {
            Some(FlagReceipt::DiscountDiffers { discount: code, stated, ours, reason: reason.map(str::to_owned) })
        }
        DiscountRefusal::Twice { code, .. } => Some(FlagReceipt::DiscountTwice { discount: code }),
        DiscountRefusal::QuoteTooOld { .. } => None,
    }
}

fn skipped_receipt(skipped: &Skipped<'_>) -> SkippedDiscountReceipt {
    SkippedDiscountReceipt {
        discount: skipped.discount.code.clone(),
        reason: skipped.reason.name().to_owned(),
        detail: skipped.detail.as_ref().map(ToString::to_string),
        better: skipped.better.map(|better| better.code.clone()),
    }
}
