//! Days begin and end where the law of the place says, also when it moves the clock at midnight.

use chrono::{Datelike, NaiveDate};
use proptest::prelude::*;

use crate::kernel::calendar::{Period, REACH_MOST, RoundUp, Zone};
use crate::kernel::clock::{Instant, earlier, later};
use crate::kernel::edges::{ZONES, cases, day as odd_day, instant as odd_instant};

fn zone(name: &str) -> Zone {
    name.parse().unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn period(text: &str) -> Period {
    text.parse().unwrap()
}

/// Golden case G3: pending P14D, expiry P12M rounded to the end of the month.
#[test]
fn awards_wait_and_end_on_days_of_the_programme() {
    let amsterdam = zone("Europe/Amsterdam");
    let table = [
        ("2026-01-31T22:30:00Z", "2026-01-31", "2026-02-13T23:00:00Z", "2027-01-31", "2027-01-31T23:00:00Z"),
        ("2026-01-31T23:30:00Z", "2026-02-01", "2026-02-14T23:00:00Z", "2027-02-28", "2027-02-28T23:00:00Z"),
        ("2026-03-15T12:00:00Z", "2026-03-15", "2026-03-28T23:00:00Z", "2027-03-31", "2027-03-31T22:00:00Z"),
        ("2026-10-12T12:00:00Z", "2026-10-12", "2026-10-25T23:00:00Z", "2027-10-31", "2027-10-31T23:00:00Z"),
        ("2028-02-29T12:00:00Z", "2028-02-29", "2028-03-13T23:00:00Z", "2029-02-28", "2029-02-28T23:00:00Z"),
    ];
    for (ordered, local, available, last, gone) in table {
        let ordered_on = amsterdam.day_of(at(ordered));
        let expires_on = RoundUp::EndOfMonth.of(period("P12M").after(ordered_on));
        assert_eq!((ordered_on, expires_on), (day(local), day(last)));
        assert_eq!(amsterdam.start_of(period("P14D").after(ordered_on)), at(available));
        assert_eq!(amsterdam.end_of(expires_on), at(gone));
    }
}

#[test]
fn a_day_begins_where_midnight_is_skipped() {
    let gaps = [
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"),
        ("Asia/Beirut", "2022-03-27", "2022-03-26T22:00:00Z"),
        ("Africa/Cairo", "2024-04-26", "2024-04-25T22:00:00Z"),
        // The whole day was left out: what would begin then begins with the next.
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"),
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"),
    ];
    for (name, local, begins) in gaps {
        assert_eq!(zone(name).start_of(day(local)), at(begins), "{name}");
        assert_eq!(zone(name).end_of(day(local).pred_opt().unwrap()), at(begins), "{name}");
    }
    let apia = zone("Pacific/Apia");
    assert_eq!(apia.day_of(at("2011-12-30T09:59:59Z")), day("2011-12-29"));
    assert_eq!(apia.day_of(at("2011-12-30T10:00:00Z")), day("2011-12-31"));
}

#[test]
fn a_day_begins_once_where_midnight_comes_twice() {
    let overlaps = [
        // 01:00 became 00:00: the first of two midnights.
        ("America/Havana", "2023-11-05", "2023-11-05T04:00:00Z"),
        // 24:00 became 23:00: the day before is longer, and midnight is one.
        ("Africa/Cairo", "2023-10-27", "2023-10-26T22:00:00Z"),
        ("America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00:00Z"),
        ("Asia/Beirut", "2022-10-30", "2022-10-29T22:00:00Z"),
    ];
    for (name, local, begins) in overlaps {
        assert_eq!(zone(name).start_of(day(local)), at(begins), "{name}");
        assert_eq!(zone(name).day_of(at(begins)), day(local), "{name}");
    }
}

#[test]
fn the_ends_of_time_are_days_too() {
    for name in ["UTC", "Europe/Amsterdam", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Pacific/Apia"] {
        let zone = zone(name);
        for instant in [Instant::MIN_UTC, Instant::MAX_UTC] {
            let _ = zone.day_of(instant);
        }
        for day in [NaiveDate::MIN, NaiveDate::MAX] {
            let _ = (zone.start_of(day), zone.end_of(day));
        }
        assert_eq!(zone.end_of(NaiveDate::MAX), Instant::MAX_UTC);
    }
}

#[test]
fn a_day_that_the_month_does_not_have_becomes_its_last() {
    let after = |text, from| period(text).after(day(from));
    assert_eq!(after("P1M", "2026-01-31"), day("2026-02-28"));
    assert_eq!(after("P1M", "2028-01-31"), day("2028-02-29"));
    assert_eq!(after("P1Y", "2028-02-29"), day("2029-02-28"));
    assert_eq!(after("P4Y", "2028-02-29"), day("2032-02-29"));
    // Months first, then days.
    assert_eq!(after("P1M1D", "2026-01-31"), day("2026-03-01"));
    assert_eq!((after("P2W", "2026-12-25"), after("P1D", "2028-02-28")), (day("2027-01-08"), day("2028-02-29")));
    assert_eq!(period("P100Y").after(NaiveDate::MAX), NaiveDate::MAX);
}

#[test]
fn periods_are_calendar_periods_in_order() {
    for (text, canonical) in
        [("P12M", "P12M"), ("P1Y", "P12M"), ("P1Y6M", "P18M"), ("P2W", "P14D"), ("P1M2W1D", "P1M15D")]
    {
        assert_eq!(period(text).to_string(), canonical);
        assert_eq!(period(canonical), period(text));
        assert_eq!(serde_json::from_str::<Period>(&format!("\"{text}\"")).unwrap(), period(text));
    }
    let wrong = [
        "",
        "P",
        "12M",
        "P0D",
        "P0Y0M",
        "PT1H",
        "P1",
        "P1H",
        "P-1D",
        "P+1D",
        "P1.5M",
        "P1D1M",
        "P1M1M",
        "p1m",
        "P1M ",
        " P1M",
        "P1DT",
        "P99999999999D",
        "P4294967295Y",
        "P36601D",
        "P1203M",
        "P１M",
        "P1é",
    ];
    for text in wrong {
        assert!(text.parse::<Period>().is_err(), "{text}");
    }
    assert_eq!((period("P36600D").to_string(), period("P1202M").to_string()), ("P36600D".into(), "P1202M".into()));
}

#[test]
fn ends_are_moved_to_round_days() {
    let table = [
        ("2026-02-01", "2026-02-28", "2026-03-31", "2026-12-31"),
        ("2028-02-29", "2028-02-29", "2028-03-31", "2028-12-31"),
        ("2026-06-30", "2026-06-30", "2026-06-30", "2026-12-31"),
        ("2026-12-31", "2026-12-31", "2026-12-31", "2026-12-31"),
    ];
    for (from, month, quarter, year) in table {
        let of = |round: RoundUp| round.of(day(from));
        let ends = [of(RoundUp::EndOfMonth), of(RoundUp::EndOfQuarter), of(RoundUp::EndOfYear)];
        assert_eq!(ends, [day(month), day(quarter), day(year)]);
    }
}

#[test]
fn a_zone_is_one_of_the_database() {
    assert_eq!(zone("Europe/Amsterdam").to_string(), "Europe/Amsterdam");
    for text in ["", "Amsterdam", "europe/amsterdam", "+01:00", "Mars/Base"] {
        assert!(text.parse::<Zone>().is_err(), "{text}");
    }
}

fn any_zone() -> impl Strategy<Value = Zone> {
    prop::sample::select(&chrono_tz::TZ_VARIANTS[..]).prop_map(|tz| zone(tz.name()))
}

fn any_day() -> impl Strategy<Value = NaiveDate> {
    // From 1972 on: before, some clocks went back over midnight by odd seconds, and a day came twice.
    (0..46_000_i64).prop_map(|n| day("1972-01-02") + chrono::Duration::days(n))
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn days_join_without_gap_or_overlap(zone in any_zone(), day in any_day()) {
        let (start, end) = (zone.start_of(day), zone.end_of(day));
        prop_assert!(start <= end);
        prop_assert_eq!(end, zone.start_of(day.succ_opt().unwrap()));
        let before = start - chrono::Duration::seconds(1);
        prop_assert!(zone.day_of(before) < day);
        // A day that was skipped has no instant of its own.
        prop_assert_eq!(zone.day_of(start) == day, start < end);
    }

    #[test]
    fn periods_are_written_as_they_are_read(months in 0..1_000_u32, days in 0..5_000_u32) {
        prop_assume!(months + days > 0);
        let text = format!("P{months}M{days}D");
        prop_assert_eq!(period(&text), period(&period(&text).to_string()));
    }

    #[test]
    fn no_text_panics_and_later_days_end_no_earlier(text in "P?[0-9YMWDT.é-]{0,12}", a in any_day(), b in any_day()) {
        if let Ok(period) = text.parse::<Period>() {
            prop_assert!(period.after(a) > a || a == NaiveDate::MAX);
            prop_assert!(a > b || period.after(a) <= period.after(b));
        }
        for round in [RoundUp::EndOfMonth, RoundUp::EndOfQuarter, RoundUp::EndOfYear] {
            let end = round.of(a);
            prop_assert!(end >= a && end.year() == a.year() && round.of(end) == end);
        }
    }

    #[test]
    fn the_ends_of_time_have_days_and_periods_too(
        at in odd_instant(), a in odd_day(), b in odd_day(), name in prop::sample::select(&ZONES[..]),
        period in prop::sample::select(vec!["P1D", "P1M", "P1Y6M", "P100Y", "P36600D", "P1M30D"]),
    ) {
        let (zone, period): (Zone, Period) = (zone(name), period.parse().unwrap());
        let (start, end) = (zone.start_of(a), zone.end_of(a));
        prop_assert!(start <= end, "{} to {}", start, end);
        prop_assert!(a > b || (start <= zone.start_of(b) && end <= zone.end_of(b)));
        prop_assert!(period.before(a) <= a && a <= period.after(a));
        prop_assert!(a > b || (period.after(a) <= period.after(b) && period.before(a) <= period.before(b)));
        // Two days from the ends, where every zone can count: an instant lies in its day or after an overlap of it.
        let (first, last) = (later(Instant::MIN_UTC, REACH_MOST), earlier(Instant::MAX_UTC, REACH_MOST));
        if (first..=last).contains(&at) {
            prop_assert!(zone.start_of(zone.day_of(at)) <= at);
        }
        for round in [RoundUp::EndOfMonth, RoundUp::EndOfQuarter, RoundUp::EndOfYear] {
            prop_assert!(round.of(a) >= a && round.of(a).year() == a.year());
        }
    }
}
