//! Where wallets keep their figures, for ever.

use indexmap::IndexMap;

use crate::loyalty::program::document::Document;
use crate::loyalty::program::model::{Slot, WALLETS_MAX};

/// There is no room for another wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a programme has at most 8 wallets over all of its versions")]
pub struct TooManyWallets;

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
