//! What budgets and stocks gave out over all members, from what documents say, beside the counters.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::kernel::grow::Grow;
use crate::loyalty::ledger::counters::CounterKey;
use crate::loyalty::ledger::posting::{PostingKind, PostingRow};
use crate::loyalty::ledger::verify::awarded::AwardDocument;
use crate::loyalty::ledger::verify::documents::{OrderDocument, ReturnDocument, parse};
use crate::loyalty::ledger::verify::holds::Uses;
use crate::loyalty::ledger::verify::law::{Findings, Law, Place};
use crate::loyalty::ledger::verify::vouchers::RedemptionDocument;
use crate::loyalty::program::model::{Rulebook, Timeline};

/// What was given out so far, by counter.
#[derive(Debug, Default)]
pub struct Spent(BTreeMap<CounterKey, i64>);

impl Spent {
    /// Adds a posting; `order` is the one that a return is of, or a redemption that is given back, `uses` are those that it put aside or gave back.
    pub fn step(
        &mut self,
        row: &PostingRow,
        (order, uses): (Option<&PostingRow>, &Uses),
        timeline: &Timeline,
        found: &mut Findings,
    ) {
        for (held, by) in uses.freed.iter().map(|held| (held, -1)).chain(uses.kept.iter().map(|held| (held, 1))) {
            let by_version = timeline.version(held.version);
            if let Some(discount) = by_version.discounts.get(held.place) {
                self.uses((row, by_version, &discount.code), held.day, by);
            }
        }
        let book = timeline.version(row.version);
        let moved = match (row.kind, order) {
            (PostingKind::Redeem, _) => self.stock(row, book, 1),
            (PostingKind::CancelVoucher, Some(redemption)) => self.stock(redemption, book, -1),
            _ => Ok(()),
        };
        if let Err(says) = moved {
            found.add(Law::Counters, Place::posting(row.member, row.seq), says);
        }
        let budgets = book.earning.iter().any(|rule| rule.budget.is_some());
        if !budgets && book.discounts.iter().all(|discount| discount.total.is_none()) {
            return;
        }
        let done = match row.kind {
            PostingKind::Order | PostingKind::Enrol | PostingKind::Event => self.award(row, book),
            PostingKind::Return => self.give_back(row, order, book),
            _ => Ok(()),
        };
        if let Err(says) = done {
            found.add(Law::Counters, Place::posting(row.member, row.seq), says);
        }
    }

    fn award(&mut self, row: &PostingRow, book: &Rulebook) -> Result<(), String> {
        let document: AwardDocument = parse(row)?;
        for code in document.uses() {
            self.uses((row, book, code), document.day, 1);
        }
        for of_rule in &document.rows {
            let budget = book.rule(&of_rule.rule).and_then(|rule| rule.budget);
            if of_rule.cut_to("budget").is_some() && budget.is_none() {
                return Err(format!("{} is cut, and has no budget", of_rule.rule));
            }
            let Some(budget) = budget else { continue };
            let key = CounterKey::budget(row.program, &of_rule.rule, &budget, document.day);
            self.0.entry(key).or_default().grow(of_rule.points);
        }
        Ok(())
    }

    fn give_back(&mut self, row: &PostingRow, order: Option<&PostingRow>, book: &Rulebook) -> Result<(), String> {
        let document: ReturnDocument = parse(row)?;
        if document.given_back.is_empty() && document.uses_given_back.is_empty() {
            return Ok(());
        }
        let day = parse::<OrderDocument>(order.ok_or("it gives back, and there is no order")?)?.ordered_on;
        for code in &document.uses_given_back {
            self.uses((row, book, code), day, -1);
        }
        for back in &document.given_back {
            let Some(budget) = book.rule(&back.rule).and_then(|rule| rule.budget) else { continue };
            let key = CounterKey::budget(row.program, &back.rule, &budget, day);
            self.0.entry(key).or_default().grow(0_i64.saturating_sub(back.points));
        }
        Ok(())
    }

    fn stock(&mut self, redemption: &PostingRow, book: &Rulebook, by: i64) -> Result<(), String> {
        let document: RedemptionDocument = parse(redemption)?;
        if let Some(stock) = book.reward(&document.reward).and_then(|reward| reward.stock) {
            let key = CounterKey::stock(redemption.program, &document.reward, &stock, document.redeemed_on);
            self.0.entry(key).or_default().grow(by);
        }
        Ok(())
    }

    fn uses(&mut self, (row, book, code): (&PostingRow, &Rulebook, &str), day: NaiveDate, by: i64) {
        let total = book.discount(code).and_then(|discount| discount.total);
        let key = total.map(|total| CounterKey::uses(row.program, code, &total, day));
        key.into_iter().for_each(|key| self.0.entry(key).or_default().grow(by));
    }

    /// Takes out what a counter stands for: 0 when no posting used it.
    pub fn take(&mut self, counter: &CounterKey) -> i64 {
        self.0.remove(counter).unwrap_or_default()
    }

    /// What postings used and no counter has.
    pub fn rest(self) -> impl Iterator<Item = (CounterKey, i64)> {
        self.0.into_iter().filter(|(_, used)| *used != 0)
    }
}
