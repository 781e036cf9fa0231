//! Tiers in the naive model: reached at once, reviewed at the end of a period or when the balance is gone, lost after a
//! grace, and taken back with the order that reached them.

use chrono::Duration;

use crate::facts::{Day, TierFacts, TierView, Time, WasFacts};
use crate::naive::calendar::{counts_until, later, tomorrow};
use crate::naive::orders::Sale;
use crate::naive::wallets::Member;
use crate::spec::{Ladder, Loss, Spec, TIERS, Valid};

/// For how many days tiers of the past are remembered.
const REMEMBERED_D: i64 = 732;

/// A tier that was earned, by its place in the ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub tier: usize,
    pub since: Time,
    /// The last day before which nobody asks for the balance again.
    pub until: Option<Day>,
    /// The day of an announced fall, and to where.
    pub falls: Option<(Day, Option<usize>)>,
    /// The order that reached it, as long as its return may take it back.
    pub by: Option<String>,
}

/// What is held, and which tiers were, from when to when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    pub held: Option<Held>,
    pub past: Vec<(usize, Time, Time)>,
}

impl Ladder {
    /// Everybody is in it who is in no other.
    fn ground(&self) -> Option<usize> {
        (self.froms[0] == 0).then_some(0)
    }

    fn earned(&self, balance: i64) -> Option<usize> {
        (0..self.froms.len()).rev().find(|i| self.froms[*i] <= balance).filter(|i| Some(*i) != self.ground())
    }

    /// The last day of what is reached on a day.
    fn lasts_until(&self, enrolled: Day, day: Day) -> Option<Day> {
        match (self.loss, self.valid) {
            (Loss::Never, _) => None,
            (_, Valid::For(span)) => Some(later(day, span)),
            _ if self.lasts.closes() => {
                let this = counts_until(self.lasts, enrolled, day).unwrap();
                counts_until(self.lasts, enrolled, tomorrow(this))
            }
            _ => None,
        }
    }
}

/// A member on a ladder at a time.
struct Climb<'m, 's> {
    member: &'m mut Member,
    spec: &'s Spec,
    ladder: &'s Ladder,
    at: Time,
}

impl Climb<'_, '_> {
    fn earned(&self) -> Option<usize> {
        self.ladder.earned(self.member.spendable(self.ladder.wallet))
    }

    fn today(&self) -> Day {
        self.spec.calendar.day(self.at)
    }

    fn hold(&mut self, held: Option<Held>) {
        let standing = &mut self.member.standing;
        if let Some(was) = standing.held.take().filter(|was| held.as_ref().is_none_or(|is| is.tier != was.tier))
            && was.since < self.at
        {
            standing.past.push((was.tier, was.since, self.at));
        }
        standing.held = held;
    }

    /// Whoever is suspended reaches nothing.
    fn reach(&mut self, by: Option<&str>) {
        if !self.member.suspended {
            self.raise(by);
        }
    }

    /// Holds what the balance earns, where that is more than is held, or is about to be lost.
    fn raise(&mut self, by: Option<&str>) {
        let held = self.member.standing.held.clone();
        let Some(tier) = self.earned() else { return };
        let more = held.as_ref().is_none_or(|held| tier > held.tier);
        let same = held.as_ref().filter(|held| held.tier == tier);
        if !more && same.is_none_or(|held| held.falls.is_none()) {
            return;
        }
        let since = same.map_or(self.at, |held| held.since);
        let until = self.ladder.lasts_until(self.member.enrolled, self.today());
        self.hold(Some(Held { tier, since, until, falls: None, by: by.map(str::to_owned) }));
    }

    fn is_below(&self, held: &Held) -> bool {
        self.earned() < Some(held.tier)
    }

    /// At the end of the period in which its day is: earned again, or lost.
    fn close(&mut self) {
        let (Some(held), Loss::Falls { .. }) = (self.member.standing.held.clone(), self.ladder.loss) else { return };
        if held.falls.is_some()
            || period_over(self.member, self.ladder, self.spec, &held).is_none_or(|over| over > self.at)
        {
            return;
        }
        if self.is_below(&held) {
            self.begin_fall(held);
        } else {
            let until = counts_until(self.ladder.lasts, self.member.enrolled, self.today());
            self.hold(Some(Held { until, by: None, ..held }));
        }
    }

    fn begin_fall(&mut self, held: Held) {
        let Loss::Falls { one_down, grace } = self.ladder.loss else { return };
        let below = held.tier.checked_sub(1).filter(|below| Some(*below) != self.ladder.ground());
        let to = if one_down { below } else { self.earned() };
        match grace {
            Some(grace) => self.hold(Some(Held { falls: Some((later(self.today(), grace), to)), ..held })),
            None => self.fall(to),
        }
    }

