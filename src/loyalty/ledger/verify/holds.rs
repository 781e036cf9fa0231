//! Holds by other means than the engine's: what each took, what a return is owed of it, and what became of it.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::kernel::clock::Instant;
use crate::kernel::grow::Grow;
use crate::kernel::id::{PostingId, Seq};
use crate::loyalty::ledger::entry::EntryKind;
use crate::loyalty::ledger::hold::HeldUse;
use crate::loyalty::ledger::lot::{LotExpiry, LotId};
use crate::loyalty::ledger::posting::{PostingKind, PostingRow, Reference};
use crate::loyalty::ledger::verify::awarded::uses;
use crate::loyalty::ledger::verify::documents::{
    EndedDocument, HoldDocument, HoldOfOrder, ReleaseDocument, ReturnDocument, entered, parse,
};
use crate::loyalty::ledger::verify::fold::FoldedLot;
use crate::loyalty::ledger::verify::law::{Findings, Law, Place};
use crate::loyalty::ledger::verify::orders::compare;
use crate::loyalty::program::model::{Slot, Timeline};

/// An open hold as far as accounts have it: the posting that opened it, wallet, end, what is owed of it, lots, uses.
pub type PlainHold = (Seq, Slot, Instant, i64, Vec<(LotId, i64, LotExpiry)>, Vec<HeldUse>);

/// The uses of discounts that a posting put aside, and those that it gave back.
#[derive(Debug, Default)]
pub struct Uses {
    /// From now on counted,
    pub kept: Vec<HeldUse>,
    /// and no longer.
    pub freed: Vec<HeldUse>,
}

/// The open holds of a member so far, oldest first.
#[derive(Clone, Debug, Default)]
pub struct FoldedHolds(Vec<FoldedHold>);

/// The holds that a catch-up says to have given discounts back.
#[derive(Debug, Deserialize)]
struct EndedHolds {
    #[serde(default)]
    holds: Vec<EndedHold>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct EndedHold {
    held_by: PostingId,
    uses_given_back: Vec<String>,
}

#[derive(Clone, Debug)]
struct FoldedHold {
    reference: String,
    opened_in: Seq,
    wallet: Slot,
    ends_at: Instant,
    owed: i64,
    lots: Vec<(LotId, i64, LotExpiry)>,
    uses: Vec<HeldUse>,
}

impl FoldedHold {
    fn points(&self) -> i64 {
        self.lots.iter().map(|(_, points, _)| points).sum()
    }
}

impl FoldedHolds {
    /// The open holds as accounts have them.
    pub fn plain(&self) -> Vec<PlainHold> {
        self.0.iter().map(|h| (h.opened_in, h.wallet, h.ends_at, h.owed, h.lots.clone(), h.uses.clone())).collect()
    }

    /// Adds a posting, after its entries; answers what that did to uses of discounts. A document that cannot be read is
    /// found by who reads documents.
    pub fn step(
        &mut self,
        row: &PostingRow,
        lots: &BTreeMap<LotId, FoldedLot>,
        timeline: &Timeline,
        found: &mut Findings,
    ) -> Uses {
        let before: Vec<(Seq, Vec<HeldUse>)> = self.0.iter().map(|hold| (hold.opened_in, hold.uses.clone())).collect();
        self.change(row, lots, timeline, found);
        let gone = |opened: &Seq| self.0.iter().all(|hold| hold.opened_in != *opened);
        let freed = before.into_iter().filter(|(opened, _)| gone(opened)).flat_map(|(_, uses)| uses);
        let opened = self.0.iter().filter(|hold| hold.opened_in == row.seq);
        Uses { kept: opened.flat_map(|hold| hold.uses.clone()).collect(), freed: freed.collect() }
    }

