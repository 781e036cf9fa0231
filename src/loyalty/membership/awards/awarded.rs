//! What the rules award for something that is no order.

use chrono::NaiveDate;

use crate::kernel::clock::{Instant, Moment};
use crate::loyalty::earning::asked::Trigger;
use crate::loyalty::earning::rows::{Awarded, Skipped, award};
use crate::loyalty::ledger::account::{Account, Status};
use crate::loyalty::ledger::counters::{CounterKey, Counters};
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::facts::member_facts;
use crate::loyalty::ledger::posting::Guess;
use crate::loyalty::membership::awards::bounds::Bounds;
use crate::loyalty::membership::awards::come_in::earn;
use crate::loyalty::membership::awards::receipt::{
    EarnedReceipt, RowReceipt, SkippedReceipt, row_receipts, skipped_receipt,
};
use crate::loyalty::program::facts::{EventFacts, Facts, Values};
use crate::loyalty::program::model::{EarningRule, Rulebook, Timeline};
use crate::loyalty::program::reason::Reason;

/// Something that may set rules off.
#[derive(Clone, Copy)]
pub struct Occasion<'o> {
    /// The programme,
    pub program: &'o Timeline,
    /// and the version that decides.
    pub book: &'o Rulebook,
    /// What it is.
    pub trigger: Trigger<'o>,
    /// The event, if it is one.
    pub event: Option<EventFacts<'o>>,
    /// When it happened,
    pub happened: Instant,
    /// and on which local day.
    pub day: NaiveDate,
    /// The member's attributes, where the version reads them.
    pub attributes: Option<&'o Values>,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Came {
    /// What each rule awarded.
    pub rows: Vec<RowReceipt>,
    /// What came into which wallet.
    pub earned: Vec<EarnedReceipt>,
    /// What did not apply, and why.
    pub skipped: Vec<SkippedReceipt>,
}

impl Occasion<'_> {
    /// Awards what the rules say, of a member who is suspended nothing.
    ///
    /// # Errors
    /// Too many points or lots.
    pub fn come(self, account: &mut Account, counters: &mut Counters<'_>, at: &Moment) -> Result<Came, LedgerRefusal> {
        let rules = &self.book.earning;
        if account.status == Status::Suspended {
            let is_due = |rule: &&EarningRule| self.trigger.sets_off(&rule.on) && rule.schedule.has(self.happened);
            let skipped =
                rules.iter().filter(is_due).map(|rule| skipped_receipt(&Skipped::plain(rule, Reason::MemberSuspended)));
            return Ok(Came { skipped: skipped.collect(), ..Came::default() });
        }
        let bounds = Bounds { now: self.program.at(at.at.max(at.recorded)), day: self.day };
        let Awarded { rows, skipped } = {
            let facts = Facts {
                book: self.book,
                at: self.happened,
                local: self.book.zone.time_of(self.happened),
                member: member_facts(account, self.book, (self.happened, self.day), self.attributes),
                order: None,
                event: self.event,
            };
            let room = |rule: &EarningRule| bounds.room(account, counters, rule);
            let awarded = award(rules, self.trigger, &[], self.happened, (Some(&facts), None), room);
            awarded.map_err(|_| LedgerRefusal::TooManyPoints)?
        };
        bounds.use_up(&rows, account, counters)?;
        Ok(Came {
            earned: earn(account, self.program, self.book, &rows, (self.happened, self.day, at))?,
            rows: row_receipts(&rows, self.book, self.day, &[]),
            skipped: skipped.iter().map(skipped_receipt).collect(),
        })
    }
}

/// The counters of budgets of rules that something sets off at an instant, as far as that can be told.
pub fn budgets(guess: Guess<'_>, trigger: Trigger<'_>, happened: impl FnOnce(Instant) -> Instant) -> Vec<CounterKey> {
    let Some((program, clock)) = guess.timeline.zip(guess.clock) else { return Vec::new() };
    let happened = happened(clock);
    let book = program.at(happened.min(clock));
    let day = book.zone.day_of(happened);
    let due = book.earning.iter().filter(|rule| trigger.sets_off(&rule.on) && rule.schedule.has(happened));
    let budgets = due.filter_map(|rule| Some((rule, rule.budget.as_ref()?)));
    budgets.map(|(rule, budget)| CounterKey::budget(guess.program, &rule.code, budget, day)).collect()
}
