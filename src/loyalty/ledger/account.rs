//! One member's working state, and the only way to make an entry.
//!
//! A decision works on a clone, which replaces the account when it is accepted: a refused command leaves nothing behind.

mod parts;

use chrono::NaiveDate;

use crate::kernel::clock::Instant;
use crate::kernel::grow::Grow;
use crate::kernel::id::{MemberId, PostingId, ProgramId, Seq, Version};
use crate::kernel::points::Points;
use crate::loyalty::ledger::entry::{Entry, EntryKind, Move};
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::figures::Figures;
use crate::loyalty::ledger::hold::Hold;
use crate::loyalty::ledger::lot::{
    Branch, LOTS_OPEN_MAX, LOTS_OPEN_SOFT_MAX, LOTS_OPENED_A_POSTING_MAX, Lot, LotExpiry, LotId, spending_order,
};
use crate::loyalty::ledger::usage::Used;
use crate::loyalty::program::model::{SegmentSet, Slot};
use crate::loyalty::tiers::standing::Standing;
pub use parts::{Alias, Draft, LotDates, Status, WalletState};

/// One member's state: a fold of its postings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Whose it is.
    pub member: MemberId,
    /// In which programme.
    pub program: ProgramId,
    /// Whether the member takes part.
    pub status: Status,
    /// The last posting; 0 when there is none.
    pub seq: Seq,
    /// Account time of the last posting.
    pub moved_at: Instant,
    /// The local day of the enrolment.
    pub enrolled_on: NaiveDate,
    /// The version that decided last.
    pub decided_by: Version,
    /// Orders that are not fully returned.
    pub order_count: i32,
    /// The local day of the latest order.
    pub last_order_on: Option<NaiveDate>,
    /// The wallets, by slot.
    pub wallets: Vec<WalletState>,
    /// The open lots, in spending order.
    pub lots: Vec<Lot>,
    /// The open holds, oldest first.
    pub holds: Vec<Hold>,
    /// What was had of rules with a cap, in the order of its fields.
    pub usage: Vec<Used>,
    /// The tiers.
    pub standing: Standing,
    /// The lists that the member is in.
    pub segments: SegmentSet,
    /// Where it went on, if it was merged into another account: it is empty then, for good.
    pub alias: Option<Alias>,
    /// How many branches its lots have names in: its own, and those of all that were merged into it.
    pub branches: Branch,
    /// How many merges the longest chain of accounts has that leads to it.
    pub alias_depth: i16,
    /// What the posting in the making has done so far.
    pub draft: Draft,
}

impl Account {
    /// The account of somebody who has none yet.
    pub fn new(member: MemberId, program: ProgramId, at: Instant, enrolled_on: NaiveDate) -> Self {
        Self {
            member,
            program,
            status: Status::Active,
            seq: Seq(0),
            moved_at: at,
            enrolled_on,
            decided_by: Version(1),
            order_count: 0,
            last_order_on: None,
            wallets: Vec::new(),
            lots: Vec::new(),
            holds: Vec::new(),
            usage: Vec::new(),
            standing: Standing::default(),
            segments: SegmentSet::default(),
            alias: None,
            branches: Branch(1),
            alias_depth: 0,
            draft: Draft::default(),
        }
    }

    /// The figures of a wallet; all zero where nothing ever happened.
    pub fn figures(&self, wallet: Slot) -> Figures {
        self.wallet(wallet).figures
    }

    /// The state of a wallet.
    pub fn wallet(&self, wallet: Slot) -> WalletState {
        usize::try_from(wallet.0).ok().and_then(|i| self.wallets.get(i)).copied().unwrap_or_default()
    }

    /// The open lots of a wallet, in spending order.
    pub fn lots_of(&self, wallet: Slot) -> impl Iterator<Item = &Lot> {
        self.lots.iter().filter(move |l| l.wallet == wallet)
    }

    /// An open lot by its name.
    pub fn lot(&self, id: LotId) -> Option<&Lot> {
        self.lots.iter().find(|l| l.id == id)
    }

    /// The name that the posting in the making will have.
    pub fn next_posting(&self) -> PostingId {
        PostingId { member: self.member, seq: self.seq.next() }
    }

    /// Adds points to a wallet as a lot of their own, or, in a long account, to one that ends with them.
    ///
    /// # Errors
    /// Too many points or lots.
    pub fn earn(
        &mut self,
        kind: EntryKind,
        wallet: Slot,
        points: Points,
        dates: LotDates,
    ) -> Result<LotId, LedgerRefusal> {
        let crowded = self.lots.len() >= LOTS_OPEN_SOFT_MAX;
        let twin = if crowded { self.twin(wallet, dates) } else { None };
        self.fill(kind, wallet, points, dates, twin)
    }

