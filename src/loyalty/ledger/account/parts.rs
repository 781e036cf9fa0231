//! What an account consists of.

use chrono::NaiveDate;

use crate::kernel::clock::Instant;
use crate::kernel::id::MemberId;
use crate::loyalty::ledger::entry::{Entry, Move};
use crate::loyalty::ledger::figures::Figures;
use crate::loyalty::ledger::lot::{Branch, LotExpiry};

/// Whether a member takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Takes part.
    Active,
    /// Earns and spends nothing until reinstated.
    Suspended,
}

/// One wallet of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WalletState {
    /// Its figures.
    pub figures: Figures,
    /// The last day on which its lots that end by inactivity can be used.
    pub expires_on: Option<NaiveDate>,
}

/// Where an account went on that was merged into another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alias {
    /// In whose account.
    pub into: MemberId,
    /// Where its lots have their names there.
    pub branch: Branch,
}

/// The entries of a posting in the making.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// The entries so far.
    pub entries: Vec<Entry>,
    /// What they did to lots.
    pub moves: Vec<Move>,
    /// How many lots it has opened.
    pub(in crate::loyalty::ledger) opened: i64,
}

/// When the points of an award can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LotDates {
    /// From when, if later than the award.
    pub available_at: Option<Instant>,
    /// Until when.
    pub expiry: LotExpiry,
}
