//! What rules award comes into wallets.

use chrono::NaiveDate;

use crate::kernel::clock::{Instant, Moment};
use crate::kernel::points::Points;
use crate::loyalty::earning::rows::{Row, by_last_day};
use crate::loyalty::ledger::account::{Account, LotDates};
use crate::loyalty::ledger::entry::EntryKind;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::grant::{dates, ends_sooner, grant, note_activity};
use crate::loyalty::ledger::lot::LotExpiry;
use crate::loyalty::membership::awards::receipt::EarnedReceipt;
use crate::loyalty::program::model::{Rulebook, Timeline, Wallet, WalletKind};

/// Brings what the rows award into the wallets, a lot for each day on which points are over.
///
/// # Errors
/// Too many points or lots.
pub fn earn(
    account: &mut Account,
    program: &Timeline,
    book: &Rulebook,
    rows: &[Row<'_>],
    (ordered, day, at): (Instant, NaiveDate, &Moment),
) -> Result<Vec<EarnedReceipt>, LedgerRefusal> {
    let mut came_in = Vec::new();
    for wallet in &book.wallets {
        let WalletKind::Redeemable(rules) = &wallet.kind else { continue };
        let dates = dates(rules, book, day);
        let own = |row: &Row<'_>| ends_sooner(row.rule().and_then(|rule| rule.expiry), dates, day);
        let parts = by_last_day(rows, wallet.slot, own).map_err(|_| LedgerRefusal::TooManyPoints)?;
        if parts.is_empty() {
            continue;
        }
        note_activity(account, program, wallet.slot, day, ordered);
        for (own, points) in parts {
            let dates = LotDates { expiry: own.map_or(dates.expiry, LotExpiry::On), ..dates };
            grant(account, book, EntryKind::Award, (wallet.slot, points), dates, at)?;
            // A late order's points may have waited already.
            let dates = LotDates { available_at: dates.available_at.filter(|a| *a > at.at), ..dates };
            came_in.push(points_in(account, wallet, points, dates));
        }
    }
    Ok(came_in)
}

fn points_in(account: &Account, wallet: &Wallet, points: Points, dates: LotDates) -> EarnedReceipt {
    let inactive = account.wallet(wallet.slot).expires_on;
    EarnedReceipt {
        wallet: wallet.code.clone(),
        points: Some(points.get()),
        amount: None,
        counts: None,
        available_at: dates.available_at,
        expires_on: dates.expiry.day().or(inactive.filter(|_| dates.expiry == LotExpiry::Inactive)),
    }
}
