//! An account that was merged into another: what it had went on there, lot by lot, and nothing came to it after.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::kernel::clock::Instant;
use crate::kernel::grow::Grow;
use crate::kernel::id::Version;
use crate::kernel::money::{Amount, Currency};
use crate::loyalty::ledger::entry::{Entry, EntryKind};
use crate::loyalty::ledger::figures::FIGURES_A_WALLET;
use crate::loyalty::ledger::lot::LotExpiry;
use crate::loyalty::ledger::posting::{PostingKind, PostingRow};
use crate::loyalty::ledger::verify::documents::{minor, parse};
use crate::loyalty::ledger::verify::fold::{Folded, FoldedWallet};
use crate::loyalty::ledger::verify::law::{Findings, Law, Place};
use crate::loyalty::ledger::verify::orders::compare;
use crate::loyalty::program::model::{Slot, Timeline};

/// Of a merge, with who was merged.
#[derive(Debug, Deserialize)]
pub struct MergeOutDocument {
    /// Who was merged.
    pub member: Uuid,
    /// Who goes on.
    pub into: Uuid,
    /// What came over.
    pub wallets: Vec<MergedWalletDocument>,
    /// What was known of tiers.
    pub standing: Option<Value>,
    /// What became of the tier of who goes on.
    pub tier: Option<Value>,
    /// Orders that came over.
    pub orders: i64,
    /// The local day of the latest one.
    pub last_order_on: Option<NaiveDate>,
    /// The number before the names of its lots.
    pub branch: i64,
}

/// Of a merge, with who goes on.
#[derive(Debug, Deserialize)]
pub struct MergeInDocument {
    /// Who goes on.
    pub member: Uuid,
    /// Who was merged.
    pub from: Uuid,
    /// What came over.
    pub wallets: Vec<MergedWalletDocument>,
    /// What was known of tiers.
    pub standing: Option<Value>,
    /// What became of the tier of who goes on.
    pub tier: Option<Value>,
    /// Orders that came over.
    pub orders: i64,
    /// The local day of the latest one.
    pub last_order_on: Option<NaiveDate>,
    /// The number before the names of the lots that came.
    pub branch: i64,
    /// How many such numbers there are then.
    pub branches: i64,
    /// How long the longest chain is that leads there.
    pub depth: i64,
}

/// What came over in a wallet.
#[derive(Debug, PartialEq, Deserialize)]
pub struct MergedWalletDocument {
    /// Its code.
    pub wallet: String,
    /// Of a wallet that counts no spend: its figure.
    pub spendable: Option<i64>,
    /// Of a wallet that counts spend.
    pub amount: Option<Amount>,
    /// What waits.
    pub pending: i64,
    /// What is owed.
    pub debt: i64,
    /// Sums over its life.
    pub lifetime: SumsDocument,
    /// The last day of what ends by inactivity.
    pub active_until: Option<NaiveDate>,
    /// By days.
    pub lots: Vec<MergedLotDocument>,
}

/// Sums over the life of a wallet.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct SumsDocument {
    /// Ever came in.
    pub earned: i64,
    /// Ever was taken back.
    pub reversed: i64,
    /// Ever was paid.
    pub spent: i64,
    /// Ever was over unused.
    pub expired: i64,
}

/// What ends together.
#[derive(Debug, PartialEq, Deserialize)]
pub struct MergedLotDocument {
    /// Of a wallet that counts no spend.
    pub points: Option<i64>,
    /// Of one that does.
    pub amount: Option<Amount>,
}

/// How far the names of two branches of lots are apart.
const BRANCH_SPAN: i64 = 1 << 40;

/// The number before the name of a lot.
pub fn branch_of(lot: i64) -> i64 {
    lot / BRANCH_SPAN
}