    /// Adds to the one lot of a wallet that ends with these dates, opening it when it is not there:
    /// how qualifying wallets count, where nobody asks which order a point came from.
    ///
    /// # Errors
    /// Too many points or lots.
    pub fn count(&mut self, wallet: Slot, points: Points, expiry: LotExpiry) -> Result<LotId, LedgerRefusal> {
        let dates = LotDates { available_at: None, expiry };
        let twin = self.twin(wallet, dates);
        self.fill(EntryKind::Award, wallet, points, dates, twin)
    }

    /// Takes points out of a wallet, soonest-expiring lot first.
    ///
    /// # Errors
    /// Fewer points than asked for are spendable.
    pub fn spend(&mut self, kind: EntryKind, wallet: Slot, points: Points) -> Result<(), LedgerRefusal> {
        let spendable = self.figures(wallet).spendable;
        if spendable < points {
            return Err(LedgerRefusal::InsufficientPoints { asked: points, spendable });
        }
        let takes = self.soonest(wallet, points);
        self.enter(kind, wallet, &takes, None, LotExpiry::Never)
    }

    /// What taking up to so many points takes from which lots: spendable ones, soonest-expiring first.
    pub fn soonest(&self, wallet: Slot, points: Points) -> Vec<(LotId, Points)> {
        let mut rest = points;
        let mut takes = Vec::new();
        for lot in self.lots_of(wallet).filter(|l| !l.is_pending()) {
            let take = lot.remaining.min(rest);
            rest = rest.minus_or_zero(take);
            if !take.is_zero() {
                takes.push((lot.id, take));
            }
        }
        takes
    }

    /// Books one entry over lots that are there, all pending or all spendable. Empty movements book nothing.
    ///
    /// # Errors
    /// A figure or a lot would leave its range.
    pub fn enter(
        &mut self,
        kind: EntryKind,
        wallet: Slot,
        takes: &[(LotId, Points)],
        at: Option<Instant>,
        expiry: LotExpiry,
    ) -> Result<(), LedgerRefusal> {
        let mut sum = Points::ZERO;
        for (_, points) in takes {
            sum = sum.plus(*points).ok_or(LedgerRefusal::TooManyPoints)?;
        }
        if sum.is_zero() {
            // A lot that was opened for nothing is none.
            self.lots.retain(|l| !l.remaining.is_zero());
            return Ok(());
        }
        let pending = takes.first().and_then(|(id, _)| self.lot(*id)).is_some_and(Lot::is_pending);
        self.change(kind, wallet, sum, pending)?;
        let entry = self.push_entry(kind, wallet, sum, at, expiry);
        for (id, points) in takes.iter().filter(|(_, p)| !p.is_zero()) {
            self.move_lot(kind, *id, *points)?;
            self.draft.moves.push(Move { entry, lot: *id, points: *points });
        }
        self.lots.retain(|l| !l.remaining.is_zero());
        Ok(())
    }

    /// Books what the member owes from now on, or no longer; it lies in no lot.
    ///
    /// # Errors
    /// The debt would be too large.
    pub fn owe(&mut self, kind: EntryKind, wallet: Slot, points: Points) -> Result<(), LedgerRefusal> {
        if points.is_zero() {
            return Ok(());
        }
        self.change(kind, wallet, points, false)?;
        self.push_entry(kind, wallet, points, None, LotExpiry::Never);
        Ok(())
    }

    /// Repays debt out of points that came into a lot, as far as both go; what lay there before repays nothing.
    ///
    /// # Errors
    /// None in a sound account.
    pub fn repay(&mut self, wallet: Slot, lot: LotId, came_in: Points) -> Result<(), LedgerRefusal> {
        let there = self.lot(lot).filter(|l| !l.is_pending()).map_or(Points::ZERO, |l| l.remaining);
        let repaid = self.figures(wallet).debt.min(there).min(came_in);
        self.enter(EntryKind::Repay, wallet, &[(lot, repaid)], None, LotExpiry::Never)
    }

    /// Makes room for a lot that comes along with a merge, under a name of its branch; empty until it is filled.
    pub(in crate::loyalty::ledger) fn admit(&mut self, lot: Lot) {
        self.put(Lot { remaining: Points::ZERO, ..lot });
    }

    /// Opens a lot again that was spent to the end, so that points can go back to it. It can be spent at once.
    pub fn reopen(&mut self, wallet: Slot, id: LotId, expiry: LotExpiry) {
        if self.lot(id).is_none() {
            self.put(Lot { id, wallet, remaining: Points::ZERO, available_at: None, expiry });
        }
    }

    /// Opens a new, empty lot.
    ///
    /// # Errors
    /// Too many lots.
    pub fn open(&mut self, wallet: Slot, dates: LotDates) -> Result<LotId, LedgerRefusal> {
        if self.lots.len() >= LOTS_OPEN_MAX || self.draft.opened > LOTS_OPENED_A_POSTING_MAX {
            return Err(LedgerRefusal::TooManyLots);
        }
        let id = LotId::opened_by(self.seq.next(), self.draft.opened);
        self.draft.opened.grow(1);
        self.put(Lot { id, wallet, remaining: Points::ZERO, available_at: dates.available_at, expiry: dates.expiry });
        Ok(id)
    }

