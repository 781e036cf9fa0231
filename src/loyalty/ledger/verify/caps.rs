//! What a member has had of rules with a cap, from what documents say.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use serde::Deserialize;

use crate::kernel::cycle::Cycle;
use crate::kernel::grow::Grow;
use crate::kernel::id::Version;
use crate::loyalty::ledger::hold::HeldUse;
use crate::loyalty::ledger::posting::{PostingKind, PostingRow};
use crate::loyalty::ledger::usage::{USAGE_KEPT_D, Used};
use crate::loyalty::ledger::verify::awarded::AwardDocument;
use crate::loyalty::ledger::verify::documents::{OrderDocument, ReturnDocument, parse};
use crate::loyalty::ledger::verify::holds::Uses;
use crate::loyalty::ledger::verify::law::{Findings, Law, Place};
use crate::loyalty::ledger::verify::vouchers::RedemptionDocument;
use crate::loyalty::program::model::{Cap, CountedSlot, Rulebook, Timeline};

/// A rule in one of its periods, by the first day of that.
type Name = (CountedSlot, Cycle, NaiveDate);

/// What was had so far.
#[derive(Clone, Debug, Default)]
pub struct FoldedCaps {
    had: BTreeMap<Name, i64>,
}

/// What a merge says went along.
#[derive(Debug, Deserialize)]
struct MergedCaps {
    #[serde(default)]
    used: Vec<UsedDocument>,
}

/// What was had of a rule in a period.
#[derive(Debug, PartialEq, Deserialize)]
pub struct UsedDocument {
    rule: String,
    each: Option<String>,
    first_day: Option<NaiveDate>,
    points: Option<i64>,
    awards: Option<i64>,
    uses: Option<i64>,
    redemptions: Option<i64>,
}

impl FoldedCaps {
    /// Adds a posting; `order` is the one that a return is of, `uses` are those that it put aside or gave back, `today` is
    /// the last day of account time after it, in UTC.
    pub fn step(
        &mut self,
        row: &PostingRow,
        (order, uses): (Option<&PostingRow>, &Uses),
        (timeline, today): (&Timeline, NaiveDate),
        found: &mut Findings,
    ) {
        self.forget(today);
        let limit = |held: &HeldUse| {
            let limit = timeline.version(held.version).discounts.get(held.place)?.per_member?;
            Some((limit, name_of(&limit, held.day)))
        };
        for (_, name) in uses.freed.iter().filter_map(limit) {
            if let Some(had) = self.had.get_mut(&name) {
                *had = had.saturating_sub(1).max(0);
            }
        }
        for (limit, name) in uses.kept.iter().filter_map(limit) {
            let had = self.had.entry(name).or_default();
            had.grow(1);
            if *had > limit.points.get() {
                let says = format!("a hold keeps a discount that was used {had} times, of {} at most", limit.points);
                found.add(Law::Caps, Place::posting(row.member, row.seq), says);
            }
        }
        let done = match row.kind {
            PostingKind::Order | PostingKind::Enrol | PostingKind::Event => {
                self.award(row, timeline.version(row.version))
            }
            PostingKind::Return => self.give_back(row, order, timeline.version(row.version)),
            PostingKind::Redeem => self.redeem(row, timeline.version(row.version)),
            PostingKind::CancelVoucher => self.cancel(order, timeline.version(row.version)),
            PostingKind::MergeOut => self.leave(row, timeline),
            PostingKind::MergeIn => self.come(row, timeline),
            _ => Ok(()),
        };
        if let Err(says) = done {
            found.add(Law::Caps, Place::posting(row.member, row.seq), says);
        }
        self.forget(today);
    }

    /// Before a decision and after it: what is long over is not remembered.
    fn forget(&mut self, today: NaiveDate) {
        let since = today.checked_sub_days(Days::new(USAGE_KEPT_D)).unwrap_or(NaiveDate::MIN);
        self.had.retain(|(_, cycle, first), points| *points > 0 && cycle.last(*first) >= since);
    }

    /// Whether an account says the same.
    pub fn is(&self, usage: &[Used]) -> bool {
        let had = self.had.iter().map(|((slot, cycle, first), points)| (*slot, *cycle, *first, *points));
        had.eq(usage.iter().map(|used| (used.slot, used.cycle, used.first, used.points.get())))
    }

    fn award(&mut self, row: &PostingRow, book: &Rulebook) -> Result<(), String> {
        let capped = book.earning.iter().any(|rule| rule.cap.is_some() || rule.awards.is_some());
        if !capped && book.discounts.iter().all(|discount| discount.per_member.is_none()) {
            return Ok(());
        }
        let document: AwardDocument = parse(row)?;
        for code in document.uses() {
            let Some(limit) = book.discount(code).and_then(|discount| discount.per_member) else { continue };
            let had = self.had.entry(name_of(&limit, document.day)).or_default();
            had.grow(1);
            if *had > limit.points.get() {
                return Err(format!("{code} was used {had} times, of {} at most", limit.points));
            }
        }
        for of_rule in &document.rows {
            if let Some(awards) = book.rule(&of_rule.rule).and_then(|rule| rule.awards) {
                let had = self.had.entry(name_of(&awards, document.day)).or_default();
                had.grow(1);
                if *had > awards.points.get() {
                    return Err(format!("{} awarded {had} times, of {} at most", of_rule.rule, awards.points));
                }
            }
            let (cap, capped) = (cap_of(book, &of_rule.rule), of_rule.cut_to("cap"));
            if capped.is_some() && cap.is_none() {
                return Err(format!("{} is cut, and has no cap", of_rule.rule));
            }
            let Some(cap) = cap else { continue };
            let had = self.had.entry(name_of(cap, document.day)).or_default();
            let full = capped.map(|capped| had.saturating_add(capped));
            had.grow(of_rule.points);
            if *had > cap.points.get() {
                return Err(format!("{had} of {} were had, of {} at most", of_rule.rule, cap.points));
            }
            if let Some(full) = full.filter(|full| *full != cap.points.get()) {
                return Err(format!("{} was cut at {full}, and there were {}", of_rule.rule, cap.points));
            }
        }
        Ok(())
    }

