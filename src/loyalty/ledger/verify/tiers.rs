//! The tiers of a member, worked out from entries and rules alone: what documents and the account say is compared with it.

use std::collections::BTreeMap;

use chrono::{Duration, NaiveDate};

use crate::kernel::clock::{Instant, earlier};
use crate::kernel::id::{PostingId, Seq, Version};
use crate::loyalty::ledger::posting::{PostingKind, PostingRow};
use crate::loyalty::ledger::tier::STANDING_KEPT_D;
use crate::loyalty::ledger::verify::documents::{OrderDocument, parse};
use crate::loyalty::ledger::verify::fold::Folded;
use crate::loyalty::ledger::verify::ladder::{Earned, Given, Rules, Stand};
use crate::loyalty::ledger::verify::law::{Findings, Law, Place};
use crate::loyalty::ledger::verify::tier_documents::{
    EarnedDocument, OfSteps, OfTier, StandDocument, StepDocument, TierDocument, given_of, said_of,
};
use crate::loyalty::program::model::{Rulebook, TierSlot, Timeline};
use crate::loyalty::tiers::standing::Standing;

/// No member's tier changes more often by itself between two postings: a century of yearly reviews.
const INSTANTS_MAX: usize = 10_000;

/// The tiers so far.
#[derive(Clone, Debug, Default)]
pub struct FoldedTiers {
    /// Where the member stands.
    pub stand: Stand,
    /// What the posting that reached a tier took the place of, by its position.
    reached: BTreeMap<i64, Option<Earned>>,
}

/// A posting, and what its member's tier is judged by.
pub struct TierStep<'a> {
    /// The posting.
    pub row: &'a PostingRow,
    /// The order that a return is of.
    pub order: Option<&'a PostingRow>,
    /// The versions.
    pub timeline: &'a Timeline,
    /// Account time of the posting.
    pub at: Instant,
}

/// A tier as people are told of it.
struct Shown {
    tier: Option<String>,
    until: Option<NaiveDate>,
    falls_on: Option<NaiveDate>,
    falls_to: Option<String>,
}

impl TierStep<'_> {
    fn code(&self, tier: Option<TierSlot>) -> Option<String> {
        tier.and_then(|tier| self.timeline.tier_code(tier)).map(str::to_owned)
    }

    /// What people are told of a tier that was earned: nothing while a higher one was given.
    fn shown(&self, rules: Option<&Rules<'_>>, stand: &Stand) -> Shown {
        let tier = rules.and_then(|rules| rules.tier(stand));
        let earned = stand.earned.filter(|earned| Some(earned.tier) == tier);
        let falls = earned.and_then(|earned| earned.falls);
        Shown {
            tier: self.code(tier),
            until: earned.and_then(|earned| earned.until),
            falls_on: falls.map(|(on, _)| on),
            falls_to: self.code(falls.and_then(|(_, to)| to)),
        }
    }
}

impl Folded {
    /// Adds what happened by itself until a posting, before its entries: it must be the catch-up that the posting is, or
    /// nothing.
    pub fn tiers_until(&mut self, step: &TierStep<'_>, found: &mut Findings) {
        if !has_tiers(step.timeline) {
            return;
        }
        let place = Place::posting(step.row.member, step.row.seq);
        let mut steps = Vec::new();
        if let Some(from) = self.moved_at {
            self.advance(step, from, &mut steps);
        }
        self.tiers.forget(step.at);
        let said = if step.row.kind == PostingKind::CatchUp {
            parse::<OfSteps>(step.row)
        } else {
            Ok(OfSteps { tier: Vec::new() })
        };
        match said {
            Ok(said) if said.tier == steps => {}
            Ok(said) => found.add(Law::Tiers, place, format!("it says {:?}, and it is {steps:?}", said.tier)),
            Err(says) => found.add(Law::Tiers, place, says),
        }
    }

