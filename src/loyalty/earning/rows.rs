//! The rows of an award: whole numbers, each floored on its own and spread over the lines. Source: golden.md R3.

use crate::kernel::money::Money;
use crate::kernel::points::Points;
use crate::kernel::spread::spread;
use crate::loyalty::earning::base::base_of;
use crate::loyalty::earning::model::LineFigures;
use crate::loyalty::program::model::{EarningRule, Slot};

/// What one rule awards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// The rule's code.
    pub rule: &'a str,
    /// The wallet that it fills.
    pub wallet: Slot,
    /// How much in all.
    pub points: Points,
    /// How much of that each line earned, in the order of the lines.
    pub by_line: Vec<Points>,
}

/// An award does not fit a wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the award is larger than a wallet holds")]
pub struct AwardTooLarge;

/// What the rules award for the lines of an order: a row for each rule that awards anything, in document order.
///
/// # Errors
/// When a row, or all rows of one wallet together, are more than a wallet holds.
pub fn award<'a>(rules: &'a [EarningRule], lines: &[LineFigures]) -> Result<Vec<Row<'a>>, AwardTooLarge> {
    let mut rows: Vec<Row<'a>> = Vec::with_capacity(rules.len());
    for rule in rules {
        let bases = lines.iter().map(|line| base_of(line, rule.net_of).map(Money::minor));
        let bases: Vec<i64> = bases.collect::<Option<_>>().ok_or(AwardTooLarge)?;
        let points = base_points(rule, &bases)?;
        if !points.is_zero() {
            let by_line = by_line(points, &bases, lines);
            rows.push(Row { rule: &rule.code, wallet: rule.wallet, points, by_line });
        }
    }
    for row in &rows {
        earned(&rows, row.wallet)?;
    }
    Ok(rows)
}

/// All points that the rows bring to a wallet.
///
/// # Errors
/// When they are more than a wallet holds.
pub fn earned(rows: &[Row<'_>], wallet: Slot) -> Result<Points, AwardTooLarge> {
    let of_wallet = rows.iter().filter(|row| row.wallet == wallet);
    of_wallet.map(|row| row.points).try_fold(Points::ZERO, Points::plus).ok_or(AwardTooLarge)
}

fn base_points(rule: &EarningRule, bases: &[i64]) -> Result<Points, AwardTooLarge> {
    let sum = bases.iter().try_fold(0_i64, |sum, base| sum.checked_add(*base)).ok_or(AwardTooLarge)?;
    let points = match rule.step {
        None => rule.rate.floor(sum),
        Some(step) => step.rate.floor(sum).and_then(|steps| steps.checked_mul(step.points.get())),
    };
    Points::try_from(points.ok_or(AwardTooLarge)?).map_err(|_| AwardTooLarge)
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
