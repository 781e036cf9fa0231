//! A member's postings folded from nothing: an account by other means than the engine's.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::kernel::calendar::Zone;
use crate::kernel::clock::Instant;
use crate::kernel::grow::Grow;
use crate::kernel::id::{MemberId, Seq};
use crate::loyalty::ledger::entry::{Entry, EntryKind, Move};
use crate::loyalty::ledger::figures::FIGURES_A_WALLET;
use crate::loyalty::ledger::lot::{LotExpiry, LotId};
use crate::loyalty::ledger::posting::{PostingKind, PostingRow};
use crate::loyalty::ledger::verify::caps::FoldedCaps;
use crate::loyalty::ledger::verify::effects::effects;
use crate::loyalty::ledger::verify::holds::{FoldedHolds, Uses};
use crate::loyalty::ledger::verify::law::{Findings, Law, Place};
use crate::loyalty::ledger::verify::merges::{FoldedMerges, branch_of};
use crate::loyalty::ledger::verify::segments::FoldedSegments;
use crate::loyalty::ledger::verify::tiers::{FoldedTiers, TierStep};
use crate::loyalty::ledger::verify::vouchers::FoldedVouchers;
use crate::loyalty::program::model::{Slot, Timeline};

/// The figures of a wallet in stored order.
const FIGURES: [&str; FIGURES_A_WALLET] =
    ["spendable", "held", "pending", "debt", "earned", "reversed", "spent", "expired"];

/// A wallet so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FoldedWallet {
    /// Its figures in stored order.
    pub figures: [i64; FIGURES_A_WALLET],
    /// The last day of what ends by inactivity.
    pub expires_on: Option<NaiveDate>,
}

/// A lot so far, open or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoldedLot {
    /// Where it lies.
    pub wallet: Slot,
    /// What is left of it.
    pub remaining: i64,
    /// When it can be spent; `None` when it can.
    pub available_at: Option<Instant>,
    /// When it is over.
    pub expiry: LotExpiry,
    /// What expired of it, in all.
    pub expired: i64,
    /// How many awards it holds: in a long account lots are shared.
    pub awards: u32,
}

/// What a member's postings make of an account so far. Memory: some 80 bytes for each lot that the member ever had.
#[derive(Clone, Debug, Default)]
pub struct Folded {
    /// The last posting.
    pub seq: Seq,
    /// The wallets by slot.
    pub wallets: BTreeMap<Slot, FoldedWallet>,
    /// Every lot that ever was.
    pub lots: BTreeMap<LotId, FoldedLot>,
    /// The open holds.
    pub holds: FoldedHolds,
    /// Account time of the last posting.
    pub moved_at: Option<Instant>,
    /// The version that decided last.
    pub decided_by: i32,
    /// Orders not fully returned.
    pub order_count: i64,
    /// The local day of the latest order.
    pub last_order_on: Option<NaiveDate>,
    /// The local day of the enrolment, as the first posting's document says.
    pub enrolled_on: Option<NaiveDate>,
    /// When the last posting that wrote the profile was recorded.
    pub profile_at: Option<Instant>,
    /// Whether the member is suspended.
    pub suspended: bool,
    /// What merges made of it.
    pub merges: FoldedMerges,
    /// What was had of rules with a cap.
    pub caps: FoldedCaps,
    /// The tiers.
    pub tiers: FoldedTiers,
    /// The lists that the member is in, by their codes.
    pub segments: FoldedSegments,
    /// The vouchers that are not to be used any more.
    pub vouchers: FoldedVouchers,
}

/// What a step of the fold works on.
struct Step<'a> {
    row: &'a PostingRow,
    timeline: &'a Timeline,
    zone: Zone,
    /// Account time of the posting.
    at: Instant,
    place: Place,
    opened: i64,
}

impl Folded {
    /// The wallet of a slot.
    pub fn wallet(&self, slot: Slot) -> FoldedWallet {
        self.wallets.get(&slot).copied().unwrap_or_default()
    }

    /// The open lots in spending order: by wallet, soonest-ending first, then oldest.
    pub fn open_lots(&self) -> Vec<(LotId, FoldedLot)> {
        let mut open: Vec<_> =
            self.lots.iter().filter(|(_, lot)| lot.remaining != 0).map(|(id, lot)| (*id, *lot)).collect();
        open.sort_by_key(|(id, lot)| (lot.wallet, lot.expiry, *id));
        open
    }

