//! With how many points an order may be paid, and for which of its lines. Source: program.md, "Points to spend".

use crate::kernel::money::{Money, Ratio};
use crate::kernel::points::Points;
use crate::loyalty::checkout::cart::Cart;
use crate::loyalty::checkout::judge::line_facts;
use crate::loyalty::earning::model::LineKind;
use crate::loyalty::program::facts::Facts;
use crate::loyalty::program::model::Spend;

/// Why an order is not paid with so many points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpendError {
    /// Fewer than the programme lets members spend.
    #[error("an order is paid with {} points at least", .min.get())]
    BelowMinimum {
        /// The fewest.
        min: Points,
    },
    /// Between two steps.
    #[error("points are spent in steps of {}", .step.get())]
    NotInSteps {
        /// How many at a time.
        step: Points,
        /// The most below what was asked for.
        below: Points,
        /// The fewest above it.
        above: Points,
    },
    /// They would pay for a larger part of the order than the programme lets them.
    #[error("points pay for a part of an order only")]
    ShareExceeded {
        /// The most points of this order.
        most: Points,
    },
}

/// The lines of a cart that points do not pay for, by place; none where nothing says so. A line of which the condition has
/// no answer is not one of them.
pub fn barred(spend: Option<&Spend>, cart: &Cart, facts: &Facts<'_>) -> Vec<bool> {
    let Some(not) = spend.and_then(|spend| spend.not.as_ref()) else { return Vec::new() };
    cart.lines.iter().map(|line| not.holds(facts, Some(&line_facts(line))).unwrap_or(false)).collect()
}

/// Whether the programme lets members spend so many points at once.
///
/// # Errors
/// They are too few, or between two steps.
pub fn check_count(spend: Option<&Spend>, points: Points) -> Result<(), SpendError> {
    let Some(Spend { min, step, .. }) = spend.filter(|_| !points.is_zero()) else { return Ok(()) };
    let (min, step) = (*min, *step);
    if points < min {
        return Err(SpendError::BelowMinimum { min: least(min, step) });
    }
    let below = in_steps(points, step);
    if below == points {
        return Ok(());
    }
    let above = below.plus(step).unwrap_or(points);
    Err(SpendError::NotInSteps { step, below: if below < min { Points::ZERO } else { below }, above })
}

/// Whether points pay for no more of an order than the programme lets them: `payable` is what the lines cost that points
/// pay for.
///
/// # Errors
/// They are worth more than that part.
pub fn check_share(
    spend: Option<&Spend>,
    (points, worth): (Points, Money),
    payable: Money,
    value: Ratio,
) -> Result<(), SpendError> {
    let Some(spend) = spend.filter(|spend| !points.is_zero() && worth > part(spend, payable)) else { return Ok(()) };
    Err(SpendError::ShareExceeded { most: most(Some(spend), points, payable, value) })
}

/// The fewest points that an order can be paid with.
pub fn fewest(spend: Option<&Spend>) -> Points {
    spend.map_or(Points::ONE, |spend| least(spend.min, spend.step))
}

/// The most points, of so many that are there, that an order can be paid with whose payable lines cost so much; none when
/// even the fewest are too many.
pub fn most(spend: Option<&Spend>, there: Points, payable: Money, value: Ratio) -> Points {
    let step = spend.map_or(Points::ONE, |spend| spend.step);
    let room = spend.map_or(payable, |spend| part(spend, payable));
    // Points that are worth nothing pay for nothing that costs nothing.
    let fits = |steps: i64| {
        let points = steps.checked_mul(step.get()).and_then(|n| Points::try_from(n).ok());
        points.is_some_and(|points| worth_of(value, points).is_some_and(|worth| worth <= room))
    };
    let (mut fit, mut beyond) = (0_i64, there.get().checked_div(step.get()).unwrap_or(0).saturating_add(1));
    if payable == Money::ZERO {
        return Points::ZERO;
    }
    // What points are worth grows with them: halving finds the last that fit.
    while beyond.saturating_sub(fit) > 1 {
        let middle = fit.midpoint(beyond);
        if fits(middle) { fit = middle } else { beyond = middle }
    }
    let most = fit.checked_mul(step.get()).and_then(|n| Points::try_from(n).ok()).unwrap_or(Points::ZERO);
    if most < fewest(spend) { Points::ZERO } else { most }
}

/// What a number of points is worth, half up; `None` when that is more than money has room for.
pub fn worth_of(value: Ratio, points: Points) -> Option<Money> {
    value.half_up(points.get()).and_then(Money::from_minor)
}

/// Whether points pay for a line.
pub fn pays_for(kind: LineKind, place: usize, barred: &[bool]) -> bool {
    kind == LineKind::Product && !barred.get(place).copied().unwrap_or(false)
}

fn part(spend: &Spend, payable: Money) -> Money {
    spend.max_share.map_or(payable, |share| share.floor(payable.minor()).and_then(Money::from_minor).unwrap_or(payable))
}

/// The first full step that is not below a minimum.
fn least(min: Points, step: Points) -> Points {
    let below = in_steps(min, step);
    let least = if below == min { min } else { below.plus(step).unwrap_or(min) };
    least.max(step)
}

fn in_steps(points: Points, step: Points) -> Points {
    points.minus_or_zero(Points::try_from(points.get().checked_rem(step.get()).unwrap_or(0)).unwrap_or(Points::ZERO))
}

#[cfg(test)]
mod tests;
