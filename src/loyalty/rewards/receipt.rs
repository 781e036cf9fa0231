//! What is said of rewards.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::Instant;
use crate::kernel::money::{Amount, Currency};
use crate::loyalty::program::model::rewards::Gives;

/// What a reward gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schema(as = GivenByReward)]
pub enum GivesReceipt {
    /// So much off an order.
    AmountVoucher {
        /// Money.
        #[schema(value_type = String, example = "5.00")]
        amount: Amount,
    },
    /// So many percent off an order.
    PercentVoucher {
        /// More than 0, at most 100.
        #[schema(value_type = String, example = "10")]
        percent: Amount,
    },
    /// An article.
    Product {
        /// Its number.
        sku: String,
    },
    /// An order without shipping.
    FreeShipping,
    /// A gift card.
    GiftCard {
        /// Over so much money.
        #[schema(value_type = String, example = "25.00")]
        amount: Amount,
    },
    /// A perk.
    Perk {
        /// Its code.
        perk: String,
    },
    /// Something that the shop hands out.
    Custom {
        /// The shop's name for it.
        name: String,
    },
}

impl GivesReceipt {
    /// What a reward of a programme with such a currency gives.
    pub fn of(gives: &Gives, currency: Currency) -> Self {
        match gives {
            Gives::Amount(amount) => Self::AmountVoucher { amount: amount.amount(currency) },
            Gives::Percent(percent) => Self::PercentVoucher { percent: Amount(*percent) },
            Gives::Product(sku) => Self::Product { sku: sku.clone() },
            Gives::FreeShipping => Self::FreeShipping,
            Gives::GiftCard(amount) => Self::GiftCard { amount: amount.amount(currency) },
            Gives::Perk(perk) => Self::Perk { perk: perk.clone() },
            Gives::Custom(name) => Self::Custom { name: name.clone() },
        }
    }
}

/// A reward that was redeemed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Redemption)]
pub struct RedemptionReceipt {
    /// The posting.
    pub posting: String,
    /// The member.
    pub member: Uuid,
    /// The version that decided.
    pub program_version: i32,
    /// The reward's code.
    pub reward: String,
    /// The wallet that paid,
    pub wallet: String,
    /// and how many points.
    pub points: i64,
    /// What can be spent of it now.
    pub spendable: i64,
    /// What all money in here is in.
    pub currency: String,
    /// What the member has for it.
    pub gives: GivesReceipt,
    /// By which code it can be used, once.
    pub voucher: String,
    /// The programme-local day.
    pub redeemed_on: NaiveDate,
    /// The last day on which it can be used; absent: it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub expires_on: Option<NaiveDate>,
}

/// What a member can have for points.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Rewards)]
pub struct RewardsView {
    /// The moment of the answer.
    #[schema(value_type = String, format = DateTime)]
    pub as_of: Instant,
    /// What all money in here is in.
    pub currency: String,
    /// In which language reasons are told.
    pub language: String,
    /// Every reward of the programme, in document order.
    pub items: Vec<RewardView>,
}

/// A reward as it stands for a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = RewardForMember)]
pub struct RewardView {
    /// The reward's code.
    pub reward: String,
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub title: Option<String>,
    /// On which terms it is to be had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub terms: Option<String>,
    /// What it gives.
    pub gives: GivesReceipt,
    /// For how long that can be used, a period; absent: without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub valid: Option<String>,
    /// The wallet that pays,
    pub wallet: String,
    /// and how many points it costs the member.
    pub cost: i64,
    /// How many of them the member lacks.
    pub missing: i64,
    /// How many there are; absent: as many as are asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub stock: Option<i64>,
    /// How often the member can still have it in the period; absent: as often as it likes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub times_left: Option<i64>,
    /// Until just before then it can be had, where it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, nullable = false)]
    pub until: Option<Instant>,
    /// Whether the member can have it now.
    pub available: bool,
    /// The first reason why not,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<String>,
    /// and in a sentence: the programme's own, or ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub says: Option<String>,
}
