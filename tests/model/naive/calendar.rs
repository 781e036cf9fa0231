//! Days, found by looking: no formula that the product uses.

use std::cell::RefCell;
use std::collections::HashMap;

use chrono::{Datelike, Days, Duration, NaiveDateTime, NaiveTime};
use chrono_tz::Tz;

use crate::facts::{Day, Time};
use crate::spec::{Each, Lasts, Span, Term};

/// The first and the last day; `None`: all time.
pub type Period = Option<(Day, Day)>;

/// The local days of a zone.
pub struct Calendar {
    zone: Tz,
    firsts: RefCell<HashMap<NaiveDateTime, Time>>,
    periods: RefCell<HashMap<(Each, Day), Period>>,
    odd: RefCell<HashMap<Day, Option<Day>>>,
}

impl Calendar {
    pub fn new(zone: &str) -> Self {
        let (firsts, periods, odd) = (RefCell::default(), RefCell::default(), RefCell::default());
        Self { zone: zone.parse().unwrap(), firsts, periods, odd }
    }

    pub fn day(&self, at: Time) -> Day {
        at.with_timezone(&self.zone).date_naive()
    }

    /// The next day that has not 24 hours, if there is one within 220 days.
    pub fn next_odd(&self, today: Day) -> Option<Day> {
        let hours = |day| (self.start(tomorrow(day)) - self.start(day)).num_hours();
        let find = || today.iter_days().skip(1).take(220).find(|d| hours(*d) != 24);
        *self.odd.borrow_mut().entry(today).or_insert_with(find)
    }

    pub fn start(&self, day: Day) -> Time {
        self.first(day.and_time(NaiveTime::MIN))
    }

    /// The first quarter of an hour at which the clocks show a time, or a later one.
    pub fn first(&self, time: NaiveDateTime) -> Time {
        *self.firsts.borrow_mut().entry(time).or_insert_with(|| {
            let mut at = time.and_utc() - Duration::hours(15);
            while at.with_timezone(&self.zone).naive_local() < time {
                at += Duration::minutes(15);
            }
            at
        })
    }

    /// The calendar period of a day: all days around it that are called alike.
    pub fn period(&self, each: Each, day: Day) -> Period {
        let find = || {
            let name = name(each, day)?;
            let mut period = (day, day);
            while self::name(each, yesterday(period.0)) == Some(name) {
                period.0 = yesterday(period.0);
            }
            while self::name(each, tomorrow(period.1)) == Some(name) {
                period.1 = tomorrow(period.1);
            }
            Some(period)
        };
        *self.periods.borrow_mut().entry((each, day)).or_insert_with(find)
    }
}

/// The year and the number in it of a period.
fn name(each: Each, day: Day) -> Option<(i32, u32)> {
    match each {
        Each::Ever => None,
        Each::Day => Some((day.year(), day.ordinal())),
        Each::Week => Some((day.iso_week().year(), day.iso_week().week())),
        Each::Month => Some((day.year(), day.month())),
        Each::Quarter => Some((day.year(), day.month0() / 3)),
        Each::HalfYear => Some((day.year(), day.month0() / 6)),
        Each::Year => Some((day.year(), 1)),
    }
}

pub fn tomorrow(day: Day) -> Day {
    day.succ_opt().unwrap()
}

pub fn yesterday(day: Day) -> Day {
    day.pred_opt().unwrap()
}

/// So many months earlier, or the last day of that month where it is shorter; then so many days earlier.
pub fn earlier(day: Day, Span(months, days): Span) -> Day {
    let month = day.year() * 12 + i32::try_from(day.month0()).unwrap() - months;
    let (year, month) = (month.div_euclid(12), u32::try_from(month.rem_euclid(12)).unwrap() + 1);
    let there = (1..=day.day()).rev().find_map(|d| Day::from_ymd_opt(year, month, d)).unwrap();
    there - Duration::days(days)
}

/// So many months later, or the last day of that month where it is shorter; then so many days later.
pub fn later(day: Day, Span(months, days): Span) -> Day {
    let month = i32::try_from(day.month0()).unwrap() + months;
    let (year, month) = (day.year() + month / 12, u32::try_from(month % 12).unwrap() + 1);
    let there = (28..=day.day()).rev().find_map(|d| Day::from_ymd_opt(year, month, d));
    let there = there.unwrap_or_else(|| Day::from_ymd_opt(year, month, day.day()).unwrap());
    there + Days::new(u64::try_from(days).unwrap())
}

/// The last usable day of points of a day; `None` where a day does not say.
pub fn last_day(term: Term, day: Day) -> Option<Day> {
    let Term::Fixed(span, months) = term else { return None };
    let mut last = later(day, span);
    while months > 0 && !(tomorrow(last).day() == 1 && last.month().is_multiple_of(months)) {
        last = tomorrow(last);
    }
    Some(last)
}

/// The last day on which something of a day counts.
pub fn counts_until(lasts: Lasts, enrolled: Day, day: Day) -> Option<Day> {
    match lasts {
        Lasts::Lifetime => None,
        Lasts::Calendar => Day::from_ymd_opt(day.year(), 12, 31),
        Lasts::Rolling(span) => Some(yesterday(later(day, span))),
        Lasts::Anniversary => (0..).map(|years| later(enrolled, Span(12 * years, 0))).find(|a| *a > day).map(yesterday),
    }
}
