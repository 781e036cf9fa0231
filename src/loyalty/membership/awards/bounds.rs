//! Caps and budgets: what is left of them, and what has less left.

use chrono::NaiveDate;

use crate::kernel::id::ProgramId;
use crate::kernel::points::Points;
use crate::loyalty::earning::rows::{Room, Row};
use crate::loyalty::ledger::account::Account;
use crate::loyalty::ledger::counters::{CounterKey, Counters};
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::program::model::{EarningRule, Rulebook};

/// By what caps and budgets go.
#[derive(Clone, Copy)]
pub struct Bounds<'b> {
    /// The version that is in force now.
    pub now: &'b Rulebook,
    /// The business day.
    pub day: NaiveDate,
}

impl Bounds<'_> {
    /// What is left of a rule.
    pub fn room(self, account: &Account, counters: &mut Counters<'_>, rule: &EarningRule) -> Room {
        Room {
            cap: self.cap(account, rule),
            budget: self.budget(account.program, rule).map(|(key, bound)| counters.left(&key, bound)),
        }
    }

    /// Notes what caps and budgets have less left of.
    ///
    /// # Errors
    /// When that is more than can be counted.
    pub fn use_up(
        self,
        rows: &[Row<'_>],
        account: &mut Account,
        counters: &mut Counters<'_>,
    ) -> Result<(), LedgerRefusal> {
        for row in rows {
            let Some(rule) = row.rule() else { continue };
            if let Some(cap) = &rule.cap {
                account.use_up(cap, self.day, row.points)?;
            }
            if let Some(awards) = &rule.awards {
                account.use_up(awards, self.day, Points::ONE)?;
            }
            if let Some((key, bound)) = self.budget(account.program, rule) {
                counters.use_up(key, row.points.get(), Some(bound.get()))?;
            }
        }
        Ok(())
    }

    /// What a member can still have of a rule: nothing once it has awarded as often as it may.
    fn cap(self, account: &Account, rule: &EarningRule) -> Option<Points> {
        let often = rule.awards.is_some_and(|awards| account.room(&awards, self.day).is_zero());
        if often { Some(Points::ZERO) } else { rule.cap.map(|cap| account.room(&cap, self.day)) }
    }

    /// The counter of a rule's budget, of the business day, and its bound: as the version says that is in force now, which
    /// an older order does not spend beyond.
    fn budget(self, program: ProgramId, rule: &EarningRule) -> Option<(CounterKey, Points)> {
        let budget = rule.budget.as_ref()?;
        let now = self.now.rule(&rule.code).and_then(|rule| rule.budget).filter(|now| now.cycle == budget.cycle);
        Some((CounterKey::budget(program, &rule.code, budget, self.day), now.unwrap_or(*budget).points))
    }
}
