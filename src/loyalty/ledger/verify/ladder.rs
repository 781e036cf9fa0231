//! The rules of tiers once more, in plain words of their own: what a balance earns, when it is looked at, and how members
//! fall.

use chrono::NaiveDate;

use crate::kernel::calendar::Zone;
use crate::kernel::clock::Instant;
use crate::loyalty::program::model::TierSlot;
use crate::loyalty::program::model::tiers::{Downgrade, Fall, FallTo, Ladder, TierMapping, Valid};
use crate::loyalty::tiers::standing::PAST_TIERS_MAX;

/// A tier that was earned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Earned {
    /// Which.
    pub tier: TierSlot,
    /// Since when.
    pub since: Instant,
    /// Its last day.
    pub until: Option<NaiveDate>,
    /// The day on which it falls, and to which tier.
    pub falls: Option<(NaiveDate, Option<TierSlot>)>,
    /// The posting that reached it.
    pub by: Option<i64>,
}

/// A tier that was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given {
    /// Which.
    pub tier: TierSlot,
    /// Since when.
    pub since: Instant,
    /// Its last day.
    pub until: Option<NaiveDate>,
    /// The posting that gave it.
    pub by: i64,
}

/// Where a member stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stand {
    /// What was earned.
    pub earned: Option<Earned>,
    /// What was given.
    pub given: Option<Given>,
    /// What was before: which, from and to when, soonest-ended first.
    pub past: Vec<(TierSlot, Instant, Instant)>,
}

/// The rules of a ladder for one member.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// The ladder.
    pub ladder: &'a Ladder,
    /// Whose days count.
    pub zone: Zone,
    /// The local day of the enrolment.
    pub enrolled_on: NaiveDate,
}

impl Stand {
    /// Remembers a tier of the past.
    pub fn remember(&mut self, past: (TierSlot, Instant, Instant)) {
        if past.1 >= past.2 {
            return;
        }
        let later = self.past.iter().position(|other| other.2 > past.2).unwrap_or(self.past.len());
        self.past.insert(later, past);
        if self.past.len() > PAST_TIERS_MAX {
            self.past.remove(0);
        }
    }

    /// Has another tier earned.
    pub fn earn(&mut self, earned: Option<Earned>, at: Instant) {
        if let Some(was) = self.earned.filter(|was| earned.map(|is| is.tier) != Some(was.tier)) {
            self.remember((was.tier, was.since, at));
        }
        self.earned = earned;
    }

    /// Has another tier given.
    pub fn give(&mut self, given: Option<Given>, at: Instant) {
        if let Some(was) = self.given {
            self.remember((was.tier, was.since, at));
        }
        self.given = given;
    }
}

