//! Members who live for years by a ladder, with each law looked at wherever something happens.

mod changes;
mod falls;
mod golden;
mod laws;

use std::collections::BTreeMap;

use chrono::{Duration, NaiveDate};

use crate::kernel::calendar::Zone;
use crate::kernel::clock::Instant;
use crate::kernel::id::{Seq, Version};
use crate::kernel::points::Points;
use crate::loyalty::program::compile::compile;
use crate::loyalty::program::document::Document;
use crate::loyalty::program::model::TierSlot;
use crate::loyalty::program::model::tiers::{Ladder, TierMapping};
use crate::loyalty::program::slots::{Slots, assign_slots};
use crate::loyalty::tiers::grant::grant;
use crate::loyalty::tiers::reach::{Upgrade, reach, take_back};
use crate::loyalty::tiers::review::{after, close, next_review};
use crate::loyalty::tiers::standing::{Granted, Held, Seen, Standing, Step, effective};
use crate::loyalty::tiers::version::{NewLadder, start_version};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn instant(text: &str) -> Instant {
    text.parse().unwrap()
}

fn zone(name: &str) -> Zone {
    name.parse().unwrap()
}

/// Bronze, silver, gold, platinum from 100, 250, 1,000 and 5,000 points.
const LADDER: &str = r#"ladder = [
    { code = "bronze", from = "100" }, { code = "silver", from = "250" },
    { code = "gold", from = "1000" }, { code = "platinum", from = "5000" },
]"#;

/// A ladder on a wallet that counts points.
fn ladder(window: &str, rules: &str) -> Ladder {
    ladder_of(window, rules, LADDER)
}

fn ladder_of(window: &str, rules: &str, tiers: &str) -> Ladder {
    let text = format!(
        "program = {{ name = \"T\", currency = \"EUR\", timezone = \"UTC\" }}\n\
         [wallets]\nstatus = {{ kind = \"qualifying\", counts = \"orders\", window = {window} }}\n\
         [tiers]\nwallet = \"status\"\n{rules}\n{tiers}\n"
    );
    let document = Document::from_toml(&text).unwrap();
    let slots = assign_slots(&Slots::default(), &document).unwrap();
    compile(&document, Version(1), Instant::MIN_UTC, &slots).unwrap().tiers.unwrap()
}

/// What an order left in the wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Lot {
    order: Seq,
    last: Option<NaiveDate>,
    points: i64,
}

/// A member, with as much of an account as tiers look at.
#[derive(Clone, Debug)]
struct Member {
    ladder: Ladder,
    zone: Zone,
    enrolled_on: NaiveDate,
    standing: Standing,
    lots: Vec<Lot>,
    upgrades: BTreeMap<Seq, Upgrade>,
    now: Instant,
    seq: Seq,
    steps: Vec<Step>,
}

impl Member {
    fn enrolled(ladder: Ladder, zone: Zone, now: Instant) -> Self {
        let (standing, lots, upgrades, steps) = <_>::default();
        Self { ladder, zone, enrolled_on: zone.day_of(now), standing, lots, upgrades, now, seq: Seq(0), steps }
    }

    fn balance(&self) -> i64 {
        self.lots.iter().map(|lot| lot.points).sum()
    }

    fn seen(&self) -> Seen {
        Seen { balance: Points::try_from(self.balance()).unwrap(), enrolled_on: self.enrolled_on }
    }

    fn slot(&self, code: &str) -> TierSlot {
        self.ladder.tiers.iter().find(|tier| tier.code == code).unwrap().slot
    }

    fn code(&self, slot: Option<TierSlot>) -> &str {
        slot.map_or("-", |slot| &self.ladder.tier(slot).unwrap().code)
    }

    /// The tier that the member is in.
    fn tier(&self) -> &str {
        self.code(effective(&self.standing, &self.ladder))
    }

    /// What is held, until when, and what it falls to on which day.
    fn held(&self) -> String {
        let Some(Held { tier, until, falls, .. }) = self.standing.held else { return "-".into() };
        let until = until.map_or("ever".into(), |until| until.to_string());
        let falls = falls.map(|falls| format!(", {} from {}", self.code(falls.to), falls.on));
        format!("{} to {until}{}", self.code(Some(tier)), falls.unwrap_or_default())
    }

    fn next_change(&self) -> Option<Instant> {
        let ends = self.lots.iter().filter_map(|lot| lot.last).min().map(|last| self.zone.end_of(last));
        let review = next_review(&self.standing, &self.ladder, self.zone, self.seen());
        ends.into_iter().chain(review).min()
    }

    fn catch_up(&mut self, now: Instant) -> &mut Self {
        while let Some(at) = self.next_change().map(|at| at.max(self.now)).filter(|at| *at <= now) {
            self.tick(at);
        }
        self.now = now;
        self
    }

    fn at(&mut self, now: &str) -> &mut Self {
        self.catch_up(instant(now))
    }