    /// Adds what a posting made of its member's tier, after its entries.
    pub fn tiers_after(&mut self, step: &TierStep<'_>, found: &mut Findings) {
        if !has_tiers(step.timeline) {
            return;
        }
        if let Err(says) = self.check_tier_rows(step).and_then(|()| self.decide_tier(step)) {
            found.add(Law::Tiers, Place::posting(step.row.member, step.row.seq), says);
        }
        self.tiers.forget(step.at);
    }

    fn decide_tier(&mut self, step: &TierStep<'_>) -> Result<(), String> {
        let decides = [
            PostingKind::Order,
            PostingKind::Return,
            PostingKind::Adjust,
            PostingKind::Opening,
            PostingKind::Suspend,
            PostingKind::Reinstate,
            PostingKind::MergeIn,
            PostingKind::MergeOut,
            PostingKind::GrantTier,
        ];
        if !decides.contains(&step.row.kind) {
            return Ok(());
        }
        let said: OfTier = parse(step.row)?;
        if step.row.kind == PostingKind::MergeOut {
            let stand = std::mem::take(&mut self.tiers.stand);
            return same(&said_of(&said.standing, step.timeline)?, &stand);
        }
        let book = step.timeline.at(step.at);
        let rules = self.rules(book);
        let (before, was) = (step.shown(rules.as_ref(), &self.tiers.stand).tier, self.tiers.stand.earned);
        if step.row.kind == PostingKind::MergeIn {
            self.come(step, &said.standing, rules.as_ref())?;
        }
        let Some(rules) = rules else { return same(&said.tier, &None) };
        let [balance, ..] = self.wallet(rules.ladder.wallet).figures;
        if step.row.kind == PostingKind::GrantTier {
            let given = given_of(said.given.as_ref(), step.timeline)?;
            if given.is_some_and(|given| given.by != step.row.seq.0 || given.since != step.at) {
                return Err("it gives a tier that another posting gave".to_owned());
            }
            self.tiers.stand.give(given, step.at);
        } else if step.row.kind == PostingKind::Return {
            self.take_back(step, &rules, balance)?;
        } else if !self.suspended {
            let by = (step.row.kind == PostingKind::Order).then_some(step.row.seq.0);
            if self.tiers.stand_mut(|stand| rules.reach(stand, balance, step.at, by)) {
                self.tiers.reached.extend(by.map(|by| (by, was)));
            }
        }
        let stand = &mut self.tiers.stand;
        rules.end_given(stand, step.at);
        rules.end_grace(stand, balance, step.at);
        rules.look_below(stand, balance, step.at);
        let Shown { tier: after, until, falls_on, falls_to } = step.shown(Some(&rules), stand);
        let was = was.filter(|was| stand.earned != Some(*was)).map(|was| earned_document(step, was));
        let changed = before != after || was.is_some();
        let is = TierDocument { before, after, until, falls_on, falls_to, was };
        same(&said.tier, &(changed || step.row.kind == PostingKind::Order).then_some(is))
    }

    /// What a return takes back that its order had reached.
    fn take_back(&mut self, step: &TierStep<'_>, rules: &Rules<'_>, balance: i64) -> Result<(), String> {
        // Of an order that came along with a merge nothing is known here.
        let Some(order) = step.order.filter(|order| order.member == step.row.member) else { return Ok(()) };
        let stand = &mut self.tiers.stand;
        let Some(held) = stand.earned.filter(|earned| earned.by == Some(order.seq.0)) else { return Ok(()) };
        let Some(was) = self.tiers.reached.get(&order.seq.0).copied() else { return Ok(()) };
        let day = parse::<OrderDocument>(order)?.ordered_on;
        let last = rules.ladder.window.last_day(rules.enrolled_on, day);
        let left = last.is_some_and(|last| last < rules.zone.day_of(step.at));
        let height = |earned: Option<Earned>| rules.height(earned.map(|earned| earned.tier));
        let earns = rules.height(rules.earns(balance)) >= height(Some(held));
        if left || earns || height(was) > height(Some(held)) {
            return Ok(());
        }
        stand.earn(was.filter(|_| height(was) > 0), step.at);
        rules.reach(stand, balance, step.at, Some(order.seq.0));
        Ok(())
    }

