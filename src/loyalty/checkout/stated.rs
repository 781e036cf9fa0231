//! A sale that has happened: taken as it was stated, and flagged where an order online would have been refused.
//!
//! A till that was offline has given the goods and taken the money; nobody can refuse that any more. Points that are not
//! there are not taken, now or later: their part of the price stays uncovered, so that what was paid in money stays what
//! was paid, and a return gives back no more than that. No debt arises: only returns make one.

use crate::kernel::money::Currency;
use crate::kernel::points::Points;
use crate::loyalty::checkout::price::Priced;
use crate::loyalty::checkout::receipt::{BrokenRule, FlagReceipt};
use crate::loyalty::program::model::Wallet;

/// What is to be said of a sale of which not everything could be done as stated.
pub fn flags(
    asked: Points,
    (taken, priced): (Points, &Priced),
    (payer, missed, broken): (Option<&Wallet>, Option<&String>, Option<BrokenRule>),
    (suspended, currency): (bool, Currency),
) -> Vec<FlagReceipt> {
    let short = payer.filter(|_| taken < asked);
    let flag = short.map(|wallet| {
        let (wallet, asked, uncovered) = (wallet.code.clone(), asked.get(), priced.uncovered.amount(currency));
        if suspended {
            FlagReceipt::MemberSuspended { wallet, asked, uncovered }
        } else {
            FlagReceipt::InsufficientPoints { wallet, asked, spendable: taken.get(), uncovered }
        }
    });
    let broken = payer.zip(broken);
    let broken = broken.map(|(wallet, rule)| {
        let (wallet, asked) = (wallet.code.clone(), asked.get());
        FlagReceipt::SpendRule { wallet, asked, rule }
    });
    let missed = missed.map(|hold| FlagReceipt::HoldUnavailable { hold: hold.clone() });
    flag.into_iter().chain(broken).chain(missed).collect()
}
