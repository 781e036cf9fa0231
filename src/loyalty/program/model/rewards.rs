//! What points can be given for, as decisions read it.

use crate::kernel::points::Points;
use crate::loyalty::program::model::audience::Audience;
use crate::loyalty::program::model::texts::Texts;
use crate::loyalty::program::model::{Schedule, Slot, TierSlot};

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
    /// For whom it is; `None`: for everybody.
    pub audience: Option<Audience>,
    /// When it can be had.
    pub schedule: Schedule,
    /// What it is called.
    pub text: Texts,
}

impl Reward {
    /// What it costs a member of a tier.
    pub fn cost_for(&self, tier: Option<TierSlot>) -> Points {
        let own = self.of_tiers.iter().find(|(of, _)| Some(*of) == tier);
        own.map_or(self.cost, |(_, points)| *points)
    }
}
