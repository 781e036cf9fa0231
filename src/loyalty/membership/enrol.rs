//! Enrolling: an account, a profile, and the identities that are the member's alone.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kernel::clock::{Instant, Moment};
use crate::kernel::id::{MemberId, ProgramId};
use crate::loyalty::earning::asked::Trigger;
use crate::loyalty::ledger::accounts::Accounts;
use crate::loyalty::ledger::counters::CounterKey;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::posting::{
    AccountTime, Guess, Needs, Posting, PostingKind, Record, Reference, RequestHash, Target,
};
use crate::loyalty::members::model::{Identity, Profile};
use crate::loyalty::membership::awards::awarded::{Came, Occasion, budgets};
use crate::loyalty::membership::awards::receipt::{EarnedReceipt, RowReceipt, SkippedReceipt};
use crate::loyalty::membership::error::MembershipRefusal;
use crate::loyalty::program::model::Timeline;

/// Enrol a member.
#[derive(Clone, Debug)]
pub struct Enrol {
    /// In which programme.
    pub program: ProgramId,
    /// The caller's name for the command.
    pub reference: Reference,
    /// Of what the caller sent.
    pub hash: RequestHash,
    /// The id that the member gets.
    pub member: MemberId,
    /// What is known of the member.
    pub profile: Profile,
    /// The programme-local day of the enrolment, if not today.
    pub enrolled_on: Option<NaiveDate>,
    /// Whether rules about enrolments award: who is imported was welcomed where they came from.
    pub welcomes: bool,
    /// When it is decided.
    pub time: AccountTime,
}

/// What an enrolment answers: no personal data, which may be erased one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolled {
    /// The member.
    pub member: Uuid,
    /// The programme-local day.
    pub enrolled_on: NaiveDate,
    /// What each rule awarded that is about enrolments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<RowReceipt>,
    /// What came into which wallet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earned: Vec<EarnedReceipt>,
    /// What did not apply, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<SkippedReceipt>,
}

impl Posting for Enrol {
    type Receipt = Enrolled;
    type Refusal = MembershipRefusal;

    fn target(&self) -> Target {
        Target::New(self.member)
    }

    fn reference(&self) -> Reference {
        self.reference.clone()
    }

    fn request_hash(&self) -> RequestHash {
        self.hash
    }

    fn needs(&self) -> Needs {
        Needs { identities: self.profile.identities(self.program), ..Needs::default() }
    }

    fn counters(&self, guess: Guess<'_>) -> Vec<CounterKey> {
        budgets(guess, Trigger::Enrolment, |clock| clock)
    }

    fn time(&self) -> AccountTime {
        self.time
    }

    fn decide(
        &self,
        at: &Moment,
        program: &Timeline,
        accounts: &mut Accounts<'_>,
    ) -> Result<Enrolled, MembershipRefusal> {
        let book = program.at(at.at);
        let today = book.zone.day_of(at.at);
        let enrolled_on = self.enrolled_on.unwrap_or(today);
        if enrolled_on > today {
            return Err(MembershipRefusal::EnrolledAhead);
        }
        if self.profile.birthday > Some(today) {
            return Err(MembershipRefusal::BirthdayAhead);
        }
        enrol(accounts, &self.profile, at.at, enrolled_on)?;
        let came = if self.welcomes {
            let (account, counters) = accounts.account_and_counters()?;
            let attributes = Some(&self.profile.attributes);
            let (trigger, happened) = (Trigger::Enrolment, at.at);
            let day = enrolled_on;
            let occasion = Occasion { program, book, trigger, event: None, happened, day, attributes };
            occasion.come(account, counters, at)?
        } else {
            Came::default()
        };
        accounts.record(Record {
            profile: Some(self.profile.clone()),
            ..Record::plain(PostingKind::Enrol, at.at, book.version)
        });
        let Came { rows, earned, skipped } = came;
        Ok(Enrolled { member: self.member.0, enrolled_on, rows, earned, skipped })
    }
}

/// Gives somebody new an account and takes the profile's identities.
///
/// # Errors
/// When an identity is somebody else's.
pub fn enrol(
    accounts: &mut Accounts<'_>,
    profile: &Profile,
    at: Instant,
    enrolled_on: NaiveDate,
) -> Result<(), LedgerRefusal> {
    for identity in profile.identities(accounts.program()) {
        accounts.take(&identity)?;
    }
    accounts.enrol(at, enrolled_on);
    Ok(())
}

/// Checks that an identity still belongs to whom the caller took it for: it was looked up before the lane was locked.
///
/// # Errors
/// `MemberMoved` when it does not.
pub fn verify_owner(accounts: &Accounts<'_>, identity: Option<&Identity>, target: Target) -> Result<(), LedgerRefusal> {
    let Some(identity) = identity else { return Ok(()) };
    let expected = match target {
        Target::Member(member) => Some(member),
        Target::New(_) => None,
    };
    if accounts.owner(identity) == expected { Ok(()) } else { Err(LedgerRefusal::MemberMoved) }
}
