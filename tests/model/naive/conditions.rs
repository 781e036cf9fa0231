//! What conditions say of an order, its lines and its member in the naive model.

use chrono::{Datelike, Weekday};

use crate::facts::Day;
use crate::naive::price::PricedLine;
use crate::naive::wallets::Member;
use crate::spec::{LineTest, Test};

/// The answer, or what could not be told.
pub type Holds = Result<bool, &'static str>;

/// An order of which something is asked.
#[derive(Clone, Copy)]
pub struct Asking<'o> {
    pub lines: &'o [PricedLine],
    pub products: i64,
    pub shipping: i64,
    /// As it was before the order.
    pub member: &'o Member,
    /// The code of the tier that the member was in.
    pub tier: Option<&'static str>,
    pub day: Day,
}

impl LineTest {
    pub fn holds(self, line: &PricedLine) -> Holds {
        match self {
            Self::Pieces(n) => Ok(line.quantity >= n),
            Self::Amount(minor) => Ok(line.amount >= minor),
            Self::Is(category) => Ok(line.category == Some(category)),
            Self::IsNot(category) => Ok(line.category != Some(category)),
            Self::Shipping => Ok(!line.product),
            Self::Odd if line.quantity == 1 => Err("division by zero"),
            Self::Odd => Ok(line.quantity - 1 < 3),
        }
    }
}

impl Test {
    pub fn holds(self, asking: &Asking<'_>) -> Holds {
        let Asking { lines, products, shipping, member, tier, day } = *asking;
        let since = |before: Day| (day - before).num_days().max(0);
        match self {
            Self::Total(minor) => Ok(products + shipping >= minor),
            Self::Products(minor) => Ok(products >= minor),
            Self::Pieces(n) => Ok(lines.iter().filter(|l| l.product).map(|l| l.quantity).sum::<i64>() >= n),
            Self::Exists(category) => Ok(lines.iter().any(|l| l.category == Some(category))),
            Self::All(n) => Ok(lines.iter().all(|l| l.quantity >= n)),
            Self::First => Ok(member.orders == 0),
            Self::Idle(days) => match member.last_order.filter(|_| member.orders > 0) {
                Some(last) => Ok(since(last) >= days),
                None => Err("`member.days_since_last_order` is not known"),
            },
            Self::Enrolled(days) => Ok(since(member.enrolled) >= days),
            Self::Tier(code) => Ok(tier == Some(code)),
            Self::Weekend => Ok([Weekday::Sat, Weekday::Sun].contains(&day.weekday())),
        }
    }
}
