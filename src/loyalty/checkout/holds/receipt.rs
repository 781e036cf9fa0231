//! What holds answer.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::Instant;
use crate::kernel::money::Amount;
use crate::loyalty::checkout::receipt::DiscountReceipt;
use crate::loyalty::ledger::hold::Ended;

/// What was put aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = HoldReceipt)]
pub struct HeldReceipt {
    /// The hold's reference.
    pub reference: String,
    /// The posting.
    pub posting: String,
    /// The member.
    pub member: Uuid,
    /// What all money in here is in.
    pub currency: String,
    /// The wallet's code, of a hold of points.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub wallet: Option<String>,
    /// Points put aside.
    pub points: i64,
    /// What they are worth to the order that takes them.
    #[schema(value_type = String, example = "20.00")]
    pub worth: Amount,
    /// What comes off the order that takes it, as long as it is open: of the programme's discounts each is a use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discounts: Vec<DiscountReceipt>,
    /// When the hold ends by itself.
    #[schema(value_type = String, format = DateTime)]
    pub ends_at: Instant,
    /// What can be spent besides, of a hold of points.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub spendable: Option<i64>,
}

/// What was put aside and came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReleaseReceipt {
    /// The hold's reference.
    pub reference: String,
    /// The posting.
    pub posting: String,
    /// The member.
    pub member: Uuid,
    /// The wallet's code, of a hold of points.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub wallet: Option<String>,
    /// What became of the points.
    #[serde(flatten)]
    pub ended: EndedReceipt,
    /// The discounts of the programme that it kept: each can be used once more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uses_given_back: Vec<String>,
    /// What can be spent now, of a hold of points.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub spendable: Option<i64>,
}

/// How a hold ended: captured + released is what it held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EndedReceipt {
    /// Points that the order took.
    pub captured: i64,
    /// Points that came back.
    pub released: i64,
    /// Of what came back: taken for a return that had asked for it.
    pub taken: i64,
    /// Of what came back: over by then.
    pub expired: i64,
    /// What a return had asked for and did not get, since the order took it.
    pub waived: i64,
}

/// The part that a hold has in an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrderHoldReceipt {
    /// The hold's reference.
    pub reference: String,
    /// Whether it was still open. Where it had ended, the order took the points out of the lots that they had gone back to.
    pub open: bool,
    /// What became of its points.
    #[serde(flatten)]
    pub ended: EndedReceipt,
}

impl From<Ended> for EndedReceipt {
    fn from(ended: Ended) -> Self {
        Self {
            captured: ended.captured.get(),
            released: ended.released.get(),
            taken: ended.taken.get(),
            expired: ended.expired.get(),
            waived: ended.waived.get(),
        }
    }
}

/// A hold as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Hold)]
pub struct HoldView {
    /// As it was put aside.
    #[serde(flatten)]
    pub held: HeldReceipt,
    /// How it stands.
    pub status: HoldStatus,
    /// The order that took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub order: Option<String>,
}

/// How a hold stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HoldStatus {
    /// What it holds is put aside.
    Open,
    /// An order took it.
    Captured,
    /// It was released.
    Released,
    /// Its time was over.
    Ended,
}
