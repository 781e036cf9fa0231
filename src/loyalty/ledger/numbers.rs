//! Entries, movements and holds as the arrays of numbers that their rows hold, both ways. One array is stored in half
//! the time of one a column.

use chrono::{DateTime, Datelike, NaiveDate};

use crate::kernel::clock::Instant;
use crate::kernel::id::{Seq, Version};
use crate::kernel::points::Points;
use crate::loyalty::ledger::entry::{Entry, EntryKind, Move};
use crate::loyalty::ledger::hold::{HeldLot, HeldUse, Hold};
use crate::loyalty::ledger::lot::{LotExpiry, LotId};
use crate::loyalty::ledger::posting::PostingRow;
use crate::loyalty::program::model::Slot;

/// The stored day of a lot that ends by inactivity.
const INACTIVE: NaiveDate = match NaiveDate::from_ymd_opt(9999, 12, 31) {
    Some(day) => day,
    None => NaiveDate::MAX,
};

/// Where there is no instant or day.
const NONE: i64 = i64::MAX;

/// How many numbers a stored entry has: kind, wallet's slot, points with the sign of the kind, what could be spent after
/// it, when it is available in microseconds since 1970, and its last day counted from 1 January of year 1.
const ENTRY_NUMBERS: usize = 6;

/// How many numbers a stored movement has besides its lot, which stories are searched by: the entry's place, and points
/// with the sign of the entry.
const MOVE_NUMBERS: usize = 2;

/// How many numbers a stored hold has for each lot that it took from: the posting that opened it, its wallet's slot, its
/// end in microseconds, what is owed of it, the lot, its points, and the lot's last day, counted from 1 January of year 1.
/// For each use of a discount the last three are: its version, below zero, its place in that, and the day by which it counts.
const HOLD_NUMBERS: usize = 7;

/// The stored day of a lot's end.
pub fn expiry_day(expiry: LotExpiry) -> Option<NaiveDate> {
    match expiry {
        LotExpiry::On(day) => Some(day),
        LotExpiry::Inactive => Some(INACTIVE),
        LotExpiry::Never => None,
    }
}

/// The end of a lot by its stored day.
pub fn expiry_of(stored: Option<NaiveDate>) -> LotExpiry {
    match stored {
        Some(INACTIVE) => LotExpiry::Inactive,
        Some(day) => LotExpiry::On(day),
        None => LotExpiry::Never,
    }
}

fn last_day(expiry: LotExpiry) -> i64 {
    expiry_day(expiry).map_or(NONE, |day| day.num_days_from_ce().into())
}

fn expiry_by(last_day: i64) -> Option<LotExpiry> {
    if last_day == NONE {
        return Some(LotExpiry::Never);
    }
    let day = NaiveDate::from_num_days_from_ce_opt(i32::try_from(last_day).ok()?)?;
    Some(expiry_of(Some(day)))
}

fn instant_by(micros: i64) -> Option<Option<Instant>> {
    if micros == NONE { Some(None) } else { DateTime::from_timestamp_micros(micros).map(Some) }
}

/// The stored numbers of a posting's entries.
pub fn entry_numbers(row: &PostingRow) -> impl Iterator<Item = i64> {
    row.entries.iter().flat_map(|e| -> [i64; ENTRY_NUMBERS] {
        let available_at = e.available_at.map_or(NONE, |at| at.timestamp_micros());
        let (kind, points) = (e.kind.number().into(), e.kind.signed(e.points));
        [kind, e.wallet.0.into(), points, e.after.get(), available_at, last_day(e.expiry)]
    })
}

/// How many numbers [`entry_numbers`] gives.
pub fn entry_numbers_len(row: &PostingRow) -> usize {
    row.entries.len().saturating_mul(ENTRY_NUMBERS)
}

/// The entries of stored numbers; none where somebody changed them by hand.
pub fn entries_of(numbers: &[i64]) -> Option<Vec<Entry>> {
    let (rows, rest) = numbers.as_chunks::<ENTRY_NUMBERS>();
    let entries = rows.iter().map(|[kind, wallet, points, after, available_at, last]| {
        let kind = EntryKind::of(i16::try_from(*kind).ok()?)?;
        Some(Entry {
            kind,
            wallet: Slot(i16::try_from(*wallet).ok()?),
            points: unsigned(kind, *points)?,
            after: Points::try_from(*after).ok()?,
            available_at: instant_by(*available_at)?,
            expiry: expiry_by(*last)?,
        })
    });
    if rest.is_empty() { entries.collect() } else { None }
}

