//! What members are entitled to, and what the programme is to reach, as they are written.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::loyalty::program::document::Schedule;
use crate::loyalty::program::document::audience::Audience;
use crate::loyalty::program::document::texts::Text;

/// Something that a shop gives whoever is entitled to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Perk {
    /// Who is, besides members of tiers that name it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<Audience>,
    /// When; absent: always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// What it is called, by language.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub text: IndexMap<String, Text>,
}

/// A figure that the programme is to reach.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Goal {
    /// Which.
    pub metric: GoalMetric,
    /// What it is to be at least, a decimal; a rate is a share, `0.35`.
    pub target: String,
    /// On which day, `2026-12-31`.
    pub by: String,
    /// What it is called, by language.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub text: IndexMap<String, Text>,
}

/// Figures that a goal can be set for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GoalMetric {
    /// Members with orders on two days at least, of those with orders.
    #[default]
    RepeatPurchaseRate,
    /// Members who were active in a period and in the one before, of those who were in the one before.
    Retention,
    /// Members with a second order within 90 days, of those who were observed for 90.
    SecondOrderRate,
    /// Buyers of a period whose first order was before it, of its buyers.
    ReturningCustomerRate,
    /// Orders a member.
    Frequency,
    /// Revenue an order.
    AverageOrderValue,
}

impl GoalMetric {
    /// Whether it is a share, 1 at most.
    pub fn is_rate(self) -> bool {
        match self {
            Self::RepeatPurchaseRate | Self::Retention | Self::SecondOrderRate | Self::ReturningCustomerRate => true,
            Self::Frequency | Self::AverageOrderValue => false,
        }
    }
}
