//! Something that a member did outside of a checkout, and what the rules award for it.

use chrono::{Duration, NaiveDate};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::{Instant, Moment, earlier, later};
use crate::kernel::id::MemberId;
use crate::loyalty::earning::asked::Trigger;
use crate::loyalty::ledger::accounts::Accounts;
use crate::loyalty::ledger::counters::CounterKey;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::posting::{
    AccountTime, Guess, Needs, Posting, PostingKind, Record, Reference, RequestHash, Target,
};
use crate::loyalty::members::model::Identity;
use crate::loyalty::membership::awards::awarded::{Came, Occasion, budgets};
use crate::loyalty::membership::awards::receipt::{EarnedReceipt, RowReceipt, SkippedReceipt};
use crate::loyalty::membership::enrol::verify_owner;
use crate::loyalty::program::facts::{EventFacts, Values};
use crate::loyalty::program::model::earning::is_kept;
use crate::loyalty::program::model::{On, Rulebook, Timeline};

/// How old an event may be, in days: as long as caps are remembered.
pub const EVENT_AGE_MAX_D: i64 = 730;
/// How far ahead of Postgres's clock an event may be, in seconds: a clock that is wrong.
pub const EVENT_AHEAD_MAX_S: i64 = 300;

/// Tell of an event.
#[derive(Clone, Debug)]
pub struct SendEvent {
    /// The caller's name for it.
    pub reference: Reference,
    /// Of what the caller sent.
    pub hash: RequestHash,
    /// Whose it is.
    pub member: MemberId,
    /// By what the caller knows the member: checked again when it is decided.
    pub identity: Option<Identity>,
    /// What happened, `review_written`.
    pub name: String,
    /// When; absent: now.
    pub occurred_at: Option<Instant>,
    /// What the shop says of it besides.
    pub attributes: Values,
    /// When it is decided.
    pub time: AccountTime,
    /// Whether it is a day that came by itself: it leaves nothing where no rule awards for it.
    pub by_itself: bool,
}

/// Why an event is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventRefusal {
    /// By the ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerRefusal),
    /// Nothing in the programme is about it: a mistake, and not an event that brings nothing.
    #[error("the programme has no such event")]
    Unknown,
    /// Later than now.
    #[error("the event is in the future")]
    TooFarAhead,
    /// Older than an event may be.
    #[error("the event is too old")]
    TooOld,
}

/// What an event brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = EventReceipt)]
pub struct EventReceipt {
    /// The posting.
    pub posting: String,
    /// The member.
    pub member: Uuid,
    /// What happened.
    pub event: String,
    /// The version of the programme that decided.
    pub program_version: i32,
    /// The programme-local day.
    pub occurred_on: NaiveDate,
    /// What each rule awarded.
    pub rows: Vec<RowReceipt>,
    /// What came into which wallet.
    pub earned: Vec<EarnedReceipt>,
    /// What did not apply, and why.
    pub skipped: Vec<SkippedReceipt>,
}

impl Posting for SendEvent {
    type Receipt = EventReceipt;
    type Refusal = EventRefusal;

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

    fn counters(&self, guess: Guess<'_>) -> Vec<CounterKey> {
        budgets(guess, Trigger::Event(&self.name), |clock| self.occurred_at.unwrap_or(clock))
    }

    fn attributes(&self, guess: Guess<'_>) -> bool {
        guess.timeline.is_some_and(|program| program.newest().reads_attributes)
    }

    fn time(&self) -> AccountTime {
        self.time
    }

    fn decide(
        &self,
        at: &Moment,
        program: &Timeline,
        accounts: &mut Accounts<'_>,
    ) -> Result<EventReceipt, EventRefusal> {
        verify_owner(accounts, self.identity.as_ref(), self.target())?;
        accounts.account()?;
        // Nobody sends a day that comes by itself.
        if !is_known(program.newest(), &self.name) || is_kept(&self.name) != self.by_itself {
            return Err(EventRefusal::Unknown);
        }
        let happened = self.occurred_at.unwrap_or(at.at);
        if happened > later(at.recorded, Duration::seconds(EVENT_AHEAD_MAX_S)) {
            return Err(EventRefusal::TooFarAhead);
        }
        if self.time == AccountTime::Live && happened < earlier(at.recorded, Duration::days(EVENT_AGE_MAX_D)) {
            return Err(EventRefusal::TooOld);
        }
        // As of an order: a version that starts until then has not started.
        let book = program.at(happened.min(at.at));
        let day = book.zone.day_of(happened);
        let attributes = book.reads_attributes.then(|| accounts.attributes()).flatten();
        let occasion = Occasion {
            program,
            book,
            trigger: Trigger::Event(&self.name),
            event: Some(EventFacts { name: &self.name, attributes: Some(&self.attributes) }),
            happened,
            day,
            attributes,
        };
        let (account, counters) = accounts.account_and_counters()?;
        let posting = account.next_posting();
        let Came { rows, earned, skipped } = occasion.come(account, counters, at)?;
        let texts = json!({ "attributes": self.attributes }).to_string();
        if !self.by_itself || !rows.is_empty() {
            accounts.record(Record {
                texts: Some(texts).filter(|_| !self.attributes.is_empty()),
                ..Record::plain(PostingKind::Event, happened, book.version)
            });
        }
        Ok(EventReceipt {
            posting: posting.to_string(),
            member: posting.member.0,
            event: self.name.clone(),
            program_version: book.version.0,
            occurred_on: day,
            rows,
            earned,
            skipped,
        })
    }
}

fn is_known(book: &Rulebook, name: &str) -> bool {
    let about = |on: &On| matches!(on, On::Event(known) if known == name);
    book.declared.event.contains_key(name) || book.earning.iter().any(|rule| about(&rule.on))
}
