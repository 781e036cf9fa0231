//! A tier that a person gives: for a while or until further notice, beside what the member earns.

use chrono::NaiveDate;
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
use crate::loyalty::ledger::tier_receipt::{GivenReceipt, StandingReceipt, TierReceipt};
use crate::loyalty::program::model::Timeline;
use crate::loyalty::tiers::standing::Granted;
use crate::platform::audit::Action;

/// Give a member a tier, or end what was given.
#[derive(Clone, Debug)]
pub struct GrantTier {
    /// The caller's name for the command.
    pub reference: Reference,
    /// Of what the caller sent.
    pub hash: RequestHash,
    /// Whom.
    pub member: MemberId,
    /// Which tier, by its code; `None`: what was given ends.
    pub tier: Option<String>,
    /// Its last programme-local day; `None`: until a person ends it.
    pub until: Option<NaiveDate>,
    /// Why: free text.
    pub reason: String,
}

/// Why no tier was given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantRefusal {
    /// By the ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerRefusal),
    /// The version in force has no such tier.
    #[error("the programme has no such tier")]
    TierUnknown,
    /// Its last day is over.
    #[error("its last day is over: today is {0}")]
    Over(NaiveDate),
    /// There is nothing to end.
    #[error("no tier was given")]
    NothingGiven,
}

/// What a grant answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TierGranted {
    /// The posting.
    pub posting: String,
    /// The member.
    pub member: Uuid,
    /// What is given from now on; absent: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub given: Option<GivenReceipt>,
    /// What became of the tier that the member is in, where it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub tier: Option<TierReceipt>,
}

impl Posting for GrantTier {
    type Receipt = TierGranted;
    type Refusal = GrantRefusal;

    fn target(&self) -> Target {
        Target::Member(self.member)
    }

    fn reference(&self) -> Reference {
        self.reference.clone()
    }

    fn request_hash(&self) -> RequestHash {
        self.hash
    }

    fn decide(
        &self,
        at: &Moment,
        program: &Timeline,
        accounts: &mut Accounts<'_>,
    ) -> Result<TierGranted, GrantRefusal> {
        let account = accounts.account()?;
        if account.status == Status::Suspended {
            return Err(LedgerRefusal::Suspended.into());
        }
        let book = program.at(at.at);
        let ladder = book.tiers.as_ref().ok_or(GrantRefusal::TierUnknown)?;
        let posting = account.next_posting();
        let granted = match &self.tier {
            None if account.standing.granted.is_none() => return Err(GrantRefusal::NothingGiven),
            None => None,
            Some(code) => {
                let tier = ladder.tiers.iter().find(|tier| tier.code == *code).ok_or(GrantRefusal::TierUnknown)?;
                let today = book.zone.day_of(at.at);
                if self.until.is_some_and(|until| until < today) {
                    return Err(GrantRefusal::Over(today));
                }
                Some(Granted { tier: tier.slot, since: at.at, until: self.until, cause: posting.seq })
            }
        };
        let tier = account.grant_tier(program, at.at, granted).filter(TierReceipt::is_change);
        let given = StandingReceipt::of(account.member, &account.standing, program).and_then(|stands| stands.given);
        let detail = json!({ "posting": posting.to_string(), "tier": self.tier, "until": self.until });
        accounts.record(Record {
            texts: Some(json!({ "reason": self.reason }).to_string()),
            audited: Some(Audited { action: Action("membership.tier_granted"), detail }),
            ..Record::plain(PostingKind::GrantTier, at.at, book.version)
        });
        Ok(TierGranted { posting: posting.to_string(), member: posting.member.0, given, tier })
    }
}
