//! Whole numbers shared out exactly: largest remainder, and what stays of a line after returns.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Shares `total` out by `weights`: largest remainder, ties to the earlier part. The parts sum to `total`.
///
/// Negative weights count as zero. When all weights are zero the first part gets everything.
/// Source: golden.md R1.
pub fn spread(total: i64, weights: &[i64]) -> Vec<i64> {
    let weight = |w: &i64| i128::from((*w).max(0));
    let sum: i128 = weights.iter().map(weight).sum();
    if sum == 0 {
        return weights.iter().enumerate().map(|(i, _)| if i == 0 { total } else { 0 }).collect();
    }
    let total_wide = i128::from(total);
    let mut parts: Vec<i64> = Vec::with_capacity(weights.len());
    let mut remainders: Vec<(usize, i128)> = Vec::with_capacity(weights.len());
    let mut rest = total;
    for (i, w) in weights.iter().enumerate() {
        // 64 bits times 64 bits fit in 128, and a part is no further from zero than the total.
        let exact = total_wide.saturating_mul(weight(w));
        let part = i64::try_from(exact.div_euclid(sum)).unwrap_or(0);
        parts.push(part);
        remainders.push((i, exact.rem_euclid(sum)));
        rest = rest.saturating_sub(part);
    }
    // Stable: equal remainders keep document order.
    remainders.sort_by_key(|(_, remainder)| std::cmp::Reverse(*remainder));
    for (i, _) in remainders.iter().take(usize::try_from(rest).unwrap_or(0)) {
        if let Some(part) = parts.get_mut(*i) {
            *part = part.saturating_add(1);
        }
    }
    parts
}

/// An exact fraction, 0 to 1: how much of a line has been returned. Written `1/3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Share {
    num: i128,
    den: i128,
}

impl Share {
    /// Nothing.
    pub const NONE: Self = Self { num: 0, den: 1 };
    /// Everything.
    pub const ALL: Self = Self { num: 1, den: 1 };

    /// `part` of `whole`; `None` unless 0 <= part <= whole and 0 < whole.
    pub fn of(part: i64, whole: i64) -> Option<Self> {
        (whole > 0 && (0..=whole).contains(&part)).then(|| Self::reduced(part.into(), whole.into()))
    }

    /// The sum; `None` beyond everything, or when the exact fraction gets too fine to be written down (a denominator
    /// beyond 2^63: pieces and cents of one line never get there).
    pub fn plus(self, other: Self) -> Option<Self> {
        let left = self.num.checked_mul(other.den)?;
        let right = other.num.checked_mul(self.den)?;
        let den = self.den.checked_mul(other.den)?;
        let sum = Self::reduced(left.checked_add(right)?, den);
        (sum.num <= sum.den && i64::try_from(sum.den).is_ok()).then_some(sum)
    }

    /// What stays of a stored whole number when this share of it is gone: floor(x (1 - f)). Source: golden.md R4.
    pub fn stays(self, x: i64) -> i64 {
        let kept = self.den.checked_sub(self.num).and_then(|kept| i128::from(x).checked_mul(kept));
        kept.and_then(|n| i64::try_from(n.div_euclid(self.den)).ok()).unwrap_or(0)
    }

    /// Whether it is everything.
    pub fn is_all(self) -> bool {
        self.num == self.den
    }

    fn reduced(num: i128, den: i128) -> Self {
        let (num, den) = lowest_terms(num, den);
        Self { num, den }
    }
}

impl Default for Share {
    fn default() -> Self {
        Self::NONE
    }
}

/// The text is no share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a fraction from 0 to 1 such as 1/3")]
pub struct NotAShare;

impl FromStr for Share {
    type Err = NotAShare;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (part, whole) = text.split_once('/').ok_or(NotAShare)?;
        let number = |s: &str| s.parse::<i64>().map_err(|_| NotAShare);
        Self::of(number(part)?, number(whole)?).ok_or(NotAShare)
    }
}

impl TryFrom<String> for Share {
    type Error = NotAShare;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Share> for String {
    fn from(share: Share) -> Self {
        share.to_string()
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.num, self.den)
    }
}

/// A fraction of two numbers of 0 or more in lowest terms.
pub(super) fn lowest_terms(num: i128, den: i128) -> (i128, i128) {
    let divisor = gcd(num, den);
    let lower = |n: i128| n.checked_div(divisor).unwrap_or(n);
    (lower(num), lower(den))
}

fn gcd(a: i128, b: i128) -> i128 {
    a.checked_rem(b).map_or(a, |rest| gcd(b, rest))
}

#[cfg(test)]
mod tests;
