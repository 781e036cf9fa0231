//! What is missing to the next tier and the next reward, once an order is settled: for who quotes it.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::clock::Instant;
use crate::kernel::points::Points;
use crate::loyalty::ledger::account::Account;
use crate::loyalty::ledger::facts::member_facts;
use crate::loyalty::program::audience::ask;
use crate::loyalty::program::facts::{Facts, Values};
use crate::loyalty::program::model::Rulebook;
use crate::loyalty::program::model::rewards::Reward;
use crate::loyalty::statement::tier::stands::{NextTier, Stands};

/// A reward that a member cannot have yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NextReward {
    /// Its code.
    pub reward: String,
    /// What it is called, in the programme's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub title: Option<String>,
    /// The wallet that pays.
    pub wallet: String,
    /// Points that it costs the member.
    pub cost: i64,
    /// How many are missing to that.
    pub missing: i64,
}

/// What is missing to the next tier.
pub fn next_tier(account: &Account, book: &Rulebook) -> Option<NextTier> {
    let ladder = book.tiers.as_ref()?;
    Stands::of(account, ladder).next_tier(ladder, book)
}

/// The reward that the fewest points are missing to, of those that are for the member; of equals the first of the document.
pub fn next_reward(
    account: &Account,
    book: &Rulebook,
    (at, day): (Instant, NaiveDate),
    attributes: Option<&Values>,
) -> Option<NextReward> {
    if book.rewards.is_empty() {
        return None;
    }
    let member = member_facts(account, book, (at, day), attributes);
    let facts = Facts { book, at, local: book.zone.time_of(at), member, order: None, event: None };
    let is_theirs = |reward: &&Reward| {
        let asked = reward.audience.as_ref().map(|audience| ask(audience, &facts));
        reward.schedule.has(at) && asked.is_none_or(|asked| asked.is_ok())
    };
    let missing = |reward: &Reward| {
        let cost = reward.cost_for(facts.member.tier);
        cost.minus_or_zero(account.figures(reward.wallet).spendable)
    };
    let lacking = book.rewards.iter().filter(is_theirs).map(|reward| (missing(reward), reward));
    let (missing, reward) =
        lacking.filter(|(missing, _)| *missing > Points::ZERO).min_by_key(|(missing, _)| *missing)?;
    Some(NextReward {
        reward: reward.code.clone(),
        title: reward.text.of(&book.language, &book.language).and_then(|text| text.title.clone()),
        wallet: book.wallet_in(reward.wallet)?.code.clone(),
        cost: reward.cost_for(facts.member.tier).get(),
        missing: missing.get(),
    })
}
