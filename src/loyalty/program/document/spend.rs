//! How points may be spent, as it is written.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// With how many points an order may be paid, and for what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Spend {
    /// No fewer points than this, 1 to 10^15.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<i64>,
    /// Only so many at a time, 1 to 10^15: with 100, an order is paid with 100, 200 and so on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<i64>,
    /// No more than this part of what the lines cost that points pay for: a decimal, more than 0 and at most 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_share: Option<String>,
    /// A condition on a line: points do not pay for lines of which it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not: Option<String>,
}
