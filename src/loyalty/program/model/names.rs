//! The codes of what stands in accounts as slots.

use crate::kernel::id::MemberId;
use crate::loyalty::program::arm::arm;
use crate::loyalty::program::model::{Rulebook, SegmentSet, SegmentSlot, TierSlot};

impl Rulebook {
    /// The code of a tier; `None` when this version no longer has it.
    pub fn tier_code(&self, slot: TierSlot) -> Option<&str> {
        self.tier_codes.iter().find(|(_, tier)| *tier == slot).map(|(code, _)| code.as_str())
    }

    /// What stands for a list of members; `None` when this version has none of that code.
    pub fn segment_slot(&self, code: &str) -> Option<SegmentSlot> {
        self.segment_codes.iter().find(|(segment, _)| segment == code).map(|(_, slot)| *slot)
    }

    /// The arm of an experiment that a member is in; `None`: in none, or there is no such experiment.
    pub fn arm(&self, experiment: &str, member: MemberId) -> Option<&str> {
        self.experiments.iter().find(|there| there.code == experiment).and_then(|experiment| arm(experiment, member))
    }

    /// The code of the first of these lists, in document order, that this version has.
    pub fn first_segment(&self, segments: SegmentSet) -> Option<&str> {
        self.segment_codes.iter().find(|(_, slot)| segments.has(*slot)).map(|(code, _)| code.as_str())
    }
}
