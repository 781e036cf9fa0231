//! Budgets, which all members draw on, in a replay that goes from member to member: one pass adds up what rules would
//! award by day, and in the next a rule awards nothing from the day on by whose end its budget would be used up.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;

use crate::kernel::grow::Grow;
use crate::kernel::id::ProgramId;
use crate::loyalty::ledger::counters::CounterKey;
use crate::loyalty::ledger::solo::Solo;
use crate::loyalty::program::model::Rulebook;

/// What rules with a budget would award without it, by their place in the document and by business day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demand(BTreeMap<(usize, NaiveDate), i64>);

impl Demand {
    /// Adds what a member's orders would be awarded.
    pub fn add(&mut self, demand: &[(usize, NaiveDate, i64)]) {
        for (rule, day, points) in demand {
            self.0.entry((*rule, *day)).or_default().grow(*points);
        }
    }

    /// Adds what another has added up.
    pub fn merge(&mut self, other: &Self) {
        for (place, points) in &other.0 {
            self.0.entry(*place).or_default().grow(*points);
        }
    }

    /// From which days on the budgets of a version are used up.
    pub fn spent(&self, book: &Rulebook, tenant: ProgramId) -> Spent {
        let mut sums: HashMap<CounterKey, i64> = HashMap::new();
        let mut spent = Spent::default();
        // Rule by rule, and day by day.
        for ((place, day), points) in &self.0 {
            let rule = book.earning.get(*place).and_then(|rule| Some((rule, rule.budget.as_ref()?)));
            let Some((rule, budget)) = rule else { continue };
            let key = CounterKey::budget(tenant, &rule.code, budget, *day);
            let sum = sums.entry(key.clone()).or_default();
            sum.grow(*points);
            if *sum > budget.points.get() {
                spent.0.entry(key).or_insert(*day);
            }
        }
        spent
    }
}

/// From which business day on a budget is used up in its period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spent(HashMap<CounterKey, NaiveDate>);

impl Spent {
    /// Tells an account what is left of the budgets for an order of a day: all or nothing.
    pub fn tell(&self, solo: &mut Solo<'_>, book: &Rulebook, tenant: ProgramId, day: NaiveDate) {
        if self.0.is_empty() {
            return;
        }
        for (rule, budget) in book.earning.iter().filter_map(|rule| Some((rule, rule.budget.as_ref()?))) {
            let key = CounterKey::budget(tenant, &rule.code, budget, day);
            let over = self.0.get(&key).is_some_and(|from| *from <= day);
            solo.count(key, if over { budget.points.get() } else { 0 });
        }
    }
}