    fn come(&mut self, step: &TierStep<'_>, said: &StandDocument, rules: Option<&Rules<'_>>) -> Result<(), String> {
        let mut other = said_of(said, step.timeline)?;
        // Here it is this posting that gave it.
        other.given = other.given.map(|given| Given { by: step.row.seq.0, ..given });
        for past in &other.past {
            self.tiers.stand.remember(*past);
        }
        if let Some(rules) = rules {
            rules.merge(&mut self.tiers.stand, &other, step.at);
        }
        Ok(())
    }

    fn rules<'b>(&self, book: &'b Rulebook) -> Option<Rules<'b>> {
        let enrolled_on = self.enrolled_on?;
        book.tiers.as_ref().map(|ladder| Rules { ladder, zone: book.zone, enrolled_on })
    }

    /// What lies in a ladder's wallet right before an instant, and from it on.
    fn balances(&self, rules: &Rules<'_>, at: Instant) -> (i64, i64) {
        let (mut before, mut after) = (0_i64, 0_i64);
        for lot in self.lots.values().filter(|lot| lot.wallet == rules.ladder.wallet) {
            let ends = lot.expiry.day().map_or(Instant::MAX_UTC, |day| rules.zone.end_of(day));
            let comes = lot.available_at.unwrap_or(Instant::MIN_UTC);
            before = before.saturating_add(if comes < at && ends >= at { lot.remaining } else { 0 });
            after = after.saturating_add(if comes <= at && ends > at { lot.remaining } else { 0 });
        }
        (before, after)
    }

    /// When anything happens next after an instant that tiers depend on: a lot ends or becomes available, a tier is
    /// due, a version starts.
    fn next(&self, step: &TierStep<'_>, rules: Option<&Rules<'_>>, from: Instant) -> Option<(Instant, bool)> {
        let mut instants: Vec<Instant> = starts(step.timeline).filter(|starts| *starts > from).collect();
        if let Some(rules) = rules {
            let lots = || self.lots.values().filter(|lot| lot.wallet == rules.ladder.wallet && lot.remaining > 0);
            instants.extend(lots().filter_map(|lot| lot.expiry.day()).map(|day| rules.zone.end_of(day)));
            instants.extend(lots().filter_map(|lot| lot.available_at));
            instants.retain(|instant| *instant > from);
            let (_, balance) = self.balances(rules, from);
            let due = rules.due(&self.tiers.stand, balance).map(|due| due.max(from));
            instants.extend(due);
        }
        let next = instants.into_iter().min()?;
        Some((next, starts(step.timeline).any(|starts| starts == next && starts > from)))
    }

    fn advance(&mut self, step: &TierStep<'_>, mut from: Instant, steps: &mut Vec<StepDocument>) {
        for _ in 0..INSTANTS_MAX {
            let book = step.timeline.at(from);
            let rules = self.rules(book);
            let Some((at, starts)) = self.next(step, rules.as_ref(), from).filter(|(at, _)| *at <= step.at) else {
                return;
            };
            if let Some(rules) = rules {
                self.pass(step, &rules, at, steps);
            }
            if starts {
                self.start(step, (rules.as_ref(), step.timeline.at(at)), at, steps);
            }
            from = at;
        }
    }

    fn pass(&mut self, step: &TierStep<'_>, rules: &Rules<'_>, at: Instant, steps: &mut Vec<StepDocument>) {
        let (before, after) = self.balances(rules, at);
        let active = !self.suspended;
        self.change(step, (Some(rules), Some(rules)), (at, "period_closed"), steps, |s| rules.close(s, before, at));
        self.change(step, (Some(rules), Some(rules)), (at, "reached"), steps, |s| {
            active && rules.reach(s, after, at, None)
        });
        self.change(step, (Some(rules), Some(rules)), (at, "grant_over"), steps, |s| rules.end_given(s, at));
        self.change(step, (Some(rules), Some(rules)), (at, "grace_over"), steps, |s| rules.end_grace(s, after, at));
        self.change(step, (Some(rules), Some(rules)), (at, "below"), steps, |s| rules.look_below(s, after, at));
    }

    fn start(
        &mut self,
        step: &TierStep<'_>,
        (before, book): (Option<&Rules<'_>>, &Rulebook),
        at: Instant,
        steps: &mut Vec<StepDocument>,
    ) {
        let rules = self.rules(book);
        let balance = rules.as_ref().map_or(0, |rules| self.balances(rules, at).1);
        let balance = if self.suspended { 0 } else { balance };
        self.change(step, (before, rules.as_ref()), (at, "published"), steps, |stand| {
            let was = stand.clone();
            match &rules {
                Some(rules) => rules.start(stand, (before, &book.tier_mapping), balance, at),
                None => {
                    stand.earn(None, at);
                    stand.give(None, at);
                }
            }
            was != *stand
        });
    }

    fn change(
        &mut self,
        step: &TierStep<'_>,
        (old, new): (Option<&Rules<'_>>, Option<&Rules<'_>>),
        (at, why): (Instant, &str),
        steps: &mut Vec<StepDocument>,
        change: impl FnOnce(&mut Stand) -> bool,
    ) {
        let before = step.shown(old, &self.tiers.stand).tier;
        if !self.tiers.stand_mut(change) {
            return;
        }
        let Shown { tier: after, until, falls_on, falls_to } = step.shown(new, &self.tiers.stand);
        steps.push(StepDocument { at, before, after, until, falls_on, falls_to, why: why.to_owned() });
    }
}

