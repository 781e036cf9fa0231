//! A posting of nothing but what happened by itself: the job's way to write down what balances show already.

use serde::{Deserialize, Serialize};

use crate::kernel::clock::Moment;
use crate::kernel::id::MemberId;
use crate::loyalty::ledger::accounts::Accounts;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::posting::{Posting, Reference, RequestHash, Target};
use crate::loyalty::program::model::Timeline;

/// Write down what is due for a member. Leaves a catch-up, or, when nothing is due, nothing at all.
#[derive(Clone, Copy, Debug)]
pub struct SettleDue {
    /// Whose.
    pub member: MemberId,
}

/// It is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {}

impl Posting for SettleDue {
    type Receipt = Settled;
    type Refusal = LedgerRefusal;

    fn target(&self) -> Target {
        Target::Member(self.member)
    }

    fn reference(&self) -> Reference {
        Reference::keyed("due", &self.member.to_string())
    }

    fn request_hash(&self) -> RequestHash {
        RequestHash([0; 16])
    }

    // Records nothing: the catch-up that came before this decision is all there is to store.
    fn decide(&self, _: &Moment, _: &Timeline, accounts: &mut Accounts<'_>) -> Result<Settled, LedgerRefusal> {
        accounts.account().map(|_| Settled {})
    }
}
