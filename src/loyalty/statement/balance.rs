//! A balance as a member sees it: the account caught up to a moment, in memory.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::kernel::clock::Instant;
use crate::kernel::grow::Grow;
use crate::kernel::money::Money;
use crate::kernel::points::Points;
use crate::loyalty::ledger::account::Account;
use crate::loyalty::ledger::catch_up::catch_up;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::figures::Figures;
use crate::loyalty::ledger::lot::{Lot, LotExpiry};
use crate::loyalty::program::model::{Counts, Rulebook, Timeline, Wallet, WalletKind};

/// One wallet's balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    /// The wallet's code.
    pub wallet: String,
    /// Its figures.
    pub figures: Figures,
    /// What its spendable points are worth; `None` of a qualifying wallet, whose points can't be spent.
    pub worth: Option<Money>,
    /// Whether its points are minor units of money.
    pub counts_money: bool,
    /// What waits, by when it can be spent.
    pub pending: Vec<(Instant, Points)>,
    /// What can be spent, by its last usable day.
    pub expiring: Vec<(NaiveDate, Points)>,
}

/// An account as it is at a moment: nothing is written.
///
/// # Errors
/// None in a sound account.
pub fn present(mut account: Account, program: &Timeline, now: Instant) -> Result<Account, LedgerRefusal> {
    catch_up(&mut account, program, now)?;
    Ok(account)
}

/// The balances of a present account, in document order.
pub fn balances(account: &Account, book: &Rulebook) -> Vec<Balance> {
    book.wallets.iter().map(|wallet| balance(account, wallet)).collect()
}

fn balance(account: &Account, wallet: &Wallet) -> Balance {
    let figures = account.figures(wallet.slot);
    let mut pending: BTreeMap<Instant, i64> = BTreeMap::new();
    let mut expiring: BTreeMap<NaiveDate, i64> = BTreeMap::new();
    for lot in account.lots_of(wallet.slot) {
        match (lot.available_at, last_day(account, lot)) {
            (Some(at), _) => pending.entry(at).or_default().grow(lot.remaining.get()),
            (None, Some(day)) => expiring.entry(day).or_default().grow(lot.remaining.get()),
            (None, None) => {}
        }
    }
    let (worth, counts_money) = match &wallet.kind {
        WalletKind::Redeemable(rules) => {
            // More than money has room for is shown as the most there is.
            let worth = rules.value.half_up(figures.spendable.get()).and_then(Money::from_minor);
            (Some(worth.unwrap_or(Money::MAX)), false)
        }
        WalletKind::Qualifying(rules) => (None, rules.counts == Counts::Spend),
    };
    let points = |n: i64| Points::try_from(n).unwrap_or(Points::ZERO);
    Balance {
        wallet: wallet.code.clone(),
        figures,
        worth,
        counts_money,
        pending: pending.into_iter().map(|(at, n)| (at, points(n))).collect(),
        expiring: expiring.into_iter().map(|(day, n)| (day, points(n))).collect(),
    }
}

fn last_day(account: &Account, lot: &Lot) -> Option<NaiveDate> {
    match lot.expiry {
        LotExpiry::On(day) => Some(day),
        LotExpiry::Inactive => account.wallet(lot.wallet).expires_on,
        LotExpiry::Never => None,
    }
}
