//! Holds: points and uses of discounts put aside for a checkout, and what becomes of them.
//!
//! A hold empties its lots at once, so what expires meanwhile cannot touch it. What is released goes back to the same
//! lots; a lot that is over by then ends in that posting. Its uses are counted while it is open, as if an order had had
//! them. Source: golden.md G3 and R5.

use chrono::NaiveDate;

use crate::kernel::calendar::Zone;
use crate::kernel::clock::Instant;
use crate::kernel::id::{Seq, Version};
use crate::kernel::points::Points;
use crate::loyalty::ledger::account::Account;
use crate::loyalty::ledger::counters::CounterKey;
use crate::loyalty::ledger::entry::EntryKind;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::lot::{LotExpiry, LotId};
use crate::loyalty::program::model::{Slot, Timeline};

/// No account has more open holds.
pub const HOLDS_OPEN_MAX: usize = 16;

/// What is put aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The posting that opened it.
    pub opened_in: Seq,
    /// The wallet; of one without points the first.
    pub wallet: Slot,
    /// When it ends by itself.
    pub ends_at: Instant,
    /// What a return wants back of it: taken when it is released, let go when it is captured.
    pub owed: Points,
    /// What it took from which lots, in the order in which it took them.
    pub lots: Vec<HeldLot>,
    /// The discounts that it keeps, each a use.
    pub uses: Vec<HeldUse>,
}

/// A use of a discount that is put aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldUse {
    /// The version whose discount it is,
    pub version: Version,
    /// the place of the discount in it, or one behind the last,
    pub place: usize,
    /// and the business day by which it is counted.
    pub day: NaiveDate,
}

impl HeldUse {
    /// The discount's code; none of one that only the version of its quote has.
    pub fn code(self, program: &Timeline) -> Option<&str> {
        program.version(self.version).discounts.get(self.place).map(|discount| discount.code.as_str())
    }

    /// Gives the use back: the member's own at once, and what counts those of all members once somebody writes it down.
    pub fn free(self, account: &mut Account, program: &Timeline) -> Option<CounterKey> {
        let discount = program.version(self.version).discounts.get(self.place)?;
        if let Some(cap) = &discount.per_member {
            account.give_room(cap, self.day, Points::ONE);
        }
        let total = discount.total.as_ref()?;
        Some(CounterKey::uses(account.program, &discount.code, total, self.day))
    }
}

/// What a hold took from a lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldLot {
    /// The lot.
    pub lot: LotId,
    /// How much.
    pub points: Points,
    /// When the lot is over.
    pub expiry: LotExpiry,
}

/// How a hold ended: captured + released is what it held; taken and expired are of what was released.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Paid.
    pub captured: Points,
    /// Went back.
    pub released: Points,
    /// Taken for a return.
    pub taken: Points,
    /// Was over.
    pub expired: Points,
    /// What a return wanted and did not get.
    pub waived: Points,
}

/// A hold that keeps discounts, by the posting that opened it, and what it keeps.
pub type Kept = (Seq, Vec<HeldUse>);

impl Hold {
    /// What it holds.
    pub fn points(&self) -> Points {
        // A part of a figure that is in range.
        self.lots.iter().fold(Points::ZERO, |sum, held| sum.plus(held.points).unwrap_or(sum))
    }
}

/// Puts points of a wallet aside, soonest-expiring first, and uses that are counted already; the hold has the name of the
/// posting in the making.
///
/// # Errors
/// Fewer points are spendable, or too many holds are open.
pub fn hold(
    account: &mut Account,
    (wallet, points): (Slot, Points),
    uses: Vec<HeldUse>,
    ends_at: Instant,
) -> Result<(), LedgerRefusal> {
    if account.holds.len() >= HOLDS_OPEN_MAX {
        return Err(LedgerRefusal::TooManyHolds);
    }
    let spendable = account.figures(wallet).spendable;
    if spendable < points {
        return Err(LedgerRefusal::InsufficientPoints { asked: points, spendable });
    }
    let takes = account.soonest(wallet, points);
    let held = |(lot, points): &(LotId, Points)| {
        account.lot(*lot).map(|there| HeldLot { lot: *lot, points: *points, expiry: there.expiry })
    };
    let lots = takes.iter().filter_map(held).collect();
    account.enter(EntryKind::Hold, wallet, &takes, None, LotExpiry::Never)?;
    let opened_in = account.seq.next();
    account.holds.push(Hold { opened_in, wallet, ends_at, owed: Points::ZERO, lots, uses });
    Ok(())
}

/// Takes the uses of a hold out of it; none when it is not open.
pub fn take_uses(account: &mut Account, opened_in: Seq) -> Vec<HeldUse> {
    let mut open = account.holds.iter_mut().filter(|hold| hold.opened_in == opened_in);
    open.next().map(|hold| std::mem::take(&mut hold.uses)).unwrap_or_default()
}

