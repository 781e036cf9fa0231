//! Points once given for a reward, given again: of those that are to be given as many as are there. What a version lets
//! members have for them is a matter of the days to come.

use crate::kernel::clock::Moment;
use crate::kernel::id::MemberId;
use crate::kernel::points::Points;
use crate::loyalty::ledger::account::Status;
use crate::loyalty::ledger::accounts::Accounts;
use crate::loyalty::ledger::entry::EntryKind;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::grant::note_activity;
use crate::loyalty::ledger::posting::{Posting, PostingKind, Record, Reference, RequestHash, Target};
use crate::loyalty::program::model::Timeline;

/// Points that went for a reward.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redeemed {
    /// Whose.
    pub member: MemberId,
    /// The wallet's code.
    pub wallet: String,
    /// How many; none where the reward was given back.
    pub points: Points,
    /// The code of the voucher that it gave.
    pub voucher: String,
}

impl Posting for Redeemed {
    type Receipt = ();
    type Refusal = LedgerRefusal;

    fn target(&self) -> Target {
        Target::Member(self.member)
    }

    fn reference(&self) -> Reference {
        Reference::keyed("redeem", "")
    }

    fn request_hash(&self) -> RequestHash {
        RequestHash([0; 16])
    }

    fn decide(&self, at: &Moment, program: &Timeline, accounts: &mut Accounts<'_>) -> Result<(), LedgerRefusal> {
        let book = program.at(at.at);
        let wallet = book.wallet(&self.wallet).ok_or(LedgerRefusal::WalletUnknown)?;
        let account = accounts.account()?;
        let there = match account.status {
            Status::Active => account.figures(wallet.slot).spendable.min(self.points),
            Status::Suspended => Points::ZERO,
        };
        if there.is_zero() {
            return Ok(());
        }
        account.spend(EntryKind::Spend, wallet.slot, there)?;
        note_activity(account, program, wallet.slot, book.zone.day_of(at.at), at.at);
        accounts.record(Record::plain(PostingKind::Redeem, at.at, book.version));
        Ok(())
    }
}
