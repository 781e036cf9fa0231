//! Rewards and vouchers by other means than the engine's: what was paid for each, and that it was used or given back once.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;

use crate::kernel::grow::Grow;
use crate::kernel::id::MemberId;
use crate::loyalty::ledger::entry::EntryKind;
use crate::loyalty::ledger::lot::LotId;
use crate::loyalty::ledger::posting::{PostingKind, PostingRow};
use crate::loyalty::ledger::verify::documents::{entered, parse};
use crate::loyalty::ledger::verify::law::{Findings, Law, Place};
use crate::loyalty::ledger::verify::orders::compare;
use crate::loyalty::program::model::Timeline;

/// Of a redemption.
#[derive(Debug, Deserialize)]
pub struct RedemptionDocument {
    /// The reward's code.
    pub reward: String,
    /// The wallet's code.
    pub wallet: String,
    /// What it cost.
    pub points: i64,
    /// What could be spent after it.
    pub spendable: i64,
    /// The voucher's code.
    pub voucher: String,
    /// The local day.
    pub redeemed_on: NaiveDate,
    /// The last day of the voucher.
    pub expires_on: Option<NaiveDate>,
}

/// Of a use, or its reversal.
#[derive(Debug, Deserialize)]
struct UseDocument {
    voucher: String,
    used_for: String,
    used_on: Option<NaiveDate>,
}

/// Of a cancellation.
#[derive(Debug, Deserialize)]
struct CancellationDocument {
    voucher: String,
    wallet: String,
    points: i64,
    spendable: i64,
}

/// The vouchers of a member so far that are used or cancelled, by the reference of their redemption.
#[derive(Clone, Debug, Default)]
pub struct FoldedVouchers(BTreeMap<String, State>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Used(String),
    Cancelled,
}

impl FoldedVouchers {
    /// Adds a posting; `redemption` is the one that issued the voucher it is about.
    pub fn step(
        &mut self,
        row: &PostingRow,
        redemption: Option<&PostingRow>,
        timeline: &Timeline,
        found: &mut Findings,
    ) {
        let place = Place::posting(row.member, row.seq);
        let done = match row.kind {
            PostingKind::Redeem => redeemed(row, timeline, found),
            PostingKind::UseVoucher | PostingKind::ReverseUse | PostingKind::CancelVoucher => match redemption {
                Some(redemption) => self.after(row, redemption, timeline, found),
                None => Err("there is no redemption that it is about".into()),
            },
            _ => Ok(()),
        };
        if let Err(says) = done {
            found.add(Law::Vouchers, place, says);
        }
    }

    fn after(
        &mut self,
        row: &PostingRow,
        redemption: &PostingRow,
        timeline: &Timeline,
        found: &mut Findings,
    ) -> Result<(), String> {
        let issued: RedemptionDocument = parse(redemption)?;
        let (name, own) = (redemption.reference.as_str().to_owned(), redemption.reference.within(""));
        let Some(what) = row.reference.as_str().strip_prefix(own.as_str()) else {
            return Err(format!("{} is not of {name}", row.reference));
        };
        let (voucher, before) = (issued.voucher.clone(), self.0.get(&name));
        let says = match (row.kind, before) {
            (PostingKind::UseVoucher, None) => {
                let document: UseDocument = parse(row)?;
                let day = timeline.newest().zone.day_of(row.effective_at);
                let over = issued.expires_on.is_some_and(|last| last < day);
                let says = document.voucher == voucher && what == format!("use:{}", document.used_for);
                self.0.insert(name, State::Used(document.used_for));
                says && !over && document.used_on == Some(day)
            }
            (PostingKind::ReverseUse, Some(State::Used(used_for))) => {
                let document: UseDocument = parse(row)?;
                let says = document.used_for == *used_for && what == format!("use:{used_for}/reversal");
                self.0.remove(&name);
                says && document.voucher == voucher
            }
            // What became of it before it came along is told by who had it.
            (PostingKind::ReverseUse, None) if is_elsewhere(redemption, row.member) => true,
            (PostingKind::CancelVoucher, None) => {
                let document: CancellationDocument = parse(row)?;
                self.0.insert(name, State::Cancelled);
                given_back(row, (redemption, &issued), &document, timeline, found)?;
                what == "cancellation" && document.voucher == voucher
            }
            _ => return Err(format!("{}, and the voucher is {before:?}", row.kind.name())),
        };
        if says { Ok(()) } else { Err(format!("the document is not that of {}", row.reference)) }
    }
}

