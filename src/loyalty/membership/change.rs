//! A change of a profile: some identities taken, some given up.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kernel::clock::Moment;
use crate::kernel::id::{MemberId, ProgramId};
use crate::loyalty::ledger::accounts::Accounts;
use crate::loyalty::ledger::posting::{Needs, Posting, PostingKind, Record, Reference, RequestHash, Target};
use crate::loyalty::members::model::{Identity, Profile};
use crate::loyalty::membership::error::MembershipRefusal;
use crate::loyalty::program::model::Timeline;

/// Change a member's profile.
#[derive(Clone, Debug)]
pub struct ChangeProfile {
    /// In which programme.
    pub program: ProgramId,
    /// The caller's name for the command.
    pub reference: Reference,
    /// Of what the caller sent.
    pub hash: RequestHash,
    /// Whose.
    pub member: MemberId,
    /// The profile as it was read.
    pub before: Profile,
    /// The profile as it is to be.
    pub after: Profile,
}

/// What a change answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// The member.
    pub member: Uuid,
}

impl ChangeProfile {
    fn only_in(&self, one: &Profile, other: &Profile) -> Vec<Identity> {
        let known = other.identities(self.program);
        one.identities(self.program).into_iter().filter(|i| !known.contains(i)).collect()
    }
}

impl Posting for ChangeProfile {
    type Receipt = Changed;
    type Refusal = MembershipRefusal;

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
        let mut identities = self.before.identities(self.program);
        identities.extend(self.after.identities(self.program));
        Needs { identities, ..Needs::default() }
    }

    fn decide(
        &self,
        at: &Moment,
        program: &Timeline,
        accounts: &mut Accounts<'_>,
    ) -> Result<Changed, MembershipRefusal> {
        let posting = accounts.account()?.next_posting();
        for identity in self.only_in(&self.after, &self.before) {
            accounts.take(&identity)?;
        }
        for identity in self.only_in(&self.before, &self.after) {
            accounts.release(&identity);
        }
        accounts.record(Record {
            profile: Some(self.after.clone()),
            ..Record::plain(PostingKind::Change, at.at, program.at(at.at).version)
        });
        Ok(Changed { member: posting.member.0 })
    }
}
