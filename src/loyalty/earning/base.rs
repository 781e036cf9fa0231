//! The earning base of a line. Source: golden.md R2.

use crate::kernel::money::{Money, half_up};
use crate::loyalty::earning::model::{LineFigures, LineKind};
use crate::loyalty::program::model::NetOf;

/// What a line earns on: the money that the programme counts, without the tax in that money, half up.
///
/// A line charged nothing has no base. Where discounts are not taken out, `charged` is scaled back to the amount before
/// them, and the tax with it: `None` when that is more than money has room for. What nobody paid is never counted.
/// Reads neither `paid` nor `base`.
pub fn base_of(line: &LineFigures, net_of: NetOf) -> Option<Money> {
    if line.charged == Money::ZERO || net_of.shipping && line.kind == LineKind::Shipping {
        return Some(Money::ZERO);
    }
    let part = |a: Money, b: Money, c: Money| Money::from_minor(half_up(a.minor(), b.minor(), c.minor()));
    let mut counted = line.charged;
    if !net_of.discounts {
        counted = part(line.charged, line.amount, line.amount.minus(line.discount)?)?;
    }
    counted = counted.minus_or_zero(line.uncovered);
    if net_of.points_paid {
        counted = counted.minus_or_zero(line.worth);
    }
    if net_of.gift_card {
        counted = counted.minus_or_zero(line.gift_card);
    }
    if net_of.tax {
        counted = counted.minus_or_zero(part(line.tax, counted, line.charged)?);
    }
    Some(counted)
}
