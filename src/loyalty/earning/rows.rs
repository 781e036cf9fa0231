//! The rows of an award: whole numbers, each floored on its own and spread over the lines. Source: golden.md R3.

use crate::kernel::clock::Instant;
use crate::kernel::money::{Money, Ratio};
use crate::kernel::points::Points;
use crate::kernel::spread::spread;
use crate::loyalty::earning::base::base_of;
use crate::loyalty::earning::model::LineFigures;
use crate::loyalty::program::model::{Award, Cap, EarningRule, Slot};
use crate::loyalty::program::reason::Reason;

/// What one rule awards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// The rule.
    pub rule: &'a EarningRule,
    /// How much in all.
    pub points: Points,
    /// How much it would have been without its cap.
    pub uncut: Points,
    /// How much of `points` each line earned, in the order of the lines.
    pub by_line: Vec<Points>,
}

/// A rule that awards nothing, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skipped<'a> {
    /// The rule.
    pub rule: &'a EarningRule,
    /// The first reason.
    pub reason: Reason,
}

/// What the rules award for an order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Awarded<'a> {
    /// A row for each rule that awards anything, in document order.
    pub rows: Vec<Row<'a>>,
    /// The rules that would have, in document order.
    pub skipped: Vec<Skipped<'a>>,
}

/// An award does not fit a wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the award is larger than a wallet holds")]
pub struct AwardTooLarge;

/// What the rules award for the lines of an order at its business time; `room` says what is left of a cap.
///
/// # Errors
/// When a row, or all rows of one wallet together, are more than a wallet holds.
pub fn award<'a>(
    rules: &'a [EarningRule],
    lines: &[LineFigures],
    at: Instant,
    room: impl Fn(&Cap) -> Points,
) -> Result<Awarded<'a>, AwardTooLarge> {
    let mut awarded = Awarded::default();
    for rule in rules.iter().filter(|rule| rule.schedule.has(at)) {
        let (uncut, computed_from) = uncut(rules, rule, lines, at)?;
        let points = rule.cap.as_ref().map_or(uncut, |cap| uncut.min(room(cap)));
        if !points.is_zero() {
            let by_line = by_line(points, &computed_from, lines);
            awarded.rows.push(Row { rule, points, uncut, by_line });
        } else if !uncut.is_zero() {
            awarded.skipped.push(Skipped { rule, reason: Reason::CapReached });
        }
    }
    for row in &awarded.rows {
        earned(&awarded.rows, row.rule.wallet)?;
    }
    Ok(awarded)
}

/// What a rule awards before its cap, and by what that is spread over the lines.
fn uncut(
    rules: &[EarningRule],
    rule: &EarningRule,
    lines: &[LineFigures],
    at: Instant,
) -> Result<(Points, Vec<i64>), AwardTooLarge> {
    let own = || bases(rule, lines);
    let (points, computed_from) = match &rule.award {
        Award::Fixed(points) => return Ok((*points, own()?)),
        Award::Rate { rate, step: None } => (rate.floor(sum(&own()?)?), own()?),
        Award::Rate { step: Some(step), .. } => {
            (step.rate.floor(sum(&own()?)?).and_then(|steps| steps.checked_mul(step.points.get())), own()?)
        }
        Award::Multiply { of, .. } => {
            let multiplied = of.iter().filter_map(|(place, rate)| Some((rules.get(*place)?, *rate)));
            let multiplied: Vec<(&EarningRule, Ratio)> = multiplied.filter(|(rule, _)| rule.schedule.has(at)).collect();
            let parts = multiplied.iter().map(|(rule, rate)| Ok((multiplicand(rule, lines)?, *rate)));
            let points = Ratio::floor_of_sum(parts.collect::<Result<Vec<_>, _>>()?);
            // What one of them leaves out of its base another may earn on: all of their bases count.
            let mut computed_from = vec![0_i64; lines.len()];
            for (rule, _) in &multiplied {
                for (sum, base) in computed_from.iter_mut().zip(bases(rule, lines)?) {
                    *sum = sum.checked_add(base).ok_or(AwardTooLarge)?;
                }
            }
            (points, computed_from)
        }
    };
    let points = Points::try_from(points.ok_or(AwardTooLarge)?).map_err(|_| AwardTooLarge)?;
    Ok((points, computed_from))
}

/// What a multiplier multiplies of a rule: its base, or its full steps.
fn multiplicand(rule: &EarningRule, lines: &[LineFigures]) -> Result<i64, AwardTooLarge> {
    let base = sum(&bases(rule, lines)?)?;
    match rule.award {
        Award::Rate { step: Some(step), .. } => step.rate.floor(base).ok_or(AwardTooLarge),
        Award::Rate { .. } | Award::Multiply { .. } | Award::Fixed(_) => Ok(base),
    }
}

/// The base of each line, as the rule computes it, in minor units.
fn bases(rule: &EarningRule, lines: &[LineFigures]) -> Result<Vec<i64>, AwardTooLarge> {
    let bases = lines.iter().map(|line| base_of(line, rule.net_of).map(Money::minor));
    bases.collect::<Option<_>>().ok_or(AwardTooLarge)
}

fn sum(bases: &[i64]) -> Result<i64, AwardTooLarge> {
    bases.iter().try_fold(0_i64, |sum, base| sum.checked_add(*base)).ok_or(AwardTooLarge)
}

/// All points that the rows bring to a wallet.
///
/// # Errors
/// When they are more than a wallet holds.
pub fn earned(rows: &[Row<'_>], wallet: Slot) -> Result<Points, AwardTooLarge> {
    let of_wallet = rows.iter().filter(|row| row.rule.wallet == wallet);
    of_wallet.map(|row| row.points).try_fold(Points::ZERO, Points::plus).ok_or(AwardTooLarge)
}

/// Spreads a row over its lines by what it was computed from; when that is all zero by charged, then by quantity, and at
/// last to the first line. The parts sum to `points`.
pub fn by_line(points: Points, computed_from: &[i64], lines: &[LineFigures]) -> Vec<Points> {
    let any = |weights: &[i64]| weights.iter().any(|w| *w > 0);
    let mut weights = computed_from.to_vec();
    if !any(&weights) {
        weights = lines.iter().map(|line| line.charged.minor()).collect();
    }
    if !any(&weights) {
        weights = lines.iter().map(|line| i64::from(line.quantity)).collect();
    }
    spread(points.get(), &weights).into_iter().map(|part| Points::try_from(part).unwrap_or(Points::ZERO)).collect()
}
