//! What a posting took from which lots, as stored postings tell it.

use crate::loyalty::ledger::entry::EntryKind;
use crate::loyalty::ledger::give_back::Taken;
use crate::loyalty::ledger::lot::{LotExpiry, LotId};
use crate::loyalty::ledger::posting::PostingRow;
use crate::loyalty::program::model::Slot;

/// What a posting paid out of the lots of a wallet, in the order in which it took it; `rows` are its story.
pub fn taken(row: &PostingRow, wallet: Slot, rows: &[&PostingRow]) -> Vec<Taken> {
    let paid = row.entries.iter().enumerate();
    let paid = paid.filter(|(_, e)| matches!(e.kind, EntryKind::Spend | EntryKind::Capture) && e.wallet == wallet);
    let moves = paid.flat_map(|(place, _)| row.moves_of(place));
    moves.map(|m| Taken { lot: m.lot, points: m.points, expiry: expiry_of(m.lot, rows) }).collect()
}

/// When a lot is over, as the posting says that opened it: the first that moved it.
fn expiry_of(lot: LotId, rows: &[&PostingRow]) -> LotExpiry {
    let mut rows = rows.iter();
    let entry = rows.find_map(|r| r.moves.iter().find(|m| m.lot == lot).map(|m| (r, m.entry)));
    let entry = entry.and_then(|(r, e)| usize::try_from(e).ok().and_then(|e| r.entries.get(e)));
    entry.map_or(LotExpiry::Never, |e| e.expiry)
}
