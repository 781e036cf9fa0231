//! What points can be given for, as decisions read it.

use rust_decimal::Decimal;

use crate::kernel::calendar::Period;
use crate::kernel::money::Money;
use crate::kernel::points::Points;
use crate::loyalty::program::model::audience::Audience;
use crate::loyalty::program::model::texts::Texts;
use crate::loyalty::program::model::{Budget, Cap, Schedule, Slot, TierSlot};

/// A reward.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reward {
    /// The marketer's name for it, `five_off`.
    pub code: String,
    /// The redeemable wallet that pays.
    pub wallet: Slot,
    /// What it costs,
    pub cost: Points,
    /// and what it costs members of tiers for whom that is something else.
    pub of_tiers: Vec<(TierSlot, Points)>,
    /// What it gives,
    pub gives: Gives,
    /// and for how long that can be used; `None`: without end.
    pub valid: Option<Period>,
    /// For whom it is; `None`: for everybody.
    pub audience: Option<Audience>,
    /// When it can be had.
    pub schedule: Schedule,
    /// How many there are in all, for ever: pieces, not points.
    pub stock: Option<Budget>,
    /// How often one member can have it: what would be points of the cap are times.
    pub per_member: Option<Cap>,
    /// What it is called.
    pub text: Texts,
}

/// What a reward gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gives {
    /// So much money off an order.
    Amount(Money),
    /// So many percent off an order, more than 0 and at most 100.
    Percent(Decimal),
    /// An article, by its number.
    Product(String),
    /// An order without shipping.
    FreeShipping,
    /// A gift card over so much money.
    GiftCard(Money),
    /// A perk, by its code.
    Perk(String),
    /// What the shop hands out itself, by its own name for it.
    Custom(String),
}

impl Reward {
    /// What it costs a member of a tier.
    pub fn cost_for(&self, tier: Option<TierSlot>) -> Points {
        let own = self.of_tiers.iter().find(|(of, _)| Some(*of) == tier);
        own.map_or(self.cost, |(_, points)| *points)
    }
}