impl FoldedTiers {
    fn stand_mut<R>(&mut self, change: impl FnOnce(&mut Stand) -> R) -> R {
        change(&mut self.stand)
    }

    fn forget(&mut self, at: Instant) {
        let since = earlier(at, Duration::days(STANDING_KEPT_D));
        self.stand.past.retain(|(.., until)| *until > since);
    }

    /// Whether an account says the same.
    pub fn is(&self, standing: &Standing) -> bool {
        self.stand == stand_of(standing)
    }
}

/// What an account says of tiers, in these words.
pub fn stand_of(standing: &Standing) -> Stand {
    let earned = standing.held.map(|held| Earned {
        tier: held.tier,
        since: held.since,
        until: held.until,
        falls: held.falls.map(|falls| (falls.on, falls.to)),
        by: held.cause.map(|seq| seq.0),
    });
    let given = standing.granted.map(|given| Given {
        tier: given.tier,
        since: given.since,
        until: given.until,
        by: given.cause.0,
    });
    let past = standing.past.iter().map(|past| (past.tier, past.since, past.until)).collect();
    Stand { earned, given, past }
}

fn same<T: PartialEq + std::fmt::Debug>(says: &T, is: &T) -> Result<(), String> {
    if says == is { Ok(()) } else { Err(format!("it says {says:?}, and it is {is:?}")) }
}

fn versions(timeline: &Timeline) -> impl Iterator<Item = &Rulebook> {
    (1..=timeline.newest().version.0).map(|n| timeline.version(Version(n)).as_ref())
}

fn has_tiers(timeline: &Timeline) -> bool {
    versions(timeline).any(|book| book.tiers.is_some())
}

/// When versions come into force after the first.
fn starts(timeline: &Timeline) -> impl Iterator<Item = Instant> {
    let in_force = |book: &&Rulebook| timeline.at(book.starts).version == book.version;
    versions(timeline).skip(1).filter(in_force).map(|book| book.starts)
}

fn earned_document(step: &TierStep<'_>, earned: Earned) -> EarnedDocument {
    EarnedDocument {
        tier: step.code(Some(earned.tier)).unwrap_or_default(),
        since: earned.since,
        until: earned.until,
        falls_on: earned.falls.map(|(on, _)| on),
        falls_to: step.code(earned.falls.and_then(|(_, to)| to)),
        reached_by: earned.by.map(|seq| PostingId { member: step.row.member, seq: Seq(seq) }),
    }
}
