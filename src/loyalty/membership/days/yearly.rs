//! Which days of the year are kept on a day, and what they are called where rules are about them.

use chrono::{Datelike, NaiveDate};

use crate::loyalty::program::model::earning::{ANNIVERSARY, BIRTHDAY};

/// The day on which somebody was born or enrolled, as far as it comes again: the month times 100 and the day.
pub type YearDay = i32;

/// The days of the year that are kept on a day: its own, and on the last of February that of leap years where there is none.
pub fn kept_on(day: NaiveDate) -> Vec<YearDay> {
    let year_day = |day: NaiveDate| {
        let (month, of_month) = (day.month().saturating_mul(100), day.day());
        YearDay::try_from(month.saturating_add(of_month)).unwrap_or_default()
    };
    let leaps = NaiveDate::from_ymd_opt(day.year(), 2, 29).is_some();
    let kept = [year_day(day)].into_iter();
    if (day.month(), day.day(), leaps) == (2, 28, false) { kept.chain([229]).collect() } else { kept.collect() }
}

/// What somebody keeps on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keeps {
    /// The birthday,
    pub birthday: bool,
    /// and the day of the enrolment, in a later year.
    pub anniversary: bool,
}

impl Keeps {
    /// What that is called where rules are about it.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let names = [(self.birthday, BIRTHDAY), (self.anniversary, ANNIVERSARY)];
        names.into_iter().filter(|(kept, _)| *kept).map(|(_, name)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_twenty_ninth_of_february_is_kept_each_year() {
        let kept = |day: &str| kept_on(day.parse().unwrap());
        assert_eq!(kept("2026-12-24"), [1_224]);
        assert_eq!(kept("2026-02-28"), [228, 229]);
        assert_eq!(kept("2028-02-28"), [228]);
        assert_eq!(kept("2028-02-29"), [229]);
        assert_eq!(kept("2100-02-28"), [228, 229]);
    }
}
