//! A guest's order claimed by the member who placed it: the anonymous account goes on in the member's.

use serde::Deserialize;

use crate::kernel::clock::Moment;
use crate::kernel::id::MemberId;
use crate::loyalty::checkout::error::ClaimRefusal;
use crate::loyalty::ledger::accounts::Accounts;
use crate::loyalty::ledger::posting::{Needs, Posting, PostingKind, Record, Reference, RequestHash, Target};
use crate::loyalty::members::model::Identity;
use crate::loyalty::membership::enrol::verify_owner;
use crate::loyalty::membership::merges::merge_members::merge_accounts;
use crate::loyalty::membership::merges::receipt::MergeReceipt;
use crate::loyalty::program::model::Timeline;

/// Claim a guest's order.
#[derive(Clone, Debug)]
pub struct ClaimOrder {
    /// The order's reference.
    pub order: String,
    /// Of whom the caller meant, by whatever name.
    pub hash: RequestHash,
    /// Whose order it is: an account of its own.
    pub guest: MemberId,
    /// Who claims it.
    pub member: MemberId,
    /// By what the caller knows that one: checked again when it is decided.
    pub identity: Option<Identity>,
}

/// What of an order says that it is a guest's.
#[derive(Deserialize)]
struct OfGuest {
    #[serde(default)]
    guest: bool,
}

impl Posting for ClaimOrder {
    type Receipt = MergeReceipt;
    type Refusal = ClaimRefusal;

    fn target(&self) -> Target {
        Target::Member(self.guest)
    }

    fn reference(&self) -> Reference {
        Reference::order_claim(&self.order)
    }

    fn request_hash(&self) -> RequestHash {
        self.hash
    }

    fn needs(&self) -> Needs {
        Needs {
            identities: self.identity.iter().cloned().collect(),
            story_of: Some(Reference::order(&self.order)),
            other: Some(self.member),
            profile: true,
            itself: true,
            ..Needs::default()
        }
    }

    fn decide(
        &self,
        at: &Moment,
        program: &Timeline,
        accounts: &mut Accounts<'_>,
    ) -> Result<MergeReceipt, ClaimRefusal> {
        verify_owner(accounts, self.identity.as_ref(), Target::Member(self.member))?;
        let named = Reference::order(&self.order);
        let order = accounts.story().into_iter().find(|row| row.reference == named);
        let order = order.ok_or(ClaimRefusal::OrderUnknown)?;
        let of_guest = serde_json::from_str(&order.document).is_ok_and(|order: OfGuest| order.guest);
        // Somebody who has a name by now is no guest any more.
        if !of_guest || !accounts.profile().identities(accounts.program()).is_empty() {
            return Err(ClaimRefusal::NotAGuests);
        }
        let receipt = merge_accounts(accounts, at, program)?;
        accounts.record(Record::plain(PostingKind::MergeOut, at.at, program.at(at.at).version));
        Ok(receipt)
    }
}
