//! Where a member stands on the ladder, and how far it is to the next tier.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::money::{Amount, Money};
use crate::kernel::points::Points;
use crate::loyalty::ledger::account::Account;
use crate::loyalty::program::model::tiers::{Ladder, Tier};
use crate::loyalty::program::model::{Counts, Rulebook};
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

/// A figure of the wallet that earns tiers: money where it counts spend, else points or orders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TierFigure {
    /// Points, or orders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub points: Option<i64>,
    /// Money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, example = "127.81", required = false)]
    pub amount: Option<Amount>,
}

impl TierFigure {
    /// A balance of a ladder's wallet.
    pub fn of(points: Points, ladder: &Ladder, book: &Rulebook) -> Self {
        let money = (ladder.counts == Counts::Spend).then(|| Money::from_minor(points.get()).unwrap_or(Money::MAX));
        let amount = money.map(|money| money.amount(book.currency));
        Self { points: amount.is_none().then(|| points.get()), amount }
    }
}

/// A tier that is not reached yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NextTier {
    /// Its code.
    pub tier: String,
    /// The balance that earns it.
    pub from: TierFigure,
    /// What is missing to it.
    pub missing: TierFigure,
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

    /// The next tier as it is told.
    pub fn next_tier(&self, ladder: &Ladder, book: &Rulebook) -> Option<NextTier> {
        let figure = |points: Points| TierFigure::of(points, ladder, book);
        self.next.map(|(tier, missing)| NextTier {
            tier: tier.code.clone(),
            from: figure(tier.from),
            missing: figure(missing),
        })
    }
}
