//! What points can be given for, as it is written.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::loyalty::program::document::Schedule;
use crate::loyalty::program::document::audience::Audience;
use crate::loyalty::program::document::discounts::Uses;
use crate::loyalty::program::document::texts::Text;

/// A reward: what a member gets for points.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Reward {
    /// The redeemable wallet that pays; may be left out where there is one only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wallet: Option<String>,
    /// What it costs.
    pub cost: Cost,
    /// What it gives.
    pub gives: Gives,
    /// For whom it is; absent: for everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<Audience>,
    /// When it can be had; absent: always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// How many there are; absent: as many as are asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<RewardLimits>,
    /// What it is called, by language.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub text: IndexMap<String, Text>,
}

/// What a reward costs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Cost {
    /// Points.
    pub points: i64,
    /// Points for members of tiers, by the tier's code, where they are others.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub tiers: IndexMap<String, i64>,
}

/// What a reward gives: one of `voucher`, `product`, `free_shipping`, `gift_card`, `perk` and `custom`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Gives {
    /// A code that takes something off an order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voucher: Option<Voucher>,
    /// An article, by its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// A code for an order without shipping.
    #[serde(skip_serializing_if = "is_false")]
    pub free_shipping: bool,
    /// A gift card over so much money, a decimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gift_card: Option<String>,
    /// A perk of this document, by its code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub perk: Option<String>,
    /// Something that the shop hands out itself, by a name of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<String>,
    /// For how long what it gives can be used, a period; absent: without end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid: Option<String>,
}

/// A code that takes something off an order: `amount` or `percent`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Voucher {
    /// So much money, a decimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// So many percent, a decimal, 100 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<String>,
}

/// How many of a reward there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RewardLimits {
    /// In all, for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stock: Option<i64>,
    /// For one member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_member: Option<Uses>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_false(b: &bool) -> bool {
    !*b
}
