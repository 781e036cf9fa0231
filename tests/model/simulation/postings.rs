//! Commands that the product does not have yet, or never should: ones that count, and ones that are ill.

use diesel::result::DatabaseErrorKind;
use perennial::kernel::clock::Moment;
use perennial::kernel::id::MemberId;
use perennial::loyalty::ledger::accounts::Accounts;
use perennial::loyalty::ledger::counters::CounterKey;
use perennial::loyalty::ledger::error::LedgerRefusal;
use perennial::loyalty::ledger::posting::{
    Guess, Needs, Posting, PostingKind, PostingRow, Record, Reference, RequestHash, Target,
};
use perennial::loyalty::program::model::Timeline;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::engine::scope;

/// What a decision that panics says.
pub const PANIC: &str = "a decision that panics, on purpose";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Illness {
    None,
    Figure,
    Check,
    ForeignKey,
    Unknown,
    Panic,
}

pub const ILLNESSES: [Illness; 5] =
    [Illness::Figure, Illness::Check, Illness::ForeignKey, Illness::Unknown, Illness::Panic];

/// Moves a counter, in a posting that writes the profile as it is.
#[derive(Clone, Debug)]
pub struct Count {
    pub member: MemberId,
    pub name: String,
    pub by: i64,
    pub bound: Option<i64>,
    pub illness: Illness,
}

/// How it ended up.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Counted {
    member: Uuid,
    by: i64,
}

pub fn stock() -> CounterKey {
    CounterKey { program: scope().program(), rule: "stock".into(), period: "-".into() }
}

/// By how much a posting moved the counter.
pub fn counted(row: &PostingRow) -> i64 {
    if !row.reference.as_str().starts_with("count:") {
        return 0;
    }
    serde_json::from_str::<Counted>(&row.document).unwrap().by
}

impl Posting for Count {
    type Receipt = Counted;
    type Refusal = LedgerRefusal;

    fn target(&self) -> Target {
        Target::Member(self.member)
    }

    fn reference(&self) -> Reference {
        Reference::keyed("count", &self.name)
    }

    fn request_hash(&self) -> RequestHash {
        RequestHash::of(&(&self.name, self.by))
    }

    fn needs(&self) -> Needs {
        Needs { profile: true, ..Needs::default() }
    }

    fn counters(&self, guess: Guess<'_>) -> Vec<CounterKey> {
        // What it will count it does not know before the clock, and every other one never does.
        let guessed = guess.clock.is_some() && !self.name.ends_with(['1', '3', '5', '7', '9']);
        if guessed { vec![stock()] } else { Vec::new() }
    }

    fn decide(&self, at: &Moment, program: &Timeline, accounts: &mut Accounts<'_>) -> Result<Counted, LedgerRefusal> {
        assert!(self.illness != Illness::Panic, "{PANIC}");
        let counters = accounts.account_and_counters()?.1;
        if self.by < 0 {
            if counters.used(&stock()) + self.by < 0 {
                return Err(LedgerRefusal::CounterExhausted);
            }
            counters.give_back(stock(), -self.by);
        } else {
            counters.use_up(stock(), self.by, self.bound)?;
        }
        let texts = (self.illness != Illness::None).then(|| format!("{:?}", self.illness));
        // Who was merged into somebody goes on as that one.
        let member = accounts.account()?.member.0;
        let profile = Some(accounts.profile());
        let plain = Record::plain(PostingKind::Change, at.at, program.at(at.at).version);
        accounts.record(Record { profile, texts, ..plain });
        Ok(Counted { member, by: self.by })
    }
}

/// What the database says of a posting that it cannot store.
pub fn ill(row: &PostingRow) -> Option<(DatabaseErrorKind, &'static str, Option<&'static str>)> {
    match row.texts.as_deref()? {
        "Figure" => Some((DatabaseErrorKind::Unknown, "value is out of range for type bigint", None)),
        "Check" => Some((DatabaseErrorKind::CheckViolation, "new row violates check", Some("postings_items_check"))),
        "ForeignKey" => Some((DatabaseErrorKind::ForeignKeyViolation, "violates foreign key", Some("postings_fk"))),
        "Unknown" => Some((DatabaseErrorKind::Unknown, "invalid byte sequence for encoding \"UTF8\"", None)),
        _ => None,
    }
}
