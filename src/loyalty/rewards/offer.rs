//! Whether a member can have a reward, and what it costs: for who redeems it, and for who only asks.

use chrono::NaiveDate;

use crate::kernel::points::Points;
use crate::loyalty::ledger::account::{Account, Status};
use crate::loyalty::ledger::counters::{CounterKey, Counters};
use crate::loyalty::program::audience::ask;
use crate::loyalty::program::facts::Facts;
use crate::loyalty::program::model::rewards::Reward;
use crate::loyalty::program::reason::Reason;

/// A reward as it stands for a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer<'b> {
    /// The reward.
    pub reward: &'b Reward,
    /// What it costs the member.
    pub cost: Points,
    /// How many points are missing to that.
    pub missing: Points,
    /// How many there are; `None`: as many as are asked for.
    pub stock: Option<Points>,
    /// How often the member can still have it in the period; `None`: as often as it likes.
    pub times: Option<Points>,
    /// The first reason why the member cannot have it; `None`: it can.
    pub why_not: Option<Reason>,
}

impl<'b> Offer<'b> {
    /// How a reward stands for a member on a business day.
    pub fn of(
        reward: &'b Reward,
        account: &Account,
        counters: &mut Counters<'_>,
        (facts, day): (&Facts<'_>, NaiveDate),
    ) -> Self {
        let cost = reward.cost_for(facts.member.tier);
        let missing = cost.minus_or_zero(account.figures(reward.wallet).spendable);
        let key = |stock| CounterKey::stock(account.program, &reward.code, stock, day);
        let stock = reward.stock.as_ref().map(|stock| counters.left(&key(stock), stock.points));
        let times = reward.per_member.map(|limit| account.room(&limit, day));
        let outside = reward.audience.as_ref().and_then(|audience| ask(audience, facts).err());
        let is_none = |left: Option<Points>| left.is_some_and(Points::is_zero);
        let why_not = if !reward.schedule.has(facts.at) {
            Some(Reason::NotScheduled)
        } else if account.status == Status::Suspended {
            Some(Reason::MemberSuspended)
        } else if let Some(outside) = outside {
            Some(outside.reason)
        } else if is_none(times) {
            Some(Reason::LimitReached)
        } else if is_none(stock) {
            Some(Reason::OutOfStock)
        } else {
            (!missing.is_zero()).then_some(Reason::InsufficientPoints)
        };
        Self { reward, cost, missing, stock, times, why_not }
    }
}
