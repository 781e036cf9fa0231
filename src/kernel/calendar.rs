//! Days of a programme: calendar arithmetic in its time zone, daylight saving included.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, Days, Duration, LocalResult, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::clock::{Instant, earlier, later};

/// The most days a period spans.
pub const PERIOD_DAYS_MAX: u32 = 36_600;

/// Longer than any zone is from UTC, and than any gap in one.
const OFFSET_MOST: Duration = Duration::hours(26);
/// Longer than both together.
const REACH_MOST: Duration = Duration::hours(52);

/// A programme's time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone(Tz);

/// The text is no time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time zone of the IANA database")]
pub struct NotAZone;

impl Zone {
    /// UTC.
    pub const UTC: Self = Self(Tz::UTC);

    /// The local day on which an instant falls.
    pub fn day_of(self, at: Instant) -> NaiveDate {
        self.time_of(at).date()
    }

    /// What the clocks show at an instant.
    pub fn time_of(self, at: Instant) -> NaiveDateTime {
        // Local time does not exist at the ends of what can be counted.
        let (first, last) = (later(Instant::MIN_UTC, OFFSET_MOST), earlier(Instant::MAX_UTC, OFFSET_MOST));
        at.clamp(first, last).with_timezone(&self.0).naive_local()
    }

    /// The first instant of a local day, also where midnight is skipped or comes twice. Of a day that was skipped
    /// altogether: of the next.
    pub fn start_of(self, day: NaiveDate) -> Instant {
        self.first_at(day.and_time(NaiveTime::MIN))
    }

    /// The first instant at which the clocks show a time, or a later one where they skip it.
    pub fn first_at(self, time: NaiveDateTime) -> Instant {
        match self.0.from_local_datetime(&time) {
            LocalResult::Single(t) | LocalResult::Ambiguous(t, _) => t.with_timezone(&Utc),
            LocalResult::None => self.first_after_gap(time),
        }
    }

    /// The first instant after a local day: when what is valid through it is gone.
    pub fn end_of(self, day: NaiveDate) -> Instant {
        day.succ_opt().map_or(Instant::MAX_UTC, |next| self.start_of(next))
    }

    fn first_after_gap(self, time: NaiveDateTime) -> Instant {
        // A gap is at most a day (Samoa 2011) and starts on a whole second: halve until the first second after it.
        let about = Utc.from_utc_datetime(&time);
        let (mut before, mut inside) = (earlier(about, REACH_MOST), later(about, REACH_MOST));
        loop {
            let apart_s = inside.signed_duration_since(before).num_seconds();
            if apart_s <= 1 {
                return inside;
            }
            let middle = later(before, Duration::seconds(apart_s / 2));
            if self.time_of(middle) >= time { inside = middle } else { before = middle }
        }
    }
}

impl FromStr for Zone {
    type Err = NotAZone;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        name.parse().map(Self).map_err(|_| NotAZone)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

/// A calendar period of ISO 8601: `P12M`, `P14D`, `P1Y6M`, `P2W`. Longer than nothing, about [`PERIOD_DAYS_MAX`] at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Period {
    months: u32,
    days: u32,
}

/// The text is no period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a period of years, months, weeks and days such as P12M or P14D")]
pub struct NotAPeriod;

impl Period {
    /// The day that lies one period after `day`; a day that the month does not have becomes its last.
    pub fn after(self, day: NaiveDate) -> NaiveDate {
        day.checked_add_months(Months::new(self.months))
            .and_then(|d| d.checked_add_days(Days::new(self.days.into())))
            .unwrap_or(NaiveDate::MAX)
    }

    /// The day that lies one period before `day`; a day that the month does not have becomes its last.
    pub fn before(self, day: NaiveDate) -> NaiveDate {
        day.checked_sub_months(Months::new(self.months))
            .and_then(|d| d.checked_sub_days(Days::new(self.days.into())))
            .unwrap_or(NaiveDate::MIN)
    }
}

impl FromStr for Period {
    type Err = NotAPeriod;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut rest = text.strip_prefix('P').ok_or(NotAPeriod)?;
        let (mut months, mut days) = (0_u32, 0_u32);
        let mut last = 0;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or(NotAPeriod)?;
            let (number, tail) = rest.split_at_checked(digits).ok_or(NotAPeriod)?;
            let number: u32 = number.parse().map_err(|_| NotAPeriod)?;
            let unit = tail.chars().next().ok_or(NotAPeriod)?;
            let (rank, in_months, in_days) = match unit {
                'Y' => (1, 12, 0),
                'M' => (2, 1, 0),
                'W' => (3, 0, 7),
                'D' => (4, 0, 1),
                _ => return Err(NotAPeriod),
            };
            if rank <= last {
                return Err(NotAPeriod);
            }
            last = rank;
            months = number.checked_mul(in_months).and_then(|n| n.checked_add(months)).ok_or(NotAPeriod)?;
            days = number.checked_mul(in_days).and_then(|n| n.checked_add(days)).ok_or(NotAPeriod)?;
            rest = tail.get(1..).unwrap_or("");
        }
        // A month has 30.4375 days on average.
        let span = (u64::from(months).saturating_mul(487) / 16).saturating_add(days.into());
        if span == 0 || span > u64::from(PERIOD_DAYS_MAX) {
            return Err(NotAPeriod);
        }
        Ok(Self { months, days })
    }
}

impl TryFrom<String> for Period {
    type Error = NotAPeriod;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.months, self.days) {
            (0, days) => write!(f, "P{days}D"),
            (months, 0) => write!(f, "P{months}M"),
            (months, days) => write!(f, "P{months}M{days}D"),
        }
    }
}

/// To which day an expiry is moved on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoundUp {
    /// The last day of the month.
    EndOfMonth,
    /// The last day of the quarter.
    EndOfQuarter,
    /// 31 December.
    EndOfYear,
}

impl RoundUp {
    /// The last day of the month, quarter or year in which `day` lies.
    pub fn of(self, day: NaiveDate) -> NaiveDate {
        let last_month = match self {
            Self::EndOfMonth => day.month(),
            Self::EndOfQuarter => day.month().div_ceil(3).saturating_mul(3),
            Self::EndOfYear => 12,
        };
        NaiveDate::from_ymd_opt(day.year(), last_month, 1)
            .and_then(|first| first.checked_add_months(Months::new(1)))
            .and_then(|next| next.pred_opt())
            .unwrap_or(day)
    }
}

#[cfg(test)]
mod tests;
