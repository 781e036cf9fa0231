//! Where wallets and tiers keep their figures, for ever.

use indexmap::IndexMap;

use crate::loyalty::program::document::Document;
use crate::loyalty::program::model::{Slot, TierSlot, WALLETS_MAX};

/// The most tiers of a programme, over all of its versions: each keeps its slot for ever.
pub const TIER_SLOTS_MAX: usize = 200;

/// There is no room for another wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a programme has at most 8 wallets over all of its versions")]
pub struct TooManyWallets;

/// There is no room for another tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a programme has at most 200 tiers over all of its versions")]
pub struct TooManyTiers;

/// Gives each new wallet the lowest slot that none ever had. Wallets of earlier versions keep theirs.
///
/// # Errors
/// When there are more than [`WALLETS_MAX`], those of earlier versions included.
pub fn assign_slots(
    existing: &IndexMap<String, Slot>,
    document: &Document,
) -> Result<IndexMap<String, Slot>, TooManyWallets> {
    let mut slots = existing.clone();
    for code in document.wallets.keys().filter(|code| !existing.contains_key(*code)) {
        let taken = |slot: i16| slots.values().any(|s| s.0 == slot);
        let free = (0..).take(WALLETS_MAX).find(|slot| !taken(*slot)).ok_or(TooManyWallets)?;
        slots.insert(code.clone(), Slot(free));
    }
    Ok(slots)
}

/// Gives each new tier the lowest slot that none ever had, the lowest tier first. Tiers of earlier versions keep theirs.
///
/// # Errors
/// When there are more than [`TIER_SLOTS_MAX`], those of earlier versions included.
pub fn assign_tier_slots(
    existing: &IndexMap<String, TierSlot>,
    document: &Document,
) -> Result<IndexMap<String, TierSlot>, TooManyTiers> {
    let mut slots = existing.clone();
    for tier in document.tiers.iter().flat_map(|tiers| &tiers.ladder) {
        if slots.contains_key(&tier.code) {
            continue;
        }
        let taken = |slot: i16| slots.values().any(|s| s.0 == slot);
        let free = (0..).take(TIER_SLOTS_MAX).find(|slot| !taken(*slot)).ok_or(TooManyTiers)?;
        slots.insert(tier.code.clone(), TierSlot(free));
    }
    Ok(slots)
}
