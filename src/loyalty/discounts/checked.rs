//! Whether an order had the discounts that it names: the customer has paid, so nothing is invented, and what is named has
//! to be what a quote would give. Source: program.md, "Discounts".

use crate::kernel::money::Money;
use crate::loyalty::discounts::asked::{Asking, Skipped};
use crate::loyalty::discounts::best::{Stack, stack, stacks};
use crate::loyalty::discounts::off::take;
use crate::loyalty::program::model::discounts::Discount;

/// A discount as an order names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named<'a> {
    /// Its code.
    pub code: &'a str,
    /// What it took off each line, by place.
    pub by_line: Vec<Money>,
    /// Whether a hold promised it so.
    pub promised: bool,
}

/// A discount that an order names, and a quote would not give so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differs<'b> {
    /// Its place among those that are named.
    pub at: usize,
    /// Why.
    pub why: Why<'b>,
}

/// Why a quote would not give a discount as an order names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why<'b> {
    /// It would take so much off, or as much, and off other lines.
    Amount(Money),
    /// It does not apply.
    Skipped(Skipped<'b>),
    /// The version does not have it.
    Unknown,
    /// Another of its stack, in this place, is named before it.
    Twice(usize),
}

/// Compares what an order names with what a quote would give, stack by stack: a stack of which nothing is named is passed
/// over, as a customer may do without. What stacks before took is what is named of them. Answers all that differs.
pub fn differences<'b>(
    discounts: &'b [Discount],
    asking: Asking<'_>,
    named: &[Named<'_>],
    mut left: Vec<Money>,
    mut uses_left: impl FnMut(&Discount) -> bool,
) -> Vec<Differs<'b>> {
    let mut found = Vec::new();
    // What no stack has came off first, as far as anybody can tell.
    for (at, named) in named.iter().enumerate() {
        if discounts.iter().all(|discount| discount.code != named.code) {
            take(&mut left, &named.by_line);
            found.extend((!named.promised).then_some(Differs { at, why: Why::Unknown }));
        }
    }
    for of_stack in stacks(discounts) {
        let of_it = |named: &Named<'_>| of_stack.iter().any(|discount| discount.code == named.code);
        let mut there = named.iter().enumerate().filter(|(_, named)| of_it(named));
        let Some((at, first)) = there.next() else { continue };
        found.extend(there.map(|(again, _)| Differs { at: again, why: Why::Twice(at) }));
        if !first.promised {
            let why = why(first, stack(&of_stack, asking, &left, &mut uses_left));
            found.extend(why.map(|why| Differs { at, why }));
        }
        take(&mut left, &first.by_line);
    }
    found
}

fn why<'b>(named: &Named<'_>, stack: Stack<'b>) -> Option<Why<'b>> {
    match stack.best {
        Some(off) if off.discount.code == named.code => {
            (off.by_line != named.by_line).then_some(Why::Amount(off.amount))
        }
        _ => {
            let skipped = stack.skipped.into_iter().find(|skipped| skipped.discount.code == named.code);
            skipped.map(Why::Skipped)
        }
    }
}
