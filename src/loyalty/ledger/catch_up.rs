//! What happens by itself: holds end, lots end, lots become available, wallets end by inactivity, tiers are reviewed, and
//! versions start.
//!
//! Each instant is decided by itself and in order; at one instant a tier's period closes first, then holds end, then lots,
//! then lots become available and repay debt, then falls happen, and at last a version starts. So a late job, a busy reader
//! and a posting all come to the same account.

use chrono::NaiveDate;

use crate::kernel::calendar::Zone;
use crate::kernel::clock::Instant;
use crate::kernel::points::Points;
use crate::loyalty::ledger::account::{Account, Status};
use crate::loyalty::ledger::counters::CounterKey;
use crate::loyalty::ledger::entry::EntryKind;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::hold::{Kept, end_holds};
use crate::loyalty::ledger::lot::{Lot, LotExpiry, LotId};
use crate::loyalty::program::model::{Rulebook, Slot, Timeline};
use crate::loyalty::tiers::reach::reach;
use crate::loyalty::tiers::review::{after, close, next_review};
use crate::loyalty::tiers::standing::{Seen, Step};
use crate::loyalty::tiers::version::{NewLadder, start_version};

/// What happened by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaughtUp {
    /// The last instant at which something did.
    pub last: Instant,
    /// What became of the member's tier, oldest first.
    pub tiers: Vec<Step>,
    /// The holds that ended and gave discounts back, with their uses,
    pub holds: Vec<Kept>,
    /// and what counts those over all members: for whoever writes this down.
    pub freed: Vec<CounterKey>,
}

/// When anything changes by itself next; `None` when nothing will. Versions that start by then are not foreseen.
pub fn next_change(account: &Account, program: &Timeline) -> Option<Instant> {
    next_due(account, program.at(account.moved_at), account.moved_at)
}

/// Brings an account to `now`, entry by entry.
///
/// # Errors
/// None in a sound account.
pub fn catch_up(account: &mut Account, program: &Timeline, now: Instant) -> Result<Option<CaughtUp>, LedgerRefusal> {
    let mut from = account.moved_at;
    let mut happened: Option<CaughtUp> = None;
    loop {
        let book = program.at(from);
        let due = next_due(account, book, from).filter(|due| *due <= now);
        let starts = program.next_start(from).filter(|next| next.starts <= now);
        let Some(instant) = due.into_iter().chain(starts.map(|next| next.starts)).min() else { return Ok(happened) };
        let (mut steps, mut holds) = (Vec::new(), Vec::new());
        if due == Some(instant) {
            (steps, holds) = tick(account, book, instant)?;
        }
        if let Some(next) = starts.filter(|next| next.starts == instant) {
            steps.extend(start(account, book, next));
        }
        if due == Some(instant) || !steps.is_empty() {
            let nothing = || CaughtUp { last: instant, tiers: Vec::new(), holds: Vec::new(), freed: Vec::new() };
            let caught_up = happened.get_or_insert_with(nothing);
            caught_up.last = instant;
            caught_up.tiers.extend(steps);
            let uses = holds.iter().flat_map(|(_, uses)| uses);
            caught_up.freed.extend(uses.filter_map(|held| held.free(account, program)));
            caught_up.holds.extend(holds);
        }
        from = from.max(instant);
    }
}

/// Ends what is over at the moment of a decision because of it: a late order's points may be.
///
/// # Errors
/// None in a sound account.
pub fn end_lots(account: &mut Account, zone: Zone, now: Instant) -> Result<(), LedgerRefusal> {
    while let Some(instant) = lots_due(account, zone).filter(|t| *t <= now) {
        tick_lots(account, zone, instant)?;
    }
    Ok(())
}

fn next_due(account: &Account, book: &Rulebook, from: Instant) -> Option<Instant> {
    let ladder = book.tiers.as_ref();
    let review = ladder.and_then(|ladder| next_review(&account.standing, ladder, book.zone, account.seen(ladder)));
    // What was due before the version started that asks for it is due at once.
    let holds = account.holds.iter().map(|hold| hold.ends_at).min();
    review.map(|at| at.max(from)).into_iter().chain(holds).chain(lots_due(account, book.zone)).min()
}

fn lots_due(account: &Account, zone: Zone) -> Option<Instant> {
    // The first day ends first: one look at the zone, not one a lot.
    let ends = account.lots.iter().filter_map(|lot| last_day(account, lot)).min().map(|day| zone.end_of(day));
    let ripens = account.lots.iter().filter_map(|lot| lot.available_at).min();
    ends.into_iter().chain(ripens).min()
}

/// One instant: a period closes on the balance that it ended with, and what is left after it is looked at.
fn tick(account: &mut Account, book: &Rulebook, instant: Instant) -> Result<(Vec<Step>, Vec<Kept>), LedgerRefusal> {
    let mut steps = Vec::new();
    if let Some(ladder) = &book.tiers {
        let seen = account.seen(ladder);
        steps.extend(close(&mut account.standing, ladder, book.zone, seen, instant));
    }
    let kept = end_holds(account, book.zone, instant)?;
    tick_lots(account, book.zone, instant)?;
    if let Some(ladder) = &book.tiers {
        let seen = account.seen(ladder);
        // What a member brought along may have waited until now.
        if account.status == Status::Active {
            steps.extend(reach(&mut account.standing, ladder, book.zone, seen, instant, None));
        }
        steps.extend(after(&mut account.standing, ladder, book.zone, seen, instant));
    }
    Ok((steps, kept))
}

fn tick_lots(account: &mut Account, zone: Zone, instant: Instant) -> Result<(), LedgerRefusal> {
    expire_at(account, zone, instant)?;
    make_available_at(account, instant)
}

fn start(account: &mut Account, before: &Rulebook, next: &Rulebook) -> Option<Step> {
    let new = NewLadder { before: before.tiers.as_ref(), after: next.tiers.as_ref(), mapping: &next.tier_mapping };
    if new.before.is_none() && new.after.is_none() {
        return None;
    }
    let seen = new.after.map(|ladder| account.seen(ladder));
    // Who is suspended reaches nothing.
    let seen = seen.filter(|_| account.status == Status::Active);
    let seen = seen.unwrap_or(Seen { balance: Points::ZERO, enrolled_on: account.enrolled_on });
    start_version(&mut account.standing, new, next.zone, seen, next.starts)
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