    /// Counts a posting that cannot be read.
    pub fn skip(&mut self, member: MemberId, seq: Seq, found: &mut Findings) {
        self.count_seq(member, seq, found);
    }

    /// Adds a posting; `order` is the one that a return is of, or the redemption that a voucher is of. Answers what it did to uses of discounts in holds.
    pub fn step(
        &mut self,
        row: &PostingRow,
        order: Option<&PostingRow>,
        timeline: &Timeline,
        found: &mut Findings,
    ) -> Uses {
        self.count_seq(row.member, row.seq, found);
        let zone = timeline.newest().zone;
        // An import runs at business time; live work at Postgres's clock, which never runs behind the account.
        let own = if row.imported { row.effective_at } else { row.recorded_at };
        let at = self.moved_at.map_or(own, |before| before.max(own));
        let place = Place::posting(row.member, row.seq);
        let of_tier = TierStep { row, order, timeline, at };
        self.tiers_until(&of_tier, found);
        self.change_status(row, place, found);
        self.stay_merged(row, found);
        let mut step = Step { row, timeline, zone, at, place, opened: 0 };
        for (number, entry) in row.entries.iter().enumerate() {
            let moves: Vec<&Move> = row.moves_of(number).collect();
            self.enter(&mut step, entry, &moves, found);
        }
        let uses = self.holds.step(row, &self.lots, timeline, found);
        self.merge_step(row, timeline, found);
        self.caps.step(row, (order, &uses), (timeline, at.date_naive()), found);
        self.tiers_after(&of_tier, found);
        self.segments.step(row, found);
        self.vouchers.step(row, order, timeline, found);
        self.moved_at = Some(at);
        self.decided_by = row.version.0;
        self.order_count.grow(row.orders.into());
        if row.kind == PostingKind::Order {
            self.last_order_on = self.last_order_on.max(Some(zone.day_of(row.effective_at)));
        }
        if matches!(row.kind, PostingKind::Enrol | PostingKind::Change | PostingKind::Erase) || row.seq.0 == 1 {
            self.profile_at = Some(row.recorded_at);
        }
        uses
    }

    fn change_status(&mut self, row: &PostingRow, place: Place, found: &mut Findings) {
        let (to, wrong) = match row.kind {
            PostingKind::Suspend => (true, self.suspended),
            // Of an account that was merged only the profile goes.
            PostingKind::Erase => (self.suspended || self.merges.alias.is_none(), false),
            PostingKind::Reinstate => (false, !self.suspended),
            PostingKind::Order
            | PostingKind::Adjust
            | PostingKind::Event
            | PostingKind::Hold
            | PostingKind::Redeem
            | PostingKind::Transfer
            | PostingKind::Received => (self.suspended, self.suspended && !row.entries.is_empty()),
            PostingKind::MergeOut | PostingKind::MergeIn | PostingKind::GrantTier | PostingKind::UseVoucher => {
                (self.suspended, self.suspended)
            }
            PostingKind::Enrol
            | PostingKind::Return
            | PostingKind::CatchUp
            | PostingKind::Opening
            | PostingKind::Release
            | PostingKind::Change
            | PostingKind::ReverseUse
            | PostingKind::CancelVoucher
            | PostingKind::ChangeSegment => (self.suspended, false),
        };
        if wrong {
            let status = if self.suspended { "suspended" } else { "active" };
            found.add(Law::Status, place, format!("{} of somebody who is {status}", row.kind.name()));
        }
        self.suspended = to;
    }

    fn count_seq(&mut self, member: MemberId, seq: Seq, found: &mut Findings) {
        if seq.0 != self.seq.0.saturating_add(1) {
            let says = format!("posting {} comes after {}", seq.0, self.seq.0);
            found.add(Law::Sequence, Place::posting(member, seq), says);
        }
        self.seq = seq;
    }

