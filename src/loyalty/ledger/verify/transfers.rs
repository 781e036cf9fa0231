//! Points that went from one member to another: what left arrived, and nothing else did.

use std::collections::BTreeMap;

use crate::loyalty::ledger::entry::EntryKind;
use crate::loyalty::ledger::posting::{PostingKind, PostingRow};
use crate::loyalty::ledger::verify::documents::{ReceivedDocument, TransferDocument, entered, parse};
use crate::loyalty::ledger::verify::law::{Findings, Law, Place};
use crate::loyalty::ledger::verify::orders::compare;
use crate::loyalty::program::model::{Slot, Timeline};

/// The reference of the other side of a transfer or merge; `None` of any other posting.
pub fn other_side(row: &PostingRow) -> Option<String> {
    match row.kind {
        PostingKind::Transfer | PostingKind::MergeOut => Some(row.reference.other_side().as_str().to_owned()),
        PostingKind::Received | PostingKind::MergeIn => row.reference.as_str().strip_suffix("/in").map(str::to_owned),
        _ => None,
    }
}

/// Checks a posting of a transfer against the one of the other side.
pub fn check_transfer(row: &PostingRow, other: Option<&PostingRow>, timeline: &Timeline, found: &mut Findings) {
    let place = Place::posting(row.member, row.seq);
    if let Err(says) = check(row, other, timeline, place, found) {
        found.add(Law::Transfers, place, says);
    }
}

fn check(
    row: &PostingRow,
    other: Option<&PostingRow>,
    timeline: &Timeline,
    place: Place,
    found: &mut Findings,
) -> Result<(), String> {
    let other = other.ok_or("it has no other side")?;
    let (out, came) = if row.kind == PostingKind::Transfer { (row, other) } else { (other, row) };
    if (out.kind, came.kind) != (PostingKind::Transfer, PostingKind::Received) || out.member == came.member {
        return Err("its other side is none".into());
    }
    let (sent, received): (TransferDocument, ReceivedDocument) = (parse(out)?, parse(came)?);
    if (sent.member, sent.to) != (out.member.0, came.member.0)
        || (received.member, received.from) != (came.member.0, out.member.0)
    {
        return Err("the documents name other members".into());
    }
    let wallet = timeline.version(row.version).wallet(&sent.wallet);
    let slot = wallet.ok_or_else(|| format!("the programme has no wallet {}", sent.wallet))?.slot;
    let spendable = |row: &PostingRow| row.entries.last().map_or(0, |e| e.after.get());
    let pairs = [
        ("points", sent.points, entered(out, &[EntryKind::TransferOut], slot)),
        ("points received", received.points, entered(came, &[EntryKind::TransferIn], slot)),
        ("what left and what came", sent.points, received.points),
        ("spendable", sent.spendable, spendable(out)),
        ("spendable after it came", received.spendable, spendable(came)),
    ];
    compare(Law::Transfers, place, &pairs, found);
    if sent.wallet != received.wallet || arrived(came, slot) != came.entries.len() {
        return Err("something else arrived".into());
    }
    Ok(())
}

/// The entries that brought points to a wallet, one for each end.
fn arrived(came: &PostingRow, slot: Slot) -> usize {
    let of_wallet = came.entries.iter().filter(|e| e.kind == EntryKind::TransferIn && e.wallet == slot);
    let by_end: BTreeMap<_, _> = of_wallet.map(|e| (e.expiry, e.points)).collect();
    by_end.len()
}
