//! Earning rules, compiled.

use chrono::NaiveDateTime;
use rust_decimal::Decimal;

use crate::kernel::calendar::Zone;
use crate::kernel::clock::Instant;
use crate::kernel::cycle::Cycle;
use crate::kernel::money::{MONEY_MINOR_MAX, Ratio};
use crate::kernel::points::{POINTS_MAX, Points};
use crate::loyalty::program::compile::{EARNING_RULES_MAX, Reading, in_minor, plain_decimal};
use crate::loyalty::program::condition::{Condition, PROGRAM_COST_MAX, Scope};
use crate::loyalty::program::document::{self, Document, Earning, Wallet as WrittenWallet};
use crate::loyalty::program::model::attributes::DeclaredAttributes;
use crate::loyalty::program::model::{Award, Budget, Cap, EarningRule, NetOf, Schedule, Slot, Step};
use crate::loyalty::program::slots::Slots;

/// No rule multiplies by more.
pub const MULTIPLY_MAX: i64 = 1_000;

/// How documents write an instant on the programme's clocks.
const TIME: &str = "%Y-%m-%dT%H:%M";

impl Reading {
    pub(super) fn earning(
        &mut self,
        document: &Document,
        slots: &Slots,
        (exponent, zone): (u32, Zone),
    ) -> Vec<EarningRule> {
        if document.earning.len() > EARNING_RULES_MAX {
            self.wrong(&["earning"], format_args!("a programme has at most {EARNING_RULES_MAX} earning rules"));
        }
        let mut rules = Vec::with_capacity(document.earning.len());
        let ladder = document.tiers.iter().flat_map(|tiers| &tiers.ladder);
        let tiers: Vec<String> = ladder.map(|tier| tier.code.clone()).collect();
        for (code, written) in &document.earning {
            self.code(&["earning", code], code);
            let wallet = self.filled(document, code, written.wallet.as_deref());
            let (lines, when) = self.conditions(code, written, &tiers);
            let award = self.award(code, &written.award, exponent);
            let net_of = self.net_of(code, written);
            let schedule = self.schedule(code, written.schedule.as_ref(), zone);
            let cap = written.caps.as_ref().map(|caps| self.cap(code, caps, slots));
            let value = wallet.and_then(|wallet| value_of(document, wallet, exponent));
            let budget = written.budget.as_ref().map(|budget| self.budget(code, budget, value, exponent));
            let slot = wallet.and_then(|wallet| slots.wallets.get(wallet).copied());
            let (Some((wallet, award)), Some(schedule)) = (slot.zip(award), schedule) else { continue };
            let (Some(cap), Some(budget)) = (all_or_none(cap), all_or_none(budget)) else { continue };
            rules.push(EarningRule { code: code.clone(), wallet, lines, when, award, net_of, schedule, cap, budget });
        }
        self.multiplied(&mut rules);
        self.cost_of(&rules);
        rules
    }

    fn filled<'a>(&mut self, document: &'a Document, rule: &str, named: Option<&'a str>) -> Option<&'a str> {
        let redeemable = |wallet: &WrittenWallet| matches!(wallet, WrittenWallet::Redeemable(_));
        let mut all = document.wallets.iter().filter(|(_, wallet)| redeemable(wallet)).map(|(code, _)| code.as_str());
        let place = ["earning", rule, "wallet"];
        let Some(named) = named else {
            return match (all.next(), all.next()) {
                (Some(only), None) => Some(only),
                (None, _) => {
                    self.wrong(&place, "there is no redeemable wallet to fill");
                    None
                }
                (Some(_), Some(_)) => {
                    self.wrong(&place, "is required, as there are several redeemable wallets");
                    None
                }
            };
        };
        if !all.any(|code| code == named) {
            self.wrong(&place, "is not a redeemable wallet of this document");
            return None;
        }
        Some(named)
    }

