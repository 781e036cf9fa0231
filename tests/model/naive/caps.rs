//! What members had of what is limited by member: a plain list, summed up whenever somebody asks.

use std::collections::BTreeMap;

use chrono::Days;

use crate::facts::{Day, Used};
use crate::naive::calendar::Period;
use crate::naive::wallets::Member;
use crate::spec::{EACH, Each, Spec};

/// For how many days after its end a period is remembered.
const REMEMBERED_D: u64 = 732;

/// What was had, or, below zero, given back.
#[derive(Clone, Debug)]
pub struct Had {
    /// Points of a rule by its code, or how often it awarded.
    pub name: String,
    pub each: Each,
    /// In which of them the order was.
    pub period: Period,
    pub n: i64,
}

impl Member {
    /// What of something in a period is remembered.
    pub fn had(&self, name: &str, each: Each, period: Period) -> impl Iterator<Item = i64> {
        let there =
            self.had.iter().filter(move |had| (had.name.as_str(), had.each, had.period) == (name, each, period));
        there.filter(|had| self.remembers(had.period)).map(|had| had.n)
    }

    /// Nothing is remembered of a period that ended long before the day of the account's time, in UTC.
    pub fn remembers(&self, period: Period) -> bool {
        let today: Day = self.moved.date_naive();
        period.is_none_or(|(_, last)| last + Days::new(REMEMBERED_D) >= today)
    }

    fn sums(&self) -> BTreeMap<(&str, Each, Period), i64> {
        let mut sums = BTreeMap::new();
        for had in self.had.iter().filter(|had| self.remembers(had.period)) {
            *sums.entry((had.name.as_str(), had.each, had.period)).or_default() += had.n;
        }
        sums.retain(|_, n| *n != 0);
        sums
    }

    /// As an account shows it.
    pub fn used(&self, spec: &Spec) -> Vec<(i32, usize, Option<Day>, i64)> {
        let used = self.sums().into_iter().map(|((name, each, period), n)| {
            (spec.counted[name], EACH.iter().position(|e| e.0 == each).unwrap(), period.map(|p| p.0), n)
        });
        let mut used: Vec<_> = used.collect();
        used.sort_unstable();
        used
    }

    /// As a merge tells it.
    pub fn told_used(&self) -> Vec<Used> {
        let written = |each: Each| EACH.iter().find(|e| e.0 == each).and_then(|e| e.1).map(str::to_owned);
        let used = self.sums().into_iter().map(|((name, each, period), n)| {
            let first = period.map(|p| p.0);
            (name.to_owned(), written(each), first, n)
        });
        let mut used: Vec<Used> = used.collect();
        used.sort();
        used
    }
}
