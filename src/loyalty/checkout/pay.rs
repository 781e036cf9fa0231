//! How points pay for an order: out of a hold, or out of what can be spent.

use chrono::NaiveDate;

use crate::kernel::calendar::Zone;
use crate::kernel::clock::Instant;
use crate::kernel::points::Points;
use crate::loyalty::checkout::error::{HoldRefusal, OrderRefusal};
use crate::loyalty::checkout::holds::receipt::OrderHoldReceipt;
use crate::loyalty::checkout::holds::story::HoldStory;
use crate::loyalty::checkout::receipt::DiscountReceipt;
use crate::loyalty::ledger::account::{Account, Status};
use crate::loyalty::ledger::counters::Counters;
use crate::loyalty::ledger::entry::EntryKind;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::grant::note_activity;
use crate::loyalty::ledger::hold::{Ended, Hold, capture};
use crate::loyalty::ledger::lot::{LotExpiry, LotId};
use crate::loyalty::ledger::posting::PostingRow;
use crate::loyalty::program::model::{Redeemable, Rulebook, Timeline, Wallet, WalletKind};

/// The wallet that pays, and the rules by which its points have a value.
#[derive(Clone, Copy)]
pub struct Payer<'b> {
    /// The wallet.
    pub wallet: &'b Wallet,
    /// Its rules.
    pub rules: &'b Redeemable,
}

/// The wallet that an order names, or the programme's first.
///
/// # Errors
/// No such wallet, or not one to pay from.
fn payer<'b>(book: &'b Rulebook, named: Option<&str>) -> Result<Option<Payer<'b>>, OrderRefusal> {
    let wallet = match named {
        Some(code) => Some(book.wallet(code).ok_or(OrderRefusal::WalletUnknown)?),
        None => book.main_wallet(),
    };
    match wallet.map(|w| (w, &w.kind)) {
        Some((wallet, WalletKind::Redeemable(rules))) => Ok(Some(Payer { wallet, rules })),
        Some((_, WalletKind::Qualifying(_))) => Err(OrderRefusal::WalletUnknown),
        None => Ok(None),
    }
}

