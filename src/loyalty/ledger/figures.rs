//! The figures of one wallet: what the member sees, and the sums that must explain it.

use crate::kernel::points::{Points, PointsRange};
use crate::loyalty::ledger::entry::EntryKind;

/// How many figures a wallet has in storage.
pub const FIGURES_A_WALLET: usize = 8;

/// The figures of one wallet. At any time spendable + held + pending - debt = earned - reversed - spent - expired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Can be spent now; of a qualifying wallet: its figure.
    pub spendable: Points,
    /// Reserved by open holds.
    pub held: Points,
    /// Waits for its day.
    pub pending: Points,
    /// Owed by the member.
    pub debt: Points,
    /// Ever came in, from other members too.
    pub earned: Points,
    /// Ever was taken back, corrected away or given to other members.
    pub reversed: Points,
    /// Ever was paid, less what came back.
    pub spent: Points,
    /// Ever was over unused.
    pub expired: Points,
}

impl Figures {
    /// The figures in stored order.
    pub fn to_stored(self) -> [i64; FIGURES_A_WALLET] {
        [self.spendable, self.held, self.pending, self.debt, self.earned, self.reversed, self.spent, self.expired]
            .map(Points::get)
    }

    /// The figures of a stored row.
    ///
    /// # Errors
    /// When a number is negative or too large.
    pub fn from_stored(stored: [i64; FIGURES_A_WALLET]) -> Result<Self, PointsRange> {
        let [spendable, held, pending, debt, earned, reversed, spent, expired] = stored.map(Points::try_from);
        Ok(Self {
            spendable: spendable?,
            held: held?,
            pending: pending?,
            debt: debt?,
            earned: earned?,
            reversed: reversed?,
            spent: spent?,
            expired: expired?,
        })
    }

    /// The figures after an entry; `pending` says whether the lots it moves wait for their day.
    /// `None` when one would leave its range.
    pub fn after(self, kind: EntryKind, points: Points, pending: bool) -> Option<Self> {
        let mut f = self;
        match kind {
            EntryKind::Award
            | EntryKind::AdjustUp
            | EntryKind::Opening
            | EntryKind::TransferIn
            | EntryKind::MergeIn => {
                f.earned = f.earned.plus(points)?;
                f.fill(points, pending)?;
            }
            EntryKind::Available => {
                f.pending = f.pending.minus(points)?;
                f.spendable = f.spendable.plus(points)?;
            }
            EntryKind::Spend => {
                f.spendable = f.spendable.minus(points)?;
                f.spent = f.spent.plus(points)?;
            }
            EntryKind::Hold => {
                f.spendable = f.spendable.minus(points)?;
                f.held = f.held.plus(points)?;
            }
            EntryKind::Release => {
                f.held = f.held.minus(points)?;
                f.spendable = f.spendable.plus(points)?;
            }
            EntryKind::Capture => {
                f.held = f.held.minus(points)?;
                f.spent = f.spent.plus(points)?;
            }
            EntryKind::Restore => {
                f.spendable = f.spendable.plus(points)?;
                f.spent = f.spent.minus(points)?;
            }
            EntryKind::ClawBack | EntryKind::AdjustDown | EntryKind::TransferOut => {
                f.reversed = f.reversed.plus(points)?;
                f.drain(points, pending)?;
            }
            EntryKind::MergeOut => {
                f.earned = f.earned.minus(points)?;
                f.drain(points, pending)?;
            }
            EntryKind::Owe | EntryKind::DebtIn => {
                f.reversed = f.reversed.plus(points)?;
                f.debt = f.debt.plus(points)?;
            }
            EntryKind::DebtOut => {
                f.reversed = f.reversed.minus(points)?;
                f.debt = f.debt.minus(points)?;
            }
            EntryKind::Repay => {
                f.spendable = f.spendable.minus(points)?;
                f.debt = f.debt.minus(points)?;
            }
            EntryKind::Expire => {
                f.expired = f.expired.plus(points)?;
                f.drain(points, pending)?;
            }
        }
        Some(f)
    }

    /// With what another account had in all its life; `None` when a figure would leave its range.
    pub fn with(self, other: Self) -> Option<Self> {
        let mut sums = self.to_stored();
        for (sum, more) in sums.iter_mut().zip(other.to_stored()) {
            *sum = sum.checked_add(more)?;
        }
        Self::from_stored(sums).ok()
    }

    /// Whether the sums explain what is there.
    pub fn add_up(&self) -> bool {
        let sum = |figures: &[Points]| figures.iter().map(|points| points.get()).sum::<i64>();
        let there_and_gone = [self.spendable, self.held, self.pending, self.reversed, self.spent, self.expired];
        sum(&there_and_gone) == sum(&[self.earned, self.debt])
    }

    fn fill(&mut self, points: Points, pending: bool) -> Option<()> {
        let figure = if pending { &mut self.pending } else { &mut self.spendable };
        *figure = figure.plus(points)?;
        Some(())
    }

    fn drain(&mut self, points: Points, pending: bool) -> Option<()> {
        let figure = if pending { &mut self.pending } else { &mut self.spendable };
        *figure = figure.minus(points)?;
        Some(())
    }
}