    fn change(
        &mut self,
        row: &PostingRow,
        lots: &BTreeMap<LotId, FoldedLot>,
        timeline: &Timeline,
        found: &mut Findings,
    ) {
        match row.kind {
            PostingKind::Hold => self.open(row, lots, timeline, found),
            PostingKind::Release => self.release(row, found),
            PostingKind::Order => self.capture(row, found),
            PostingKind::CatchUp => {
                let over = |hold: &FoldedHold| hold.ends_at <= row.effective_at;
                let (ended, open) = std::mem::take(&mut self.0).into_iter().partition(over);
                self.0 = open;
                check_closed(row, &ended, 0, None, found);
                check_given_back(row, &ended, timeline, found);
            }
            PostingKind::Return => self.owe(row, timeline, found),
            PostingKind::Enrol
            | PostingKind::Adjust
            | PostingKind::Opening
            | PostingKind::Change
            | PostingKind::Transfer
            | PostingKind::Received
            | PostingKind::Suspend
            | PostingKind::Reinstate
            | PostingKind::GrantTier
            | PostingKind::ChangeSegment
            | PostingKind::Event
            | PostingKind::Redeem
            | PostingKind::UseVoucher
            | PostingKind::ReverseUse
            | PostingKind::CancelVoucher
            | PostingKind::Erase
            | PostingKind::MergeOut
            | PostingKind::MergeIn => {}
        }
    }

    fn open(&mut self, row: &PostingRow, lots: &BTreeMap<LotId, FoldedLot>, timeline: &Timeline, found: &mut Findings) {
        let place = Place::posting(row.member, row.seq);
        let document: HoldDocument = match parse(row) {
            Ok(document) => document,
            Err(says) => return found.add(Law::Documents, place, says),
        };
        let book = timeline.version(row.version);
        let wallet = match &document.wallet {
            Some(code) => book.wallet(code).map(|w| w.slot),
            // Of one without points that is the first.
            None => Some(Slot(0)),
        };
        let Some(wallet) = wallet else {
            return found.add(Law::Holds, place, format!("the programme has no wallet {:?}", document.wallet));
        };
        if Reference::keyed("hold", &document.reference) != row.reference {
            found.add(Law::Documents, place, format!("the document is of hold {}", document.reference));
        }
        let spendable = row.entries.last().map_or(0, |e| e.after.get());
        let pairs = [
            ("points", document.points, entered(row, &[EntryKind::Hold], wallet)),
            ("spendable", document.spendable.unwrap_or_default(), spendable),
        ];
        compare(Law::Holds, place, &pairs, found);
        let expiry = |lot: &LotId| lots.get(lot).map_or(LotExpiry::Never, |l| l.expiry);
        let day = timeline.newest().zone.day_of(row.effective_at);
        let kept = |code: &str| {
            let place = book.discounts.iter().position(|discount| discount.code == code);
            HeldUse { version: row.version, place: place.unwrap_or(book.discounts.len()), day }
        };
        let took = row.moves.iter().map(|m| (m.lot, m.points.get(), expiry(&m.lot))).collect();
        self.0.push(FoldedHold {
            reference: document.reference,
            opened_in: row.seq,
            wallet,
            ends_at: document.ends_at,
            owed: 0,
            lots: took,
            uses: uses(&document.discounts).map(kept).collect(),
        });
    }

    fn release(&mut self, row: &PostingRow, found: &mut Findings) {
        let place = Place::posting(row.member, row.seq);
        let document: ReleaseDocument = match parse(row) {
            Ok(document) => document,
            Err(says) => return found.add(Law::Documents, place, says),
        };
        if Reference::keyed("hold", &format!("{}/release", document.reference)) != row.reference {
            found.add(Law::Documents, place, format!("the document is of hold {}", document.reference));
        }
        match self.close(&document.reference) {
            Some(hold) => check_closed(row, &[hold], 0, Some(&document.ended), found),
            None => found.add(Law::Holds, place, format!("hold {} was not open", document.reference)),
        }
    }

    fn capture(&mut self, row: &PostingRow, found: &mut Findings) {
        let place = Place::posting(row.member, row.seq);
        let document: HoldOfOrder = parse(row).unwrap_or_default();
        let open = document.hold.filter(|hold| hold.open);
        let Some(taken) = open else { return check_closed(row, &[], 0, None, found) };
        match self.close(&taken.reference) {
            Some(hold) => check_closed(row, &[hold], taken.ended.captured, Some(&taken.ended), found),
            None => found.add(Law::Holds, place, format!("hold {} was not open", taken.reference)),
        }
    }

    fn close(&mut self, reference: &str) -> Option<FoldedHold> {
        let place = self.0.iter().position(|hold| hold.reference == reference)?;
        Some(self.0.remove(place))
    }

