//! What a discount takes off. Source: golden.md R1.

use crate::kernel::money::Money;
use crate::kernel::spread::spread;
use crate::loyalty::program::facts::LineFacts;
use crate::loyalty::program::model::discounts::{Benefit, Discount};

/// What a discount takes off each line, by place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Off<'b> {
    /// The discount.
    pub discount: &'b Discount,
    /// In all.
    pub amount: Money,
    /// Off each line, at most what was left of it.
    pub by_line: Vec<Money>,
}

impl<'b> Off<'b> {
    /// What a discount takes off lines of which so much is left: off those that it matches, together, half up, and then
    /// spread by what is left of each.
    pub fn of(discount: &'b Discount, matching: &[bool], lines: &[LineFacts<'_>], left: &[Money]) -> Self {
        let of_matching = |(left, matches): (&Money, &bool)| if *matches { left.minor() } else { 0 };
        let weights: Vec<i64> = left.iter().zip(matching).map(of_matching).collect();
        let all = weights.iter().fold(0_i64, |sum, weight| sum.saturating_add(*weight));
        let parts = match discount.benefit {
            Benefit::Percent(part) => spread(part.half_up(all).unwrap_or(all).min(all), &weights),
            Benefit::Amount(amount) => spread(amount.minor().min(all), &weights),
            Benefit::Price(price) => {
                let over = |(line, left): (&LineFacts<'_>, &i64)| {
                    left.saturating_sub(price.minor().saturating_mul(line.quantity.into())).max(0)
                };
                lines.iter().zip(&weights).map(over).collect()
            }
            Benefit::FreeShipping => weights,
        };
        let by_line: Vec<Money> =
            parts.into_iter().map(|part| Money::from_minor(part).unwrap_or(Money::ZERO)).collect();
        Self { discount, amount: sum(&by_line), by_line }
    }
}

/// What parts of prices sum to.
pub fn sum(parts: &[Money]) -> Money {
    parts.iter().fold(Money::ZERO, |sum, part| sum.plus(*part).unwrap_or(Money::MAX))
}

/// What is left of each line.
pub fn take(left: &mut [Money], by_line: &[Money]) {
    for (left, off) in left.iter_mut().zip(by_line) {
        *left = left.minus_or_zero(*off);
    }
}