    fn give_back(&mut self, row: &PostingRow, order: Option<&PostingRow>, book: &Rulebook) -> Result<(), String> {
        let document: ReturnDocument = parse(row)?;
        if document.given_back.is_empty() && document.uses_given_back.is_empty() {
            return Ok(());
        }
        let day = parse::<OrderDocument>(order.ok_or("it gives caps back, and there is no order")?)?.ordered_on;
        let limits = document.uses_given_back.iter().filter_map(|code| book.discount(code)?.per_member);
        for limit in limits {
            if let Some(had) = self.had.get_mut(&name_of(&limit, day)) {
                *had = had.saturating_sub(1).max(0);
            }
        }
        for back in &document.given_back {
            let Some(rule) = book.rule(&back.rule) else { continue };
            for (cap, given) in [(&rule.cap, back.points), (&rule.awards, back.awards)] {
                let had = cap.as_ref().and_then(|cap| self.had.get_mut(&name_of(cap, day)));
                if let Some(had) = had {
                    *had = had.saturating_sub(given).max(0);
                }
            }
        }
        Ok(())
    }

    fn redeem(&mut self, row: &PostingRow, book: &Rulebook) -> Result<(), String> {
        let document: RedemptionDocument = parse(row)?;
        let Some(limit) = book.reward(&document.reward).and_then(|reward| reward.per_member) else { return Ok(()) };
        let had = self.had.entry(name_of(&limit, document.redeemed_on)).or_default();
        had.grow(1);
        if *had > limit.points.get() {
            return Err(format!("{} was redeemed {had} times, of {} at most", document.reward, limit.points));
        }
        Ok(())
    }

    fn cancel(&mut self, redemption: Option<&PostingRow>, book: &Rulebook) -> Result<(), String> {
        let document: RedemptionDocument = parse(redemption.ok_or("it cancels, and there is no redemption")?)?;
        let limit = book.reward(&document.reward).and_then(|reward| reward.per_member);
        if let Some(had) = limit.and_then(|limit| self.had.get_mut(&name_of(&limit, document.redeemed_on))) {
            *had = had.saturating_sub(1).max(0);
        }
        Ok(())
    }

    fn leave(&mut self, row: &PostingRow, timeline: &Timeline) -> Result<(), String> {
        let said = said(row, timeline)?;
        let had = std::mem::take(&mut self.had);
        if said == had { Ok(()) } else { Err(format!("{had:?} was had, and {said:?} went along")) }
    }

    fn come(&mut self, row: &PostingRow, timeline: &Timeline) -> Result<(), String> {
        for (name, points) in said(row, timeline)? {
            self.had.entry(name).or_default().grow(points);
        }
        Ok(())
    }
}

fn name_of(cap: &Cap, day: NaiveDate) -> Name {
    (cap.slot, cap.cycle, cap.cycle.first(day))
}

/// The cap of a rule in a version.
fn cap_of<'a>(book: &'a Rulebook, rule: &str) -> Option<&'a Cap> {
    book.rule(rule)?.cap.as_ref()
}

fn said(row: &PostingRow, timeline: &Timeline) -> Result<BTreeMap<Name, i64>, String> {
    let document: MergedCaps = parse(row)?;
    let versions = || (1..=timeline.newest().version.0).rev().map(|n| timeline.version(Version(n)));
    let read = |used: &UsedDocument| {
        let (had, cap): (_, fn(&Rulebook, &str) -> Option<Cap>) =
            match (used.points, used.awards, used.uses, used.redemptions) {
                (Some(points), None, None, None) => (points, |book, code| book.rule(code)?.cap),
                (None, Some(awards), None, None) => (awards, |book, code| book.rule(code)?.awards),
                (None, None, Some(uses), None) => (uses, |book, code| book.discount(code)?.per_member),
                (None, None, None, Some(times)) => (times, |book, code| book.reward(code)?.per_member),
                _ => return Err(format!("{} is not one of points, awards, uses and redemptions", used.rule)),
            };
        let slot = versions().find_map(|book| cap(book, &used.rule)).map(|cap| cap.slot);
        let slot = slot.ok_or_else(|| format!("no version has a cap on {}", used.rule))?;
        let cycle = Cycle::read(used.each.as_deref()).map_err(|e| e.to_string())?;
        Ok(((slot, cycle, used.first_day.unwrap_or(NaiveDate::MIN)), had))
    };
    document.used.iter().map(read).collect()
}
