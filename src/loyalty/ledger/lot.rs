//! Lots: points that were earned together and end together.

use std::cmp::Ordering;

use chrono::NaiveDate;

use crate::kernel::clock::Instant;
use crate::kernel::id::Seq;
use crate::kernel::points::Points;
use crate::loyalty::program::model::Slot;

/// From this many open lots on, an award joins an open lot of the same wallet, expiry and availability, if there is one.
pub const LOTS_OPEN_SOFT_MAX: usize = 256;
/// No account has more open lots.
pub const LOTS_OPEN_MAX: usize = 4_096;
/// No posting opens more lots.
pub const LOTS_OPENED_A_POSTING_MAX: i64 = 255;

/// A lot's name among its member's lots: the posting that opened it and its place in there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LotId(pub i64);

impl LotId {
    /// The `ordinal`-th lot (0 to 255) that a posting opens.
    pub fn opened_by(seq: Seq, ordinal: i64) -> Self {
        Self(seq.0.saturating_mul(256).saturating_add(ordinal))
    }

    /// The posting that opened it.
    pub fn opened_in(self) -> Seq {
        Seq(self.0.div_euclid(256))
    }
}

/// When a lot is over. Sorts soonest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LotExpiry {
    /// With the end of its last usable day.
    On(NaiveDate),
    /// With the wallet's, when the member has been inactive for long enough.
    Inactive,
    /// Never.
    Never,
}

impl LotExpiry {
    /// The last usable day, where there is one.
    pub fn day(self) -> Option<NaiveDate> {
        match self {
            Self::On(day) => Some(day),
            Self::Inactive | Self::Never => None,
        }
    }
}

/// Points that were earned together, as far as they are still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lot {
    /// Its name.
    pub id: LotId,
    /// Where it lies.
    pub wallet: Slot,
    /// What is left of it, more than zero.
    pub remaining: Points,
    /// When it can be spent; `None` when it can.
    pub available_at: Option<Instant>,
    /// When it is over.
    pub expiry: LotExpiry,
}

impl Lot {
    /// Whether its points wait for their day.
    pub fn is_pending(&self) -> bool {
        self.available_at.is_some()
    }
}

/// The order in which lots are spent: soonest-expiring first, then oldest.
pub fn spending_order(a: &Lot, b: &Lot) -> Ordering {
    (a.wallet, a.expiry, a.id).cmp(&(b.wallet, b.expiry, b.id))
}