    /// Takes the sums that a merge's entries left in a wallet over from the account that is merged.
    ///
    /// # Errors
    /// A sum would be too large.
    pub(in crate::loyalty::ledger) fn take_sums(
        &mut self,
        source: &mut Self,
        wallet: Slot,
    ) -> Result<(), LedgerRefusal> {
        let state = self.wallet_mut(wallet).ok_or(LedgerRefusal::WalletUnknown)?;
        state.figures = state.figures.with(source.figures(wallet)).ok_or(LedgerRefusal::TooManyPoints)?;
        let left = source.wallet_mut(wallet).ok_or(LedgerRefusal::WalletUnknown)?;
        left.figures = Figures::default();
        Ok(())
    }

    /// Notes that the member earned or spent on a day: what ends by inactivity lives on to `expires_on`.
    pub fn note_activity(&mut self, wallet: Slot, expires_on: NaiveDate) {
        if let Some(state) = self.wallet_mut(wallet) {
            state.expires_on = Some(state.expires_on.map_or(expires_on, |there| there.max(expires_on)));
        }
    }

    /// Forgets the inactivity day of a wallet in which nothing is left that it would end.
    pub fn forget_activity(&mut self, wallet: Slot) {
        if let Some(state) = self.wallet_mut(wallet) {
            state.expires_on = None;
        }
    }

    /// Makes a lot spendable.
    pub(in crate::loyalty::ledger) fn ripen(&mut self, id: LotId) {
        if let Some(lot) = self.lots.iter_mut().find(|l| l.id == id) {
            lot.available_at = None;
        }
    }

    /// Ends the posting in the making: the account stands after it.
    pub(in crate::loyalty::ledger) fn close_draft(&mut self, at: Instant, decided_by: Version) -> Draft {
        self.seq = self.seq.next();
        self.moved_at = self.moved_at.max(at);
        self.forget_long_past(self.moved_at);
        self.decided_by = decided_by;
        std::mem::take(&mut self.draft)
    }

    fn fill(
        &mut self,
        kind: EntryKind,
        wallet: Slot,
        points: Points,
        dates: LotDates,
        twin: Option<LotId>,
    ) -> Result<LotId, LedgerRefusal> {
        let id = twin.map_or_else(|| self.open(wallet, dates), Ok)?;
        self.enter(kind, wallet, &[(id, points)], dates.available_at, dates.expiry)?;
        Ok(id)
    }

    fn twin(&self, wallet: Slot, dates: LotDates) -> Option<LotId> {
        let same = |l: &&Lot| l.expiry == dates.expiry && l.available_at == dates.available_at;
        self.lots_of(wallet).filter(same).last().map(|l| l.id)
    }

    fn put(&mut self, lot: Lot) {
        let place = self.lots.partition_point(|there| spending_order(there, &lot).is_lt());
        self.lots.insert(place, lot);
    }

    fn move_lot(&mut self, kind: EntryKind, id: LotId, points: Points) -> Result<(), LedgerRefusal> {
        if kind.direction() == 0 {
            return Ok(());
        }
        let lot = self.lots.iter_mut().find(|l| l.id == id).ok_or(LedgerRefusal::TooManyPoints)?;
        let after = if kind.direction() > 0 { lot.remaining.plus(points) } else { lot.remaining.minus(points) };
        lot.remaining = after.ok_or(LedgerRefusal::TooManyPoints)?;
        Ok(())
    }

    fn change(&mut self, kind: EntryKind, wallet: Slot, points: Points, pending: bool) -> Result<(), LedgerRefusal> {
        let state = self.wallet_mut(wallet).ok_or(LedgerRefusal::WalletUnknown)?;
        state.figures = state.figures.after(kind, points, pending).ok_or(LedgerRefusal::TooManyPoints)?;
        Ok(())
    }

    fn push_entry(
        &mut self,
        kind: EntryKind,
        wallet: Slot,
        points: Points,
        available_at: Option<Instant>,
        expiry: LotExpiry,
    ) -> i16 {
        let after = self.figures(wallet).spendable;
        let place = i16::try_from(self.draft.entries.len()).unwrap_or(i16::MAX);
        self.draft.entries.push(Entry { kind, wallet, points, after, available_at, expiry });
        place
    }

    fn wallet_mut(&mut self, wallet: Slot) -> Option<&mut WalletState> {
        let place = usize::try_from(wallet.0).ok()?;
        if self.wallets.len() <= place {
            self.wallets.resize(place.saturating_add(1), WalletState::default());
        }
        self.wallets.get_mut(place)
    }
}
