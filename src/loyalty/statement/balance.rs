//! A balance as a member sees it: the account caught up to a moment, in memory.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::points::Points;
use crate::loyalty::ledger::account::Account;
use crate::loyalty::ledger::catch_up::catch_up;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::figures::Figures;
use crate::loyalty::ledger::lot::{Lot, LotExpiry};
use crate::loyalty::program::model::{Counts, Rulebook, Wallet, WalletKind};

/// One wallet's balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    /// The wallet's code.
    pub wallet: String,
    /// Its figures.
    pub figures: Figures,
    /// What can be spent, in money; of a wallet that counts spend, its figure. `None` where points have no worth.
    pub worth: Option<Money>,
    /// Whether its points can be spent at all.
    pub redeemable: bool,
    /// What waits, by when it can be spent.
    pub pending: Vec<(Instant, Points)>,
    /// What can be spent, by its last usable day.
    pub expiring: Vec<(NaiveDate, Points)>,
}

/// The balances of an account at a moment, in document order: nothing is written.
///
/// # Errors
/// None in a sound account.
pub fn balances(mut account: Account, book: &Rulebook, now: Instant) -> Result<Vec<Balance>, LedgerRefusal> {
    catch_up(&mut account, book.zone, now)?;
    Ok(book.wallets.iter().map(|wallet| balance(&account, wallet)).collect())
}

fn balance(account: &Account, wallet: &Wallet) -> Balance {
    let figures = account.figures(wallet.slot);
    let mut pending: BTreeMap<Instant, i64> = BTreeMap::new();
    let mut expiring: BTreeMap<NaiveDate, i64> = BTreeMap::new();
    for lot in account.lots_of(wallet.slot) {
        match (lot.available_at, last_day(account, lot)) {
            (Some(at), _) => *pending.entry(at).or_default() += lot.remaining.get(),
            (None, Some(day)) => *expiring.entry(day).or_default() += lot.remaining.get(),
            (None, None) => {}
        }
    }
    let (redeemable, worth) = match &wallet.kind {
        WalletKind::Redeemable(rules) => {
            (true, rules.value.half_up(figures.spendable.get()).and_then(Money::from_minor))
        }
        WalletKind::Qualifying(rules) if rules.counts == Counts::Spend => {
            (false, Money::from_minor(figures.spendable.get()))
        }
        WalletKind::Qualifying(_) => (false, None),
    };
    let points = |n: i64| Points::try_from(n).unwrap_or(Points::ZERO);
    Balance {
        wallet: wallet.code.clone(),
        figures,
        worth,
        redeemable,
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