/// The stored numbers of a posting's movements.
pub fn move_numbers(row: &PostingRow) -> impl Iterator<Item = i64> {
    row.moves.iter().flat_map(|m| -> [i64; MOVE_NUMBERS] {
        let entry = usize::try_from(m.entry).ok().and_then(|e| row.entries.get(e));
        [m.entry.into(), entry.map_or(m.points.get(), |e| e.kind.signed(m.points))]
    })
}

/// How many numbers [`move_numbers`] gives.
pub fn move_numbers_len(row: &PostingRow) -> usize {
    row.moves.len().saturating_mul(MOVE_NUMBERS)
}

/// The movements of stored numbers and lots that these entries made; none where somebody changed them by hand.
pub fn moves_of(numbers: &[i64], lots: &[i64], entries: &[Entry]) -> Option<Vec<Move>> {
    let (rows, rest) = numbers.as_chunks::<MOVE_NUMBERS>();
    let moves = rows.iter().zip(lots).map(|([entry, points], lot)| {
        let kind = entries.get(usize::try_from(*entry).ok()?)?.kind;
        Some(Move { entry: i16::try_from(*entry).ok()?, lot: LotId(*lot), points: unsigned(kind, *points)? })
    });
    if rest.is_empty() && rows.len() == lots.len() { moves.collect() } else { None }
}

fn unsigned(kind: EntryKind, stored: i64) -> Option<Points> {
    Points::try_from(stored.checked_mul(kind.sign())?).ok()
}

/// The stored numbers of an account's holds: a row for each lot, and, below zero, one for each use.
pub fn hold_numbers(holds: &[Hold]) -> Vec<i64> {
    let row = |hold: &Hold, [what, how_much, day]: [i64; 3]| -> [i64; HOLD_NUMBERS] {
        let (ends_at, owed) = (hold.ends_at.timestamp_micros(), hold.owed.get());
        [hold.opened_in.0, hold.wallet.0.into(), ends_at, owed, what, how_much, day]
    };
    let of_lot = |held: &HeldLot| [held.lot.0, held.points.get(), last_day(held.expiry)];
    let of_use = |held: &HeldUse| {
        let place = i64::try_from(held.place).unwrap_or(i64::MAX);
        [0_i64.saturating_sub(held.version.0.into()), place, held.day.num_days_from_ce().into()]
    };
    let rows = |hold: &Hold| -> Vec<i64> {
        let parts = hold.lots.iter().map(of_lot).chain(hold.uses.iter().map(of_use));
        parts.flat_map(|part| row(hold, part)).collect()
    };
    holds.iter().flat_map(rows).collect()
}

/// The holds of stored numbers; none where somebody changed them by hand.
pub fn holds_of(numbers: &[i64]) -> Option<Vec<Hold>> {
    let (rows, rest) = numbers.as_chunks::<HOLD_NUMBERS>();
    let mut holds: Vec<Hold> = Vec::new();
    for [opened_in, wallet, ends_at, owed, what, how_much, day] in rows {
        if holds.last().is_none_or(|hold| hold.opened_in.0 != *opened_in) {
            holds.push(Hold {
                opened_in: Seq(*opened_in),
                wallet: Slot(i16::try_from(*wallet).ok()?),
                ends_at: DateTime::from_timestamp_micros(*ends_at)?,
                owed: Points::try_from(*owed).ok()?,
                lots: Vec::new(),
                uses: Vec::new(),
            });
        }
        let hold = holds.last_mut()?;
        if *what < 0 {
            let version = Version(i32::try_from(what.checked_neg()?).ok()?);
            let day = NaiveDate::from_num_days_from_ce_opt(i32::try_from(*day).ok()?)?;
            hold.uses.push(HeldUse { version, place: usize::try_from(*how_much).ok()?, day });
        } else {
            let (points, expiry) = (Points::try_from(*how_much).ok()?, expiry_by(*day)?);
            hold.lots.push(HeldLot { lot: LotId(*what), points, expiry });
        }
    }
    rest.is_empty().then_some(holds)
}
