//! What an order brings into wallets: points, and what qualifies for tiers.

use chrono::NaiveDate;

use crate::kernel::clock::{Instant, Moment};
use crate::kernel::money::Money;
use crate::kernel::points::Points;
use crate::loyalty::checkout::error::OrderRefusal;
use crate::loyalty::checkout::receipt::{CountsName, EarnedReceipt};
use crate::loyalty::earning::credit::Credit;
use crate::loyalty::earning::rows::{Row, by_last_day};
use crate::loyalty::ledger::account::{Account, LotDates};
use crate::loyalty::ledger::entry::EntryKind;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::grant::{count, dates, ends_sooner, grant, note_activity};
use crate::loyalty::ledger::lot::LotExpiry;
use crate::loyalty::program::model::{Counts, Qualifying, Rulebook, Timeline, Wallet, WalletKind};

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
) -> Result<Vec<EarnedReceipt>, OrderRefusal> {
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

/// Counts an order in the qualifying wallets.
///
/// # Errors
/// Too many points or lots.
pub fn count_for(
    account: &mut Account,
    book: &Rulebook,
    credits: &[Credit],
    (day, at): (NaiveDate, &Moment),
) -> Result<Vec<EarnedReceipt>, OrderRefusal> {
    let mut came_in = Vec::new();
    for credit in credits {
        let Some(wallet) = book.wallet_in(credit.wallet) else { continue };
        let WalletKind::Qualifying(Qualifying { counts, window }) = wallet.kind else { continue };
        count(account, book, (wallet.slot, credit.points), (window, day), at)?;
        let minor = Money::from_minor(credit.points.get());
        let (points, amount, counts) = match counts {
            Counts::Spend => (None, minor.map(|m| m.amount(book.currency)), CountsName::Spend),
            Counts::Points => (Some(credit.points.get()), None, CountsName::Points),
            Counts::Orders => (Some(credit.points.get()), None, CountsName::Orders),
        };
        came_in.push(EarnedReceipt {
            wallet: wallet.code.clone(),
            points,
            amount,
            counts: Some(counts),
            available_at: None,
            expires_on: window.last_day(account.enrolled_on, day),
        });
    }
    Ok(came_in)
}

/// The last day of a row's points, where they are over sooner than others of their wallet.
pub fn expires_on(row: &Row<'_>, book: &Rulebook, day: NaiveDate) -> Option<NaiveDate> {
    let own = row.rule()?.expiry?;
    let WalletKind::Redeemable(rules) = &book.wallet_in(row.wallet)?.kind else { return None };
    ends_sooner(Some(own), dates(rules, book, day), day)
}
