//! The ledger's laws, by a fold of the postings alone: what is stored must be what its entries say.

use std::collections::{BTreeMap, HashMap, HashSet};

use perennial::kernel::id::MemberId;
use perennial::loyalty::ledger::account::{Account, Status};
use perennial::loyalty::ledger::entry::{ENTRY_KINDS, Entry, EntryKind};
use perennial::loyalty::ledger::lot::LotExpiry;
use perennial::loyalty::ledger::posting::{PostingKind, PostingRow};
use serde_json::Value;

use crate::coverage::Coverage;
use crate::engine::{Engine, member_id};
use crate::facts::{Answer, Said};
use crate::spec::CODES;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FoldedLot {
    wallet: i16,
    left: i64,
    pending: bool,
    expiry: LotExpiry,
}

/// spendable, pending, debt, earned, reversed, spent, expired, held.
type Sums = [i64; 8];

#[derive(Default)]
struct Fold {
    postings: usize,
    orders: i32,
    suspended: bool,
    wallets: BTreeMap<i16, Sums>,
    lots: BTreeMap<i64, FoldedLot>,
}

/// What was folded so far of every member, and what became of every award.
#[derive(Default)]
pub struct Laws {
    members: HashMap<MemberId, Fold>,
    references: HashSet<String>,
    /// By order and wallet: awarded or paid, and what of it went back.
    awards: HashMap<(String, String), (i64, i64)>,
    paid: HashMap<(String, String), (i64, i64)>,
}

impl Laws {
    pub fn check(&mut self, engine: &Engine<'_>, members: &[u32], coverage: &mut Coverage) -> Result<(), String> {
        for member in members {
            let id = member_id(*member);
            let Some(account) = engine.ledger.accounts.get(&id) else { continue };
            let none = Vec::new();
            let rows = engine.ledger.postings.get(&id).unwrap_or(&none);
            let fold = self.members.entry(id).or_default();
            for row in &rows[fold.postings..] {
                if row.kind != PostingKind::CatchUp && !self.references.insert(row.reference.to_string()) {
                    return Err(format!("law 5: {} is used twice", row.reference));
                }
                fold.add(row, coverage).map_err(|e| format!("{e} in {row:?}"))?;
            }
            fold.compare(account)?;
        }
        Ok(())
    }

