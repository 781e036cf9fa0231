//! Wallets that nothing would ever be in.

use crate::loyalty::program::document::{Counts, Document, Wallet};
use crate::loyalty::program::read::Mistake;

/// Each wallet that no rule fills, unless people do. Where it cannot be told which one a rule fills it may be any.
pub(super) fn unfilled(document: &Document) -> Vec<Mistake> {
    let redeemable = || document.wallets.iter().filter(|(_, wallet)| matches!(wallet, Wallet::Redeemable(_)));
    let only = redeemable().next().filter(|_| redeemable().count() == 1).map(|(code, _)| code.as_str());
    let filled = || document.earning.values().map(|rule| rule.wallet.as_deref().or(only));
    let is_known = |code: Option<&str>| code.is_some_and(|code| redeemable().any(|(there, _)| there == code));
    let is_filled = |code: &str| filled().any(|filled| filled == Some(code) || !is_known(filled));
    let unfilled = |(code, wallet): (&String, &Wallet)| match wallet {
        Wallet::Redeemable(written) if !written.by_hand && !is_filled(code) => Some(Mistake::at(
            &["wallets", code],
            "nothing fills it: let a rule award to it, or say `by_hand = true` where people and imports do",
        )),
        Wallet::Qualifying(written) if written.counts == Counts::Points && document.earning.is_empty() => {
            Some(Mistake::at(&["wallets", code, "counts"], "nothing fills it: no rule awards points to be counted"))
        }
        Wallet::Redeemable(_) | Wallet::Qualifying(_) => None,
    };
    document.wallets.iter().filter_map(unfilled).collect()
}
