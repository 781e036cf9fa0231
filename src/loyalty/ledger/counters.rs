//! What a decision sees of counters, and by how much it moves them.

use std::collections::HashMap;

use chrono::NaiveDate;

use crate::kernel::grow::Grow;
use crate::kernel::id::ProgramId;
use crate::kernel::points::Points;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::program::model::Budget;
use crate::loyalty::program::slots::uses_of;

/// The name of a counter: stock or a budget in one business period.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CounterKey {
    /// Whose.
    pub program: ProgramId,
    /// The rule, or the uses of a discount: `gold_ten.uses`, or the stock of a reward: `mug.stock`.
    pub rule: String,
    /// The business period, `2026-12`; `-` for one without.
    pub period: String,
}

impl CounterKey {
    /// The counter of a rule's budget on a business day.
    pub fn budget(program: ProgramId, rule: &str, budget: &Budget, day: NaiveDate) -> Self {
        Self { program, rule: rule.to_owned(), period: budget.cycle.name(day) }
    }

    /// The counter of the uses of a discount on a business day.
    pub fn uses(program: ProgramId, discount: &str, total: &Budget, day: NaiveDate) -> Self {
        Self { program, rule: uses_of(discount), period: total.cycle.name(day) }
    }

    /// The counter of what is gone of a reward's stock on a business day: no code has the sign.
    pub fn stock(program: ProgramId, reward: &str, stock: &Budget, day: NaiveDate) -> Self {
        Self { program, rule: format!("{reward}.stock"), period: stock.cycle.name(day) }
    }
}

/// By how much a counter moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Up when something is used, down when it is given back.
    pub by: i64,
    /// What it must not exceed by going up; `None` without a bound.
    pub bound: Option<i64>,
}

impl Counted {
    /// Adds a later one: the bound is that of the last one that went up.
    pub fn add(&mut self, later: Self) {
        self.by.grow(later.by);
        if later.by > 0 {
            self.bound = later.bound;
        }
    }
}

/// The counters of one decision.
#[derive(Debug)]
pub struct Counters<'g> {
    loaded: &'g HashMap<CounterKey, i64>,
    /// Those that it asked for, and that were not read.
    pub(in crate::loyalty::ledger) wants: Vec<CounterKey>,
    /// How they move.
    pub(in crate::loyalty::ledger) moves: Vec<(CounterKey, Counted)>,
}

impl<'g> Counters<'g> {
    /// Those that were read, each with how far it is used.
    pub fn new(loaded: &'g HashMap<CounterKey, i64>) -> Self {
        Self { loaded, wants: Vec::new(), moves: Vec::new() }
    }

    /// How far a counter is used. One that was not read is wanted: the decision is made again once it is.
    pub fn used(&mut self, key: &CounterKey) -> i64 {
        let moved: i64 = self.moves.iter().filter(|(k, _)| k == key).map(|(_, m)| m.by).sum();
        let used = self.loaded.get(key).copied().unwrap_or_else(|| {
            self.wants.push(key.clone());
            0
        });
        used.saturating_add(moved)
    }

    /// What is left up to a bound.
    pub fn left(&mut self, key: &CounterKey, bound: Points) -> Points {
        Points::try_from(bound.get().saturating_sub(self.used(key)).max(0)).unwrap_or(Points::ZERO)
    }

    /// Uses something up.
    ///
    /// # Errors
    /// `CounterExhausted` when less is left.
    pub fn use_up(&mut self, key: CounterKey, by: i64, bound: Option<i64>) -> Result<(), LedgerRefusal> {
        let used = self.used(&key).saturating_add(by);
        if bound.is_some_and(|bound| used > bound) {
            return Err(LedgerRefusal::CounterExhausted);
        }
        self.moves.push((key, Counted { by, bound }));
        Ok(())
    }

    /// Gives back what was used up: for that nothing has to be read.
    pub fn give_back(&mut self, key: CounterKey, by: i64) {
        self.moves.push((key, Counted { by: 0_i64.saturating_sub(by), bound: None }));
    }
}
