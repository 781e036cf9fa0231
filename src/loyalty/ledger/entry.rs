//! Entries: the immutable lines of the ledger, and what each did to the lots.

use crate::kernel::clock::Instant;
use crate::kernel::points::Points;
use crate::loyalty::ledger::lot::{LotExpiry, LotId};
use crate::loyalty::program::model::Slot;

/// What an entry does. The numbers are stored: never change one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// Points were earned.
    Award,
    /// Pending points can be spent now.
    Available,
    /// Points paid.
    Spend,
    /// Points paid came back.
    Restore,
    /// Points earned were taken back.
    ClawBack,
    /// What could not be taken back is owed.
    Owe,
    /// What was owed is repaid.
    Repay,
    /// Points are over.
    Expire,
    /// A person added points.
    AdjustUp,
    /// A person took points.
    AdjustDown,
    /// Points brought along from another system.
    Opening,
    /// Points were put aside for a checkout.
    Hold,
    /// Points put aside came back.
    Release,
    /// Points put aside were paid.
    Capture,
    /// Points went to another member.
    TransferOut,
    /// Points came from another member.
    TransferIn,
    /// Points went along with an account that was merged into another.
    MergeOut,
    /// Points came along with an account that was merged into this one.
    MergeIn,
    /// What was owed went along.
    DebtOut,
    /// What was owed came along.
    DebtIn,
}

/// Every kind with its stored number and its name in the API.
pub const ENTRY_KINDS: [(EntryKind, i16, &str); 20] = [
    (EntryKind::Award, 1, "award"),
    (EntryKind::Available, 2, "available"),
    (EntryKind::Spend, 3, "spend"),
    (EntryKind::Restore, 4, "restore"),
    (EntryKind::ClawBack, 5, "claw_back"),
    (EntryKind::Owe, 6, "owe"),
    (EntryKind::Repay, 7, "repay"),
    (EntryKind::Expire, 8, "expire"),
    (EntryKind::AdjustUp, 9, "adjust_up"),
    (EntryKind::AdjustDown, 10, "adjust_down"),
    (EntryKind::Opening, 11, "opening"),
    (EntryKind::Hold, 12, "hold"),
    (EntryKind::Release, 13, "release"),
    (EntryKind::Capture, 14, "capture"),
    (EntryKind::TransferOut, 15, "transfer_out"),
    (EntryKind::TransferIn, 16, "transfer_in"),
    (EntryKind::MergeOut, 17, "merge_out"),
    (EntryKind::MergeIn, 18, "merge_in"),
    (EntryKind::DebtOut, 19, "debt_out"),
    (EntryKind::DebtIn, 20, "debt_in"),
];

impl EntryKind {
    /// The stored number.
    pub fn number(self) -> i16 {
        ENTRY_KINDS.iter().find(|(k, ..)| *k == self).map_or(0, |(_, n, _)| *n)
    }

    /// The kind of a stored number.
    pub fn of(number: i16) -> Option<Self> {
        ENTRY_KINDS.iter().find(|(_, n, _)| *n == number).map(|(k, ..)| *k)
    }

    /// The name in the API.
    pub fn name(self) -> &'static str {
        ENTRY_KINDS.iter().find(|(k, ..)| *k == self).map_or("", |(.., name)| name)
    }

    /// +1 where lots are filled, -1 where they are emptied, 0 where they only change state or are not touched.
    pub fn direction(self) -> i64 {
        match self {
            Self::Award
            | Self::Restore
            | Self::AdjustUp
            | Self::Opening
            | Self::Release
            | Self::TransferIn
            | Self::MergeIn => 1,
            Self::Spend
            | Self::ClawBack
            | Self::Repay
            | Self::Expire
            | Self::AdjustDown
            | Self::Hold
            | Self::TransferOut
            | Self::MergeOut => -1,
            Self::Available | Self::Owe | Self::Capture | Self::DebtOut | Self::DebtIn => 0,
        }
    }

    /// The sign with which people and storage see the entry.
    pub fn sign(self) -> i64 {
        match self {
            Self::Owe | Self::Capture | Self::DebtIn => -1,
            Self::Available | Self::DebtOut => 1,
            other => other.direction(),
        }
    }

    /// Points as people and storage see them.
    pub fn signed(self, points: Points) -> i64 {
        points.get().saturating_mul(self.sign())
    }

    /// Whether the entry's movements over lots sum to it (law 4): a debt has no lot.
    pub fn moves_lots(self) -> bool {
        !matches!(self, Self::Owe | Self::DebtOut | Self::DebtIn)
    }
}

/// One line: what happened to one wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it does.
    pub kind: EntryKind,
    /// To which wallet.
    pub wallet: Slot,
    /// How much; the direction is the kind's.
    pub points: Points,
    /// What could be spent after it.
    pub after: Points,
    /// Of a new lot: when it can be spent, if later. Of `available`: the instant at which it could be.
    pub available_at: Option<Instant>,
    /// Of a new lot, or of one that is over: when.
    pub expiry: LotExpiry,
}

/// What an entry did to one lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// The entry's place in its posting.
    pub entry: i16,
    /// The lot.
    pub lot: LotId,
    /// How much; the direction is the entry's.
    pub points: Points,
}
