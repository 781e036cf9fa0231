//! A voucher used, once.

use crate::kernel::clock::Moment;
use crate::kernel::id::MemberId;
use crate::loyalty::ledger::account::Status;
use crate::loyalty::ledger::accounts::Accounts;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::posting::{Needs, Posting, PostingKind, Record, Reference, RequestHash, Target};
use crate::loyalty::program::model::Timeline;
use crate::loyalty::rewards::error::VoucherRefusal;
use crate::loyalty::rewards::vouchers::receipt::UseReceipt;
use crate::loyalty::rewards::vouchers::story::{VoucherStory, use_reference};

/// Use a voucher.
#[derive(Clone, Debug)]
pub struct UseVoucher {
    /// The reference of the redemption that issued it.
    pub redemption: Reference,
    /// Whose it is.
    pub member: MemberId,
    /// For what it is used, by the storefront's name.
    pub used_for: String,
}

impl Posting for UseVoucher {
    type Receipt = UseReceipt;
    type Refusal = VoucherRefusal;

    fn target(&self) -> Target {
        Target::Member(self.member)
    }

    fn reference(&self) -> Reference {
        use_reference(&self.redemption, &self.used_for)
    }

    fn request_hash(&self) -> RequestHash {
        RequestHash::of(&(self.redemption.as_str(), &self.used_for))
    }

    fn needs(&self) -> Needs {
        Needs { story_of: Some(self.redemption.clone()), ..Needs::default() }
    }

    fn decide(
        &self,
        at: &Moment,
        program: &Timeline,
        accounts: &mut Accounts<'_>,
    ) -> Result<UseReceipt, VoucherRefusal> {
        let story = VoucherStory::read(&self.redemption, &accounts.story()).ok_or(VoucherRefusal::Unknown)?;
        let book = program.at(at.at);
        let today = book.zone.day_of(at.at);
        story.usable(today)?;
        let account = accounts.account()?;
        if account.status == Status::Suspended {
            return Err(LedgerRefusal::Suspended.into());
        }
        let posting = account.next_posting();
        accounts.record(Record::plain(PostingKind::UseVoucher, at.at, book.version));
        Ok(UseReceipt {
            posting: posting.to_string(),
            member: posting.member.0,
            voucher: story.redeemed.voucher,
            reward: story.redeemed.reward,
            used_for: self.used_for.clone(),
            used_on: today,
        })
    }
}