/// Where the points of an order come from.
pub enum Source<'b, 'g> {
    /// What can be spent of a wallet; `None` where the programme has none.
    Wallet(Option<Payer<'b>>),
    /// A hold: its points have the value that they had when they were put aside.
    Hold(HoldStory<'g>, Payer<'b>),
    /// The same as the first, with discounts that a hold without points keeps.
    Kept(HoldStory<'g>, Option<Payer<'b>>),
}

impl<'b, 'g> Source<'b, 'g> {
    /// What an order names: a hold, of which `rows` tell, or a wallet.
    ///
    /// # Errors
    /// There is no such wallet or hold, the hold was captured or released, or it is of another wallet.
    pub fn find(
        (program, book): (&'b Timeline, &'b Rulebook),
        (wallet, hold): (Option<&str>, Option<&str>),
        rows: &[&'g PostingRow],
    ) -> Result<Self, OrderRefusal> {
        let Some(reference) = hold else { return payer(book, wallet).map(Self::Wallet) };
        let story = HoldStory::read(reference, rows).ok_or(HoldRefusal::Unknown)?;
        story.not_closed()?;
        let Some(of_hold) = story.held.wallet.as_deref() else { return Ok(Self::Kept(story, payer(book, wallet)?)) };
        if wallet.is_some_and(|code| code != of_hold) {
            return Err(OrderRefusal::WalletUnknown);
        }
        let payer = payer(program.version(story.row.version), Some(of_hold))?;
        Ok(Self::Hold(story, payer.ok_or(OrderRefusal::WalletUnknown)?))
    }

    /// The same of a sale that has happened: a hold that is not there to pay does not refuse it, the wallet pays.
    ///
    /// # Errors
    /// There is no such wallet.
    pub fn find_stated(
        (program, book): (&'b Timeline, &'b Rulebook),
        (wallet, hold): (Option<&str>, Option<&str>),
        rows: &[&'g PostingRow],
        account: &Account,
    ) -> Result<Self, OrderRefusal> {
        let found = Self::find((program, book), (wallet, hold), rows).ok();
        let pays = |source: &Self| match source {
            Self::Wallet(_) => true,
            Self::Hold(story, _) => account.status == Status::Active && story.open_in(account).is_some(),
            Self::Kept(story, _) => story.open_in(account).is_some(),
        };
        found.filter(pays).map_or_else(|| payer(book, wallet).map(Self::Wallet), Ok)
    }

    /// How many of the points that a sale was paid with can be taken.
    pub fn takes(&self, account: &Account, asked: Points) -> Points {
        let there = match self {
            Self::Wallet(None) | Self::Kept(_, None) => return asked,
            Self::Wallet(Some(payer)) | Self::Kept(_, Some(payer)) => account.figures(payer.wallet.slot).spendable,
            Self::Hold(story, _) => story.open_in(account).map_or(Points::ZERO, Hold::points),
        };
        match account.status {
            Status::Active => asked.min(there),
            Status::Suspended => Points::ZERO,
        }
    }

    /// The wallet that pays.
    pub fn payer(&self) -> Option<Payer<'b>> {
        match self {
            Self::Wallet(payer) | Self::Kept(_, payer) => *payer,
            Self::Hold(_, payer) => Some(*payer),
        }
    }

    /// Whether points that were put aside pay.
    pub fn is_hold(&self) -> bool {
        matches!(self, Self::Hold(..))
    }

    /// The discounts that an open hold keeps. Their uses are given back for the order to have them.
    pub fn promised(
        &self,
        (account, counters): (&mut Account, &mut Counters<'_>),
        program: &Timeline,
    ) -> Vec<DiscountReceipt> {
        let (Self::Hold(story, _) | Self::Kept(story, _)) = self else { return Vec::new() };
        if story.open_in(account).is_none() {
            return Vec::new();
        }
        story.free_uses((account, counters), program);
        story.held.discounts.clone()
    }

    /// Pays. A hold pays in full or in part, and the rest goes back; one that has ended pays as far as its points are
    /// where they went back to.
    ///
    /// # Errors
    /// Fewer points are there, or the member is suspended.
    pub fn pay(
        &self,
        account: &mut Account,
        program: &Timeline,
        points: Points,
        (ordered, day, now): (Instant, NaiveDate, Instant),
    ) -> Result<Option<OrderHoldReceipt>, OrderRefusal> {
        let when = (program.at(now).zone, now);
        match self {
            Self::Wallet(_) if points.is_zero() => return Ok(None),
            Self::Kept(story, _) if points.is_zero() => return Ok(Some(take(account, story, points, when)?)),
            Self::Wallet(_) | Self::Kept(..) | Self::Hold(..) => {}
        }
        if account.status == Status::Suspended {
            return Err(LedgerRefusal::Suspended.into());
        }
        let slot = self.payer().ok_or(OrderRefusal::WalletUnknown)?.wallet.slot;
        let hold = match self {
            Self::Wallet(_) => None,
            Self::Kept(story, _) => Some(take(account, story, Points::ZERO, when)?),
            Self::Hold(story, _) => Some(take(account, story, points, when)?),
        };
        if !self.is_hold() {
            account.spend(EntryKind::Spend, slot, points)?;
        }
        if !points.is_zero() {
            note_activity(account, program, slot, day, ordered);
        }
        Ok(hold)
    }
}

fn take(
    account: &mut Account,
    story: &HoldStory<'_>,
    points: Points,
    when: (Zone, Instant),
) -> Result<OrderHoldReceipt, LedgerRefusal> {
    let ended = match story.open_in(account).map(|hold| hold.opened_in) {
        Some(opened_in) => capture(account, opened_in, points, when)?,
        None => None,
    };
    let open = ended.is_some();
    if !open {
        spend_again(account, story, points)?;
    }
    let ended = ended.unwrap_or(Ended { captured: points, ..Ended::default() });
    Ok(OrderHoldReceipt { reference: story.held.reference.clone(), open, ended: ended.into() })
}

/// Spends from the lots of a hold that ended, no more than it held of each.
fn spend_again(account: &mut Account, story: &HoldStory<'_>, points: Points) -> Result<(), LedgerRefusal> {
    let mut rest = points;
    let mut takes: Vec<(LotId, Points)> = Vec::new();
    for (lot, held) in story.lots() {
        let there = account.lot(lot).filter(|l| !l.is_pending()).map_or(Points::ZERO, |l| l.remaining);
        let take = there.min(held).min(rest);
        rest = rest.minus_or_zero(take);
        takes.push((lot, take));
    }
    if !rest.is_zero() {
        return Err(LedgerRefusal::InsufficientPoints { asked: points, spendable: points.minus_or_zero(rest) });
    }
    account.enter(EntryKind::Spend, story.wallet(), &takes, None, LotExpiry::Never)
}
