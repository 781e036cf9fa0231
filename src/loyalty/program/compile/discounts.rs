//! Discounts, compiled.

use rust_decimal::Decimal;

use crate::kernel::cycle::Cycle;
use crate::kernel::money::{Money, Ratio};
use crate::kernel::points::Points;
use crate::loyalty::program::compile::names::Named;
use crate::loyalty::program::compile::{Reading, in_minor, plain_decimal};
use crate::loyalty::program::condition::{Condition, PROGRAM_COST_MAX};
use crate::loyalty::program::document::discounts::{Benefit as WrittenBenefit, Discount as WrittenDiscount, Uses};
use crate::loyalty::program::model::discounts::{Benefit, Discount, entered};
use crate::loyalty::program::model::{Budget, Cap};
use crate::loyalty::program::slots::uses_of;

/// The most discounts.
pub const DISCOUNTS_MAX: usize = 200;
/// The most codes of a discount that customers can enter.
pub const ENTERED_CODES_MAX: usize = 100;
/// The most characters of such a code.
pub const ENTERED_CHARS_MAX: usize = 64;

impl Reading {
    pub(super) fn discounts(&mut self, named: &Named<'_>) -> Vec<Discount> {
        let written = &named.document.discounts;
        if written.len() > DISCOUNTS_MAX {
            self.wrong(&["discounts"], format_args!("a programme has at most {DISCOUNTS_MAX} discounts"));
        }
        let mut stacks: Vec<Option<&str>> = Vec::new();
        let mut discounts = Vec::with_capacity(written.len());
        for (code, discount) in written {
            let name = discount.stack.as_deref();
            let there = stacks.iter().position(|stack| stack.is_some() && *stack == name);
            let stack = there.unwrap_or(stacks.len());
            if there.is_none() {
                stacks.push(name);
            }
            discounts.extend(self.discount(code, stack, discount, named));
        }
        self.entered_once(named);
        self.cost_of_discounts(&discounts);
        discounts
    }

    fn discount(&mut self, code: &str, stack: usize, written: &WrittenDiscount, named: &Named<'_>) -> Option<Discount> {
        let place = ["discounts", code];
        self.code(&place, code);
        if let Some(name) = &written.stack {
            self.code(&["discounts", code, "stack"], name);
        }
        let text = self.texts(&place, &written.text);
        let audience = self.audience(&place, written.audience.as_ref(), named);
        let when = self.condition(&["discounts", code, "when"], written.when.as_ref(), &named.of_order());
        let of = self.condition(&["discounts", code, "benefit", "of"], written.benefit.of.as_ref(), &named.of_lines());
        let benefit = self.benefit(code, &written.benefit, named.exponent);
        let schedule = self.schedule(&place, written.schedule.as_ref(), named.zone);
        let (per_member, total) = match &written.limits {
            None => (Some(None), Some(None)),
            Some(limits) => {
                if limits.per_member.is_none() && limits.total.is_none() {
                    self.wrong(&["discounts", code, "limits"], "has `per_member`, `total`, or both");
                }
                let slot = named.slots.rules.get(&uses_of(code)).copied();
                if slot.is_none() && limits.per_member.is_some() {
                    self.wrong(&["discounts", code, "limits"], "has no slot");
                }
                let per_member = self.uses(code, "per_member", limits.per_member.as_ref());
                let total = self.uses(code, "total", limits.total.as_ref());
                let cap = |(points, cycle)| slot.map(|slot| Cap { slot, points, cycle });
                let total = total.map(|uses| uses.map(|(points, cycle)| Budget { points, cycle }));
                (per_member.map(|uses| uses.and_then(cap)), total)
            }
        };
        Some(Discount {
            code: code.to_owned(),
            stack,
            codes: written.codes.iter().map(|code| entered(code)).collect(),
            audience,
            schedule: schedule?,
            when,
            benefit: benefit?,
            of,
            per_member: per_member?,
            total: total?,
            text,
        })
    }

