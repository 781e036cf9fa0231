//! An account merged into another: all that it has goes on there, and it stays behind empty.
//!
//! Lots keep their days, and their names with the number of a branch before them. So a return of an order that came along
//! finds the lots that the order touched, were they empty at the merge or not, through any number of merges.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::kernel::clock::Instant;
use crate::kernel::points::Points;
use crate::loyalty::ledger::account::{Account, Alias};
use crate::loyalty::ledger::entry::EntryKind;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::figures::Figures;
use crate::loyalty::ledger::lot::{BRANCHES_MAX, Branch, LOTS_OPEN_MAX, Lot, LotExpiry, LotId};
use crate::loyalty::ledger::usage::Used;
use crate::loyalty::program::model::{SegmentSet, Slot};
use crate::loyalty::tiers::standing::Standing;

/// No chain of accounts that were merged one into the next is longer.
pub const ALIAS_DEPTH_MAX: i16 = 16;

/// What went on in another account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// Where its lots have their names there.
    pub branch: Branch,
    /// How many branches there are then.
    pub branches: Branch,
    /// How many merges the longest chain has that leads there then.
    pub depth: i16,
    /// Orders that are not fully returned.
    pub orders: i32,
    /// The local day of the latest one.
    pub last_order_on: Option<NaiveDate>,
    /// What was had of rules with a cap.
    pub usage: Vec<Used>,
    /// What was known of tiers.
    pub standing: Standing,
    /// The lists that the member was in.
    pub segments: SegmentSet,
    /// The wallets in which anything was.
    pub wallets: Vec<MergedWallet>,
}

/// What was in one wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergedWallet {
    /// Which.
    pub wallet: Slot,
    /// Its figures before.
    pub figures: Figures,
    /// The last day of what ends by inactivity.
    pub active_until: Option<NaiveDate>,
    /// Its open lots, in spending order.
    pub lots: Vec<Lot>,
}

/// Merges an account without open holds into another of the programme. The sums of its life go over with what is there, so
/// that over both nothing was earned or spent by it, and what it spent can be given back. What would end by the inactivity of one of both
/// lives on to the later of their days. Debt stays debt: only an award repays it.
///
/// # Errors
/// More points, lots or merges than an account can have.
pub fn merge(source: &mut Account, into: &mut Account) -> Result<Merged, LedgerRefusal> {
    let branch = into.branches;
    let branches = branch.plus(source.branches);
    let depth = into.alias_depth.max(source.alias_depth.saturating_add(1));
    if branches.0 > BRANCHES_MAX || depth > ALIAS_DEPTH_MAX {
        return Err(LedgerRefusal::TooManyMerges);
    }
    if source.lots.len().saturating_add(into.lots.len()) > LOTS_OPEN_MAX {
        return Err(LedgerRefusal::TooManyLots);
    }
    let (orders, last_order_on) = (source.order_count, source.last_order_on);
    into.order_count = into.order_count.checked_add(orders).ok_or(LedgerRefusal::TooManyMerges)?;
    into.last_order_on = into.last_order_on.max(last_order_on);
    (into.branches, into.alias_depth) = (branches, depth);
    let usage = source.usage.clone();
    into.take_usage(source)?;
    let standing = std::mem::take(&mut source.standing);
    let segments = std::mem::take(&mut source.segments);
    into.segments = into.segments.or(segments);
    let slots: Vec<Slot> = (0..).map(Slot).zip(&source.wallets).map(|(slot, _)| slot).collect();
    let mut wallets = Vec::new();
    for slot in slots {
        let merged = merge_wallet(source, into, slot, branch)?;
        wallets.extend((!merged.is_nothing()).then_some(merged));
    }
    (source.order_count, source.last_order_on) = (0, None);
    source.alias = Some(Alias { into: into.member, branch });
    Ok(Merged { branch, branches, depth, orders, last_order_on, usage, standing, segments, wallets })
}

fn merge_wallet(
    source: &mut Account,
    into: &mut Account,
    wallet: Slot,
    branch: Branch,
) -> Result<MergedWallet, LedgerRefusal> {
    let state = source.wallet(wallet);
    let lots: Vec<Lot> = source.lots_of(wallet).copied().collect();
    if let Some(day) = state.expires_on {
        into.note_activity(wallet, day);
        source.forget_activity(wallet);
    }
    let mut alike: BTreeMap<(LotExpiry, Option<Instant>), Vec<Lot>> = BTreeMap::new();
    for lot in &lots {
        alike.entry((lot.expiry, lot.available_at)).or_default().push(*lot);
    }
    for ((expiry, available_at), lots) in alike {
        let leaves: Vec<(LotId, Points)> = lots.iter().map(|lot| (lot.id, lot.remaining)).collect();
        let comes: Vec<(LotId, Points)> = leaves.iter().map(|(id, points)| (id.in_branch(branch), *points)).collect();
        source.enter(EntryKind::MergeOut, wallet, &leaves, available_at, expiry)?;
        lots.into_iter().for_each(|lot| into.admit(Lot { id: lot.id.in_branch(branch), ..lot }));
        into.enter(EntryKind::MergeIn, wallet, &comes, available_at, expiry)?;
    }
    source.owe(EntryKind::DebtOut, wallet, state.figures.debt)?;
    into.owe(EntryKind::DebtIn, wallet, state.figures.debt)?;
    // What was spent there may be given back here.
    into.take_sums(source, wallet)?;
    Ok(MergedWallet { wallet, figures: state.figures, active_until: state.expires_on, lots })
}

impl MergedWallet {
    fn is_nothing(&self) -> bool {
        self.figures == Figures::default() && self.active_until.is_none()
    }
}
