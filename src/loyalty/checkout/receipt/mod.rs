//! What settling and returning answer: stored once, sent as it is, and all that a later return works on.

mod discounts;
mod returned;
pub mod write;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::money::Amount;
use crate::loyalty::checkout::holds::receipt::OrderHoldReceipt;
use crate::loyalty::checkout::missing::NextReward;
use crate::loyalty::ledger::tier_receipt::TierReceipt;
pub use crate::loyalty::membership::awards::receipt::{
    CountsName, CutName, CutReceipt, EarnedReceipt, LinePoints, RowReceipt, SkippedReceipt,
};
use crate::loyalty::statement::tier::stands::NextTier;
pub use discounts::{DiscountOf, DiscountReceipt, DiscountedLineReceipt, SkippedDiscountReceipt};
pub use returned::{
    AmountClawedBack, ClawedBackReceipt, GivenBackReceipt, PointsClawedBack, RestoredReceipt, ReturnReceipt,
    ReturnedLineReceipt, ReturnedReceipt,
};

/// What an order did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrderReceipt {
    /// The order's reference.
    pub reference: String,
    /// The posting; of a quote there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub posting: Option<String>,
    /// The member; of a quote for somebody new there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub member: Option<Uuid>,
    /// Whether it is a guest's, whose account is nobody's until the order is claimed; absent: it is not.
    #[serde(default, skip_serializing_if = "is_not")]
    #[schema(required = false)]
    pub guest: bool,
    /// The version of the programme that decided.
    pub program_version: i32,
    /// What all money is in.
    pub currency: String,
    /// The programme-local day of the order.
    pub ordered_on: NaiveDate,
    /// Charged for products, tax included.
    #[schema(value_type = String, example = "107.34")]
    pub charged: Amount,
    /// Charged for shipping, tax included.
    #[schema(value_type = String, example = "4.95")]
    pub shipping: Amount,
    /// The tax in both.
    #[schema(value_type = String, example = "19.49")]
    pub tax: Amount,
    /// Paid by gift card.
    #[schema(value_type = String, example = "0.00")]
    pub gift_card: Amount,
    /// Paid in money, for shipping too.
    #[schema(value_type = String, example = "92.29")]
    pub paid: Amount,
    /// The figures of each line.
    pub lines: Vec<LineReceipt>,
    /// What came off, one after the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discounts: Vec<DiscountReceipt>,
    /// What each rule awarded, and to which lines.
    pub rows: Vec<RowReceipt>,
    /// What came into which wallet.
    pub earned: Vec<EarnedReceipt>,
    /// What went out of which wallet.
    pub spent: Vec<SpentReceipt>,
    /// What did not apply, and why.
    pub skipped: Vec<SkippedReceipt>,
    /// What became of the member's tier, where the programme has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub tier: Option<TierReceipt>,
    /// What became of the hold that paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub hold: Option<OrderHoldReceipt>,
    /// With how many points it could be paid; of a quote alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub can_spend: Option<CanSpendReceipt>,
    /// What is missing to the next tier once it is settled; of a quote alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next_tier: Option<NextTier>,
    /// What is missing to the next reward once it is settled; of a quote alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next_reward: Option<NextReward>,
    /// The discounts that do not apply, and why; of a quote alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped_discounts: Vec<SkippedDiscountReceipt>,
    /// What was entered that is no code of any discount; of a quote alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown_codes: Vec<String>,
    /// For what an order online would have been refused, of one that was taken as stated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<FlagReceipt>,
}

fn is_not(said: &bool) -> bool {
    !said
}

/// For what an order online would have been refused: the sale had happened, so it was settled all the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum FlagReceipt {
    /// Fewer points were there than it was paid with.
    InsufficientPoints {
        /// The wallet's code.
        wallet: String,
        /// Points that it was paid with.
        asked: i64,
        /// Points that were there, and were taken.
        spendable: i64,
        /// What the others were to pay, and nobody has paid.
        #[schema(value_type = String, example = "1.80")]
        uncovered: Amount,
    },
    /// The hold that it named could not pay: its member has none of that name, it was over, or somebody had closed it.
    HoldUnavailable {
        /// The hold's reference.
        hold: String,
    },
    /// It was paid with points in a way that the programme does not allow: those that were there were taken.
    SpendRule {
        /// The wallet's code.
        wallet: String,
        /// Points that it was paid with.
        asked: i64,
        /// The rule of the wallet's `spend` that it was not paid by.
        rule: BrokenRule,
    },
    /// A quote would not have taken that off.
    DiscountDiffers {
        /// The discount's code.
        discount: String,
        /// What was taken off.
        #[schema(value_type = String, example = "9.00")]
        stated: Amount,
        /// What a quote would have.
        #[schema(value_type = String, example = "0.00")]
        ours: Amount,
        /// Why nothing, where it does not apply.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        reason: Option<String>,
    },
    /// Another discount of its stack was taken off before it.
    DiscountTwice {
        /// The discount's code.
        discount: String,
    },
    /// It was paid with points of a member who is suspended: none were taken.
    MemberSuspended {
        /// The wallet's code.
        wallet: String,
        /// Points that it was paid with.
        asked: i64,
        /// What they were to pay, and nobody has paid.
        #[schema(value_type = String, example = "5.00")]
        uncovered: Amount,
    },
}

/// A rule of a wallet's `spend`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BrokenRule {
    /// Fewer points than the fewest.
    Min,
    /// Points between two steps.
    Step,
    /// More than their part of the order.
    MaxShare,
    /// Points for what they do not pay for.
    Not,
}

/// With how many points an order could be paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CanSpendReceipt {
    /// The wallet's code.
    pub wallet: String,
    /// Points that are there, before the order.
    pub spendable: i64,
    /// The fewest with which an order can be paid.
    pub least: i64,
    /// The most with which this one can; 0 when that would be too few, or nothing is there to pay for.
    pub most: i64,
    /// How many at a time.
    pub step: i64,
    /// What the most are worth.
    #[schema(value_type = String, example = "20.00")]
    pub worth: Amount,
}

/// The figures of one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LineReceipt {
    /// The line's id in the order.
    pub id: String,
    /// `product` or `shipping`.
    pub kind: LineKindName,
    /// Pieces.
    pub quantity: u32,
    /// Charged, tax included.
    #[schema(value_type = String, example = "74.09")]
    pub charged: Amount,
    /// The tax in it.
    #[schema(value_type = String, example = "12.86")]
    pub tax: Amount,
    /// Points paid for it.
    pub points_spent: i64,
    /// What they were worth.
    #[schema(value_type = String, example = "13.80")]
    pub worth: Amount,
    /// What points were to pay that were not there, where an order was taken as stated: nobody has paid it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, example = "1.80", required = false)]
    pub uncovered: Option<Amount>,
    /// Paid by gift card.
    #[schema(value_type = String, example = "0.00")]
    pub gift_card: Amount,
    /// Paid in money.
    #[schema(value_type = String, example = "60.29")]
    pub paid: Amount,
    /// What it earned on.
    #[schema(value_type = String, example = "49.83")]
    pub base: Amount,
    /// Points earned, over all rules.
    pub earned: i64,
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineKindName {
    /// Goods or services.
    Product,
    /// What bringing them costs.
    Shipping,
}

/// What went out of a wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SpentReceipt {
    /// The wallet's code.
    pub wallet: String,
    /// Points.
    pub points: i64,
    /// What they were worth.
    #[schema(value_type = String, example = "20.00")]
    pub worth: Amount,
}
