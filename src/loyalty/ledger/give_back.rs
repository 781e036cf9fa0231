//! Giving back and taking back, in the order and within the limits of golden.md R5.

use chrono::NaiveDate;

use crate::kernel::points::Points;
use crate::loyalty::ledger::account::{Account, LotDates};
use crate::loyalty::ledger::entry::EntryKind;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::hold::owe_from_holds;
use crate::loyalty::ledger::lot::{Lot, LotExpiry, LotId};
use crate::loyalty::program::model::{ReturnPolicy, Slot};

/// What an order once took from a lot and has not got back yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The lot.
    pub lot: LotId,
    /// How much is still to be given back.
    pub points: Points,
    /// When the lot is over.
    pub expiry: LotExpiry,
}

/// What becomes of points that go back to a lot that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Afterlife {
    /// Today, in the programme's days.
    pub today: NaiveDate,
    /// The last usable day of the lot that replaces one that is over; `None`: they are over, too.
    pub grace_until: Option<NaiveDate>,
}

/// Gives points back to the lots they came from: `taken` in the order in which they were taken, the last one first.
/// A restore repays no debt.
///
/// # Errors
/// A figure would leave its range.
pub fn restore(
    account: &mut Account,
    wallet: Slot,
    taken: &[Taken],
    points: Points,
    afterlife: Afterlife,
) -> Result<(), LedgerRefusal> {
    let mut rest = points;
    let mut alive: Vec<(LotId, Points)> = Vec::new();
    let mut came_along: Vec<(Taken, Points)> = Vec::new();
    let mut over: Vec<(Taken, Points)> = Vec::new();
    for take in taken.iter().rev() {
        let back = take.points.min(rest);
        rest = rest.minus_or_zero(back);
        if back.is_zero() {
            continue;
        }
        if is_over(account, wallet, take, afterlife.today) {
            over.push((*take, back));
        } else if take.lot.came_along() {
            came_along.push((*take, back));
        } else {
            account.reopen(wallet, take.lot, take.expiry);
            alive.push((take.lot, back));
        }
    }
    account.enter(EntryKind::Restore, wallet, &alive, None, LotExpiry::Never)?;
    // Empty at the merge, no posting of this account may have opened it: this one says when it ends.
    for (take, back) in came_along {
        account.reopen(wallet, take.lot, take.expiry);
        account.enter(EntryKind::Restore, wallet, &[(take.lot, back)], None, take.expiry)?;
    }
    match afterlife.grace_until {
        Some(day) => restore_for_a_while(account, wallet, &over, LotExpiry::On(day)),
        None => over.iter().try_for_each(|(take, back)| restore_over(account, wallet, *take, *back)),
    }
}

fn is_over(account: &Account, wallet: Slot, take: &Taken, today: NaiveDate) -> bool {
    match take.expiry {
        LotExpiry::On(day) => day < today,
        // A wallet that ended by inactivity forgot its day: what is given back now has nothing to live on.
        LotExpiry::Inactive => account.wallet(wallet).expires_on.is_none_or(|day| day < today),
        LotExpiry::Never => false,
    }
}

/// One new lot for all of it: an order that was paid out of very many lots can come back, too.
fn restore_for_a_while(
    account: &mut Account,
    wallet: Slot,
    over: &[(Taken, Points)],
    expiry: LotExpiry,
) -> Result<(), LedgerRefusal> {
    let points = over.iter().try_fold(Points::ZERO, |sum, (_, back)| sum.plus(*back));
    let points = points.ok_or(LedgerRefusal::TooManyPoints)?;
    if points.is_zero() {
        return Ok(());
    }
    let lot = account.open(wallet, LotDates { available_at: None, expiry })?;
    account.enter(EntryKind::Restore, wallet, &[(lot, points)], None, expiry)
}

fn restore_over(account: &mut Account, wallet: Slot, take: Taken, back: Points) -> Result<(), LedgerRefusal> {
    account.reopen(wallet, take.lot, take.expiry);
    account.enter(EntryKind::Restore, wallet, &[(take.lot, back)], None, take.expiry)?;
    account.enter(EntryKind::Expire, wallet, &[(take.lot, back)], None, take.expiry)
}

/// An award of the order that is returned, and what became of its lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnLot {
    /// The lot.
    pub lot: LotId,
    /// What expired of it unused and was not forgiven by an earlier return of the order. Where awards have joined one
    /// lot in a long account, nobody can tell whose points expired: each is forgiven, in the member's favour.
    pub forgivable: Points,
}

/// How a claw-back went: taken + forgiven + held + waived + owed = points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClawedBack {
    /// What was to be taken back.
    pub points: Points,
    /// Taken from lots.
    pub taken: Points,
    /// Expired unused: nobody had it.
    pub forgiven: Points,
    /// Owed by open holds: taken at their release, let go at their capture.
    pub held: Points,
    /// Let go by the policy.
    pub waived: Points,
    /// Owed from now on.
    pub owed: Points,
}

/// Takes points of an award back: forgiven first, then from its own lot, then, as the policy says, from
/// others and from open holds.
///
/// # Errors
/// A figure would leave its range.
pub fn claw_back(
    account: &mut Account,
    wallet: Slot,
    own: OwnLot,
    points: Points,
    policy: ReturnPolicy,
) -> Result<ClawedBack, LedgerRefusal> {
    let forgiven = own.forgivable.min(points);
    let mut rest = points.minus_or_zero(forgiven);
    let own_takes: Vec<(LotId, Points)> = account
        .lot(own.lot)
        .filter(|l| l.is_pending() || policy != ReturnPolicy::PendingOnly)
        .map(|l| (l.id, l.remaining.min(rest)))
        .into_iter()
        .collect();
    rest = less(rest, &own_takes);
    account.enter(EntryKind::ClawBack, wallet, &own_takes, None, LotExpiry::Never)?;
    if policy != ReturnPolicy::PendingOnly {
        let others = account.soonest(wallet, rest);
        rest = less(rest, &others);
        account.enter(EntryKind::ClawBack, wallet, &others, None, LotExpiry::Never)?;
    }
    let taken = points.minus_or_zero(forgiven).minus_or_zero(rest);
    let held = if policy == ReturnPolicy::PendingOnly { Points::ZERO } else { owe_from_holds(account, wallet, rest) };
    let rest = rest.minus_or_zero(held);
    let (waived, owed) = if policy == ReturnPolicy::Allow { (Points::ZERO, rest) } else { (rest, Points::ZERO) };
    account.owe(EntryKind::Owe, wallet, owed)?;
    Ok(ClawedBack { points, taken, forgiven, held, waived, owed })
}

/// Takes back what a qualifying wallet counted: from its lot, and no further than to zero.
///
/// # Errors
/// None in a sound account.
pub fn uncount(account: &mut Account, wallet: Slot, lot: LotId, points: Points) -> Result<Points, LedgerRefusal> {
    let there = account.lot(lot).map_or(Points::ZERO, |l: &Lot| l.remaining);
    let taken = there.min(points);
    account.enter(EntryKind::ClawBack, wallet, &[(lot, taken)], None, LotExpiry::Never)?;
    Ok(taken)
}

fn less(points: Points, takes: &[(LotId, Points)]) -> Points {
    takes.iter().fold(points, |rest, (_, take)| rest.minus_or_zero(*take))
}
