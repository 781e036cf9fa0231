//! For how long an order counts in a qualifying wallet, to the day.

use chrono::{Datelike, Months, NaiveDate};

use crate::loyalty::program::model::Window;

impl Window {
    /// The last day on which an order of `day` counts; `None`: it counts for ever. Of calendar years and anniversaries, the
    /// last day of the period of `day`.
    pub fn last_day(self, enrolled_on: NaiveDate, day: NaiveDate) -> Option<NaiveDate> {
        let last = match self {
            Self::Lifetime => return None,
            Self::CalendarYear => NaiveDate::from_ymd_opt(day.year(), 12, 31),
            Self::Rolling(period) => period.after(day).pred_opt(),
            Self::Anniversary => next_anniversary(enrolled_on, day).pred_opt(),
        };
        Some(last.unwrap_or(day))
    }
}

/// The first anniversary after a day; somebody who enrolled on 29 February has it on the 28th in other years.
fn next_anniversary(enrolled_on: NaiveDate, day: NaiveDate) -> NaiveDate {
    let years = day.year().saturating_sub(enrolled_on.year()).max(0).unsigned_abs();
    let anniversary = |years: u32| enrolled_on.checked_add_months(Months::new(years.saturating_mul(12)));
    let found = [years, years.saturating_add(1)].into_iter().filter_map(anniversary).find(|a| *a > day);
    found.unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::edges::cases;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn an_order_counts_to_the_last_day_of_its_window() {
        let last = |window: Window, enrolled: &str, on: &str| window.last_day(day(enrolled), day(on));
        let rolling = |text: &str| Window::Rolling(text.parse().unwrap());
        assert_eq!(last(Window::Lifetime, "2026-01-01", "2026-05-05"), None);
        assert_eq!(last(Window::CalendarYear, "2026-05-01", "2026-12-31"), Some(day("2026-12-31")));
        assert_eq!(last(rolling("P12M"), "2026-05-01", "2024-02-29"), Some(day("2025-02-27")));
        assert_eq!(last(rolling("P30D"), "2026-05-01", "2026-12-31"), Some(day("2027-01-29")));
        assert_eq!(last(Window::Anniversary, "2026-05-01", "2027-04-30"), Some(day("2027-04-30")));
        assert_eq!(last(Window::Anniversary, "2026-05-01", "2027-05-01"), Some(day("2028-04-30")));
        assert_eq!(last(Window::Anniversary, "2026-05-01", "2026-03-01"), Some(day("2026-04-30")), "before enrolment");
    }

    #[test]
    fn who_enrolled_on_29_february_has_the_28th_in_other_years() {
        let last = |on: &str| Window::Anniversary.last_day(day("2024-02-29"), day(on));
        assert_eq!(last("2024-02-29"), Some(day("2025-02-27")));
        assert_eq!(last("2025-02-27"), Some(day("2025-02-27")));
        assert_eq!(last("2025-02-28"), Some(day("2026-02-27")));
        assert_eq!(last("2027-02-28"), Some(day("2028-02-28")));
        assert_eq!(last("2028-02-28"), Some(day("2028-02-28")));
        assert_eq!(last("2028-02-29"), Some(day("2029-02-27")));
    }

    proptest! {
        #![proptest_config(cases(1_000))]

        #[test]
        fn periods_follow_each_other_without_a_gap(enrolled in 1..3_000_000_i32, on in 1..3_000_000_i32) {
            let [enrolled, on] = [enrolled, on].map(|n| NaiveDate::from_num_days_from_ce_opt(n).unwrap());
            for window in [Window::CalendarYear, Window::Anniversary] {
                let last = window.last_day(enrolled, on).unwrap();
                prop_assert!(last >= on);
                prop_assert_eq!(window.last_day(enrolled, last), Some(last));
                prop_assert!(window.last_day(enrolled, last.succ_opt().unwrap()).unwrap() > last);
            }
        }
    }
}