/// What the directory knows a redemption's voucher by: its letters and digits, without those that look alike.
pub fn voucher_of(row: &PostingRow) -> Option<String> {
    let issued: RedemptionDocument = parse(row).ok().filter(|_| row.kind == PostingKind::Redeem)?;
    let written = issued.voucher.chars().filter(char::is_ascii_alphanumeric);
    let plain = |c: char| match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        c => c,
    };
    Some(written.map(plain).collect())
}

fn is_elsewhere(redemption: &PostingRow, member: MemberId) -> bool {
    redemption.member != member
}

/// A reward costs what its version says, of one of the tiers, and what it gives lasts as long as that says.
fn redeemed(row: &PostingRow, timeline: &Timeline, found: &mut Findings) -> Result<(), String> {
    let document: RedemptionDocument = parse(row)?;
    let book = timeline.version(row.version);
    let reward = book.reward(&document.reward).ok_or_else(|| format!("there is no reward {}", document.reward))?;
    let wallet = book.wallet_in(reward.wallet).filter(|wallet| wallet.code == document.wallet);
    let wallet = wallet.ok_or_else(|| format!("{} is not paid with {}", document.reward, document.wallet))?;
    let costs = [reward.cost].into_iter().chain(reward.of_tiers.iter().map(|(_, cost)| *cost));
    if !costs.map(|cost| cost.get()).any(|cost| cost == document.points) {
        return Err(format!("{} does not cost {}", document.reward, document.points));
    }
    let day = book.zone.day_of(row.effective_at);
    if document.redeemed_on != day || document.expires_on != reward.valid.map(|valid| valid.after(day)) {
        return Err("its days are not those of the reward".into());
    }
    let pairs = [
        ("points", document.points, entered(row, &[EntryKind::Spend], wallet.slot)),
        ("spendable", document.spendable, row.entries.last().map_or(0, |e| e.after.get())),
    ];
    compare(Law::Vouchers, Place::posting(row.member, row.seq), &pairs, found);
    Ok(())
}

/// All that was paid comes back: to the lots that it came from, but for those that are over where there are days of grace.
fn given_back(
    row: &PostingRow,
    (redemption, issued): (&PostingRow, &RedemptionDocument),
    document: &CancellationDocument,
    timeline: &Timeline,
    found: &mut Findings,
) -> Result<(), String> {
    let wallet = timeline.version(redemption.version).wallet(&issued.wallet);
    let wallet = wallet.ok_or_else(|| format!("there is no wallet {}", issued.wallet))?;
    let after = row.entries.last().map_or(0, |e| e.after.get());
    let pairs = [
        ("points", document.points, issued.points),
        ("restored", entered(row, &[EntryKind::Restore], wallet.slot), issued.points),
        ("spendable", document.spendable, after),
    ];
    compare(Law::Vouchers, Place::posting(row.member, row.seq), &pairs, found);
    let (paid, back) = (moved(redemption, EntryKind::Spend), moved(row, EntryKind::Restore));
    let too_much = back.iter().find(|(lot, points)| paid.get(lot).is_some_and(|paid| *points > paid));
    match too_much {
        Some((lot, points)) => Err(format!("{points} go back to lot {}, which gave less", lot.0)),
        None if document.wallet != issued.wallet => Err(format!("{} had paid", issued.wallet)),
        None => Ok(()),
    }
}

fn moved(row: &PostingRow, kind: EntryKind) -> BTreeMap<LotId, i64> {
    let mut moved: BTreeMap<LotId, i64> = BTreeMap::new();
    for (place, _) in row.entries.iter().enumerate().filter(|(_, e)| e.kind == kind) {
        row.moves_of(place).for_each(|m| moved.entry(m.lot).or_default().grow(m.points.get()));
    }
    moved
}