    /// To a tier, or to what the balance earns where that is higher, but to none above the one that is held.
    fn fall(&mut self, to: Option<usize>) {
        let (enrolled, today) = (self.member.enrolled, self.today());
        let until = if self.ladder.lasts.closes() {
            // The next review is the next one.
            counts_until(self.ladder.lasts, enrolled, today)
        } else {
            self.ladder.lasts_until(enrolled, today)
        };
        let held = self.member.standing.held.clone().unwrap();
        let tier = to.max(self.earned()).min(Some(held.tier));
        let since = if tier == Some(held.tier) { held.since } else { self.at };
        self.hold(tier.map(|tier| Held { tier, since, until, falls: None, by: None }));
    }

    /// What was announced happens; and what is not there any more begins to be lost.
    fn after(&mut self) {
        let falls = self.member.standing.held.as_ref().and_then(|held| held.falls);
        if let Some((_, to)) = falls.filter(|(day, _)| self.spec.calendar.start(*day) <= self.at) {
            self.fall(to);
        }
        if let Some(held) = self.member.standing.held.clone()
            && gone_since(self.member, self.ladder, self.spec, &held).is_some_and(|since| since <= self.at)
        {
            self.begin_fall(held);
        }
    }
}

/// When the period ends in which the last day of a tier is.
fn period_over(member: &Member, ladder: &Ladder, spec: &Spec, held: &Held) -> Option<Time> {
    let until = held.until.filter(|_| ladder.lasts.closes() && ladder.loss != Loss::Never)?;
    let last = counts_until(ladder.lasts, member.enrolled, until)?;
    Some(spec.calendar.start(tomorrow(last)))
}

/// Without periods: since when the balance may be asked for that is not there.
fn gone_since(member: &Member, ladder: &Ladder, spec: &Spec, held: &Held) -> Option<Time> {
    let asks = !ladder.lasts.closes() && ladder.loss != Loss::Never && held.falls.is_none();
    let until = held.until.map_or(held.since, |until| spec.calendar.start(tomorrow(until)));
    (asks && ladder.earned(member.spendable(ladder.wallet)) < Some(held.tier)).then(|| until.max(held.since))
}

impl Member {
    fn climb<'m, 's>(&'m mut self, spec: &'s Spec, version: usize, at: Time) -> Option<Climb<'m, 's>> {
        let ladder = spec.versions[version].ladder.as_ref()?;
        Some(Climb { member: self, spec, ladder, at })
    }

    /// The place of the tier that a member is in.
    pub fn tier(&self, ladder: &Ladder) -> Option<usize> {
        self.standing.held.as_ref().map(|held| held.tier).or(ladder.ground())
    }

    /// The one that a member was in at a time.
    pub fn tier_at(&self, ladder: &Ladder, at: Time) -> Option<usize> {
        let kept = |until: Time| until > self.moved - Duration::days(REMEMBERED_D);
        let past = self.standing.past.iter().filter(|(_, since, until)| *since <= at && at < *until && kept(*until));
        let held = self.standing.held.iter().filter(|held| held.since <= at).map(|held| held.tier);
        past.map(|past| past.0).chain(held).max().or(ladder.ground())
    }

    /// When something happens to a tier by itself.
    pub fn tier_due(&self, spec: &Spec, version: usize, from: Time) -> Option<Time> {
        let (held, ladder) = (self.standing.held.as_ref()?, spec.versions[version].ladder.as_ref()?);
        let falls = held.falls.map(|(day, _)| spec.calendar.start(day));
        let due = falls.or(period_over(self, ladder, spec, held)).or(gone_since(self, ladder, spec, held));
        due.map(|at| at.max(from))
    }

    /// The review of a period, before anything expires.
    pub fn close_period(&mut self, spec: &Spec, version: usize, at: Time) {
        if let Some(mut climb) = self.climb(spec, version, at).filter(|climb| climb.ladder.lasts.closes()) {
            climb.close();
        }
    }

    /// After something happened by itself.
    pub fn look_at_tier(&mut self, spec: &Spec, version: usize, at: Time) {
        if let Some(mut climb) = self.climb(spec, version, at) {
            climb.reach(None);
            climb.after();
        }
    }

