//! Which rules apply to an order, and to which of its lines.

use crate::kernel::clock::Instant;
use crate::loyalty::earning::model::{LineFigures, LineKind};
use crate::loyalty::program::audience;
use crate::loyalty::program::condition::{Condition, EvalError};
use crate::loyalty::program::facts::Facts;
use crate::loyalty::program::model::{Award, EarningRule, On};
use crate::loyalty::program::reason::Reason;

/// Whether a rule applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To these lines.
    Applies(Matching),
    /// Not, and nobody has to be told: it is about something else, or not its time.
    NotScheduled,
    /// Not, as the rule in this place is better, and of the same stack.
    Beaten(usize),
    /// Not, for this reason; with what could not be told, where that is why.
    Not(Reason, Option<EvalError>),
}

/// What sets rules off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger<'a> {
    /// An order, with which somebody may be enrolled.
    Order {
        /// Whether somebody is.
        enrols: bool,
    },
    /// An enrolment by itself.
    Enrolment,
    /// Something that happened outside of a checkout, by its name.
    Event(&'a str),
}

impl Trigger<'_> {
    /// Whether a rule is about it.
    pub fn sets_off(self, on: &On) -> bool {
        match (self, on) {
            (Self::Order { .. }, On::Order) => true,
            (Self::Order { enrols }, On::Enrolment) => enrols,
            (Self::Enrolment, On::Enrolment) => true,
            (Self::Event(name), On::Event(wanted)) => name == wanted,
            _ => false,
        }
    }
}

/// The lines of an order that a rule is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matching(Option<Vec<bool>>);

impl Matching {
    /// Every line.
    pub const ALL: Self = Self(None);

    /// Some of them, by their places.
    pub fn of(lines: Vec<bool>) -> Self {
        Self(Some(lines))
    }

    /// Whether a line is one of them, by its place.
    pub fn has(&self, line: usize) -> bool {
        self.0.as_ref().is_none_or(|lines| lines.get(line).copied().unwrap_or_default())
    }
}

/// Asks what a rule is about, its time, audience and conditions, in this order. `facts` are absent where no rule of the version has any of
/// the latter; a line of them is the line of `lines` in the same place.
pub fn ask(
    rule: &EarningRule,
    trigger: Trigger<'_>,
    lines: &[LineFigures],
    at: Instant,
    facts: Option<&Facts<'_>>,
) -> Asked {
    if !trigger.sets_off(&rule.on) || !rule.schedule.has(at) {
        return Asked::NotScheduled;
    }
    if let Some(audience) = &rule.audience {
        match facts.map(|facts| audience::ask(audience, facts)) {
            Some(Ok(())) => {}
            Some(Err(outside)) => return Asked::Not(outside.reason, outside.detail),
            None => return Asked::Not(Reason::ConditionFailed, Some(EvalError::Absent("member"))),
        }
    }
    match rule.when.as_ref().map(|when| of_order(when, facts)) {
        None | Some(Ok(true)) => {}
        Some(Ok(false)) => return Asked::Not(Reason::ConditionFalse, None),
        Some(Err(error)) => return Asked::Not(Reason::ConditionFailed, Some(error)),
    }
    let Some(condition) = &rule.lines else { return Asked::Applies(Matching::ALL) };
    let (mut matching, mut failed) = (Vec::with_capacity(lines.len()), None);
    for (place, line) in lines.iter().enumerate() {
        let matches = takes(rule, condition, line)
            && of_line(condition, facts, place).unwrap_or_else(|error| {
                failed.get_or_insert(error);
                false
            });
        matching.push(matches);
    }
    if matching.contains(&true) {
        Asked::Applies(Matching(Some(matching)))
    } else {
        Asked::Not(Reason::NoMatchingLines, failed)
    }
}

/// Whether a rule is about such a line at all: about shipping only where its base or its condition says so, and a
/// multiplier where what it multiplies says so. Source: golden.md R6.
fn takes(rule: &EarningRule, condition: &Condition, line: &LineFigures) -> bool {
    let multiplies = matches!(rule.award, Award::Multiply { .. });
    line.kind == LineKind::Product || multiplies || !rule.net_of.shipping || condition.reads().kind
}

fn of_order(when: &Condition, facts: Option<&Facts<'_>>) -> Result<bool, EvalError> {
    when.holds(facts.ok_or(EvalError::Absent("order"))?, None)
}

fn of_line(condition: &Condition, facts: Option<&Facts<'_>>, place: usize) -> Result<bool, EvalError> {
    let facts = facts.ok_or(EvalError::Absent("order"))?;
    let line = facts.order.as_ref().and_then(|order| order.lines.get(place));
    condition.holds(facts, Some(line.ok_or(EvalError::Absent("line"))?))
}