impl Rules<'_> {
    /// How high a tier is: the lowest is 1, none is 0.
    pub fn height(&self, tier: Option<TierSlot>) -> usize {
        let places = self.ladder.tiers.iter().zip(1..);
        places.filter(|(there, _)| Some(there.slot) == tier).map(|(_, height)| height).max().unwrap_or(0)
    }

    /// The tier that a balance earns; what costs nothing is nobody's.
    pub fn earns(&self, balance: i64) -> Option<TierSlot> {
        let costs = self.ladder.tiers.iter().filter(|tier| tier.from.get() > 0 && tier.from.get() <= balance);
        costs.max_by_key(|tier| tier.from).map(|tier| tier.slot)
    }

    /// The tier that a member is in.
    pub fn tier(&self, stand: &Stand) -> Option<TierSlot> {
        let ground = self.ladder.tiers.iter().find(|tier| tier.from.get() == 0).map(|tier| tier.slot);
        let tiers = [ground, stand.given.map(|given| given.tier), stand.earned.map(|earned| earned.tier)];
        tiers.into_iter().filter(|tier| self.height(*tier) > 0).max_by_key(|tier| self.height(*tier)).flatten()
    }

    fn period_last(&self, day: NaiveDate) -> Option<NaiveDate> {
        self.ladder.window.last_day(self.enrolled_on, day)
    }

    fn valid(&self, day: NaiveDate) -> Option<NaiveDate> {
        match (self.ladder.downgrade, self.ladder.valid) {
            (Downgrade::Never, _) | (_, Valid::Open) => None,
            (_, Valid::For(period)) => Some(period.after(day)),
            (_, Valid::EndOfNextPeriod) => self.period_last(self.period_last(day)?.succ_opt()?),
        }
    }

    fn valid_after_fall(&self, day: NaiveDate) -> Option<NaiveDate> {
        if matches!(self.ladder.downgrade, Downgrade::PeriodEnd(_)) { self.period_last(day) } else { self.valid(day) }
    }

    /// When something is due of what was earned, and of what was given.
    pub fn due(&self, stand: &Stand, balance: i64) -> Option<Instant> {
        let given = stand.given.and_then(|given| given.until).map(|until| self.zone.end_of(until));
        let earned = stand.earned.and_then(|earned| match (earned.falls, self.ladder.downgrade) {
            (Some((on, _)), _) => Some(self.zone.start_of(on)),
            (None, Downgrade::Never) => None,
            (None, Downgrade::PeriodEnd(_)) => Some(self.zone.end_of(self.period_last(earned.until?)?)),
            (None, Downgrade::WhenBelow(_)) => self.is_below(earned, balance).then(|| {
                let until = earned.until.map(|until| self.zone.end_of(until));
                until.map_or(earned.since, |until| until.max(earned.since))
            }),
        });
        given.into_iter().chain(earned).min()
    }

    fn is_below(&self, earned: Earned, balance: i64) -> bool {
        self.height(self.earns(balance)) < self.height(Some(earned.tier))
    }

    fn would_reach(&self, stand: &Stand, balance: i64) -> bool {
        let (to, from) = (self.height(self.earns(balance)), self.height(stand.earned.map(|earned| earned.tier)));
        to > from || to > 0 && to == from && stand.earned.is_some_and(|earned| earned.falls.is_some())
    }

    /// A balance that earns more than was earned, or again what is about to be lost. Whether it does.
    pub fn reach(&self, stand: &mut Stand, balance: i64, at: Instant, by: Option<i64>) -> bool {
        let reaches = self.would_reach(stand, balance);
        if let Some(tier) = self.earns(balance).filter(|_| reaches) {
            let since = stand.earned.filter(|earned| earned.tier == tier).map_or(at, |earned| earned.since);
            let until = self.valid(self.zone.day_of(at));
            stand.earn(Some(Earned { tier, since, until, falls: None, by }), at);
        }
        reaches
    }

    /// The end of a period, on the balance that it ended with.
    pub fn close(&self, stand: &mut Stand, balance: i64, at: Instant) -> bool {
        let (Downgrade::PeriodEnd(fall), Some(earned)) = (self.ladder.downgrade, stand.earned) else { return false };
        let last = earned.until.and_then(|until| self.period_last(until));
        if earned.falls.is_some() || last.is_none_or(|last| self.zone.end_of(last) > at) {
            return false;
        }
        if self.is_below(earned, balance) {
            self.fall(stand, (earned, fall), balance, at);
        } else {
            let until = self.period_last(self.zone.day_of(at));
            stand.earn(Some(Earned { until, by: None, ..earned }), at);
        }
        true
    }

    /// The last day of what was given is over.
    pub fn end_given(&self, stand: &mut Stand, at: Instant) -> bool {
        let over = stand.given.and_then(|given| given.until).is_some_and(|until| self.zone.end_of(until) <= at);
        if over {
            stand.give(None, at);
        }
        over
    }

    /// The day of a fall has come.
    pub fn end_grace(&self, stand: &mut Stand, balance: i64, at: Instant) -> bool {
        let Some((on, to)) = stand.earned.and_then(|earned| earned.falls) else { return false };
        if self.zone.start_of(on) > at {
            return false;
        }
        self.land(stand, to, balance, at);
        true
    }

    /// The balance is not there any more.
    pub fn look_below(&self, stand: &mut Stand, balance: i64, at: Instant) -> bool {
        let (Downgrade::WhenBelow(fall), Some(earned)) = (self.ladder.downgrade, stand.earned) else { return false };
        let held_on = earned.until.is_some_and(|until| self.zone.end_of(until) > at) || earned.since > at;
        if earned.falls.is_some() || held_on || !self.is_below(earned, balance) {
            return false;
        }
        self.fall(stand, (earned, fall), balance, at);
        true
    }

    fn fall(&self, stand: &mut Stand, (earned, fall): (Earned, Fall), balance: i64, at: Instant) {
        let height = self.height(Some(earned.tier));
        let below = || self.ladder.tiers.iter().zip(1_usize..).find(|(_, lower)| lower.saturating_add(1) == height);
        let to = match fall.to {
            FallTo::Earned => self.earns(balance),
            FallTo::OneDown => below().filter(|(tier, _)| tier.from.get() > 0).map(|(tier, _)| tier.slot),
        };
        match fall.grace {
            Some(grace) => {
                let falls = Some((grace.after(self.zone.day_of(at)), to));
                stand.earn(Some(Earned { falls, ..earned }), at);
            }
            None => self.land(stand, to, balance, at),
        }
    }

    fn land(&self, stand: &mut Stand, to: Option<TierSlot>, balance: i64, at: Instant) {
        let until = self.valid_after_fall(self.zone.day_of(at));
        if let Some(was) = stand.earned.filter(|earned| !self.is_below(*earned, balance)) {
            return stand.earn(Some(Earned { until, falls: None, by: None, ..was }), at);
        }
        let earns = self.earns(balance);
        let tier =
            if self.height(earns) > self.height(to) { earns } else { to.filter(|to| self.height(Some(*to)) > 0) };
        stand.earn(tier.map(|tier| Earned { tier, since: at, until, falls: None, by: None }), at);
    }

    /// A version starts, and these are its rules.
    pub fn start(
        &self,
        stand: &mut Stand,
        (before, mapping): (Option<&Rules<'_>>, &TierMapping),
        balance: i64,
        at: Instant,
    ) {
        let today = self.zone.day_of(at);
        let free = before.and_then(|rules| rules.ladder.tiers.iter().find(|tier| tier.from.get() == 0));
        if let (None, Some(free)) = (stand.earned, free) {
            // What was everybody's is earned until it has to be.
            let until = self.valid(today);
            stand.earned = Some(Earned { tier: free.slot, since: at, until, falls: None, by: None });
        }
        let goes = |tier: TierSlot| {
            let stays = if self.height(Some(tier)) > 0 { Some(tier) } else { mapping.0.get(&tier).copied().flatten() };
            stays.filter(|tier| self.height(Some(*tier)) > 0)
        };
        let costs = |tier: &TierSlot| self.ladder.tiers.iter().any(|t| t.slot == *tier && t.from.get() > 0);
        if let Some(was) = stand.earned {
            let falls = was.falls.map(|(on, to)| (on, to.and_then(goes).filter(costs)));
            let moved = goes(was.tier).filter(costs).map(|tier| {
                let (since, by) = if tier == was.tier { (was.since, was.by) } else { (at, None) };
                let there = falls.is_some_and(|(_, to)| self.height(to) >= self.height(Some(tier)));
                let until = if there { self.valid_after_fall(today) } else { was.until };
                Earned { tier, since, until, falls: falls.filter(|_| !there), by }
            });
            stand.earn(moved, at);
        }
        match (self.ladder.downgrade, &mut stand.earned) {
            (Downgrade::Never, Some(earned)) => (earned.until, earned.falls) = (None, None),
            (Downgrade::PeriodEnd(_), Some(earned)) if earned.falls.is_none() => {
                let period = earned.until.and_then(|until| self.period_last(until));
                let over = period.is_none_or(|last| last < today);
                earned.until = if over { self.valid(today) } else { earned.until };
            }
            _ => {}
        }
        self.reach(stand, balance, at, None);
        if let Some(was) = stand.given {
            match goes(was.tier) {
                Some(tier) if tier == was.tier => {}
                Some(tier) => stand.give(Some(Given { tier, since: at, ..was }), at),
                None => stand.give(None, at),
            }
        }
    }

    /// Another account's tiers come: the better one of both with the later day.
    pub fn merge(&self, stand: &mut Stand, other: &Stand, at: Instant) {
        let height = |earned: &Earned| self.height(Some(earned.tier));
        match (stand.earned, other.earned) {
            (Some(one), Some(two)) => {
                let (high, low) = if height(&one) >= height(&two) { (one, two) } else { (two, one) };
                let until = high.until.and_then(|until| low.until.map(|other| other.max(until)));
                let higher = |a: Option<TierSlot>, b: Option<TierSlot>| {
                    let best = if self.height(b) >= self.height(a) { b } else { a };
                    best.filter(|tier| self.height(Some(*tier)) > 0)
                };
                let same = high.tier == low.tier;
                let falls = match (high.falls, low.falls) {
                    (Some((on, to)), _) if !same => Some((on, higher(to, Some(low.tier)))),
                    (Some((on, to)), Some((on_too, to_too))) => Some((on.max(on_too), higher(to, to_too))),
                    _ => None,
                };
                let since = if same { one.since.min(two.since) } else { high.since };
                if two.tier != high.tier {
                    stand.remember((two.tier, two.since, at));
                }
                stand.earn(Some(Earned { tier: high.tier, since, until, falls, by: None }), at);
            }
            (Some(one), None) | (None, Some(one)) => stand.earn(Some(Earned { by: None, ..one }), at),
            (None, None) => {}
        }
        if let Some(theirs) = other.given {
            let worth = |given: Given| (self.height(Some(given.tier)), given.until.unwrap_or(NaiveDate::MAX));
            if stand.given.is_none_or(|ours| worth(theirs) > worth(ours)) {
                stand.give(Some(theirs), at);
            } else {
                stand.remember((theirs.tier, theirs.since, at));
            }
        }
    }
}
