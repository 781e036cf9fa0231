//! What stands in accounts for the parts of a programme, for ever.

use indexmap::IndexMap;

use crate::loyalty::program::document::Document;
use crate::loyalty::program::document::discounts::Discount;
use crate::loyalty::program::document::rewards::Reward;
use crate::loyalty::program::model::{CountedSlot, SEGMENTS_MAX, SegmentSlot, Slot, TierSlot, WALLETS_MAX};

/// The most tiers of a programme, over all of its versions.
pub const TIER_SLOTS_MAX: usize = 200;

/// There is no room for another part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRoom {
    /// For a wallet.
    #[error("a programme has at most 8 wallets over all of its versions")]
    Wallets,
    /// For a tier.
    #[error("a programme has at most 200 tiers over all of its versions")]
    Tiers,
    /// For a list of members.
    #[error("a programme has at most 62 lists of members over all of its versions")]
    Segments,
}

impl NoRoom {
    /// In which part of the document.
    pub fn part(self) -> &'static str {
        match self {
            Self::Wallets => "wallets",
            Self::Tiers => "tiers",
            Self::Segments => "segments",
        }
    }
}

/// What stands in accounts for the parts of a programme, by code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slots {
    /// Where each wallet's figures stand.
    pub wallets: IndexMap<String, Slot>,
    /// What stands for each earning rule that counts points by member, for each of which awards are counted, for each
    /// discount with uses by member, and for each reward that a member can have so often.
    pub rules: IndexMap<String, CountedSlot>,
    /// What stands for each tier.
    pub tiers: IndexMap<String, TierSlot>,
    /// What stands for each list of members.
    pub segments: IndexMap<String, SegmentSlot>,
}

impl Slots {
    /// Those that are not among others.
    #[must_use]
    pub fn without(&self, others: &Self) -> Self {
        Self {
            wallets: others_left_out(&self.wallets, &others.wallets),
            rules: others_left_out(&self.rules, &others.rules),
            tiers: others_left_out(&self.tiers, &others.tiers),
            segments: others_left_out(&self.segments, &others.segments),
        }
    }
}

/// The name under which it is counted how often a rule awards: no code of a rule has the sign.
pub fn awards_of(rule: &str) -> String {
    format!("{rule}.awards")
}

/// The name under which uses of a discount are counted: no code has the sign.
pub fn uses_of(discount: &str) -> String {
    format!("{discount}.uses")
}

/// The name under which it is counted how often a reward is redeemed: no code has the sign.
pub fn redemptions_of(reward: &str) -> String {
    format!("{reward}.redemptions")
}

/// The names of all that a document counts by member.
pub fn counted(document: &Document) -> impl Iterator<Item = String> {
    let rules = document.earning.iter().flat_map(|(code, rule)| {
        let cap = rule.caps.as_ref().and_then(|caps| caps.per_member.as_ref());
        let points = cap.is_some_and(|cap| cap.points.is_some()).then(|| code.clone());
        points.into_iter().chain(cap.is_some_and(|cap| cap.awards.is_some()).then(|| awards_of(code)))
    });
    let limited = |discount: &Discount| discount.limits.as_ref().is_some_and(|limits| limits.per_member.is_some());
    let discounts = document.discounts.iter().filter(move |(_, discount)| limited(discount));
    let few = |reward: &Reward| reward.limits.as_ref().is_some_and(|limits| limits.per_member.is_some());
    let rewards = document.rewards.iter().filter(move |(_, reward)| few(reward));
    rules.chain(discounts.map(|(code, _)| uses_of(code))).chain(rewards.map(|(code, _)| redemptions_of(code)))
}

fn others_left_out<S: Copy>(all: &IndexMap<String, S>, others: &IndexMap<String, S>) -> IndexMap<String, S> {
    let new = all.iter().filter(|(code, _)| !others.contains_key(*code));
    new.map(|(code, slot)| (code.clone(), *slot)).collect()
}

/// Gives each new part the lowest slot that none ever had. Parts of earlier versions keep theirs.
///
/// # Errors
/// When there are more than [`WALLETS_MAX`] wallets, [`TIER_SLOTS_MAX`] tiers or [`SEGMENTS_MAX`] lists of members, those of
/// earlier versions included.
pub fn assign_slots(existing: &Slots, document: &Document) -> Result<Slots, NoRoom> {
    let mut slots = existing.clone();
    for code in document.wallets.keys().filter(|code| !existing.wallets.contains_key(*code)) {
        let taken = |slot: i16| slots.wallets.values().any(|s| s.0 == slot);
        let free = (0..).take(WALLETS_MAX).find(|slot| !taken(*slot)).ok_or(NoRoom::Wallets)?;
        slots.wallets.insert(code.clone(), Slot(free));
    }
    let ladder = document.tiers.iter().flat_map(|tiers| &tiers.ladder).map(|tier| &tier.code);
    for code in ladder.filter(|code| !existing.tiers.contains_key(*code)) {
        let taken = |slot: i16| slots.tiers.values().any(|s| s.0 == slot);
        let free = (0..).take(TIER_SLOTS_MAX).find(|slot| !taken(*slot)).ok_or(NoRoom::Tiers)?;
        slots.tiers.insert(code.clone(), TierSlot(free));
    }
    for code in document.segments.keys().filter(|code| !existing.segments.contains_key(*code)) {
        let taken = |slot: u8| slots.segments.values().any(|s| s.0 == slot);
        let free = (0..).take(SEGMENTS_MAX).find(|slot| !taken(*slot)).ok_or(NoRoom::Segments)?;
        slots.segments.insert(code.clone(), SegmentSlot(free));
    }
    for code in counted(document).filter(|code| !existing.rules.contains_key(code)) {
        let next = slots.rules.values().map(|slot| slot.0.saturating_add(1)).max().unwrap_or_default();
        slots.rules.insert(code, CountedSlot(next));
    }
    Ok(slots)
}
