//! How a hold stands: a question in the form of a command, previewed and never posted, so that it is answered by the
//! account as it would be decided on now.

use crate::kernel::clock::Moment;
use crate::kernel::id::MemberId;
use crate::loyalty::checkout::error::HoldRefusal;
use crate::loyalty::checkout::holds::receipt::{HoldStatus, HoldView};
use crate::loyalty::checkout::holds::story::{Closed, HoldStory, hold_reference};
use crate::loyalty::ledger::accounts::Accounts;
use crate::loyalty::ledger::posting::{Needs, Posting, Reference, RequestHash, Target};
use crate::loyalty::program::model::Timeline;

/// Look at a hold.
#[derive(Clone, Debug)]
pub struct LookAtHold {
    /// A name that nobody has used.
    pub named: Reference,
    /// The hold's reference.
    pub reference: String,
    /// Whose it is.
    pub member: MemberId,
}

impl Posting for LookAtHold {
    type Receipt = HoldView;
    type Refusal = HoldRefusal;

    fn target(&self) -> Target {
        Target::Member(self.member)
    }

    fn reference(&self) -> Reference {
        self.named.clone()
    }

    fn request_hash(&self) -> RequestHash {
        RequestHash::of(&self.reference)
    }

    fn needs(&self) -> Needs {
        Needs { story_of: Some(hold_reference(&self.reference)), ..Needs::default() }
    }

    fn decide(&self, _: &Moment, _: &Timeline, accounts: &mut Accounts<'_>) -> Result<HoldView, HoldRefusal> {
        let story = HoldStory::read(&self.reference, &accounts.story()).ok_or(HoldRefusal::Unknown)?;
        let account = accounts.account()?;
        let open = story.open_in(account).is_some();
        let (status, order) = match story.closed {
            Some(Closed::Captured(order)) => (HoldStatus::Captured, Some(order)),
            Some(Closed::Released) => (HoldStatus::Released, None),
            None if open => (HoldStatus::Open, None),
            None => (HoldStatus::Ended, None),
        };
        Ok(HoldView { held: story.held, status, order })
    }
}