/// Pays with a hold, whose uses are taken out of it, and gives back what is left of it; what it took first is paid first.
/// `None` when it is not open.
///
/// # Errors
/// More points than it holds.
pub fn capture(
    account: &mut Account,
    opened_in: Seq,
    points: Points,
    (zone, at): (Zone, Instant),
) -> Result<Option<Ended>, LedgerRefusal> {
    let Some(place) = account.holds.iter().position(|h| h.opened_in == opened_in) else { return Ok(None) };
    let hold = account.holds.remove(place);
    let held = hold.points();
    if held < points {
        return Err(LedgerRefusal::HoldExceeded { asked: points, held });
    }
    let mut rest = points;
    let (mut paid, mut back) = (Vec::new(), Vec::new());
    for held in &hold.lots {
        let pays = held.points.min(rest);
        rest = rest.minus_or_zero(pays);
        paid.push((held.lot, pays));
        back.push(HeldLot { points: held.points.minus_or_zero(pays), ..*held });
    }
    // Back first: paying keeps a wallet alive, and must not revive what was over before.
    let ended = give_back(account, &hold, &back, (zone, at))?;
    account.enter(EntryKind::Capture, hold.wallet, &paid, None, LotExpiry::Never)?;
    Ok(Some(Ended { captured: points, ..ended }))
}

/// Gives back all points of a hold, whose uses are taken out of it. `None` when it is not open.
///
/// # Errors
/// None in a sound account.
pub fn release(
    account: &mut Account,
    opened_in: Seq,
    (zone, at): (Zone, Instant),
) -> Result<Option<Ended>, LedgerRefusal> {
    capture(account, opened_in, Points::ZERO, (zone, at))
}

/// Releases the holds whose time is over; answers those that keep discounts, with what they keep.
///
/// # Errors
/// None in a sound account.
pub fn end_holds(account: &mut Account, zone: Zone, at: Instant) -> Result<Vec<Kept>, LedgerRefusal> {
    let over: Vec<Seq> = account.holds.iter().filter(|h| h.ends_at <= at).map(|h| h.opened_in).collect();
    let mut kept = Vec::new();
    for opened_in in over {
        kept.push((opened_in, take_uses(account, opened_in)));
        release(account, opened_in, (zone, at))?;
    }
    kept.retain(|(_, uses)| !uses.is_empty());
    Ok(kept)
}

/// Notes that a return wants points back that holds hold, oldest hold first; answers what they will give.
pub fn owe_from_holds(account: &mut Account, wallet: Slot, points: Points) -> Points {
    let mut rest = points;
    for hold in account.holds.iter_mut().filter(|h| h.wallet == wallet) {
        let gives = hold.points().minus_or_zero(hold.owed).min(rest);
        hold.owed = hold.owed.plus(gives).unwrap_or(hold.owed);
        rest = rest.minus_or_zero(gives);
    }
    points.minus_or_zero(rest)
}

fn give_back(
    account: &mut Account,
    hold: &Hold,
    back: &[HeldLot],
    (zone, at): (Zone, Instant),
) -> Result<Ended, LedgerRefusal> {
    let back: Vec<&HeldLot> = back.iter().filter(|held| !held.points.is_zero()).collect();
    for held in &back {
        account.reopen(hold.wallet, held.lot, held.expiry);
    }
    let parts: Vec<(LotId, Points)> = back.iter().map(|held| (held.lot, held.points)).collect();
    account.enter(EntryKind::Release, hold.wallet, &parts, None, LotExpiry::Never)?;
    let mut rest = hold.owed;
    let mut taken = Vec::new();
    let mut ended = Ended::default();
    let mut over = Vec::new();
    for held in back {
        let takes = held.points.min(rest);
        rest = rest.minus_or_zero(takes);
        taken.push((held.lot, takes));
        ended.released = ended.released.plus(held.points).unwrap_or(ended.released);
        if is_over(account, hold.wallet, held.expiry, (zone, at)) {
            over.push(HeldLot { points: held.points.minus_or_zero(takes), ..*held });
        }
    }
    account.enter(EntryKind::ClawBack, hold.wallet, &taken, None, LotExpiry::Never)?;
    for held in over {
        account.enter(EntryKind::Expire, hold.wallet, &[(held.lot, held.points)], None, held.expiry)?;
        ended.expired = ended.expired.plus(held.points).unwrap_or(ended.expired);
        if held.expiry == LotExpiry::Inactive && !held.points.is_zero() {
            account.forget_activity(hold.wallet);
        }
    }
    Ok(Ended { taken: hold.owed.minus_or_zero(rest), waived: rest, ..ended })
}

fn is_over(account: &Account, wallet: Slot, expiry: LotExpiry, (zone, at): (Zone, Instant)) -> bool {
    match expiry {
        LotExpiry::On(day) => zone.end_of(day) <= at,
        // A wallet that ended by inactivity forgot its day: what is given back now has nothing to live on.
        LotExpiry::Inactive => account.wallet(wallet).expires_on.is_none_or(|day| zone.end_of(day) <= at),
        LotExpiry::Never => false,
    }
}
