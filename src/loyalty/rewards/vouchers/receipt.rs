//! What is said of vouchers.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::Instant;
use crate::loyalty::rewards::receipt::RedemptionReceipt;

/// A voucher that was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = VoucherUse)]
pub struct UseReceipt {
    /// The posting.
    pub posting: String,
    /// The member.
    pub member: Uuid,
    /// The voucher's code.
    pub voucher: String,
    /// The reward that gave it.
    pub reward: String,
    /// For what it was used, by the storefront's name.
    pub used_for: String,
    /// The programme-local day.
    pub used_on: NaiveDate,
}

/// A use that was taken back: the voucher can be used again, while its time is not over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = VoucherUseReversal)]
pub struct ReversalReceipt {
    /// The posting.
    pub posting: String,
    /// The member.
    pub member: Uuid,
    /// The voucher's code.
    pub voucher: String,
    /// For what it was used, by the storefront's name.
    pub used_for: String,
}

/// A reward that was given back: the points are where they came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = VoucherCancellation)]
pub struct CancellationReceipt {
    /// The posting.
    pub posting: String,
    /// The member.
    pub member: Uuid,
    /// The voucher's code.
    pub voucher: String,
    /// The reward that gave it.
    pub reward: String,
    /// The wallet that had paid,
    pub wallet: String,
    /// and how many points it got back.
    pub points: i64,
    /// What can be spent of it now: points that are over by then got the programme's days of grace, or are not in it.
    pub spendable: i64,
}

/// How a voucher stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VoucherStatus {
    /// It can be used.
    Issued,
    /// It was used.
    Used,
    /// Its last day is over.
    Expired,
    /// The reward was given back.
    Cancelled,
}

/// A voucher as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Voucher)]
pub struct VoucherView {
    /// As it was issued.
    #[serde(flatten)]
    pub redeemed: RedemptionReceipt,
    /// What the reward is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub title: Option<String>,
    /// How it stands.
    pub status: VoucherStatus,
    /// When it was issued.
    #[schema(value_type = String, format = DateTime)]
    pub issued_at: Instant,
    /// For what it was used, by the storefront's name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub used_for: Option<String>,
    /// and on which programme-local day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub used_on: Option<NaiveDate>,
}
