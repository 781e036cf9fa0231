//! Which discounts apply to an order, and to which of its lines.

use crate::loyalty::program::audience;
use crate::loyalty::program::condition::EvalError;
use crate::loyalty::program::facts::{Facts, LineFacts};
use crate::loyalty::program::model::discounts::Discount;
use crate::loyalty::program::reason::Reason;

/// An order of which it is asked what comes off.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// The order, whose it is and when; prices are those before discounts.
    pub facts: &'a Facts<'a>,
    /// What the customer entered, in capitals.
    pub entered: &'a [String],
    /// Whether the member takes no part for now.
    pub suspended: bool,
}

/// A discount that does not apply, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped<'b> {
    /// The discount.
    pub discount: &'b Discount,
    /// The first reason.
    pub reason: Reason,
    /// What in a condition could not be told.
    pub detail: Option<EvalError>,
    /// The discount of its stack that takes more off.
    pub better: Option<&'b Discount>,
}

impl<'b> Skipped<'b> {
    /// Of a reason that says it all.
    pub fn plain(discount: &'b Discount, reason: Reason) -> Self {
        Self { discount, reason, detail: None, better: None }
    }
}

impl<'a> Asking<'a> {
    /// The lines of the order.
    pub fn lines(self) -> &'a [LineFacts<'a>] {
        self.facts.order.as_ref().map_or(&[], |order| order.lines)
    }

    /// The lines that a discount comes off, by place. `left` says whether there are uses left.
    ///
    /// # Errors
    /// Why it does not apply.
    pub fn ask<'b>(self, discount: &'b Discount, left: bool) -> Result<Vec<bool>, Skipped<'b>> {
        let not = |reason| Err(Skipped::plain(discount, reason));
        if !discount.schedule.has(self.facts.at) {
            return not(Reason::NotScheduled);
        }
        let is_entered = |code: &String| self.entered.contains(code);
        if !discount.codes.is_empty() && !discount.codes.iter().any(is_entered) {
            return not(Reason::CodeNotGiven);
        }
        if self.suspended {
            return not(Reason::MemberSuspended);
        }
        if let Some(Err(outside)) = discount.audience.as_ref().map(|audience| audience::ask(audience, self.facts)) {
            return Err(Skipped { detail: outside.detail, ..Skipped::plain(discount, outside.reason) });
        }
        match discount.when.as_ref().map(|when| when.holds(self.facts, None)) {
            None | Some(Ok(true)) => {}
            Some(Ok(false)) => return not(Reason::ConditionFalse),
            Some(Err(error)) => {
                return Err(Skipped { detail: Some(error), ..Skipped::plain(discount, Reason::ConditionFailed) });
            }
        }
        let (matching, detail) = self.matching(discount);
        if !matching.contains(&true) {
            return Err(Skipped { detail, ..Skipped::plain(discount, Reason::NoMatchingLines) });
        }
        if left { Ok(matching) } else { not(Reason::LimitReached) }
    }

    /// The lines that a discount is about, and the first of what could not be told of any.
    fn matching(self, discount: &Discount) -> (Vec<bool>, Option<EvalError>) {
        let mut failed = None;
        let matches = |line: &LineFacts<'_>| {
            let holds = discount.of.as_ref().map(|of| of.holds(self.facts, Some(line)));
            discount.takes(line.kind)
                && holds.unwrap_or(Ok(true)).unwrap_or_else(|error| {
                    failed.get_or_insert(error);
                    false
                })
        };
        let matching = self.lines().iter().map(matches).collect();
        (matching, failed)
    }
}
