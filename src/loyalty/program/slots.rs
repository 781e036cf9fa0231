//! What stands in accounts for the parts of a programme, for ever.

use indexmap::IndexMap;

use crate::loyalty::program::document::Document;
use crate::loyalty::program::model::{CountedSlot, Slot, WALLETS_MAX};

/// There is no room for another wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a programme has at most 8 wallets over all of its versions")]
pub struct TooManyWallets;

/// What stands in accounts for the parts of a programme, by code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slots {
    /// Where each wallet's figures stand.
    pub wallets: IndexMap<String, Slot>,
    /// What stands for each earning rule that counts by member.
    pub rules: IndexMap<String, CountedSlot>,
}

impl Slots {
    /// Those that are not among others.
    #[must_use]
    pub fn without(&self, others: &Self) -> Self {
        let wallets = self.wallets.iter().filter(|(code, _)| !others.wallets.contains_key(*code));
        let rules = self.rules.iter().filter(|(code, _)| !others.rules.contains_key(*code));
        Self {
            wallets: wallets.map(|(code, slot)| (code.clone(), *slot)).collect(),
            rules: rules.map(|(code, slot)| (code.clone(), *slot)).collect(),
        }
    }
}

/// Gives each new part the lowest slot that none ever had. Parts of earlier versions keep theirs.
///
/// # Errors
/// When there are more than [`WALLETS_MAX`] wallets, those of earlier versions included.
pub fn assign_slots(existing: &Slots, document: &Document) -> Result<Slots, TooManyWallets> {
    let mut slots = existing.clone();
    for code in document.wallets.keys().filter(|code| !existing.wallets.contains_key(*code)) {
        let taken = |slot: i16| slots.wallets.values().any(|s| s.0 == slot);
        let free = (0..).take(WALLETS_MAX).find(|slot| !taken(*slot)).ok_or(TooManyWallets)?;
        slots.wallets.insert(code.clone(), Slot(free));
    }
    let capped = document.earning.iter().filter(|(_, rule)| rule.caps.is_some()).map(|(code, _)| code);
    for code in capped.filter(|code| !existing.rules.contains_key(*code)) {
        let next = slots.rules.values().map(|slot| slot.0.saturating_add(1)).max().unwrap_or_default();
        slots.rules.insert(code.clone(), CountedSlot(next));
    }
    Ok(slots)
}