    /// Law 6: what is taken back of an award, and given back of a payment, is never more than there was.
    pub fn note(&mut self, order: &str, said: &Said) -> Result<(), String> {
        match said {
            Ok(Answer::Order(facts)) => {
                // What is over sooner lies in a lot of its own.
                for (wallet, points, ..) in &facts.earned {
                    self.awards.entry((order.into(), wallet.clone())).or_default().0 += points;
                }
                for (wallet, points, _) in &facts.spent {
                    self.paid.insert((order.into(), wallet.clone()), (*points, 0));
                }
            }
            Ok(Answer::Return(facts)) => {
                for (wallet, _, [points, taken, forgiven, held, waived, owed]) in &facts.clawed {
                    if taken + forgiven + held + waived + owed != *points {
                        return Err(format!("law 6: {facts:?}"));
                    }
                    back(&mut self.awards, order, wallet, *points)?;
                }
                for (wallet, points) in &facts.restored {
                    back(&mut self.paid, order, wallet, *points)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Law 6 of an order that came back altogether, shipping and gifts too: nothing of it is left.
    pub fn all_back(&self, order: &str) -> Result<(), String> {
        let mut sums = self.awards.iter().chain(&self.paid).filter(|((o, _), _)| o == order);
        match sums.find(|(_, (there, back))| there != back) {
            Some(left) => Err(format!("law 6: of a full return stays {left:?}")),
            None => Ok(()),
        }
    }
}

fn back(
    sums: &mut HashMap<(String, String), (i64, i64)>,
    order: &str,
    wallet: &str,
    points: i64,
) -> Result<(), String> {
    let sum =
        sums.get_mut(&(order.into(), wallet.into())).ok_or_else(|| format!("law 6: nothing of {wallet} in {order}"))?;
    sum.1 += points;
    if sum.1 > sum.0 { Err(format!("law 6: {} of {} back to {wallet} for {order}", sum.1, sum.0)) } else { Ok(()) }
}

impl Fold {
    fn add(&mut self, row: &PostingRow, coverage: &mut Coverage) -> Result<(), String> {
        self.postings += 1;
        if usize::try_from(row.seq.0) != Ok(self.postings) {
            return Err(format!("law 2: not the {}th", self.postings));
        }
        self.orders += i32::from(row.orders);
        match row.kind {
            PostingKind::Suspend => self.suspended = true,
            PostingKind::Reinstate => self.suspended = false,
            PostingKind::Order | PostingKind::Adjust if self.suspended && !row.entries.is_empty() => {
                return Err("somebody who is suspended earns or spends".into());
            }
            _ => {}
        }
        for (place, entry) in row.entries.iter().enumerate() {
            coverage.entries.insert(entry.kind.number());
            self.enter(row, place, entry)?;
        }
        self.merge(row)?;
        if row.moves.iter().any(|m| usize::try_from(m.entry).is_ok_and(|e| e >= row.entries.len())) {
            return Err("a movement of no entry".into());
        }
        Ok(())
    }

    /// The sums of an account's life go over with it.
    fn merge(&mut self, row: &PostingRow) -> Result<(), String> {
        let sign = match row.kind {
            PostingKind::MergeOut => -1,
            PostingKind::MergeIn => 1,
            _ => return Ok(()),
        };
        let document: Value = serde_json::from_str(&row.document).unwrap();
        self.orders += sign * i32::try_from(document["orders"].as_i64().unwrap()).unwrap();
        for wallet in document["wallets"].as_array().unwrap() {
            let slot = CODES.iter().position(|code| wallet["wallet"] == *code).unwrap();
            let sums = self.wallets.entry(i16::try_from(slot).unwrap()).or_default();
            let ever = |sum: &str| wallet["lifetime"][sum].as_i64().unwrap();
            let moved: i64 = row
                .entries
                .iter()
                .filter(|e| usize::try_from(e.wallet.0) == Ok(slot))
                .fold(0, |sum, e| sum + if e.kind.moves_lots() { e.points.get() } else { 0 });
            let debt = wallet["debt"].as_i64().unwrap();
            for (place, whole, part) in
                [(3, "earned", moved), (4, "reversed", debt), (5, "spent", 0), (6, "expired", 0)]
            {
                sums[place] += i64::from(sign) * (ever(whole) - part);
            }
        }
        if sign < 0 && self.wallets.values().any(|sums| *sums != [0; 8]) {
            return Err(format!("a merged account keeps {:?}", self.wallets));
        }
        Ok(())
    }

    fn enter(&mut self, row: &PostingRow, place: usize, entry: &Entry) -> Result<(), String> {
        let moved: i64 = row.moves_of(place).map(|m| m.points.get()).sum();
        let wants = if entry.kind.moves_lots() { entry.points.get() } else { 0 };
        if moved != wants || entry.points.is_zero() || row.moves_of(place).any(|m| m.points.is_zero()) {
            return Err(format!("law 4: entry {place} moves {moved}"));
        }
        let (p, mut pending) = (entry.points.get(), false);
        for step in row.moves_of(place) {
            let fresh = FoldedLot {
                wallet: entry.wallet.0,
                left: 0,
                pending: entry.available_at.is_some(),
                expiry: entry.expiry,
            };
            let lot = self.lots.entry(step.lot.0).or_insert(fresh);
            pending = lot.pending;
            let sign = ENTRY_KINDS.iter().find(|k| k.0 == entry.kind).map_or(0, |k| k.0.direction());
            lot.left += sign * step.points.get();
            if entry.kind == EntryKind::Available {
                lot.pending = false;
            }
            if lot.left < 0 || lot.wallet != entry.wallet.0 {
                return Err(format!("law 4: lot {:?} has {}", step.lot, lot.left));
            }
        }
        let sums = self.wallets.entry(entry.wallet.0).or_default();
        let there = usize::from(pending);
        match entry.kind {
            EntryKind::Award
            | EntryKind::AdjustUp
            | EntryKind::Opening
            | EntryKind::TransferIn
            | EntryKind::MergeIn => {
                (sums[there], sums[3]) = (sums[there] + p, sums[3] + p);
            }
            EntryKind::Available => (sums[0], sums[1]) = (sums[0] + p, sums[1] - p),
            EntryKind::Spend => (sums[0], sums[5]) = (sums[0] - p, sums[5] + p),
            EntryKind::Restore => (sums[0], sums[5]) = (sums[0] + p, sums[5] - p),
            EntryKind::ClawBack | EntryKind::AdjustDown | EntryKind::TransferOut => {
                (sums[there], sums[4]) = (sums[there] - p, sums[4] + p);
            }
            EntryKind::MergeOut => (sums[there], sums[3]) = (sums[there] - p, sums[3] - p),
            EntryKind::Owe | EntryKind::DebtIn => (sums[2], sums[4]) = (sums[2] + p, sums[4] + p),
            EntryKind::DebtOut => (sums[2], sums[4]) = (sums[2] - p, sums[4] - p),
            EntryKind::Repay => (sums[0], sums[2]) = (sums[0] - p, sums[2] - p),
            EntryKind::Expire => (sums[there], sums[6]) = (sums[there] - p, sums[6] + p),
            EntryKind::Hold => (sums[0], sums[7]) = (sums[0] - p, sums[7] + p),
            EntryKind::Release => (sums[7], sums[0]) = (sums[7] - p, sums[0] + p),
            EntryKind::Capture => (sums[7], sums[5]) = (sums[7] - p, sums[5] + p),
        }
        if sums.iter().any(|s| *s < 0) {
            return Err(format!("law 3: {sums:?} after entry {place}"));
        }
        if entry.after.get() != sums[0] {
            return Err(format!("entry {place} says {} after it, not {}", entry.after, sums[0]));
        }
        Ok(())
    }

    /// Laws 2, 3 and 8: the account is the fold of its postings.
    fn compare(&self, account: &Account) -> Result<(), String> {
        if usize::try_from(account.seq.0) != Ok(self.postings) || account.order_count != self.orders {
            return Err(format!("law 2: {} postings, {} orders, {account:?}", self.postings, self.orders));
        }
        if self.suspended != (account.status == Status::Suspended) {
            return Err(format!("law 8: suspended {}, {account:?}", self.suspended));
        }
        let open = self.lots.values().filter(|l| l.left > 0).count();
        let mut sums = vec![[0_i64; 2]; account.wallets.len()];
        for lot in &account.lots {
            let (pending, left) = (lot.available_at.is_some(), lot.remaining.get());
            let stored = FoldedLot { wallet: lot.wallet.0, left, pending, expiry: lot.expiry };
            if self.lots.get(&lot.id.0) != Some(&stored) || left == 0 {
                return Err(format!("law 8: {lot:?} and {:?}", self.lots.get(&lot.id.0)));
            }
            sums[usize::try_from(lot.wallet.0).unwrap()][usize::from(pending)] += left;
        }
        if open != account.lots.len() {
            return Err(format!("law 8: {open} open lots, and {:?}", account.lots));
        }
        for ((slot, state), lots) in (0..).zip(&account.wallets).zip(sums) {
            let f = state.figures;
            let figures =
                [f.spendable, f.pending, f.debt, f.earned, f.reversed, f.spent, f.expired, f.held].map(|p| p.get());
            let holds = account.holds.iter().filter(|h| h.wallet.0 == slot);
            let held: i64 = holds.map(|h| h.points().get()).sum();
            let folded = self.wallets.get(&slot).copied().unwrap_or_default();
            if figures != folded || !f.add_up() || held != figures[7] || lots != [figures[0], figures[1]] {
                return Err(format!("law 3: wallet {slot} {figures:?}, folded {folded:?}, lots {lots:?}"));
            }
        }
        Ok(())
    }
}
