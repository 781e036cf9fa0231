//! A member put into a list, or taken out of it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kernel::clock::Moment;
use crate::kernel::id::MemberId;
use crate::loyalty::ledger::accounts::Accounts;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::posting::{Needs, Posting, PostingKind, Record, Reference, RequestHash, Target};
use crate::loyalty::members::model::Identity;
use crate::loyalty::membership::enrol::verify_owner;
use crate::loyalty::program::model::Timeline;

/// Put a member into a list, or take it out.
#[derive(Clone, Debug)]
pub struct ChangeSegment {
    /// The caller's name for the command.
    pub reference: Reference,
    /// Of what the caller sent.
    pub hash: RequestHash,
    /// Whom.
    pub member: MemberId,
    /// By what the caller knows the member: checked again when it is decided.
    pub identity: Option<Identity>,
    /// The list's code.
    pub segment: String,
    /// Whether the member is in it from now on.
    pub listed: bool,
}

/// Why a list stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SegmentRefusal {
    /// By the ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerRefusal),
    /// The version in force has no such list.
    #[error("the programme has no such list of members")]
    Unknown,
    /// It is so already.
    #[error("it is so already")]
    Already,
}

/// What a change of a list says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentChanged {
    /// The posting.
    pub posting: String,
    /// The member.
    pub member: Uuid,
    /// The list's code.
    pub segment: String,
    /// Whether the member is in it now.
    pub listed: bool,
}

impl Posting for ChangeSegment {
    type Receipt = SegmentChanged;
    type Refusal = SegmentRefusal;

    fn target(&self) -> Target {
        Target::Member(self.member)
    }

    fn reference(&self) -> Reference {
        self.reference.clone()
    }

    fn request_hash(&self) -> RequestHash {
        self.hash
    }

    fn needs(&self) -> Needs {
        Needs { identities: self.identity.iter().cloned().collect(), ..Needs::default() }
    }

    fn decide(
        &self,
        at: &Moment,
        program: &Timeline,
        accounts: &mut Accounts<'_>,
    ) -> Result<SegmentChanged, SegmentRefusal> {
        verify_owner(accounts, self.identity.as_ref(), self.target())?;
        let book = program.at(at.at);
        let known = book.segment_codes.iter().find(|(code, _)| *code == self.segment);
        let (_, slot) = known.ok_or(SegmentRefusal::Unknown)?;
        let account = accounts.account()?;
        if account.segments.has(*slot) == self.listed {
            return Err(SegmentRefusal::Already);
        }
        account.segments = account.segments.with(*slot, self.listed);
        let posting = account.next_posting();
        accounts.record(Record::plain(PostingKind::ChangeSegment, at.at, book.version));
        Ok(SegmentChanged {
            posting: posting.to_string(),
            member: posting.member.0,
            segment: self.segment.clone(),
            listed: self.listed,
        })
    }
}
