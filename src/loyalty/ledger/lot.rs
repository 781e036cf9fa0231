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

/// No account has more branches.
pub const BRANCHES_MAX: i32 = 1_000_000;
/// How far the names of two branches are apart: more than 4 thousand million postings have names in one.
const BRANCH_SPAN: i64 = 1 << 40;

/// Whose names an account's lots have: branch 0 is its own, the others are of accounts that were merged into it. So a lot
/// keeps its name through a merge, and what an order did to it is found by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Branch(pub i32);

impl Branch {
    /// A branch of an account that became this one's.
    pub fn plus(self, inner: Self) -> Self {
        Self(self.0.saturating_add(inner.0))
    }
}

/// A lot's name among its member's lots: the posting that opened it and its place in there, in a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LotId(pub i64);

impl LotId {
    /// The `ordinal`-th lot (0 to 255) that a posting opens.
    pub fn opened_by(seq: Seq, ordinal: i64) -> Self {
        Self(seq.0.saturating_mul(256).saturating_add(ordinal))
    }

    /// Its name where its account was merged into one in which it has this branch.
    pub fn in_branch(self, branch: Branch) -> Self {
        Self(i64::from(branch.0).saturating_mul(BRANCH_SPAN).saturating_add(self.0))
    }

    /// Whether it came with an account that was merged into this one.
    pub fn came_along(self) -> bool {
        self.0 >= BRANCH_SPAN
    }

    /// The posting that opened it; of a lot that came along, none of its member's.
    pub fn opened_in(self) -> Option<Seq> {
        (!self.came_along()).then(|| Seq(self.0.div_euclid(256)))
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
    /// With the end of a last usable day; without one, never.
    pub fn through(day: Option<NaiveDate>) -> Self {
        day.map_or(Self::Never, Self::On)
    }

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