    fn enter(&mut self, step: &mut Step<'_>, entry: &Entry, moves: &[&Move], found: &mut Findings) {
        if entry.points.is_zero() {
            found.add(Law::Movements, step.place, format!("an entry {} of nothing", entry.kind.name()));
        }
        let sum: i64 = moves.iter().map(|m| m.points.get()).sum();
        let debt = matches!(entry.kind, EntryKind::Owe | EntryKind::DebtOut | EntryKind::DebtIn);
        let due = if debt { 0 } else { entry.points.get() };
        if sum != due {
            let says = format!("{} of {} moves {sum}", entry.kind.name(), entry.points);
            found.add(Law::Movements, step.place, says);
        }
        // One order is one activity, whatever lots it fills.
        let mut before = step.row.entries.iter().take_while(|earlier| !std::ptr::eq(*earlier, entry));
        if !before.any(|earlier| (earlier.kind, earlier.wallet) == (entry.kind, entry.wallet)) {
            self.note_activity(step, entry);
        }
        let mut states = Vec::with_capacity(moves.len());
        for step_of_lot in moves {
            states.extend(self.move_lot(step, entry, step_of_lot, found));
        }
        let pending = states.first().copied().unwrap_or(false);
        if states.iter().any(|state| *state != pending) {
            let says = format!("{} moves pending and spendable lots at once", entry.kind.name());
            found.add(Law::Movements, step.place, says);
        }
        self.apply(step, entry, pending, found);
        if entry.kind == EntryKind::Expire
            && entry.expiry == LotExpiry::Inactive
            && !matches!(step.row.kind, PostingKind::Return | PostingKind::CancelVoucher)
        {
            self.wallets.entry(entry.wallet).or_default().expires_on = None;
        }
    }

    /// Earning and spending keep alive what ends by inactivity, as the version of that business time says; a return does
    /// not.
    fn note_activity(&mut self, step: &Step<'_>, entry: &Entry) {
        let active = [EntryKind::Award, EntryKind::Spend, EntryKind::AdjustUp, EntryKind::Opening, EntryKind::Capture];
        if !active.contains(&entry.kind) {
            return;
        }
        if let Some(after) = step.timeline.inactivity(entry.wallet, step.row.effective_at) {
            let last = after.after(step.zone.day_of(step.row.effective_at));
            let wallet = self.wallets.entry(entry.wallet).or_default();
            wallet.expires_on = wallet.expires_on.max(Some(last));
        }
    }

    /// Moves one lot; answers whether it was pending before.
    fn move_lot(&mut self, step: &mut Step<'_>, entry: &Entry, part: &Move, found: &mut Findings) -> Option<bool> {
        let fills = [
            EntryKind::Award,
            EntryKind::Restore,
            EntryKind::AdjustUp,
            EntryKind::Opening,
            EntryKind::Release,
            EntryKind::TransferIn,
            EntryKind::MergeIn,
        ];
        let fills = fills.contains(&entry.kind);
        let name = entry.kind.name();
        let own = step.row.seq.0.saturating_mul(256).saturating_add(step.opened);
        // A merge brings lots along under numbers of their own; one that was empty then is filled by a return.
        let comes_along = branch_of(part.lot.0) > 0 && matches!(entry.kind, EntryKind::MergeIn | EntryKind::Restore);
        if fills && (part.lot.0 == own || comes_along) && !self.lots.contains_key(&part.lot) {
            step.opened.grow(i64::from(!comes_along));
            if entry.kind == EntryKind::Restore && branch_of(part.lot.0) >= self.merges.branches {
                found.add(Law::Lots, step.place, format!("nobody came along with lot {}", part.lot.0));
            }
            let (wallet, available_at, expiry) = (entry.wallet, entry.available_at, entry.expiry);
            self.lots.insert(part.lot, FoldedLot { wallet, remaining: 0, available_at, expiry, expired: 0, awards: 0 });
        }
        let over = self.wallet(entry.wallet).expires_on;
        let Some(lot) = self.lots.get_mut(&part.lot) else {
            found.add(Law::Lots, step.place, format!("{name} moves lot {}, which nobody opened", part.lot.0));
            return None;
        };
        let pending = lot.available_at.is_some();
        if lot.wallet != entry.wallet {
            let says = format!("{name} of wallet slot {} moves lot {} of another", entry.wallet.0, part.lot.0);
            found.add(Law::Movements, step.place, says);
        }
        if let Some(wrong) = untimely(step, entry, lot, over) {
            found.add(Law::Lots, step.place, format!("{name} of lot {}: {wrong}", part.lot.0));
        }
        let points = part.points.get();
        if entry.kind == EntryKind::Available {
            if points != lot.remaining {
                let says = format!("{points} of lot {} become available, and it has {}", part.lot.0, lot.remaining);
                found.add(Law::Lots, step.place, says);
            }
            lot.available_at = None;
        } else if fills {
            lot.remaining.grow(points);
        } else if entry.kind != EntryKind::Capture {
            lot.remaining.shrink(points);
        }
        lot.expired.grow(if entry.kind == EntryKind::Expire { points } else { 0 });
        lot.awards.grow(u32::from(entry.kind == EntryKind::Award));
        if lot.remaining < 0 {
            found.add(Law::Lots, step.place, format!("lot {} is at {}", part.lot.0, lot.remaining));
        }
        Some(pending)
    }

