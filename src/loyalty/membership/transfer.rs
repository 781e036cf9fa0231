//! Points given to another member: two postings, one commit.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::Moment;
use crate::kernel::id::MemberId;
use crate::kernel::points::Points;
use crate::loyalty::ledger::account::{Account, LotDates, Status};
use crate::loyalty::ledger::accounts::Accounts;
use crate::loyalty::ledger::entry::EntryKind;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::lot::{LotExpiry, LotId};
use crate::loyalty::ledger::posting::{
    Needs, Posting, PostingKind, PostingRow, Record, Reference, RequestHash, Target,
};
use crate::loyalty::members::model::Identity;
use crate::loyalty::membership::enrol::verify_owner;
use crate::loyalty::membership::error::TransferRefusal;
use crate::loyalty::program::model::{Rulebook, Slot, Timeline, Transfer, WalletKind};

/// Give points to another member.
#[derive(Clone, Debug)]
pub struct TransferPoints {
    /// The caller's name for the command.
    pub reference: Reference,
    /// Of what the caller sent.
    pub hash: RequestHash,
    /// Who gives.
    pub from: MemberId,
    /// Who gets.
    pub to: MemberId,
    /// By what the caller knows who gets: checked again when it is decided.
    pub identity: Option<Identity>,
    /// The wallet's code.
    pub wallet: String,
    /// How many; not 0.
    pub points: Points,
}

/// What a transfer answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransferReceipt {
    /// The posting.
    pub posting: String,
    /// Who gave.
    pub member: Uuid,
    /// Who got.
    pub to: Uuid,
    /// The posting with who got.
    pub received_in: String,
    /// The wallet's code.
    pub wallet: String,
    /// How many points went over; they keep the days on which they end.
    pub points: i64,
    /// What who gave can spend now.
    pub spendable: i64,
}

/// What the posting with who got says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedReceipt {
    /// The posting.
    pub posting: String,
    /// Who got.
    pub member: Uuid,
    /// Who gave.
    pub from: Uuid,
    /// The posting with who gave.
    pub sent_in: String,
    /// The wallet's code.
    pub wallet: String,
    /// How many points came.
    pub points: i64,
    /// What can be spent now.
    pub spendable: i64,
}

impl Posting for TransferPoints {
    type Receipt = TransferReceipt;
    type Refusal = TransferRefusal;

    fn target(&self) -> Target {
        Target::Member(self.from)
    }

    fn reference(&self) -> Reference {
        self.reference.clone()
    }

    fn request_hash(&self) -> RequestHash {
        self.hash
    }

    fn needs(&self) -> Needs {
        Needs {
            identities: self.identity.iter().cloned().collect(),
            other: Some(self.to),
            earlier: Some(PostingKind::Transfer),
            ..Needs::default()
        }
    }

    fn decide(
        &self,
        at: &Moment,
        program: &Timeline,
        accounts: &mut Accounts<'_>,
    ) -> Result<TransferReceipt, TransferRefusal> {
        verify_owner(accounts, self.identity.as_ref(), Target::Member(self.to))?;
        let (giver, getter) = accounts.both()?;
        // Two names may have become one member's.
        if giver.member == getter.member {
            return Err(TransferRefusal::Same);
        }
        let book = program.at(at.at);
        let wallet = book.wallet(&self.wallet).ok_or(LedgerRefusal::WalletUnknown)?;
        let WalletKind::Redeemable(rules) = &wallet.kind else { return Err(LedgerRefusal::WalletUnknown.into()) };
        let limit = rules.transfer.ok_or(TransferRefusal::NotAllowed)?;
        let left = left_of(&limit, (book, at), accounts.earlier(), wallet.slot);
        let (from, to) = accounts.both()?;
        if from.status == Status::Suspended || to.status == Status::Suspended {
            return Err(LedgerRefusal::Suspended.into());
        }
        if !from.figures(wallet.slot).debt.is_zero() {
            return Err(TransferRefusal::InDebt);
        }
        if self.points > left {
            return Err(TransferRefusal::Limit { asked: self.points, left });
        }
        let (sent_in, received_in) = (from.next_posting(), to.next_posting());
        hand_over(from, to, wallet.slot, self.points)?;
        let points = self.points.get();
        let receipt = TransferReceipt {
            posting: sent_in.to_string(),
            member: sent_in.member.0,
            to: received_in.member.0,
            received_in: received_in.to_string(),
            wallet: self.wallet.clone(),
            points,
            spendable: from.figures(wallet.slot).spendable.get(),
        };
        let received = ReceivedReceipt {
            posting: received_in.to_string(),
            member: received_in.member.0,
            from: sent_in.member.0,
            sent_in: sent_in.to_string(),
            wallet: self.wallet.clone(),
            points,
            spendable: to.figures(wallet.slot).spendable.get(),
        };
        accounts.record_other(Record::plain(PostingKind::Received, at.at, book.version), &received);
        accounts.record(Record::plain(PostingKind::Transfer, at.at, book.version));
        Ok(receipt)
    }
}

/// How much may still be given in the period that ends now.
fn left_of(limit: &Transfer, (book, at): (&Rulebook, &Moment), earlier: &[&PostingRow], wallet: Slot) -> Points {
    let today = book.zone.day_of(at.at);
    // A month that ends today began the day after this one a month ago.
    let before = limit.each.before(today);
    let given = earlier.iter().filter(|row| book.zone.day_of(row.effective_at) > before).flat_map(|row| &row.entries);
    let given = given.filter(|e| e.kind == EntryKind::TransferOut && e.wallet == wallet);
    given.fold(limit.max, |left, entry| left.minus_or_zero(entry.points))
}

/// Soonest-expiring first; what ends together arrives as one lot that ends then.
fn hand_over(from: &mut Account, to: &mut Account, wallet: Slot, points: Points) -> Result<(), LedgerRefusal> {
    // What would end by the giver's inactivity ends on the day on which it would: giving keeps nothing alive.
    let ends = |lot: LotId| match from.lot(lot).map_or(LotExpiry::Never, |there| there.expiry) {
        LotExpiry::Inactive => from.wallet(wallet).expires_on.map_or(LotExpiry::Never, LotExpiry::On),
        other => other,
    };
    let takes = from.soonest(wallet, points);
    let mut parts: Vec<(LotExpiry, Points)> = Vec::new();
    for (lot, points) in &takes {
        let ends = ends(*lot);
        match parts.iter_mut().find(|(there, _)| *there == ends) {
            Some((_, sum)) => *sum = sum.plus(*points).ok_or(LedgerRefusal::TooManyPoints)?,
            None => parts.push((ends, *points)),
        }
    }
    from.spend(EntryKind::TransferOut, wallet, points)?;
    for (expiry, points) in parts {
        to.earn(EntryKind::TransferIn, wallet, points, LotDates { available_at: None, expiry })?;
    }
    Ok(())
}
