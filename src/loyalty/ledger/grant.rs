//! Points that come in: when they can be spent, and when they are over.

use chrono::NaiveDate;

use crate::kernel::clock::{Instant, Moment};
use crate::kernel::points::Points;
use crate::loyalty::ledger::account::{Account, LotDates};
use crate::loyalty::ledger::catch_up::end_lots;
use crate::loyalty::ledger::entry::EntryKind;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::lot::{LotExpiry, LotId};
use crate::loyalty::program::model::{Expiry, OwnExpiry, Redeemable, Rulebook, Slot, Timeline, Window};

/// From when to when points of a business day can be spent. Source: golden.md G3.
pub fn dates(wallet: &Redeemable, book: &Rulebook, day: NaiveDate) -> LotDates {
    let available_at = wallet.pending.map(|after| book.zone.start_of(after.after(day)));
    let expiry = match wallet.expiry {
        Expiry::Never => LotExpiry::Never,
        Expiry::Inactive { .. } => LotExpiry::Inactive,
        Expiry::Fixed { after, round } => {
            let last = after.after(day);
            LotExpiry::On(round.map_or(last, |r| r.of(last)))
        }
    };
    LotDates { available_at, expiry }
}

/// The last day of points of a rule with an expiry of its own, where they are over sooner than others of their wallet.
pub fn ends_sooner(own: Option<OwnExpiry>, others: LotDates, day: NaiveDate) -> Option<NaiveDate> {
    let last = own?.last_day(day);
    let sooner = others.expiry.day().is_none_or(|others| last < others);
    sooner.then_some(last)
}

/// Adds points of a business day to a wallet: pending if they have to wait, over at once if their time has passed,
/// and repaying debt if they can be spent.
///
/// # Errors
/// Too many points or lots.
pub fn grant(
    account: &mut Account,
    book: &Rulebook,
    kind: EntryKind,
    (wallet, points): (Slot, Points),
    dates: LotDates,
    at: &Moment,
) -> Result<LotId, LedgerRefusal> {
    let dates = LotDates { available_at: dates.available_at.filter(|a| *a > at.at), ..dates };
    let lot = account.earn(kind, wallet, points, dates)?;
    if dates.available_at.is_none() && !is_over(account, book, wallet, dates, at.at) {
        account.repay(wallet, lot, points)?;
    }
    // A late order's points may be over already: they end in the posting that brought them.
    end_lots(account, book.zone, at.at)?;
    Ok(lot)
}

/// Counts an order's credit in a qualifying wallet.
///
/// # Errors
/// Too many points or lots.
pub fn count(
    account: &mut Account,
    book: &Rulebook,
    (wallet, points): (Slot, Points),
    (window, day): (Window, NaiveDate),
    at: &Moment,
) -> Result<(), LedgerRefusal> {
    let expiry = LotExpiry::through(window.last_day(account.enrolled_on, day));
    account.count(wallet, points, expiry)?;
    end_lots(account, book.zone, at.at)?;
    Ok(())
}

/// Notes that the member earned or spent on a day: what ends by inactivity lives on, for as long as the version of that
/// business time says. So a late order comes to the same as one in time; it never brings an end forward.
pub fn note_activity(account: &mut Account, program: &Timeline, wallet: Slot, day: NaiveDate, at: Instant) {
    if let Some(after) = program.inactivity(wallet, at) {
        account.note_activity(wallet, after.after(day));
    }
}

fn is_over(account: &Account, book: &Rulebook, wallet: Slot, dates: LotDates, at: Instant) -> bool {
    let day = match dates.expiry {
        LotExpiry::On(day) => Some(day),
        LotExpiry::Inactive => account.wallet(wallet).expires_on,
        LotExpiry::Never => None,
    };
    day.is_some_and(|d| book.zone.end_of(d) <= at)
}
