//! What is taken off the price, as it is written.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::loyalty::program::document::Schedule;
use crate::loyalty::program::document::audience::Audience;
use crate::loyalty::program::document::texts::Text;

/// A discount. Quotes work it out; an order names those that were applied, and they are verified.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Discount {
    /// What it takes off.
    pub benefit: Benefit,
    /// What customers enter to get it, in capitals or not; absent: nobody has to enter anything.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<String>,
    /// For whom it is; absent: for everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<Audience>,
    /// When it applies; absent: always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// A condition on the order, the member and the time, by prices before discounts; absent: it always applies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// A name that discounts share of which only the one applies that takes most off; absent: it is one of its own. Stacks
    /// apply one after the other, each to what those before left, in the order in which the document first names them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
    /// For how many orders; absent: for any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// What it is called, by language.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub text: IndexMap<String, Text>,
}

/// What a discount takes off: one of `percent`, `amount`, `price` and `free_shipping`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Benefit {
    /// So many percent of the lines together, a decimal, 100 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<String>,
    /// So much money of the lines together, a decimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// As much as a piece costs more than this, a decimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<String>,
    /// All that shipping costs.
    #[serde(skip_serializing_if = "is_false")]
    pub free_shipping: bool,
    /// A condition on each line: it is taken off those of which it holds; absent: off all products. Off shipping only where
    /// the condition says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
}

/// For how many orders something can be had.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// By one member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_member: Option<Uses>,
    /// By all members together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<Uses>,
}

/// How many uses there are in a calendar period of business days.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Uses {
    /// So many.
    pub uses: i64,
    /// The period, P1D, P1W, P1M, P3M, P6M or P1Y; absent: all time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub each: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_false(b: &bool) -> bool {
    !*b
}
