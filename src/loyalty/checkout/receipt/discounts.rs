//! What an order says of what came off.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::money::Amount;

/// What came off an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = OrderDiscount)]
pub struct DiscountReceipt {
    /// The discount's code.
    pub code: String,
    /// Whose it is.
    pub of: DiscountOf,
    /// In all; of amounts without tax where tax comes on top.
    #[schema(value_type = String, example = "9.00")]
    pub amount: Amount,
    /// Off which line how much.
    pub lines: Vec<DiscountedLineReceipt>,
    /// Whether it was taken off though there were no uses left of it: it is none then.
    #[serde(default, skip_serializing_if = "is_not")]
    #[schema(required = false)]
    pub uncounted: bool,
}

impl DiscountReceipt {
    /// Whether it is a use of a discount of the programme.
    pub fn is_counted(&self) -> bool {
        self.of == DiscountOf::Program && !self.uncounted
    }
}

/// Whose a discount is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DiscountOf {
    /// The programme's.
    Program,
    /// The shop's own, of which the programme knows nothing.
    Shop,
}

/// What came off a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = OrderDiscountLine)]
pub struct DiscountedLineReceipt {
    /// The line's id in the order.
    pub id: String,
    /// How much.
    #[schema(value_type = String, example = "9.00")]
    pub amount: Amount,
}

/// A discount that does not apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = SkippedDiscount)]
pub struct SkippedDiscountReceipt {
    /// The discount's code.
    pub discount: String,
    /// The first reason.
    pub reason: String,
    /// What in its condition was not known, or could not be computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub detail: Option<String>,
    /// The discount of its stack that takes more off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub better: Option<String>,
}

fn is_not(said: &bool) -> bool {
    !said
}
