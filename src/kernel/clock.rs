//! Time as a value: nothing below `app` asks a clock.

use chrono::{DateTime, Duration, Utc};

/// A point in time, exact to the microsecond (what Postgres keeps).
pub type Instant = DateTime<Utc>;

/// The instant a while after another; at most the last that can be counted.
pub fn later(at: Instant, by: Duration) -> Instant {
    at.checked_add_signed(by).unwrap_or(Instant::MAX_UTC)
}

/// The instant a while before another; at least the first that can be counted.
pub fn earlier(at: Instant, by: Duration) -> Instant {
    at.checked_sub_signed(by).unwrap_or(Instant::MIN_UTC)
}

/// When something is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Account time: Postgres's clock, or the business time of an import.
    pub at: Instant,
    /// When it is written down: always Postgres's clock.
    pub recorded: Instant,
}

impl Moment {
    /// A moment of live work: both times are one.
    pub fn live(at: Instant) -> Self {
        Self { at, recorded: at }
    }
}
