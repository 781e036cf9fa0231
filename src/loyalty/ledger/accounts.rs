//! What a decision sees and what it says: its account, the answers it asked for, and the changes it wants.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::kernel::clock::Instant;
use crate::kernel::id::{MemberId, ProgramId, Seq};
use crate::loyalty::ledger::account::Account;
use crate::loyalty::ledger::counters::Counters;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::posting::{PostingRow, Record, Reference};
use crate::loyalty::members::model::{Identity, Profile};

/// The directory's number for references; identities have theirs in `members`.
pub const REFERENCE_KIND: i16 = 1;

/// The directory's number for what vouchers are known by.
pub const VOUCHER_KIND: i16 = 6;

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

    /// The key of what a voucher is known by.
    pub fn voucher(program: ProgramId, key: &str) -> Self {
        Self { program, kind: VOUCHER_KIND, value: key.to_owned() }
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

/// What a decision wants changed besides its account.
#[derive(Debug, Default)]
pub struct Wishes {
    /// Values that belong to the member from now on.
    pub takes: Vec<DirectoryKey>,
    /// Values that belong to nobody any more.
    pub releases: Vec<DirectoryKey>,
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
    pub(in crate::loyalty::ledger) counters: Counters<'g>,
    pub(in crate::loyalty::ledger) profile: Option<&'g Profile>,
    /// Whether the decision asked for a profile that was not read.
    pub(in crate::loyalty::ledger) wants_profile: bool,
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

    /// The member's account, caught up, and the counters.
    ///
    /// # Errors
    /// `MemberUnknown` when there is no account.
    pub fn account_and_counters(&mut self) -> Result<(&mut Account, &mut Counters<'g>), LedgerRefusal> {
        let account = self.account.as_mut().ok_or(LedgerRefusal::MemberUnknown)?;
        Ok((account, &mut self.counters))
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

    /// Makes what a voucher is known by the member's; false where it is somebody's already.
    #[must_use]
    pub fn take_voucher(&mut self, key: &str) -> bool {
        let key = DirectoryKey::voucher(self.program, key);
        let free = !self.owners.contains_key(&key);
        if free {
            self.wishes.takes.push(key);
        }
        free
    }

    /// Gives an identity of the member's up.
    pub fn release(&mut self, identity: &Identity) {
        self.wishes.releases.push(DirectoryKey::identity(identity));
    }

    /// The member's profile, for a command that needs it.
    pub fn profile(&self) -> Profile {
        self.profile.cloned().unwrap_or_default()
    }

    /// The member's attributes. Where nobody had read them they are wanted: the decision is made again once they are.
    pub fn attributes(&mut self) -> Option<&'g Map<String, Value>> {
        self.wants_profile |= self.profile.is_none();
        self.profile.map(|profile| &profile.attributes)
    }

    /// The postings that the command's `story_of` asked for, oldest first: that posting, those that opened the lots it
    /// took from, and all that came after it.
    pub fn story(&self) -> Vec<&'g PostingRow> {
        self.story.clone()
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
