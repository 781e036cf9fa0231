//! The earning base of a line. Source: golden.md R2.

use crate::kernel::money::{MONEY_MINOR_MAX, Money, half_up};
use crate::loyalty::earning::model::{LineFigures, LineKind};
use crate::loyalty::program::model::NetOf;

/// What a line earns on: the money that the programme counts, without the tax in that money, half up.
///
/// A line charged nothing has no base. Where discounts are not taken out, `charged` is scaled back to the amount before
/// them, and the tax with it. What nobody paid is never counted. Reads neither `paid` nor `base`.
pub fn base_of(line: &LineFigures, net_of: NetOf) -> Money {
    if line.charged == Money::ZERO || net_of.shipping && line.kind == LineKind::Shipping {
        return Money::ZERO;
    }
    let charged = line.charged.minor();
    let mut counted = charged;
    if !net_of.discounts {
        let discounted = line.amount.minor() - line.discount.minor();
        counted = half_up(charged, line.amount.minor(), discounted);
    }
    counted -= line.uncovered.minor();
    if net_of.points_paid {
        counted -= line.worth.minor();
    }
    if net_of.gift_card {
        counted -= line.gift_card.minor();
    }
    if net_of.tax {
        counted -= half_up(line.tax.minor(), counted, charged);
    }
    Money::from_minor(counted.clamp(0, MONEY_MINOR_MAX)).unwrap_or(Money::ZERO)
}