    /// A version starts: whoever earns more by it is raised, and nobody falls.
    pub fn start_version(&mut self, spec: &Spec, version: usize, at: Time) {
        let stood_on = version.checked_sub(1).and_then(|before| spec.versions[before].ladder.as_ref()?.ground());
        if let Some(mut climb) = self.climb(spec, version, at) {
            // What everybody is in is not held.
            let ground = climb.ladder.ground();
            let until = climb.ladder.lasts_until(climb.member.enrolled, climb.today());
            let as_reached = stood_on.map(|tier| Held { tier, since: at, until, falls: None, by: None });
            let held = climb.member.standing.held.clone().or(as_reached);
            let mut held = held.filter(|held| Some(held.tier) != ground);
            if let Some((_, to)) = held.as_mut().and_then(|held| held.falls.as_mut()) {
                *to = to.filter(|to| Some(*to) != ground);
            }
            climb.hold(held);
            climb.reach(None);
        }
    }

    /// After a posting changed balances; `by` is the order that may have.
    pub fn moved_tier(&mut self, spec: &Spec, at: Time, by: Option<&str>) -> Option<TierFacts> {
        self.change_tier(spec, at, |climb| climb.reach(by))
    }

    /// After a return: what the order reached is what was before it, or what the rest of it still reaches.
    pub fn take_tier_back(&mut self, spec: &Spec, at: Time, order: &str, sale: &Sale) -> Option<TierFacts> {
        self.change_tier(spec, at, |climb| {
            let held = climb.member.standing.held.clone();
            let Some(held) = held.filter(|held| held.by.as_deref() == Some(order)) else { return };
            let counts = counts_until(climb.ladder.lasts, climb.member.enrolled, sale.day);
            if climb.is_below(&held) && counts.is_none_or(|last| climb.today() <= last) {
                climb.hold(sale.was_held.clone());
                climb.raise(Some(order));
            }
        })
    }

    /// After another member came along with a standing.
    pub fn merge_tier(&mut self, spec: &Spec, at: Time, gone: Standing) -> Option<TierFacts> {
        self.change_tier(spec, at, |climb| {
            climb.member.standing.past.extend(gone.past);
            let ours = climb.member.standing.held.clone();
            let held = match (ours, gone.held.clone()) {
                (Some(ours), Some(theirs)) => Some(better(ours, theirs)),
                (ours, theirs) => ours.or(theirs),
            };
            let lost = gone.held.filter(|theirs| held.as_ref().is_some_and(|held| held.tier != theirs.tier));
            climb.member.standing.past.extend(lost.map(|theirs| (theirs.tier, theirs.since, at)));
            climb.hold(held.map(|held| Held { by: None, ..held }));
            climb.reach(None);
        })
    }

    fn change_tier(&mut self, spec: &Spec, at: Time, change: impl FnOnce(&mut Climb<'_, '_>)) -> Option<TierFacts> {
        let ladder = spec.versions[spec.at(at)].ladder.as_ref()?;
        let (before, was) = (self.tier(ladder), self.standing.held.clone());
        let mut climb = self.climb(spec, spec.at(at), at)?;
        change(&mut climb);
        climb.after();
        let code = |tier: Option<usize>| tier.map(|tier| TIERS[tier].to_owned());
        let was = was.filter(|was| self.standing.held.as_ref() != Some(was)).map(|was| was.was());
        let TierView { until, falls, .. } = self.tier_view(spec, at);
        Some(TierFacts { before: code(before), after: code(self.tier(ladder)), until, falls, was })
    }

    /// What is seen of it.
    pub fn tier_view(&self, spec: &Spec, at: Time) -> TierView {
        let code = |tier: Option<usize>| tier.map(|tier| TIERS[tier].to_owned());
        let held = self.standing.held.as_ref();
        let ladder = spec.versions[spec.at(at)].ladder.as_ref();
        TierView {
            tier: code(ladder.and_then(|ladder| self.tier(ladder))),
            since: held.map(|held| held.since),
            until: held.and_then(|held| held.until),
            falls: held.and_then(|held| held.falls).map(|(day, to)| (day, code(to))),
        }
    }
}

impl Held {
    pub fn was(self) -> WasFacts {
        let falls = self.falls.map(|(day, to)| (day, to.map(|to| TIERS[to].to_owned())));
        (TIERS[self.tier].to_owned(), self.since, self.until, falls)
    }
}

/// The higher one of two, with the later day; who falls from it falls no lower than to the other.
fn better(one: Held, other: Held) -> Held {
    let (high, low) = if one.tier >= other.tier { (one, other) } else { (other, one) };
    let until = high.until.zip(low.until).map(|(a, b)| a.max(b));
    if high.tier > low.tier {
        let falls = high.falls.map(|(day, to)| (day, to.max(Some(low.tier))));
        return Held { until, falls, ..high };
    }
    let falls = high.falls.zip(low.falls).map(|((a, to), (b, too))| (a.max(b), to.max(too)));
    Held { since: high.since.min(low.since), until, falls, ..high }
}
