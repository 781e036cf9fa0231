//! A person forgotten: nothing is known of the member any more, and it takes no part. What happened to its points stays, as
//! nobody's: the ledger's sums are those of all.

use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::kernel::clock::Moment;
use crate::kernel::id::{MemberId, ProgramId};
use crate::loyalty::ledger::account::Status;
use crate::loyalty::ledger::accounts::Accounts;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::posting::{Audited, Needs, Posting, PostingKind, Record, Reference, RequestHash, Target};
use crate::loyalty::members::model::Profile;
use crate::loyalty::program::model::Timeline;
use crate::platform::audit::Action;

/// Erase a member.
#[derive(Clone, Copy, Debug)]
pub struct EraseMember {
    /// In which programme.
    pub program: ProgramId,
    /// Who; of one that was merged, the account that it had.
    pub member: MemberId,
}

/// What an erasure leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    /// The posting.
    pub posting: String,
    /// The member.
    pub member: Uuid,
}

impl Posting for EraseMember {
    type Receipt = Erased;
    type Refusal = LedgerRefusal;

    fn target(&self) -> Target {
        Target::Member(self.member)
    }

    fn reference(&self) -> Reference {
        Reference::keyed("erase", &self.member.to_string())
    }

    fn request_hash(&self) -> RequestHash {
        RequestHash::of(&self.member)
    }

    fn needs(&self) -> Needs {
        Needs { profile: true, itself: true, ..Needs::default() }
    }

    fn decide(&self, at: &Moment, program: &Timeline, accounts: &mut Accounts<'_>) -> Result<Erased, LedgerRefusal> {
        for identity in accounts.profile().identities(self.program) {
            accounts.release(&identity);
        }
        let account = accounts.account()?;
        let posting = account.next_posting();
        if account.alias.is_none() {
            account.status = Status::Suspended;
        }
        accounts.record(Record {
            profile: Some(Profile::default()),
            audited: Some(Audited {
                action: Action("personal.erased"),
                detail: json!({ "posting": posting.to_string() }),
            }),
            ..Record::plain(PostingKind::Erase, at.at, program.at(at.at).version)
        });
        Ok(Erased { posting: posting.to_string(), member: posting.member.0 })
    }
}
