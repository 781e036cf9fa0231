//! Time as a value: nothing below `app` asks a clock.

use chrono::{DateTime, Utc};

/// A point in time, exact to the microsecond (what Postgres keeps).
pub type Instant = DateTime<Utc>;

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
