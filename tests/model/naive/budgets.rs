//! What all members together had of rules with a budget: never counted, summed up over all sales whenever somebody asks.

use std::collections::BTreeMap;

use chrono::Datelike;

use crate::facts::{Day, Time};
use crate::naive::Naive;
use crate::naive::awards::Row;
use crate::spec::{Each, Earn};

impl Naive<'_> {
    /// What all members together can still have of a rule on a business day: what every sale that there ever was took of
    /// it, and has kept. The bound is that of the version in force now, where that has one of the same period.
    pub fn left(&self, earn: &Earn, day: Day, now: Time) -> i64 {
        let Some((most, each)) = earn.budget else { return i64::MAX };
        let in_force = self.spec.versions[self.spec.at(now)].earns.iter().find(|e| e.code == earn.code);
        let most = in_force.and_then(|e| e.budget).filter(|budget| budget.1 == each).map_or(most, |budget| budget.0);
        let period = self.spec.calendar.period(each, day);
        let of_rule = |row: &&Row| row.earn.code == earn.code && row.earn.budget.is_some_and(|b| b.1 == each);
        let there = self.sales.values().filter(|sale| self.spec.calendar.period(each, sale.day) == period);
        (most - there.map(|sale| sale.rows.iter().filter(of_rule).map(|row| sale.keeps(row)).sum::<i64>()).sum::<i64>())
            .max(0)
    }

    /// By rule and period, what is used.
    pub fn counters(&self) -> BTreeMap<(String, String), i64> {
        let mut used = BTreeMap::new();
        for sale in self.sales.values() {
            for (row, (_, each)) in sale.rows.iter().filter_map(|row| Some((row, row.earn.budget?))) {
                *used.entry((row.earn.code.to_owned(), name(each, sale.day))).or_default() += sale.keeps(row);
            }
        }
        used.extend(self.all_uses());
        used.retain(|_, used| *used != 0);
        used
    }
}

/// What a period is called.
pub fn name(each: Each, day: Day) -> String {
    let (year, month) = (day.year(), day.month());
    match each {
        Each::Ever => "-".into(),
        Each::Day => day.to_string(),
        Each::Week => format!("{}-W{:02}", day.iso_week().year(), day.iso_week().week()),
        Each::Month => format!("{year}-{month:02}"),
        Each::Quarter => format!("{year}-Q{}", month.div_ceil(3)),
        Each::HalfYear => format!("{year}-H{}", month.div_ceil(6)),
        Each::Year => year.to_string(),
    }
}
