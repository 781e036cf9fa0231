//! A change of a profile: some identities taken, some given up.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kernel::clock::Moment;
use crate::kernel::id::{MemberId, ProgramId};
use crate::loyalty::ledger::accounts::Accounts;
use crate::loyalty::ledger::posting::{Needs, Posting, PostingKind, Record, Reference, RequestHash, Target};
use crate::loyalty::members::model::{Identity, Profile, ProfilePatch};
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
    /// What changes.
    pub patch: ProfilePatch,
}

/// What a change answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// The member.
    pub member: Uuid,
}

fn only_in(program: ProgramId, one: &Profile, other: &Profile) -> Vec<Identity> {
    let known = other.identities(program);
    one.identities(program).into_iter().filter(|i| !known.contains(i)).collect()
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
        let identities = self.patch.apply(Profile::default()).identities(self.program);
        Needs { identities, profile: true, ..Needs::default() }
    }

    fn decide(
        &self,
        at: &Moment,
        program: &Timeline,
        accounts: &mut Accounts<'_>,
    ) -> Result<Changed, MembershipRefusal> {
        let posting = accounts.account()?.next_posting();
        let before = accounts.profile();
        let after = self.patch.apply(before.clone());
        let book = program.at(at.at);
        if after.birthday != before.birthday && after.birthday > Some(book.zone.day_of(at.at)) {
            return Err(MembershipRefusal::BirthdayAhead);
        }
        for identity in only_in(self.program, &after, &before) {
            accounts.take(&identity)?;
        }
        for identity in only_in(self.program, &before, &after) {
            accounts.release(&identity);
        }
        accounts.record(Record { profile: Some(after), ..Record::plain(PostingKind::Change, at.at, book.version) });
        Ok(Changed { member: posting.member.0 })
    }
}
