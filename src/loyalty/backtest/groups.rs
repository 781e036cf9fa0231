//! Of a report: members by the lists that they are in, and what came off orders.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::money::{Amount, Currency};
use crate::loyalty::backtest::report::AmountsCompared;
use crate::loyalty::backtest::tally::Tally;
use crate::loyalty::checkout::receipt::DiscountOf;
use crate::loyalty::program::model::{Rulebook, SegmentSlot};

/// The members of a list, and what awards in the window, less what returns took back, are worth to them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SegmentCompared {
    /// The list's code.
    pub segment: String,
    /// How many they are.
    pub members: u64,
    /// What they get.
    pub cost: AmountsCompared,
    /// Those of them who get more under the document,
    pub gain: u64,
    /// and who get less.
    pub lose: u64,
}

/// What came off orders by one discount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DiscountTotal {
    /// The discount's code.
    pub discount: String,
    /// Whose it is.
    pub of: DiscountOf,
    /// How many orders had it.
    pub orders: u64,
    /// How much in all.
    #[schema(value_type = String, example = "1250.00")]
    pub amount: Amount,
}

/// Members by the lists of the document.
pub fn segments(tally: &Tally, [before, after]: [&Rulebook; 2]) -> Vec<SegmentCompared> {
    let amount = |minor| Amount::of_minor(minor, before.currency);
    let compared = |(code, slot): &(String, SegmentSlot)| {
        let group = tally.segments.get(slot).copied().unwrap_or_default();
        SegmentCompared {
            segment: code.clone(),
            members: group.members,
            cost: AmountsCompared { before: amount(group.before), after: amount(group.after) },
            gain: group.gain,
            lose: group.lose,
        }
    };
    after.segment_codes.iter().map(compared).collect()
}

/// What came off the orders of the window.
pub fn discounts(tally: &Tally, currency: Currency) -> Vec<DiscountTotal> {
    let total = |((of, code), (orders, minor)): (&(DiscountOf, String), &(u64, i64))| DiscountTotal {
        discount: code.clone(),
        of: *of,
        orders: *orders,
        amount: Amount::of_minor(*minor, currency),
    };
    tally.before.came_off.iter().map(total).collect()
}
