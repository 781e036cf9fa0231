//! What happens by itself: holds end, lots end, lots become available, wallets end by inactivity.
//!
//! Each instant is decided by itself and in order; at one instant holds end first, then lots, then lots become
//! available and repay debt. So a late job, a busy reader and a posting all come to the same account.

use chrono::NaiveDate;

use crate::kernel::calendar::Zone;
use crate::kernel::clock::Instant;
use crate::kernel::points::Points;
use crate::loyalty::ledger::account::Account;
use crate::loyalty::ledger::entry::EntryKind;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::hold::end_holds;
use crate::loyalty::ledger::lot::{Lot, LotExpiry, LotId};
use crate::loyalty::program::model::Slot;

/// When anything changes by itself next; `None` when nothing will.
pub fn next_change(account: &Account, zone: Zone) -> Option<Instant> {
    // The first day ends first: one look at the zone, not one a lot.
    let ends = account.lots.iter().filter_map(|lot| last_day(account, lot)).min().map(|day| zone.end_of(day));
    let ripens = account.lots.iter().filter_map(|lot| lot.available_at).min();
    let holds = account.holds.iter().map(|hold| hold.ends_at).min();
    ends.into_iter().chain(ripens).chain(holds).min()
}

/// Brings an account to `now`, entry by entry. Answers the last instant at which something changed.
///
/// # Errors
/// None in a sound account.
pub fn catch_up(account: &mut Account, zone: Zone, now: Instant) -> Result<Option<Instant>, LedgerRefusal> {
    let mut last = None;
    while let Some(instant) = next_change(account, zone).filter(|t| *t <= now) {
        end_holds(account, zone, instant)?;
        expire_at(account, zone, instant)?;
        make_available_at(account, instant)?;
        last = Some(instant);
    }
    Ok(last)
}

fn last_day(account: &Account, lot: &Lot) -> Option<NaiveDate> {
    match lot.expiry {
        LotExpiry::On(day) => Some(day),
        LotExpiry::Inactive => account.wallet(lot.wallet).expires_on,
        LotExpiry::Never => None,
    }
}

fn end_of(account: &Account, lot: &Lot, zone: Zone) -> Option<Instant> {
    last_day(account, lot).map(|day| zone.end_of(day))
}

fn expire_at(account: &mut Account, zone: Zone, instant: Instant) -> Result<(), LedgerRefusal> {
    let over: Vec<Lot> =
        account.lots.iter().filter(|l| end_of(account, l, zone).is_some_and(|e| e <= instant)).copied().collect();
    for group in over.chunk_by(|a, b| (a.wallet, a.expiry) == (b.wallet, b.expiry)) {
        for pending in [false, true] {
            let takes: Vec<(LotId, Points)> =
                group.iter().filter(|l| l.is_pending() == pending).map(|l| (l.id, l.remaining)).collect();
            let Some(first) = group.first() else { continue };
            account.enter(EntryKind::Expire, first.wallet, &takes, None, first.expiry)?;
        }
    }
    for wallet in over.iter().filter(|l| l.expiry == LotExpiry::Inactive).map(|l| l.wallet) {
        account.forget_activity(wallet);
    }
    Ok(())
}

fn make_available_at(account: &mut Account, instant: Instant) -> Result<(), LedgerRefusal> {
    let ripe: Vec<Lot> =
        account.lots.iter().filter(|l| l.available_at.is_some_and(|a| a <= instant)).copied().collect();
    let mut wallets: Vec<Slot> = ripe.iter().map(|l| l.wallet).collect();
    wallets.dedup();
    for wallet in wallets {
        let lots: Vec<(LotId, Points)> =
            ripe.iter().filter(|l| l.wallet == wallet).map(|l| (l.id, l.remaining)).collect();
        account.enter(EntryKind::Available, wallet, &lots, Some(instant), LotExpiry::Never)?;
        for (lot, _) in &lots {
            account.ripen(*lot);
        }
        for (lot, points) in &lots {
            account.repay(wallet, *lot, *points)?;
        }
    }
    Ok(())
}
