//! Conditions of rules: a few forms, each as documents write it.

use crate::rng::Rng;
use crate::spec::decimal;

/// What lines are of; some are of nothing.
pub const CATEGORIES: [&str; 3] = ["shoes", "socks", "mugs"];

/// A condition on a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineTest {
    /// So many pieces at least.
    Pieces(i64),
    /// So many minor units at least, before discounts.
    Amount(i64),
    Is(&'static str),
    IsNot(&'static str),
    Shipping,
    /// Divides by the pieces beyond the first: of one piece nothing can be told.
    Odd,
}

/// A condition on the order, the member or the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    Total(i64),
    Products(i64),
    Pieces(i64),
    /// Some line is of a category.
    Exists(&'static str),
    /// Each line has so many pieces.
    All(i64),
    /// Nothing that stayed was ordered before.
    First,
    /// So many days since the last order: of whoever has none nothing can be told.
    Idle(i64),
    Enrolled(i64),
    Weekend,
    /// Whether the member is in a tier.
    Tier(&'static str),
}

fn category(rng: &mut Rng) -> &'static str {
    let category: &&str = rng.pick(&CATEGORIES);
    category
}

pub fn line_test(rng: &mut Rng) -> LineTest {
    match rng.within(1, 9) {
        1 | 2 => LineTest::Pieces(rng.within(2, 4)),
        3 | 4 => LineTest::Amount(rng.within(500, 12_000)),
        5 | 6 => LineTest::Is(category(rng)),
        7 => LineTest::IsNot(category(rng)),
        8 => LineTest::Shipping,
        _ => LineTest::Odd,
    }
}

pub fn test(rng: &mut Rng) -> Test {
    match rng.within(1, 9) {
        1 => Test::Total(rng.within(1_000, 30_000)),
        2 => Test::Products(rng.within(1_000, 20_000)),
        3 => Test::Pieces(rng.within(2, 8)),
        4 => Test::Exists(category(rng)),
        5 => Test::All(2),
        6 => Test::First,
        7 => Test::Idle(rng.within(1, 60)),
        8 => Test::Enrolled(rng.within(1, 200)),
        _ => Test::Weekend,
    }
}

impl LineTest {
    pub fn written(self, exponent: u32) -> String {
        match self {
            Self::Pieces(n) => format!("line.quantity >= {n}"),
            Self::Amount(minor) => format!("line.amount >= {}", decimal(minor, 1, exponent)),
            Self::Is(category) => format!("line.category == \"{category}\""),
            Self::IsNot(category) => format!("line.category != \"{category}\""),
            Self::Shipping => "line.kind == \"shipping\"".into(),
            Self::Odd => "3 / (line.quantity - 1) > 1".into(),
        }
    }
}

impl Test {
    pub fn written(self, exponent: u32) -> String {
        match self {
            Self::Total(minor) => format!("order.total >= {}", decimal(minor, 1, exponent)),
            Self::Products(minor) => format!("order.products >= {}", decimal(minor, 1, exponent)),
            Self::Pieces(n) => format!("order.quantity >= {n}"),
            Self::Exists(category) => format!("order.lines.exists(l, l.category == \"{category}\")"),
            Self::All(n) => format!("order.lines.all(l, l.quantity >= {n})"),
            Self::First => "member.order_count == 0".into(),
            Self::Idle(days) => format!("member.days_since_last_order >= {days}"),
            Self::Enrolled(days) => format!("member.days_enrolled >= {days}"),
            Self::Weekend => "now.weekday in [6, 7]".into(),
            Self::Tier(code) => format!("member.tier == \"{code}\""),
        }
    }
}
