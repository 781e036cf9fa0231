//! What an order brings into the wallets that qualify for tiers.

use chrono::NaiveDate;

use crate::kernel::clock::Moment;
use crate::kernel::money::Money;
use crate::loyalty::checkout::error::OrderRefusal;
use crate::loyalty::checkout::receipt::{CountsName, EarnedReceipt};
use crate::loyalty::earning::credit::Credit;
use crate::loyalty::ledger::account::Account;
use crate::loyalty::ledger::grant::count;
use crate::loyalty::program::model::{Counts, Qualifying, Rulebook, WalletKind};

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