    fn benefit(&mut self, code: &str, written: &WrittenBenefit, exponent: u32) -> Option<Benefit> {
        let place = |field| ["discounts", code, "benefit", field];
        let all = [
            ("percent", written.percent.is_some()),
            ("amount", written.amount.is_some()),
            ("price", written.price.is_some()),
            ("free_shipping", written.free_shipping),
        ];
        let mut there = all.into_iter().filter(|(_, there)| *there).map(|(field, _)| field);
        let Some(first) = there.next() else {
            self.wrong(&["discounts", code, "benefit"], "has one of `percent`, `amount`, `price` and `free_shipping`");
            return None;
        };
        for other in there {
            self.wrong(&place(other), format_args!("does not go with `{first}`"));
        }
        match written {
            WrittenBenefit { percent: Some(percent), .. } => {
                let percent = self.amount(&place("percent"), percent)?;
                let part = Some(percent).filter(|percent| *percent <= Decimal::ONE_HUNDRED);
                let part = part.and_then(|percent| Ratio::of(percent, Decimal::ONE_HUNDRED));
                self.ok(&place("percent"), part.ok_or("is more than 0 and at most 100")).map(Benefit::Percent)
            }
            WrittenBenefit { amount: Some(amount), .. } => {
                self.more_than_nothing(&place("amount"), amount, exponent).map(Benefit::Amount)
            }
            WrittenBenefit { price: Some(price), .. } => {
                self.more_than_nothing(&place("price"), price, exponent).map(Benefit::Price)
            }
            _ => Some(Benefit::FreeShipping),
        }
    }

    pub(super) fn more_than_nothing(&mut self, place: &[&str], text: &str, exponent: u32) -> Option<Money> {
        let money = self.money(place, text, exponent)?;
        self.ok(place, Some(money).filter(|money| *money > Money::ZERO).ok_or("is more than 0"))
    }

    /// Money in whole minor units.
    pub(super) fn money(&mut self, place: &[&str], text: &str, exponent: u32) -> Option<Money> {
        let amount = self.ok(place, plain_decimal(text).ok_or("is not a decimal such as \"0.01\""))?;
        let minor = in_minor(amount, exponent).map(|minor| minor.normalize()).filter(|minor| minor.scale() == 0);
        let money = minor.and_then(|minor| i64::try_from(minor).ok()).and_then(Money::from_minor);
        self.ok(place, money.ok_or("is too large, or has more decimal places than the currency"))
    }

    fn uses(&mut self, code: &str, of: &str, written: Option<&Uses>) -> Option<Option<(Points, Cycle)>> {
        let Some(written) = written else { return Some(None) };
        let uses = Points::try_from(written.uses).ok().filter(|uses| !uses.is_zero());
        let uses = self.ok(&["discounts", code, "limits", of, "uses"], uses.ok_or("must be 1 or more"));
        let cycle = self.ok(&["discounts", code, "limits", of, "each"], Cycle::read(written.each.as_deref()));
        Some(Some((uses?, cycle?)))
    }

    /// What a customer enters gets one discount, and it is told which.
    fn entered_once(&mut self, named: &Named<'_>) {
        let mut before: Vec<(String, &str)> = Vec::new();
        for (discount, written) in &named.document.discounts {
            let place = ["discounts", discount.as_str(), "codes"];
            if written.codes.len() > ENTERED_CODES_MAX {
                self.wrong(&place, format_args!("has at most {ENTERED_CODES_MAX} codes"));
            }
            for (i, code) in written.codes.iter().enumerate() {
                let index = i.to_string();
                let place = [place.as_slice(), &[&index]].concat();
                self.words(&place, code, ENTERED_CHARS_MAX);
                let code = entered(code);
                match before.iter().find(|(there, _)| *there == code) {
                    Some((_, of)) if *of == discount => self.wrong(&place, "is named twice"),
                    Some((_, of)) => self.wrong(&place, format_args!("is a code of {of}, too")),
                    None => before.push((code, discount)),
                }
            }
        }
    }

    /// Each quote asks them all.
    fn cost_of_discounts(&mut self, discounts: &[Discount]) {
        let of_members = discounts.iter().filter_map(|discount| discount.audience.as_ref()?.when.as_ref());
        let conditions = discounts.iter().flat_map(|discount| discount.of.iter().chain(&discount.when));
        let cost = conditions.chain(of_members).map(Condition::cost).fold(0, u32::saturating_add);
        if cost > PROGRAM_COST_MAX {
            let message = format_args!("the conditions may take {cost} steps together, of {PROGRAM_COST_MAX}");
            self.wrong(&["discounts"], message);
        }
    }
}

#[cfg(test)]
mod tests;
