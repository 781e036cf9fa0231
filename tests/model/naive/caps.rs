//! What members had of rules with a cap: a plain list, summed up whenever somebody asks.

use std::collections::BTreeMap;

use chrono::Days;

use crate::facts::{Day, Used};
use crate::naive::calendar::Period;
use crate::naive::wallets::Member;
use crate::spec::{EACH, Each, Spec};

/// For how many days after its end a period is remembered.
const REMEMBERED_D: u64 = 732;

/// What was had of a rule, or, below zero, given back.
#[derive(Clone, Copy, Debug)]
pub struct Had {
    pub rule: &'static str,
    pub each: Each,
    /// In which of them the order was.
    pub period: Period,
    pub points: i64,
}

impl Member {
    /// What of a rule in a period is remembered.
    pub fn had(&self, rule: &str, each: Each, period: Period) -> impl Iterator<Item = i64> {
        let there = self.had.iter().filter(move |had| (had.rule, had.each, had.period) == (rule, each, period));
        there.filter(|had| self.remembers(had.period)).map(|had| had.points)
    }

    /// Nothing is remembered of a period that ended long before the day of the account's time, in UTC.
    pub fn remembers(&self, period: Period) -> bool {
        let today: Day = self.moved.date_naive();
        period.is_none_or(|(_, last)| last + Days::new(REMEMBERED_D) >= today)
    }

    fn sums(&self) -> BTreeMap<(&'static str, Each, Period), i64> {
        let mut sums = BTreeMap::new();
        for had in self.had.iter().filter(|had| self.remembers(had.period)) {
            *sums.entry((had.rule, had.each, had.period)).or_default() += had.points;
        }
        sums.retain(|_, points| *points != 0);
        sums
    }

    /// As an account shows it.
    pub fn used(&self, spec: &Spec) -> Vec<(i32, usize, Option<Day>, i64)> {
        let used = self.sums().into_iter().map(|((rule, each, period), points)| {
            (spec.counted[rule], EACH.iter().position(|e| e.0 == each).unwrap(), period.map(|p| p.0), points)
        });
        let mut used: Vec<_> = used.collect();
        used.sort_unstable();
        used
    }

    /// As a merge tells it.
    pub fn told_used(&self) -> Vec<Used> {
        let written = |each: Each| EACH.iter().find(|e| e.0 == each).and_then(|e| e.1).map(str::to_owned);
        let used = self.sums().into_iter().map(|((rule, each, period), points)| {
            let first = period.map(|p| p.0);
            (rule.to_owned(), written(each), first, points)
        });
        let mut used: Vec<Used> = used.collect();
        used.sort();
        used
    }
}