/// Checks a posting of a merge against the one of the other side.
pub fn check_merge(row: &PostingRow, other: Option<&PostingRow>, timeline: &Timeline, found: &mut Findings) {
    let place = Place::posting(row.member, row.seq);
    if let Err(says) = check(row, other, timeline, place, found) {
        found.add(Law::Merges, place, says);
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
    let (out, came) = if row.kind == PostingKind::MergeOut { (row, other) } else { (other, row) };
    if (out.kind, came.kind) != (PostingKind::MergeOut, PostingKind::MergeIn) || out.member == came.member {
        return Err("its other side is none".into());
    }
    let (left, stays): (MergeOutDocument, MergeInDocument) = (parse(out)?, parse(came)?);
    if (left.member, left.into) != (out.member.0, came.member.0)
        || (stays.member, stays.from) != (came.member.0, out.member.0)
    {
        return Err("the documents name other members".into());
    }
    if (left.branch, left.orders, left.last_order_on, &left.wallets)
        != (stays.branch, stays.orders, stays.last_order_on, &stays.wallets)
        || (&left.standing, &left.tier) != (&stays.standing, &stays.tier)
    {
        return Err("the two documents tell of different things".into());
    }
    if parts(out, left.branch) != parts(came, 0) {
        return Err("what left is not what came, lot by lot".into());
    }
    check_wallets(out, &left.wallets, timeline, place, found)
}

/// What an entry moved: whether debt, its wallet, points and dates, and its lots.
type Part = (bool, Slot, i64, (Option<Instant>, LotExpiry), Vec<(i64, i64)>);

/// What each entry moved, lots under the names that they have in the other account.
fn parts(row: &PostingRow, branch: i64) -> Vec<Part> {
    let part = |(place, entry): (usize, &Entry)| {
        let debt = matches!(entry.kind, EntryKind::DebtOut | EntryKind::DebtIn);
        let lots = row
            .moves_of(place)
            .map(|m| (m.lot.0.saturating_add(branch.saturating_mul(BRANCH_SPAN)), m.points.get()))
            .collect();
        (debt, entry.wallet, entry.points.get(), (entry.available_at, entry.expiry), lots)
    };
    row.entries.iter().enumerate().map(part).collect()
}

/// What the documents say of the wallets is what the entries did.
fn check_wallets(
    out: &PostingRow,
    wallets: &[MergedWalletDocument],
    timeline: &Timeline,
    place: Place,
    found: &mut Findings,
) -> Result<(), String> {
    let mut said: BTreeMap<Slot, (i64, i64)> = BTreeMap::new();
    for wallet in wallets {
        let slot = slot_of(timeline, &wallet.wallet)?;
        let lots = wallet.lots.iter().map(|lot| whole(lot.points, lot.amount, out.currency)).sum();
        let there = wallet.there(out.currency);
        compare(Law::Merges, place, &[("lots of a wallet", lots, there)], found);
        said.insert(slot, (there, wallet.debt));
    }
    let mut moved: BTreeMap<Slot, (i64, i64)> = said.keys().map(|slot| (*slot, (0, 0))).collect();
    for entry in &out.entries {
        let (there, debt) = moved.entry(entry.wallet).or_default();
        (if entry.kind == EntryKind::DebtOut { debt } else { there }).grow(entry.points.get());
    }
    if said == moved {
        Ok(())
    } else {
        Err(format!("the documents say {said:?} of the wallets, the entries {moved:?}"))
    }
}

/// Points, or minor units of money; -1 where there is neither, which no figure is.
fn whole(points: Option<i64>, amount: Option<Amount>, currency: Currency) -> i64 {
    points.or_else(|| Some(minor(amount?, currency))).unwrap_or(-1)
}

impl MergedWalletDocument {
    fn there(&self, currency: Currency) -> i64 {
        whole(self.spendable, self.amount, currency).saturating_add(self.pending)
    }

    /// What the entries leave in the figures of the account that was merged, in stored order.
    fn sums(&self, currency: Currency) -> [i64; FIGURES_A_WALLET] {
        let SumsDocument { earned, reversed, spent, expired } = self.lifetime;
        let issued = earned.saturating_sub(self.there(currency));
        [0, 0, 0, 0, issued, reversed.saturating_sub(self.debt), spent, expired]
    }
}

fn slot_of(timeline: &Timeline, code: &str) -> Result<Slot, String> {
    let versions = (1..=timeline.newest().version.0).rev().map(|n| timeline.version(Version(n)));
    let found = versions.filter_map(|book| book.wallet(code)).map(|wallet| wallet.slot).next();
    found.ok_or_else(|| format!("the programme has no wallet {code}"))
}

/// The part of a fold that merges are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoldedMerges {
    /// As whom the account went on, and with which number before the names of its lots.
    pub alias: Option<(Uuid, i64)>,
    /// How many such numbers there are.
    pub branches: i64,
    /// How long the longest chain is that leads to it.
    pub depth: i64,
}

impl Default for FoldedMerges {
    fn default() -> Self {
        Self { alias: None, branches: 1, depth: 0 }
    }
}

impl Folded {
    /// Adds a posting, before its entries: whoever was merged is at rest.
    pub fn stay_merged(&self, row: &PostingRow, found: &mut Findings) {
        if let Some((into, _)) = self.merges.alias.filter(|_| row.kind != PostingKind::Erase) {
            let says = format!("{} of somebody who was merged into {into}", row.kind.name());
            found.add(Law::Merges, Place::posting(row.member, row.seq), says);
        }
    }

