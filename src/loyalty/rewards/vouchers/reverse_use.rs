//! A use of a voucher taken back: what it was used for did not happen, or came back.

use crate::kernel::clock::Moment;
use crate::kernel::id::MemberId;
use crate::loyalty::ledger::accounts::Accounts;
use crate::loyalty::ledger::posting::{Needs, Posting, PostingKind, Record, Reference, RequestHash, Target};
use crate::loyalty::program::model::Timeline;
use crate::loyalty::rewards::error::VoucherRefusal;
use crate::loyalty::rewards::vouchers::receipt::ReversalReceipt;
use crate::loyalty::rewards::vouchers::story::{VoucherStory, reversal_reference};

/// Take a use of a voucher back.
#[derive(Clone, Debug)]
pub struct ReverseUse {
    /// The reference of the redemption that issued it.
    pub redemption: Reference,
    /// Whose it is.
    pub member: MemberId,
    /// For what it was used, by the storefront's name.
    pub used_for: String,
}

impl Posting for ReverseUse {
    type Receipt = ReversalReceipt;
    type Refusal = VoucherRefusal;

    fn target(&self) -> Target {
        Target::Member(self.member)
    }

    fn reference(&self) -> Reference {
        reversal_reference(&self.redemption, &self.used_for)
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
    ) -> Result<ReversalReceipt, VoucherRefusal> {
        let story = VoucherStory::read(&self.redemption, &accounts.story()).ok_or(VoucherRefusal::Unknown)?;
        let used = story.used.filter(|used| used.used_for == self.used_for).ok_or(VoucherRefusal::NotUsed)?;
        let posting = accounts.account()?.next_posting();
        accounts.record(Record::plain(PostingKind::ReverseUse, at.at, program.at(at.at).version));
        Ok(ReversalReceipt {
            posting: posting.to_string(),
            member: posting.member.0,
            voucher: used.voucher,
            used_for: used.used_for,
        })
    }
}
