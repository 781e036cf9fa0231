//! What a quote takes off: of each stack the discount that takes most off what the stacks before it left.
//! Source: program.md, "Discounts".

use crate::kernel::money::Money;
use crate::loyalty::discounts::asked::{Asking, Skipped};
use crate::loyalty::discounts::off::{Off, take};
use crate::loyalty::program::model::discounts::Discount;
use crate::loyalty::program::reason::Reason;

/// What comes off an order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer<'b> {
    /// What applies, one after the other.
    pub off: Vec<Off<'b>>,
    /// What does not, in document order, though it is its time and its code was entered.
    pub skipped: Vec<Skipped<'b>>,
}

/// What all discounts of one stack take off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stack<'b> {
    /// The one that takes most off; of several the first of the document.
    pub best: Option<Off<'b>>,
    /// The others.
    pub skipped: Vec<Skipped<'b>>,
}

/// What discounts take off lines of which so much is `left`; `uses_left` says whether there are uses left of one.
pub fn best<'b>(
    discounts: &'b [Discount],
    asking: Asking<'_>,
    mut left: Vec<Money>,
    mut uses_left: impl FnMut(&Discount) -> bool,
) -> Offer<'b> {
    let mut offer = Offer::default();
    for of_stack in stacks(discounts) {
        let Stack { best, skipped } = stack(&of_stack, asking, &left, &mut uses_left);
        offer.skipped.extend(skipped);
        if let Some(off) = best {
            take(&mut left, &off.by_line);
            offer.off.push(off);
        }
    }
    let unasked = |skipped: &Skipped<'_>| matches!(skipped.reason, Reason::NotScheduled | Reason::CodeNotGiven);
    offer.skipped.retain(|skipped| !unasked(skipped));
    let place = |skipped: &Skipped<'_>| discounts.iter().position(|d| std::ptr::eq(d, skipped.discount));
    offer.skipped.sort_by_cached_key(place);
    offer
}

/// Discounts by stack, in the order in which stacks apply.
pub fn stacks(discounts: &[Discount]) -> Vec<Vec<&Discount>> {
    let mut stacks: Vec<Vec<&Discount>> = Vec::new();
    for discount in discounts {
        if stacks.len() <= discount.stack {
            stacks.resize(discount.stack.saturating_add(1), Vec::new());
        }
        stacks.get_mut(discount.stack).into_iter().for_each(|stack| stack.push(discount));
    }
    stacks
}

/// What the discounts of one stack take off.
pub fn stack<'b>(
    of_stack: &[&'b Discount],
    asking: Asking<'_>,
    left: &[Money],
    mut uses_left: impl FnMut(&Discount) -> bool,
) -> Stack<'b> {
    let (mut offs, mut skipped) = (Vec::new(), Vec::new());
    for discount in of_stack {
        match asking.ask(discount, uses_left(discount)) {
            Err(not) => skipped.push(not),
            Ok(matching) => {
                let off = Off::of(discount, &matching, asking.lines(), left);
                if off.amount == Money::ZERO {
                    skipped.push(Skipped::plain(discount, Reason::TakesNothing));
                } else {
                    offs.push(off);
                }
            }
        }
    }
    // The last of the largest, from behind: the first of the document.
    let winner = offs.iter().enumerate().rev().max_by_key(|(_, off)| off.amount).map(|(place, _)| place);
    let best = winner.map(|winner| offs.remove(winner));
    let better = best.as_ref().map(|off| off.discount);
    let beaten = |off: Off<'b>| Skipped { better, ..Skipped::plain(off.discount, Reason::StackHadBetter) };
    skipped.extend(offs.into_iter().map(beaten));
    Stack { best, skipped }
}