    /// The conditions of a rule, on lines and on the order.
    fn conditions(
        &mut self,
        rule: &str,
        written: &Earning,
        tiers: &[String],
    ) -> (Option<Condition>, Option<Condition>) {
        let declared = DeclaredAttributes::default();
        let order = Scope {
            order: true,
            line: false,
            event: None,
            declared: &declared,
            experiments: &[],
            tiers,
            segments: &[],
        };
        let lines = Scope { line: true, ..order };
        let mut condition = |field: &str, text: &Option<String>, scope: &Scope<'_>| {
            self.condition(&["earning", rule, field], text.as_ref()?, scope)
        };
        (condition("lines", &written.lines, &lines), condition("when", &written.when, &order))
    }

    /// Each order asks them all.
    fn cost_of(&mut self, rules: &[EarningRule]) {
        let conditions = rules.iter().flat_map(|rule| rule.lines.iter().chain(&rule.when));
        let cost = conditions.map(Condition::cost).fold(0, u32::saturating_add);
        if cost > PROGRAM_COST_MAX {
            let message = format_args!("the conditions may take {cost} steps together, of {PROGRAM_COST_MAX}");
            self.wrong(&["earning"], message);
        }
    }

    fn award(&mut self, rule: &str, written: &document::Award, exponent: u32) -> Option<Award> {
        let place = |field| ["earning", rule, "award", field];
        if let Some(factor) = &written.multiply {
            for (field, there) in
                [("per", written.per.is_some()), ("points", written.points.is_some()), ("step", written.step)]
            {
                if there {
                    self.wrong(&place(field), "does not go with `multiply`");
                }
            }
            let over = self.amount(&place("multiply"), factor)?.checked_sub(Decimal::ONE)?;
            let fits = over > Decimal::ZERO && over < Decimal::from(MULTIPLY_MAX);
            let range = format_args!("is more than 1, at most {MULTIPLY_MAX}");
            let over = self.ok(&place("multiply"), fits.then_some(over).ok_or(range))?;
            return Ratio::of(over, Decimal::ONE).map(|over| Award::Multiply { over, of: Vec::new() });
        }
        let points = written.points.and_then(|points| Points::try_from(points).ok()).filter(|points| !points.is_zero());
        if points.is_none() {
            self.wrong(&place("points"), "must be 1 or more");
        }
        let Some(per) = &written.per else {
            if written.step {
                self.wrong(&place("step"), "goes with `per`");
            }
            return points.map(Award::Fixed);
        };
        let per = self.amount(&place("per"), per).and_then(|per| in_minor(per, exponent));
        let (points, per) = points.zip(per)?;
        let rate = Ratio::of(Decimal::from(points.get()), per);
        // So that no order can earn more than a wallet holds.
        let fits = rate.filter(|rate| rate.floor(MONEY_MINOR_MAX).is_some_and(|most| most <= POINTS_MAX));
        let rate = self.ok(&place("points"), fits.ok_or("are too many for so small an amount"))?;
        let step = Ratio::of(Decimal::ONE, per).map(|rate| Step { rate, points });
        Some(Award::Rate { rate, step: step.filter(|_| written.step) })
    }

    /// What the multipliers multiply: the rules by the base that fill the same wallet.
    fn multiplied(&mut self, rules: &mut [EarningRule]) {
        let by_base: Vec<(usize, Slot, Ratio)> = rules
            .iter()
            .enumerate()
            .filter_map(|(place, rule)| match rule.award {
                Award::Rate { rate, step: None } => Some((place, rule.wallet, rate)),
                Award::Rate { step: Some(step), .. } => {
                    Ratio::of(Decimal::from(step.points.get()), Decimal::ONE).map(|each| (place, rule.wallet, each))
                }
                Award::Multiply { .. } | Award::Fixed(_) => None,
            })
            .collect();
        for rule in rules {
            let Award::Multiply { over, of } = &mut rule.award else { continue };
            let place = ["earning", rule.code.as_str(), "award", "multiply"];
            let multiplied = by_base.iter().filter(|(_, wallet, _)| *wallet == rule.wallet);
            let each: Option<Vec<(usize, Ratio)>> =
                multiplied.map(|(place, _, rate)| rate.times(*over).map(|rate| (*place, rate))).collect();
            let most = |of: &Vec<(usize, Ratio)>| {
                let most = Ratio::floor_of_sum(of.iter().map(|(_, rate)| (MONEY_MINOR_MAX, *rate)));
                most.is_some_and(|most| most <= POINTS_MAX)
            };
            match each.filter(most) {
                None => self.wrong(&place, "is too much for the rules that it multiplies"),
                Some(each) if each.is_empty() => self.wrong(&place, "no rule with `per` fills the same wallet"),
                Some(each) => *of = each,
            }
        }
    }

    fn net_of(&mut self, rule: &str, written: &Earning) -> NetOf {
        let Some(base) = &written.base else { return NetOf::ALL };
        if written.award.per.is_none() {
            self.wrong(&["earning", rule, "base"], "goes with an award `per` amount");
        }
        let mut net_of = NetOf::NOTHING;
        for (i, part) in base.net_of.iter().enumerate() {
            let taken_out = match part {
                document::NetOf::Discounts => &mut net_of.discounts,
                document::NetOf::PointsPaid => &mut net_of.points_paid,
                document::NetOf::Tax => &mut net_of.tax,
                document::NetOf::Shipping => &mut net_of.shipping,
                document::NetOf::GiftCard => &mut net_of.gift_card,
            };
            if std::mem::replace(taken_out, true) {
                self.wrong(&["earning", rule, "base", "net_of", &i.to_string()], "is named twice");
            }
        }
        net_of
    }

    fn schedule(&mut self, rule: &str, written: Option<&document::Schedule>, zone: Zone) -> Option<Schedule> {
        let Some(written) = written else { return Some(Schedule::default()) };
        let mut instant = |field: &str, text: &Option<String>| -> Option<Option<Instant>> {
            let Some(text) = text else { return Some(None) };
            let read = NaiveDateTime::parse_from_str(text, TIME).map_err(|_| "is no time such as \"2026-12-01T00:00\"");
            self.ok(&["earning", rule, "schedule", field], read).map(|time| Some(zone.first_at(time)))
        };
        let (from, until) = (instant("from", &written.from), instant("until", &written.until));
        let schedule = Schedule { from: from?, until: until? };
        if schedule.from.zip(schedule.until).is_some_and(|(from, until)| from >= until) {
            self.wrong(&["earning", rule, "schedule", "until"], "is not after `from`");
            return None;
        }
        Some(schedule)
    }

    fn cap(&mut self, rule: &str, written: &document::Caps, slots: &Slots) -> Option<Cap> {
        let Some(written) = &written.per_member else {
            self.wrong(&["earning", rule, "caps"], "has `per_member`");
            return None;
        };
        let place = |field| ["earning", rule, "caps", "per_member", field];
        let points = written.points.and_then(|points| Points::try_from(points).ok()).filter(|points| !points.is_zero());
        let points = self.ok(&place("points"), points.ok_or("must be 1 or more"));
        let cycle = self.ok(&place("each"), Cycle::read(written.each.as_deref()));
        let slot = slots.rules.get(rule).copied();
        if slot.is_none() {
            self.wrong(&["earning", rule, "caps"], "has no slot");
        }
        Some(Cap { slot: slot?, points: points?, cycle: cycle? })
    }

    /// A budget in points, whatever it is written in: `value` is what one is worth, in minor units.
    fn budget(
        &mut self,
        rule: &str,
        written: &document::Budget,
        value: Option<Decimal>,
        exponent: u32,
    ) -> Option<Budget> {
        let place = |field| ["earning", rule, "budget", field];
        let cycle = self.ok(&place("each"), Cycle::read(written.each.as_deref()));
        let points = match (written.points, &written.money) {
            (Some(points), None) => {
                let points = Points::try_from(points).ok().filter(|points| !points.is_zero());
                self.ok(&place("points"), points.ok_or("must be 1 or more"))
            }
            (None, Some(money)) => self.points_for(&place("money"), money, value, exponent),
            (Some(_), Some(_)) => {
                self.wrong(&place("money"), "does not go with `points`");
                None
            }
            (None, None) => {
                self.wrong(&["earning", rule, "budget"], "has either `points` or `money`");
                None
            }
        };
        Some(Budget { points: points?, cycle: cycle? })
    }

    fn points_for(&mut self, place: &[&str], money: &str, value: Option<Decimal>, exponent: u32) -> Option<Points> {
        let money = self.ok(place, plain_decimal(money).ok_or("is not a decimal such as \"0.01\""))?;
        let minor = in_minor(money, exponent).map(|minor| minor.normalize()).filter(|minor| minor.scale() == 0);
        let minor = minor.and_then(|minor| i64::try_from(minor).ok()).filter(|minor| *minor <= MONEY_MINOR_MAX);
        let minor = self.ok(place, minor.ok_or("is too large, or has more decimal places than the currency"))?;
        // Where the value is wrong, that is a mistake of its own.
        let points = Ratio::of(Decimal::ONE, value?).and_then(|each| each.floor(minor));
        let points = points.and_then(|points| Points::try_from(points).ok());
        let points = self.ok(place, points.ok_or("is worth more points than a wallet holds"))?;
        self.ok(place, (!points.is_zero()).then_some(points).ok_or("is worth less than a point"))
    }
}

/// What is right or was not there; `None` where it was wrong.
fn all_or_none<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    read.map_or(Some(None), |read| read.map(Some))
}

/// What a point of a wallet is worth at checkout, in minor units.
fn value_of(document: &Document, wallet: &str, exponent: u32) -> Option<Decimal> {
    let WrittenWallet::Redeemable(rules) = document.wallets.get(wallet)? else { return None };
    in_minor(plain_decimal(&rules.value)?, exponent).filter(|value| !value.is_zero())
}

#[cfg(test)]
mod tests;
