//! Points: what wallets hold.

use serde::{Deserialize, Serialize};

/// No wallet, award or sum of them is larger.
pub const POINTS_MAX: i64 = 1_000_000_000_000_000;

/// A count of points, 0 to [`POINTS_MAX`]: a debit is a direction, not a sign.
///
/// In a qualifying wallet that counts spend, one point is one minor unit of the programme's currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Points(i64);

/// A figure left the range of [`Points`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("points are 0 to 10^15")]
pub struct PointsRange;

impl Points {
    /// None at all.
    pub const ZERO: Self = Self(0);
    /// A single one.
    pub const ONE: Self = Self(1);

    /// The count as a signed number, for storage and sums.
    pub fn get(self) -> i64 {
        self.0
    }

    /// Whether there are none.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum, or `None` beyond [`POINTS_MAX`].
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).and_then(|n| Self::try_from(n).ok())
    }

    /// The difference, or `None` when `other` is more.
    pub fn minus(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).and_then(|n| Self::try_from(n).ok())
    }

    /// The difference, or zero when `other` is more.
    pub fn minus_or_zero(self, other: Self) -> Self {
        self.minus(other).unwrap_or(Self::ZERO)
    }
}

impl TryFrom<i64> for Points {
    type Error = PointsRange;

    fn try_from(n: i64) -> Result<Self, Self::Error> {
        if (0..=POINTS_MAX).contains(&n) { Ok(Self(n)) } else { Err(PointsRange) }
    }
}

impl From<Points> for i64 {
    fn from(points: Points) -> Self {
        points.0
    }
}

impl std::fmt::Display for Points {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::edges::{cases, whole};

    proptest! {
        #![proptest_config(cases(1_000))]

        #[test]
        fn sums_of_points_are_exact_or_nothing(a in whole(), b in whole()) {
            prop_assert_eq!(Points::try_from(a).is_ok(), (0..=POINTS_MAX).contains(&a));
            let (Ok(x), Ok(y)) = (Points::try_from(a), Points::try_from(b)) else { return Ok(()) };
            prop_assert_eq!(x.plus(y), Points::try_from(a + b).ok());
            prop_assert_eq!(x.minus(y), Points::try_from(a - b).ok());
            prop_assert_eq!(x.minus_or_zero(y).get(), (a - b).max(0));
        }
    }
}
