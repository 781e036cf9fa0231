//! How a voucher stands: a question in the form of a command, previewed and never posted.

use crate::kernel::clock::Moment;
use crate::kernel::id::MemberId;
use crate::loyalty::ledger::accounts::Accounts;
use crate::loyalty::ledger::posting::{Needs, Posting, Reference, RequestHash, Target};
use crate::loyalty::program::model::Timeline;
use crate::loyalty::rewards::error::VoucherRefusal;
use crate::loyalty::rewards::vouchers::receipt::VoucherView;
use crate::loyalty::rewards::vouchers::story::VoucherStory;

/// Look at a voucher.
#[derive(Clone, Debug)]
pub struct LookAtVoucher {
    /// A name that nobody has used.
    pub named: Reference,
    /// The reference of the redemption that issued it.
    pub redemption: Reference,
    /// Whose it is.
    pub member: MemberId,
    /// In which language the reward is called.
    pub language: Option<String>,
}

impl Posting for LookAtVoucher {
    type Receipt = VoucherView;
    type Refusal = VoucherRefusal;

    fn target(&self) -> Target {
        Target::Member(self.member)
    }

    fn reference(&self) -> Reference {
        self.named.clone()
    }

    fn request_hash(&self) -> RequestHash {
        RequestHash::of(&self.redemption.as_str())
    }

    fn needs(&self) -> Needs {
        Needs { story_of: Some(self.redemption.clone()), ..Needs::default() }
    }

    fn decide(
        &self,
        at: &Moment,
        program: &Timeline,
        accounts: &mut Accounts<'_>,
    ) -> Result<VoucherView, VoucherRefusal> {
        let story = VoucherStory::read(&self.redemption, &accounts.story()).ok_or(VoucherRefusal::Unknown)?;
        let own = &program.at(at.at).language;
        Ok(story.view(program, at.at, self.language.as_ref().unwrap_or(own)))
    }
}