    /// A return is owed what holds hold, the oldest first.
    fn owe(&mut self, row: &PostingRow, timeline: &Timeline, found: &mut Findings) {
        let document: Option<ReturnDocument> = parse(row).ok();
        for back in document.iter().flat_map(|d| &d.clawed_back).filter(|back| back.held != 0) {
            let wallet = timeline.version(row.version).wallet(&back.wallet).map(|w| w.slot);
            let mut rest = back.held;
            for hold in self.0.iter_mut().filter(|h| Some(h.wallet) == wallet) {
                let gives = hold.points().saturating_sub(hold.owed).min(rest);
                hold.owed.grow(gives);
                rest.shrink(gives);
            }
            if rest != 0 {
                let says = format!("{} are owed by holds, which hold {rest} less", back.held);
                found.add(Law::Holds, Place::posting(row.member, row.seq), says);
            }
        }
    }
}

/// A catch-up says of each hold that kept discounts which came back.
fn check_given_back(row: &PostingRow, ended: &[FoldedHold], timeline: &Timeline, found: &mut Findings) {
    let codes =
        |hold: &FoldedHold| hold.uses.iter().filter_map(|held| held.code(timeline)).map(str::to_owned).collect();
    let kept = ended.iter().filter(|hold| !hold.uses.is_empty());
    let member = row.member;
    let kept: Vec<EndedHold> = kept
        .map(|hold| EndedHold { held_by: PostingId { member, seq: hold.opened_in }, uses_given_back: codes(hold) })
        .collect();
    let says = parse::<EndedHolds>(row).map(|document| document.holds).unwrap_or_default();
    if says != kept {
        found.add(Law::Holds, Place::posting(member, row.seq), format!("{kept:?} ended, and it says {says:?}"));
    }
}

/// What closed holds held was captured, first what was taken first, or went back to its lots; of that a return got what it
/// was owed.
fn check_closed(
    row: &PostingRow,
    holds: &[FoldedHold],
    captured: i64,
    says: Option<&EndedDocument>,
    found: &mut Findings,
) {
    let place = Place::posting(row.member, row.seq);
    let (mut paid, mut back): (BTreeMap<LotId, i64>, BTreeMap<LotId, i64>) = (BTreeMap::new(), BTreeMap::new());
    let (mut rest, mut taken, mut waived) = (captured, 0_i64, 0_i64);
    for hold in holds {
        for (lot, points, _) in &hold.lots {
            let pays = rest.min(*points);
            rest.shrink(pays);
            paid.entry(*lot).or_default().grow(pays);
            back.entry(*lot).or_default().grow(points.saturating_sub(pays));
        }
        let released = hold.points().saturating_sub(captured);
        taken.grow(hold.owed.min(released));
        waived.grow(hold.owed.saturating_sub(released).max(0));
    }
    for (kind, wanted) in [(EntryKind::Capture, &paid), (EntryKind::Release, &back)] {
        let mut moved = moved(row, kind);
        for (lot, points) in wanted {
            let is = moved.remove(lot).unwrap_or(0);
            compare(Law::Holds, place, &[(kind.name(), is, *points)], found);
        }
        for (lot, points) in moved {
            found.add(Law::Holds, place, format!("{} of {points} of lot {}, which no hold held", kind.name(), lot.0));
        }
    }
    let released: i64 = back.values().sum();
    let over = moved(row, EntryKind::Expire).into_iter().filter(|(lot, _)| back.contains_key(lot));
    let expired: i64 = over.map(|(_, points)| points).sum();
    let clawed: i64 = moved(row, EntryKind::ClawBack).values().sum();
    compare(Law::Holds, place, &[("taken for a return", clawed, taken)], found);
    if let Some(says) = says {
        let pairs = [
            ("captured", says.captured, captured),
            ("released", says.released, released),
            ("taken", says.taken, taken),
            ("expired", says.expired, expired),
            ("waived", says.waived, waived),
        ];
        compare(Law::Holds, place, &pairs, found);
    }
}

fn moved(row: &PostingRow, kind: EntryKind) -> BTreeMap<LotId, i64> {
    let mut moved: BTreeMap<LotId, i64> = BTreeMap::new();
    for (place, _) in row.entries.iter().enumerate().filter(|(_, e)| e.kind == kind) {
        for step in row.moves_of(place) {
            moved.entry(step.lot).or_default().grow(step.points.get());
        }
    }
    moved
}
