//! Where a member stands on the ladder, and how far it is to the next tier.

use chrono::NaiveDate;

use crate::kernel::points::Points;
use crate::loyalty::ledger::account::Account;
use crate::loyalty::program::model::tiers::{Ladder, Tier};
use crate::loyalty::tiers::standing::effective;

/// Where a present account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stands<'l> {
    /// The tier that the member is in.
    pub tier: Option<&'l Tier>,
    /// What lies in the ladder's wallet, in its unit.
    pub balance: Points,
    /// The next tier, and what the balance lacks for it.
    pub next: Option<(&'l Tier, Points)>,
    /// What the balance lacks for the tier that was earned to be earned again, and the day by which that is asked.
    pub keep: Option<(Points, NaiveDate)>,
}

impl<'l> Stands<'l> {
    /// Looks at an account, as it is at a moment, by the ladder in force then.
    pub fn of(account: &Account, ladder: &'l Ladder) -> Self {
        let balance = account.seen(ladder).balance;
        let tier = effective(&account.standing, ladder).and_then(|slot| ladder.tier(slot));
        let lacks = |tier: &Tier| tier.from.minus_or_zero(balance);
        let above = |other: &&Tier| tier.is_none_or(|tier| other.from > tier.from);
        let next = ladder.tiers.iter().find(above).map(|tier| (tier, lacks(tier)));
        let held = account.standing.held.and_then(|held| Some((held, ladder.tier(held.tier)?)));
        let keep = held.and_then(|(held, tier)| {
            let by = held.falls.and_then(|falls| falls.on.pred_opt()).or(held.until)?;
            Some((lacks(tier), by))
        });
        Self { tier, balance, next, keep }
    }
}
