//! For whom something is, as decisions read it.

use crate::loyalty::program::condition::Condition;
use crate::loyalty::program::model::texts::Texts;
use crate::loyalty::program::model::{Schedule, SegmentSlot, TierSlot};

/// For whom something is: for who is in one of each list that is not empty, and for whom the condition holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audience {
    /// Tiers; `None` stands for members without one.
    pub tiers: Vec<Option<TierSlot>>,
    /// Lists of members.
    pub segments: Vec<SegmentSlot>,
    /// Arms by the code of their experiment: one of each has to be the member's.
    pub arms: Vec<(String, Vec<String>)>,
    /// A condition on the member and the time.
    pub when: Option<Condition>,
}

/// Something that a shop gives whoever is entitled to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Perk {
    /// The marketer's name for it, `early_access`.
    pub code: String,
    /// Who is entitled, besides members of tiers that name it; `None`: nobody else.
    pub audience: Option<Audience>,
    /// When.
    pub schedule: Schedule,
    /// What it is called.
    pub text: Texts,
}
