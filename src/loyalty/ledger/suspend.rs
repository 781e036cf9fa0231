//! A suspension and its end: a person says that a member does not take part, or takes part again, and why.

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::Moment;
use crate::kernel::id::MemberId;
use crate::loyalty::ledger::account::Status;
use crate::loyalty::ledger::accounts::Accounts;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::posting::{Audited, Posting, PostingKind, Record, Reference, RequestHash, Target};
use crate::loyalty::ledger::tier_receipt::TierReceipt;
use crate::loyalty::program::model::Timeline;
use crate::platform::audit::Action;

/// Suspend a member, or reinstate one.
#[derive(Clone, Debug)]
pub struct Suspend {
    /// The caller's name for the command.
    pub reference: Reference,
    /// Of what the caller sent.
    pub hash: RequestHash,
    /// Whom.
    pub member: MemberId,
    /// What the member is to be from now on.
    pub status: Status,
    /// Why: free text.
    pub reason: String,
}

/// What a suspension or reinstatement answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StatusChanged {
    /// The posting.
    pub posting: String,
    /// The member.
    pub member: Uuid,
    /// What the member is from now on.
    pub status: StatusName,
    /// What became of the member's tier, where it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub tier: Option<TierReceipt>,
}

/// Whether a member takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatusName {
    /// Takes part.
    Active,
    /// Earns and spends nothing.
    Suspended,
}

impl Posting for Suspend {
    type Receipt = StatusChanged;
    type Refusal = LedgerRefusal;

    fn target(&self) -> Target {
        Target::Member(self.member)
    }

    fn reference(&self) -> Reference {
        self.reference.clone()
    }

    fn request_hash(&self) -> RequestHash {
        self.hash
    }

    // What a member has stays as it is: points expire and become available as ever, and returns give back.
    fn decide(
        &self,
        at: &Moment,
        program: &Timeline,
        accounts: &mut Accounts<'_>,
    ) -> Result<StatusChanged, LedgerRefusal> {
        let account = accounts.account()?;
        let (kind, action, status) = match (account.status, self.status) {
            (Status::Active, Status::Suspended) => {
                (PostingKind::Suspend, Action("ledger.suspended"), StatusName::Suspended)
            }
            (Status::Suspended, Status::Active) => {
                (PostingKind::Reinstate, Action("ledger.reinstated"), StatusName::Active)
            }
            (Status::Suspended, Status::Suspended) => return Err(LedgerRefusal::AlreadySuspended),
            (Status::Active, Status::Active) => return Err(LedgerRefusal::NotSuspended),
        };
        account.status = self.status;
        // What the balance earned meanwhile is reached now.
        let tier = account.look_at_tier(program, at.at, None).filter(TierReceipt::is_change);
        let posting = account.next_posting();
        accounts.record(Record {
            texts: Some(json!({ "reason": self.reason }).to_string()),
            audited: Some(Audited { action, detail: json!({ "posting": posting.to_string() }) }),
            ..Record::plain(kind, at.at, program.at(at.at).version)
        });
        Ok(StatusChanged { posting: posting.to_string(), member: posting.member.0, status, tier })
    }
}
