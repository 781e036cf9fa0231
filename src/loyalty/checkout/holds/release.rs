//! A hold released before its time.

use crate::kernel::clock::Moment;
use crate::kernel::id::MemberId;
use crate::loyalty::checkout::error::HoldRefusal;
use crate::loyalty::checkout::holds::receipt::ReleaseReceipt;
use crate::loyalty::checkout::holds::story::{HoldStory, hold_reference, release_reference};
use crate::loyalty::ledger::accounts::Accounts;
use crate::loyalty::ledger::hold::release;
use crate::loyalty::ledger::posting::{Needs, Posting, PostingKind, Record, Reference, RequestHash, Target};
use crate::loyalty::program::model::Timeline;

/// Release a hold.
#[derive(Clone, Debug)]
pub struct ReleaseHold {
    /// The hold's reference.
    pub reference: String,
    /// Whose it is.
    pub member: MemberId,
}

impl Posting for ReleaseHold {
    type Receipt = ReleaseReceipt;
    type Refusal = HoldRefusal;

    fn target(&self) -> Target {
        Target::Member(self.member)
    }

    fn reference(&self) -> Reference {
        release_reference(&self.reference)
    }

    fn request_hash(&self) -> RequestHash {
        RequestHash::of(&self.reference)
    }

    fn needs(&self) -> Needs {
        Needs { story_of: Some(hold_reference(&self.reference)), ..Needs::default() }
    }

    fn decide(
        &self,
        at: &Moment,
        program: &Timeline,
        accounts: &mut Accounts<'_>,
    ) -> Result<ReleaseReceipt, HoldRefusal> {
        let story = HoldStory::read(&self.reference, &accounts.story()).ok_or(HoldRefusal::Unknown)?;
        story.not_closed()?;
        let book = program.at(at.at);
        let (account, counters) = accounts.account_and_counters()?;
        let posting = account.next_posting();
        story.free_uses((account, counters), program);
        let ended = match story.open_in(account).map(|hold| hold.opened_in) {
            Some(opened_in) => release(account, opened_in, (book.zone, at.at))?,
            None => None,
        };
        let ended = ended.ok_or(HoldRefusal::Ended(story.held.ends_at))?;
        let uses = story.held.discounts.iter().filter(|discount| discount.is_counted());
        let spendable = account.figures(story.wallet()).spendable.get();
        let receipt = ReleaseReceipt {
            reference: self.reference.clone(),
            posting: posting.to_string(),
            member: posting.member.0,
            uses_given_back: uses.map(|discount| discount.code.clone()).collect(),
            spendable: story.held.wallet.is_some().then_some(spendable),
            wallet: story.held.wallet,
            ended: ended.into(),
        };
        accounts.record(Record::plain(PostingKind::Release, at.at, book.version));
        Ok(receipt)
    }
}
