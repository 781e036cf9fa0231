//! What a member has had of rules with a cap, by calendar period.

use chrono::{Datelike, Days, Duration, NaiveDate};

use crate::kernel::clock::{Instant, earlier};
use crate::kernel::cycle::{CYCLES, Cycle};
use crate::kernel::points::Points;
use crate::loyalty::ledger::account::Account;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::tier::STANDING_KEPT_D;
use crate::loyalty::program::model::{Cap, CountedSlot};
use crate::loyalty::tiers::standing::prune;

/// For how many days after its end a period is remembered: as long as late orders are taken.
pub const USAGE_KEPT_D: u64 = 732;

/// What was had of one rule in one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Used {
    /// What stands for the rule.
    pub slot: CountedSlot,
    /// Which kind of period,
    pub cycle: Cycle,
    /// and its first day.
    pub first: NaiveDate,
    /// How much.
    pub points: Points,
}

impl Account {
    /// What is left of a cap on a business day.
    pub fn room(&self, cap: &Cap, day: NaiveDate) -> Points {
        cap.points.minus_or_zero(self.used(cap, day))
    }

    /// What was had under a cap in the period of a business day.
    pub fn used(&self, cap: &Cap, day: NaiveDate) -> Points {
        self.usage.iter().find(|used| is_of(used, cap, day)).map_or(Points::ZERO, |used| used.points)
    }

    /// Notes what was had under a cap on a business day.
    ///
    /// # Errors
    /// When that is more in all than can be counted.
    pub fn use_up(&mut self, cap: &Cap, day: NaiveDate, points: Points) -> Result<(), LedgerRefusal> {
        if points.is_zero() {
            return Ok(());
        }
        let new = Used { slot: cap.slot, cycle: cap.cycle, first: cap.cycle.first(day), points: Points::ZERO };
        let place = self.usage.partition_point(|there| *there < new);
        if !self.usage.get(place).is_some_and(|there| is_of(there, cap, day)) {
            self.usage.insert(place, new);
        }
        let there = self.usage.get_mut(place).ok_or(LedgerRefusal::TooManyPoints)?;
        there.points = there.points.plus(points).ok_or(LedgerRefusal::TooManyPoints)?;
        Ok(())
    }

    /// Gives back what was had under a cap on a business day, as far as that is remembered.
    pub fn give_room(&mut self, cap: &Cap, day: NaiveDate, points: Points) {
        for used in self.usage.iter_mut().filter(|used| is_of(used, cap, day)) {
            used.points = used.points.minus_or_zero(points);
        }
        self.usage.retain(|used| !used.points.is_zero());
    }

    /// Takes over what an account has had that is merged into this one: together it may be more than a cap.
    ///
    /// # Errors
    /// When that is more in all than can be counted.
    pub fn take_usage(&mut self, source: &mut Self) -> Result<(), LedgerRefusal> {
        for used in source.usage.drain(..) {
            let cap = Cap { slot: used.slot, points: Points::ZERO, cycle: used.cycle };
            self.use_up(&cap, used.first, used.points)?;
        }
        Ok(())
    }

    fn forget_usage(&mut self, today: NaiveDate) {
        let since = today.checked_sub_days(Days::new(USAGE_KEPT_D)).unwrap_or(NaiveDate::MIN);
        self.usage.retain(|used| used.cycle.last(used.first) >= since);
    }

    /// Forgets what no order can ask for any more, as of an instant.
    pub(in crate::loyalty::ledger) fn forget_long_past(&mut self, now: Instant) {
        self.forget_usage(now.date_naive());
        prune(&mut self.standing, earlier(now, Duration::days(STANDING_KEPT_D)));
    }
}

fn is_of(used: &Used, cap: &Cap, day: NaiveDate) -> bool {
    (used.slot, used.cycle, used.first) == (cap.slot, cap.cycle, cap.cycle.first(day))
}

/// How many bits the number of a day has.
const DAY_BITS: u32 = 36;
/// How many bits it has with the kind of period above it.
const PERIOD_BITS: u32 = 40;

/// The stored numbers: for each period its name and the points.
pub fn usage_numbers(usage: &[Used]) -> Vec<i64> {
    let name = |used: &Used| {
        let day = if used.cycle == Cycle::Ever { 0 } else { used.first.num_days_from_ce().max(0) };
        i64::from(used.slot.0) << PERIOD_BITS | used.cycle.number() << DAY_BITS | i64::from(day)
    };
    usage.iter().flat_map(|used| [name(used), used.points.get()]).collect()
}

/// The usage of stored numbers; none where somebody changed them by hand.
pub fn usage_of(numbers: &[i64]) -> Option<Vec<Used>> {
    let (rows, rest) = numbers.as_chunks::<2>();
    let usage = rows.iter().map(|[name, points]| {
        let number = name >> DAY_BITS & 0xF;
        let cycle = CYCLES.iter().find(|(_, n, _)| *n == number).map_or(Cycle::Ever, |(cycle, ..)| *cycle);
        let day = name & 0xF_FFFF_FFFF;
        let day = NaiveDate::from_num_days_from_ce_opt(i32::try_from(day).ok()?)?;
        let used = Used {
            slot: CountedSlot(i32::try_from(name >> PERIOD_BITS).ok()?),
            cycle,
            first: cycle.first(day),
            points: Points::try_from(*points).ok()?,
        };
        (cycle.number() == number).then_some(used)
    });
    let usage: Vec<Used> = usage.collect::<Option<_>>()?;
    (rest.is_empty() && usage.is_sorted()).then_some(usage)
}
