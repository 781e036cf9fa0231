//! A hold's story: how it was opened, and what ended it.

use serde::Deserialize;

use crate::kernel::points::Points;
use crate::loyalty::checkout::error::HoldRefusal;
use crate::loyalty::checkout::holds::receipt::{HeldReceipt, OrderHoldReceipt};
use crate::loyalty::ledger::account::Account;
use crate::loyalty::ledger::counters::Counters;
use crate::loyalty::ledger::entry::EntryKind;
use crate::loyalty::ledger::hold::{Hold, take_uses};
use crate::loyalty::ledger::lot::LotId;
use crate::loyalty::ledger::posting::{PostingKind, PostingRow, Reference};
use crate::loyalty::program::model::{Slot, Timeline};

/// The name of a hold's posting.
pub fn hold_reference(reference: &str) -> Reference {
    Reference::keyed("hold", reference)
}

/// The name of its release.
pub fn release_reference(reference: &str) -> Reference {
    Reference::keyed("hold", &format!("{reference}/release"))
}

/// A hold as its postings tell it.
pub struct HoldStory<'g> {
    /// The posting that opened it.
    pub row: &'g PostingRow,
    /// What it answered.
    pub held: HeldReceipt,
    /// Who closed it, if anybody did; a hold that ended by itself was closed by nobody.
    pub closed: Option<Closed>,
}

/// Who closed a hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closed {
    /// An order, by its reference.
    Captured(String),
    /// A release.
    Released,
}

/// What of an order says whose hold it took.
#[derive(Deserialize)]
struct TakenBy {
    reference: String,
    hold: Option<OrderHoldReceipt>,
}

impl<'g> HoldStory<'g> {
    /// Reads the postings that a hold's reference asked for; `None` where the member has no such hold.
    pub fn read(reference: &str, rows: &[&'g PostingRow]) -> Option<Self> {
        let (opened, released) = (hold_reference(reference), release_reference(reference));
        let row = rows.iter().find(|r| r.reference == opened && r.kind == PostingKind::Hold)?;
        let held = serde_json::from_str(&row.document).ok()?;
        let taken_by = |row: &&&PostingRow| -> Option<String> {
            let order: TakenBy = serde_json::from_str(&row.document).ok()?;
            // A hold that had ended and gave nothing was not used.
            let used = |hold: &OrderHoldReceipt| hold.reference == reference && (hold.open || hold.ended.captured > 0);
            order.hold.filter(used).map(|_| order.reference)
        };
        let mut orders = rows.iter().filter(|r| r.kind == PostingKind::Order);
        let closed = if rows.iter().any(|r| r.reference == released) {
            Some(Closed::Released)
        } else {
            orders.find_map(|row| taken_by(&row)).map(Closed::Captured)
        };
        Some(Self { row, held, closed })
    }

    /// The hold, while it is open. An account that was merged had none, and its numbers are not those of who goes on.
    pub fn open_in<'a>(&self, account: &'a Account) -> Option<&'a Hold> {
        let own = |hold: &&Hold| self.row.member == account.member && hold.opened_in == self.row.seq;
        account.holds.iter().find(own)
    }

    /// Gives the uses of discounts back that it keeps, if it is open; then it keeps none.
    pub fn free_uses(&self, (account, counters): (&mut Account, &mut Counters<'_>), program: &Timeline) {
        let Some(opened_in) = self.open_in(account).map(|hold| hold.opened_in) else { return };
        for held in take_uses(account, opened_in) {
            held.free(account, program).into_iter().for_each(|counter| counters.give_back(counter, 1));
        }
    }

    /// The wallet whose points it holds.
    pub fn wallet(&self) -> Slot {
        self.row.entries.iter().find(|e| e.kind == EntryKind::Hold).map_or(Slot(0), |e| e.wallet)
    }

    /// What it took from which lots.
    pub fn lots(&self) -> impl Iterator<Item = (LotId, Points)> {
        let place = self.row.entries.iter().position(|e| e.kind == EntryKind::Hold);
        place.into_iter().flat_map(|place| self.row.moves_of(place)).map(|m| (m.lot, m.points))
    }

    /// Refuses what somebody closed.
    ///
    /// # Errors
    /// It was captured or released.
    pub fn not_closed(&self) -> Result<(), HoldRefusal> {
        match &self.closed {
            None => Ok(()),
            Some(Closed::Captured(order)) => Err(HoldRefusal::Captured(order.clone())),
            Some(Closed::Released) => Err(HoldRefusal::Released),
        }
    }
}
