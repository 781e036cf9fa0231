//! What returning answers.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::money::Amount;
use crate::kernel::spread::Share;
use crate::loyalty::ledger::tier_receipt::TierReceipt;

/// What a return gave and took back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReturnReceipt {
    /// The return's reference.
    pub reference: String,
    /// The order's reference.
    pub order: String,
    /// The posting; of a quote there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub posting: Option<String>,
    /// The member.
    pub member: Uuid,
    /// What all money is in.
    pub currency: String,
    /// Of what was charged, tax included.
    #[schema(value_type = String, example = "7.28")]
    pub charged: Amount,
    /// The tax in it.
    #[schema(value_type = String, example = "1.27")]
    pub tax: Amount,
    /// To give back to the gift card.
    #[schema(value_type = String, example = "0.00")]
    pub gift_card: Amount,
    /// To give back in money.
    #[schema(value_type = String, example = "5.92")]
    pub money: Amount,
    /// The figures of each line that comes back.
    pub lines: Vec<ReturnedLineReceipt>,
    /// Points that were given back.
    pub restored: Vec<RestoredReceipt>,
    /// What was taken back.
    pub clawed_back: Vec<ClawedBackReceipt>,
    /// What of rules with a cap or a budget can be had again, in the period of the order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub given_back: Vec<GivenBackReceipt>,
    /// The discounts of which a use can be had again, in the period of the order: once it has come back in full.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uses_given_back: Vec<String>,
    /// What became of the member's tier, where it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub tier: Option<TierReceipt>,
    /// Whether the order has now come back in full.
    pub complete: bool,
}

/// What of a rule with a cap or a budget can be had again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GivenBackReceipt {
    /// The rule's code.
    pub rule: String,
    /// Points.
    pub points: i64,
    /// How often, of a rule that awards a member so often: once the order has come back in full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub awards: Option<i64>,
}

/// What comes back of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReturnedLineReceipt {
    /// The line's id in the order.
    pub id: String,
    /// Of what was charged.
    #[schema(value_type = String, example = "7.28")]
    pub charged: Amount,
    /// The tax in it.
    #[schema(value_type = String, example = "1.27")]
    pub tax: Amount,
    /// To give back to the gift card.
    #[schema(value_type = String, example = "0.00")]
    pub gift_card: Amount,
    /// To give back in money.
    #[schema(value_type = String, example = "5.92")]
    pub money: Amount,
    /// Points given back for it.
    pub restored: i64,
    /// Points to take back for it, over all rules.
    pub clawed_back: i64,
    /// How much of the line has come back in all.
    pub returned: ReturnedReceipt,
}

/// How much of a line has come back, over all returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReturnedReceipt {
    /// The exact share of the line.
    #[schema(value_type = String, example = "1/2")]
    pub share: Share,
    /// Pieces, as far as it came back by quantity.
    pub quantity: u32,
    /// Money given back.
    #[schema(value_type = String, example = "5.92")]
    pub money: Amount,
}

/// Points that were given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RestoredReceipt {
    /// The wallet's code.
    pub wallet: String,
    /// Points.
    pub points: i64,
}

/// What was taken back of a wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum ClawedBackReceipt {
    /// Of one that holds points, or counts points or orders.
    Points(PointsClawedBack),
    /// Of one that counts spend.
    Amount(AmountClawedBack),
}

/// Points that were taken back: taken + forgiven + held + waived + owed = points.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PointsClawedBack {
    /// The wallet's code.
    pub wallet: String,
    /// The last day of points that were over sooner than others of their wallet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub expires_on: Option<NaiveDate>,
    /// Points to take back.
    pub points: i64,
    /// Taken from the wallet.
    pub taken: i64,
    /// Expired unused before.
    pub forgiven: i64,
    /// Owed by open holds: taken when these are released, let go when they are captured.
    pub held: i64,
    /// Let go.
    pub waived: i64,
    /// Owed from now on.
    pub owed: i64,
}

/// Spend that was taken back: taken + forgiven = amount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AmountClawedBack {
    /// The wallet's code.
    pub wallet: String,
    /// Money to take back.
    #[schema(value_type = String, example = "4.89")]
    pub amount: Amount,
    /// Taken from the wallet.
    #[schema(value_type = String, example = "4.89")]
    pub taken: Amount,
    /// Of a period that was over before.
    #[schema(value_type = String, example = "0.00")]
    pub forgiven: Amount,
}

impl ReturnReceipt {
    /// What was taken back of a wallet that holds or counts points, lot by lot.
    pub fn points_clawed_back(&self, wallet: &str) -> impl Iterator<Item = &PointsClawedBack> {
        self.clawed_back.iter().filter_map(move |back| match back {
            ClawedBackReceipt::Points(points) if points.wallet == wallet => Some(points),
            ClawedBackReceipt::Points(_) | ClawedBackReceipt::Amount(_) => None,
        })
    }
}