    /// One instant at which something changes by itself.
    fn tick(&mut self, at: Instant) {
        self.nothing_happens_before(at);
        let due = next_review(&self.standing, &self.ladder, self.zone, self.seen()).is_some_and(|due| due <= at);
        let held = self.standing.held;
        let seen = self.seen();
        let closed = close(&mut self.standing, &self.ladder, self.zone, seen, at);
        self.falls_by_law(held, "close");
        self.lots.retain(|lot| lot.last.is_none_or(|last| self.zone.end_of(last) > at));
        let held = self.standing.held;
        let seen = self.seen();
        let changed = after(&mut self.standing, &self.ladder, self.zone, seen, at);
        self.falls_by_law(held, "after");
        let steps: Vec<Step> = closed.into_iter().chain(changed).collect();
        assert!(!due || !steps.is_empty(), "a review is due at {at}, and nothing happens: {self:?}");
        let next = next_review(&self.standing, &self.ladder, self.zone, self.seen());
        assert!(next.is_none_or(|next| next > at), "{at} is over, and something is due at {next:?}: {self:?}");
        self.no_step_undoes_another(&steps);
        self.steps.extend(steps);
        self.now = at;
    }

    /// As long as the balance is what it is.
    fn nothing_happens_before(&self, at: Instant) {
        let before = at - Duration::microseconds(1);
        if before <= self.now {
            return;
        }
        let mut standing = self.standing.clone();
        let closed = close(&mut standing, &self.ladder, self.zone, self.seen(), before);
        let changed = after(&mut standing, &self.ladder, self.zone, self.seen(), before);
        assert!(closed.is_none() && changed.is_empty(), "{closed:?} and {changed:?} before {at}: {self:?}");
    }

    /// Nobody loses what the balance earns, and nobody falls lower than that.
    fn falls_by_law(&self, held: Option<Held>, when: &str) {
        let rank = |held: Option<Held>| self.ladder.rank(held.map(|held| held.tier));
        let earned = self.ladder.rank(self.ladder.earned(self.seen().balance));
        if rank(self.standing.held) < rank(held) {
            assert!(earned < rank(held), "{when} takes what is earned: {self:?}");
            assert!(earned <= rank(self.standing.held), "{when} goes too low: {self:?}");
        }
        let falls = |held: Option<Held>| held.and_then(|held| held.falls);
        if falls(self.standing.held) != falls(held) && falls(self.standing.held).is_some() {
            assert!(earned < rank(held), "{when} announces a fall from what is earned: {self:?}");
        }
    }

    fn no_step_undoes_another(&self, steps: &[Step]) {
        let rank = |held: Option<Held>| self.ladder.rank(held.map(|held| held.tier));
        let up = steps.iter().any(|step| rank(step.held) > rank(step.was));
        let down = steps.iter().any(|step| rank(step.held) < rank(step.was));
        assert!(!up || !down, "{steps:?}");
        for pair in steps.windows(2) {
            assert_eq!((pair[0].held, pair[0].after), (pair[1].was, pair[1].before));
        }
    }

    /// An order of now.
    fn earns(&mut self, points: i64) -> Seq {
        self.catch_up(self.now);
        let today = self.zone.day_of(self.now);
        self.seq = self.seq.next();
        let order = self.seq;
        self.lots.push(Lot { order, last: self.ladder.window.last_day(self.enrolled_on, today), points });
        let seen = self.seen();
        let reached = reach(&mut self.standing, &self.ladder, self.zone, seen, self.now, Some(order));
        if let Some(step) = reached {
            self.upgrades.insert(order, Upgrade { cause: order, on: today, was: step.was });
        }
        self.steps.extend(reached);
        order
    }

    /// A part of an order comes back now.
    fn returns(&mut self, order: Seq, points: i64) {
        self.catch_up(self.now);
        for lot in self.lots.iter_mut().filter(|lot| lot.order == order) {
            lot.points -= points.min(lot.points);
        }
        self.lots.retain(|lot| lot.points > 0);
        if let Some(upgrade) = self.upgrades.get(&order) {
            let seen = self.seen();
            let step = take_back(&mut self.standing, &self.ladder, self.zone, seen, upgrade, self.now);
            self.steps.extend(step);
        }
        self.catch_up(self.now);
    }

    fn is_given(&mut self, code: &str, until: Option<NaiveDate>) {
        self.catch_up(self.now);
        self.seq = self.seq.next();
        let granted = Granted { tier: self.slot(code), since: self.now, until, cause: self.seq };
        self.steps.extend(grant(&mut self.standing, &self.ladder, Some(granted), self.now));
    }

    /// Another ladder starts now.
    fn gets(&mut self, ladder: Ladder, mapping: &TierMapping) -> Option<Step> {
        self.catch_up(self.now);
        let before = std::mem::replace(&mut self.ladder, ladder);
        let new = NewLadder { before: Some(&before), after: Some(&self.ladder), mapping };
        let seen = self.seen();
        let step = start_version(&mut self.standing, new, self.zone, seen, self.now);
        self.steps.extend(step);
        self.catch_up(self.now);
        step
    }
}