    /// Adds a posting of a merge, after its entries.
    pub fn merge_step(&mut self, row: &PostingRow, timeline: &Timeline, found: &mut Findings) {
        let place = Place::posting(row.member, row.seq);
        let done = match row.kind {
            PostingKind::MergeOut => parse(row).and_then(|document| self.went(row, &document, timeline)),
            PostingKind::MergeIn => parse(row).and_then(|document| self.came(row, &document, timeline)),
            _ => Ok(()),
        };
        if let Err(says) = done {
            found.add(Law::Merges, place, says);
        }
    }

    fn went(&mut self, row: &PostingRow, document: &MergeOutDocument, timeline: &Timeline) -> Result<(), String> {
        let (orders, last_order_on) = (std::mem::take(&mut self.order_count), self.last_order_on.take());
        self.merges.alias = Some((document.into, document.branch));
        if (orders, last_order_on) != (document.orders, document.last_order_on) {
            return Err(format!("it says {} orders, and there were {orders}", document.orders));
        }
        let mut said = self::said(row, &document.wallets, timeline)?;
        for (slot, wallet) in &mut self.wallets {
            let there = std::mem::take(wallet);
            if there != said.remove(slot).unwrap_or_default() {
                return Err(format!("of wallet slot {} it says what was not: {there:?} was left", slot.0));
            }
        }
        let left = self.lots.values().filter(|lot| lot.remaining != 0).count();
        let holds = self.holds.plain().len();
        if left > 0 || holds > 0 || !said.is_empty() {
            return Err(format!("{left} lots and {holds} holds stayed behind"));
        }
        Ok(())
    }

    fn came(&mut self, row: &PostingRow, document: &MergeInDocument, timeline: &Timeline) -> Result<(), String> {
        self.order_count.grow(document.orders);
        self.last_order_on = self.last_order_on.max(document.last_order_on);
        for (slot, came) in said(row, &document.wallets, timeline)? {
            let wallet = self.wallets.entry(slot).or_default();
            wallet.figures.iter_mut().zip(came.figures).for_each(|(sum, more)| sum.grow(more));
            wallet.expires_on = wallet.expires_on.max(came.expires_on);
        }
        let FoldedMerges { branches, depth, .. } = self.merges;
        (self.merges.branches, self.merges.depth) = (document.branches, document.depth);
        if document.branch != branches || document.branches <= branches || document.depth < depth.max(1) {
            return Err(format!(
                "its lots are numbered {} of {}, after {branches}",
                document.branch, document.branches
            ));
        }
        Ok(())
    }
}

/// What came over besides what the entries moved, by wallet.
fn said(
    row: &PostingRow,
    wallets: &[MergedWalletDocument],
    timeline: &Timeline,
) -> Result<BTreeMap<Slot, FoldedWallet>, String> {
    let folded = |wallet: &MergedWalletDocument| {
        let (figures, expires_on) = (wallet.sums(row.currency), wallet.active_until);
        Ok((slot_of(timeline, &wallet.wallet)?, FoldedWallet { figures, expires_on }))
    };
    wallets.iter().map(folded).collect()
}

/// What the postings of other accounts tell of an order whose account was merged into the member's. Lots have the names
/// that they have in the member's account.
#[derive(Clone, Debug, Default)]
pub struct Before {
    /// The order.
    pub order: Option<PostingRow>,
    /// What came back of it before, oldest first.
    pub returns: Vec<PostingRow>,
    /// What expired of each lot.
    pub expired: BTreeMap<i64, i64>,
    /// How many awards each lot holds.
    pub awards: BTreeMap<i64, u32>,
}

impl Before {
    /// Reads the story of an order, its postings in the order in which they happened.
    pub fn of(reference: &str, rows: Vec<PostingRow>) -> Self {
        let mut before = Self::default();
        let prefix = format!("{reference}/return:");
        for row in rows {
            for (place, entry) in row.entries.iter().enumerate() {
                for part in row.moves_of(place) {
                    match entry.kind {
                        EntryKind::Expire => before.expired.entry(part.lot.0).or_default().grow(part.points.get()),
                        EntryKind::Award => before.awards.entry(part.lot.0).or_default().grow(1),
                        _ => {}
                    }
                }
            }
            if row.reference.as_str() == reference {
                before.order = Some(row);
            } else if row.reference.as_str().starts_with(&prefix) {
                before.returns.push(row);
            }
        }
        before
    }
}