    fn apply(&mut self, step: &Step<'_>, entry: &Entry, pending: bool, found: &mut Findings) {
        let wallet = self.wallets.entry(entry.wallet).or_default();
        for (figure, sign) in effects(entry.kind, pending) {
            let named = FIGURES.iter().zip(wallet.figures.iter_mut()).find(|(name, _)| **name == figure);
            let Some((_, value)) = named else { continue };
            *value = value.saturating_add(entry.points.get().saturating_mul(sign));
            if *value < 0 {
                let says = format!("{figure} of wallet slot {} is at {value}", entry.wallet.0);
                found.add(Law::Figures, step.place, says);
            }
        }
        let [spendable, ..] = wallet.figures;
        if entry.after.get() != spendable {
            let says = format!("{} says {} after it, and it is {spendable}", entry.kind.name(), entry.after);
            found.add(Law::After, step.place, says);
        }
    }
}

/// What is wrong with the time at which an entry moves a lot; `over` is the wallet's inactivity day.
fn untimely(step: &Step<'_>, entry: &Entry, lot: &FoldedLot, over: Option<NaiveDate>) -> Option<&'static str> {
    let last = match lot.expiry {
        LotExpiry::On(day) => Some(day),
        LotExpiry::Inactive => over,
        LotExpiry::Never => None,
    };
    let is_over = last.is_some_and(|day| step.zone.end_of(day) <= step.at);
    match entry.kind {
        EntryKind::Spend | EntryKind::Hold | EntryKind::TransferOut if lot.available_at.is_some() => {
            Some("it was pending")
        }
        EntryKind::Spend | EntryKind::Hold | EntryKind::TransferOut if is_over => Some("it was over"),
        EntryKind::Expire if entry.expiry != lot.expiry => Some("the entry names another end"),
        EntryKind::Restore if entry.expiry != LotExpiry::Never && entry.expiry != lot.expiry => {
            Some("the entry names another end")
        }
        EntryKind::Expire if !is_over && matches!(lot.expiry, LotExpiry::On(_) | LotExpiry::Never) => {
            Some("it was not over")
        }
        EntryKind::Available if lot.available_at.is_none() => Some("it was available"),
        EntryKind::Available if lot.available_at > entry.available_at => Some("its time had not come"),
        EntryKind::Award
        | EntryKind::AdjustUp
        | EntryKind::Opening
        | EntryKind::TransferIn
        | EntryKind::MergeIn
        | EntryKind::MergeOut
            if (entry.expiry, entry.available_at) != (lot.expiry, lot.available_at) =>
        {
            Some("the entry names other dates")
        }
        EntryKind::Award
        | EntryKind::Available
        | EntryKind::Spend
        | EntryKind::Restore
        | EntryKind::ClawBack
        | EntryKind::Owe
        | EntryKind::Repay
        | EntryKind::Expire
        | EntryKind::AdjustUp
        | EntryKind::AdjustDown
        | EntryKind::Opening
        | EntryKind::Hold
        | EntryKind::Release
        | EntryKind::Capture
        | EntryKind::TransferOut
        | EntryKind::TransferIn
        | EntryKind::MergeOut
        | EntryKind::MergeIn
        | EntryKind::DebtOut
        | EntryKind::DebtIn => None,
    }
}
