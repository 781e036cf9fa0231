//! What a decision sees and what it says: its account, the answers it asked for, and the changes it wants.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde::Serialize;

use crate::kernel::clock::Instant;
use crate::kernel::id::{MemberId, ProgramId, Seq};
use crate::loyalty::ledger::account::Account;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::posting::{CounterKey, PostingRow, Record, Reference};
use crate::loyalty::members::model::{Identity, Profile};

/// The directory's number for references; identities have theirs in `members`.
pub const REFERENCE_KIND: i16 = 1;

/// A value that is unique in a programme.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DirectoryKey {
    /// In which programme.
    pub program: ProgramId,
    /// What it is.
    pub kind: i16,
    /// The value.
    pub value: String,
}

impl DirectoryKey {
    /// The key of a reference.
    pub fn reference(program: ProgramId, reference: &Reference) -> Self {
        Self { program, kind: REFERENCE_KIND, value: reference.as_str().to_owned() }
    }

    /// The key of an identity.
    pub fn identity(identity: &Identity) -> Self {
        Self { program: identity.program, kind: identity.kind.number(), value: identity.value.clone() }
    }
}

/// To whom a directory value belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The member.
    pub member: MemberId,
    /// The posting that took it.
    pub seq: Seq,
}

/// How far a counter is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counter {
    /// Used so far.
    pub used: i64,
    /// No more than this; `None` without a bound.
    pub max: Option<i64>,
}

/// What a decision wants changed besides its account.
#[derive(Debug, Default)]
pub struct Wishes {
    /// Values that belong to the member from now on.
    pub takes: Vec<DirectoryKey>,
    /// Values that belong to nobody any more.
    pub releases: Vec<DirectoryKey>,
    /// Counters, and by how much they move.
    pub counts: Vec<(CounterKey, i64)>,
    /// What the posting is about.
    pub record: Option<Record>,
    /// What the other member's posting is about, with its document.
    pub other: Option<(Record, String)>,
}

/// The working set of one decision.
pub struct Accounts<'g> {
    pub(in crate::loyalty::ledger) member: MemberId,
    pub(in crate::loyalty::ledger) program: ProgramId,
    pub(in crate::loyalty::ledger) account: Option<Account>,
    pub(in crate::loyalty::ledger) other: Option<Account>,
    pub(in crate::loyalty::ledger) earlier: Vec<&'g PostingRow>,
    pub(in crate::loyalty::ledger) owners: &'g HashMap<DirectoryKey, Owner>,
    pub(in crate::loyalty::ledger) story: Vec<&'g PostingRow>,
    pub(in crate::loyalty::ledger) counters: &'g HashMap<CounterKey, Counter>,
    pub(in crate::loyalty::ledger) profile: Option<&'g Profile>,
    pub(in crate::loyalty::ledger) wishes: Wishes,
}

impl<'g> Accounts<'g> {
    /// The programme in which all of this happens.
    pub fn program(&self) -> ProgramId {
        self.program
    }

    /// The member's account, caught up.
    ///
    /// # Errors
    /// `MemberUnknown` when there is none.
    pub fn account(&mut self) -> Result<&mut Account, LedgerRefusal> {
        self.account.as_mut().ok_or(LedgerRefusal::MemberUnknown)
    }

    /// The member's account and that of the other who takes part, both caught up.
    ///
    /// # Errors
    /// `MemberUnknown` when one is missing.
    pub fn both(&mut self) -> Result<(&mut Account, &mut Account), LedgerRefusal> {
        self.account.as_mut().zip(self.other.as_mut()).ok_or(LedgerRefusal::MemberUnknown)
    }

    /// The member's earlier postings of the kind that the command asked for, oldest first.
    pub fn earlier(&self) -> &[&'g PostingRow] {
        &self.earlier
    }

    /// Whether the member has an account.
    pub fn is_enrolled(&self) -> bool {
        self.account.is_some()
    }

    /// Gives somebody new an account.
    pub fn enrol(&mut self, at: Instant, enrolled_on: NaiveDate) -> &mut Account {
        let (member, program) = (self.member, self.program);
        self.account.get_or_insert_with(|| Account::new(member, program, at, enrolled_on))
    }

    /// To whom an identity belongs, of those that the command needs.
    pub fn owner(&self, identity: &Identity) -> Option<MemberId> {
        self.owners.get(&DirectoryKey::identity(identity)).map(|o| o.member)
    }

    /// Makes an identity the member's.
    ///
    /// # Errors
    /// `IdentityTaken` when it is somebody else's.
    pub fn take(&mut self, identity: &Identity) -> Result<(), LedgerRefusal> {
        match self.owner(identity) {
            Some(owner) if owner == self.member => Ok(()),
            Some(_) => Err(LedgerRefusal::IdentityTaken(identity.kind.name())),
            None => {
                self.wishes.takes.push(DirectoryKey::identity(identity));
                Ok(())
            }
        }
    }

    /// Gives an identity of the member's up.
    pub fn release(&mut self, identity: &Identity) {
        self.wishes.releases.push(DirectoryKey::identity(identity));
    }

    /// The member's profile, for a command that needs it.
    pub fn profile(&self) -> Profile {
        self.profile.cloned().unwrap_or_default()
    }

    /// The postings that the command's `story_of` asked for, oldest first: that posting, those that opened the lots it
    /// took from, and all that came after it.
    pub fn story(&self) -> Vec<&'g PostingRow> {
        self.story.clone()
    }

    /// How far a counter is used, of those that the command needs.
    pub fn counter(&self, key: &CounterKey) -> Counter {
        self.counters.get(key).copied().unwrap_or_default()
    }

    /// Moves a counter: up when something is used, down when it is given back.
    ///
    /// # Errors
    /// `CounterExhausted` when less is left.
    pub fn count(&mut self, key: CounterKey, by: i64) -> Result<(), LedgerRefusal> {
        let before: i64 = self.wishes.counts.iter().filter(|(k, _)| *k == key).map(|(_, n)| n).sum();
        let counter = self.counter(&key);
        let used = counter.used.saturating_add(before).saturating_add(by);
        if used < 0 || by > 0 && counter.max.is_some_and(|max| used > max) {
            return Err(LedgerRefusal::CounterExhausted);
        }
        self.wishes.counts.push((key, by));
        Ok(())
    }

    /// Says what the other member's posting is about, and what its document is.
    pub fn record_other<D: Serialize>(&mut self, record: Record, document: &D) {
        // Our own types with string keys: serialising them cannot fail.
        self.wishes.other = Some((record, serde_json::to_string(document).unwrap_or_default()));
    }

    /// Says what the posting is about. A decision that answers `Ok` and says nothing leaves no posting of its own.
    pub fn record(&mut self, record: Record) {
        self.wishes.record = Some(record);
    }
}
