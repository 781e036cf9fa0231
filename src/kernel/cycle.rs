//! Calendar periods that follow each other without a gap, as caps and budgets count by: days, ISO weeks, months, quarters,
//! half years, years, and all time.

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};

/// A row of calendar periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cycle {
    /// All time.
    Ever,
    /// Days.
    Day,
    /// Weeks of ISO 8601, from Monday.
    Week,
    /// Months.
    Month,
    /// Quarters, from January, April, July and October.
    Quarter,
    /// Half years, from January and July.
    HalfYear,
    /// Years.
    Year,
}

/// The text names no such period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a calendar period is one of P1D, P1W, P1M, P3M, P6M and P1Y")]
pub struct NotACycle;

/// Every cycle but all time, with its stored number and how documents write it.
pub const CYCLES: [(Cycle, i64, &str); 6] = [
    (Cycle::Day, 1, "P1D"),
    (Cycle::Week, 2, "P1W"),
    (Cycle::Month, 3, "P1M"),
    (Cycle::Quarter, 4, "P3M"),
    (Cycle::HalfYear, 5, "P6M"),
    (Cycle::Year, 6, "P1Y"),
];

impl Cycle {
    /// The cycle that a document writes; absent: all time.
    ///
    /// # Errors
    /// Any other period.
    pub fn read(text: Option<&str>) -> Result<Self, NotACycle> {
        let text = match text {
            None => return Ok(Self::Ever),
            Some("P12M") => "P1Y",
            Some("P7D") => "P1W",
            Some(text) => text,
        };
        CYCLES.iter().find(|(.., written)| *written == text).map(|(cycle, ..)| *cycle).ok_or(NotACycle)
    }

    /// How documents write it; all time is not written.
    pub fn written(self) -> Option<&'static str> {
        CYCLES.iter().find(|(cycle, ..)| *cycle == self).map(|(.., written)| *written)
    }

    /// The stored number, 0 to 6.
    pub fn number(self) -> i64 {
        CYCLES.iter().find(|(cycle, ..)| *cycle == self).map_or(0, |(_, number, _)| *number)
    }

    /// The first day of the period of `day`; of all time, the first day that there is.
    pub fn first(self, day: NaiveDate) -> NaiveDate {
        let month_of = |months: u32| {
            let month = day.month0().checked_div(months)?.checked_mul(months)?;
            day.with_day(1)?.with_month0(month)
        };
        let first = match self {
            Self::Ever => None,
            Self::Day => Some(day),
            Self::Week => Some(day.week(Weekday::Mon).checked_first_day().unwrap_or(NaiveDate::MIN)),
            Self::Month => month_of(1),
            Self::Quarter => month_of(3),
            Self::HalfYear => month_of(6),
            Self::Year => month_of(12),
        };
        first.unwrap_or(NaiveDate::MIN)
    }

    /// The last day of the period of `day`; of all time, the last day that there is.
    pub fn last(self, day: NaiveDate) -> NaiveDate {
        let first = self.first(day);
        let next = match self {
            Self::Ever => None,
            Self::Day => first.checked_add_days(Days::new(1)),
            Self::Week => first.checked_add_days(Days::new(7)),
            Self::Month => first.checked_add_months(Months::new(1)),
            Self::Quarter => first.checked_add_months(Months::new(3)),
            Self::HalfYear => first.checked_add_months(Months::new(6)),
            Self::Year => first.checked_add_months(Months::new(12)),
        };
        next.and_then(|next| next.pred_opt()).unwrap_or(NaiveDate::MAX)
    }

    /// What the period of `day` is called: `2026-12-03`, `2026-W49`, `2026-12`, `2026-Q4`, `2026-H2`, `2026`; all time: `-`.
    pub fn name(self, day: NaiveDate) -> String {
        let year = day.year();
        match self {
            Self::Ever => "-".into(),
            Self::Day => day.to_string(),
            Self::Week => format!("{}-W{:02}", day.iso_week().year(), day.iso_week().week()),
            Self::Month => format!("{year}-{:02}", day.month()),
            Self::Quarter => format!("{year}-Q{}", day.month().div_ceil(3)),
            Self::HalfYear => format!("{year}-H{}", day.month().div_ceil(6)),
            Self::Year => year.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    const ALL: [Cycle; 7] =
        [Cycle::Ever, Cycle::Day, Cycle::Week, Cycle::Month, Cycle::Quarter, Cycle::HalfYear, Cycle::Year];

    #[test]
    fn periods_have_first_and_last_days_and_names() {
        let of = |cycle: Cycle, on: &str| {
            let on = day(on);
            format!("{} {} {}", cycle.first(on), cycle.last(on), cycle.name(on))
        };
        assert_eq!(of(Cycle::Day, "2024-02-29"), "2024-02-29 2024-02-29 2024-02-29");
        assert_eq!(of(Cycle::Week, "2027-01-01"), "2026-12-28 2027-01-03 2026-W53");
        assert_eq!(of(Cycle::Month, "2024-02-29"), "2024-02-01 2024-02-29 2024-02");
        assert_eq!(of(Cycle::Quarter, "2026-12-31"), "2026-10-01 2026-12-31 2026-Q4");
        assert_eq!(of(Cycle::HalfYear, "2026-08-31"), "2026-07-01 2026-12-31 2026-H2");
        assert_eq!(of(Cycle::Year, "2024-02-29"), "2024-01-01 2024-12-31 2024");
        assert_eq!(Cycle::Ever.name(day("2024-02-29")), "-");
    }

    #[test]
    fn documents_write_them_as_periods() {
        assert_eq!(Cycle::read(None), Ok(Cycle::Ever));
        assert_eq!(Cycle::read(Some("P12M")), Cycle::read(Some("P1Y")));
        for (cycle, number, written) in CYCLES {
            assert_eq!((Cycle::read(Some(written)), cycle.number()), (Ok(cycle), number));
        }
        assert_eq!(Cycle::read(Some("P2M")), Err(NotACycle));
    }

    proptest! {
        #[test]
        fn they_follow_each_other_without_a_gap(on in -3_000_000_i32..3_000_000, which in 0_usize..7) {
            let cycle = ALL[which];
            let on = NaiveDate::from_num_days_from_ce_opt(on).unwrap();
            let (first, last) = (cycle.first(on), cycle.last(on));
            prop_assert!(first <= on && on <= last);
            prop_assert_eq!((cycle.first(last), cycle.last(first)), (first, last));
            prop_assert_eq!(cycle.name(first), cycle.name(last));
            if let Some(next) = last.succ_opt().filter(|_| cycle != Cycle::Ever) {
                prop_assert_eq!(cycle.first(next), next);
                prop_assert_ne!(cycle.name(next), cycle.name(on));
            }
        }
    }
}
