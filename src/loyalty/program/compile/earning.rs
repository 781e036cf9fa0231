//! Earning rules, compiled.

use rust_decimal::Decimal;

use crate::kernel::cycle::Cycle;
use crate::kernel::money::{MONEY_MINOR_MAX, Ratio};
use crate::kernel::points::{POINTS_MAX, Points};
use crate::loyalty::program::compile::names::Named;
use crate::loyalty::program::compile::{EARNING_RULES_MAX, Reading, in_minor};
use crate::loyalty::program::condition::{Condition, PROGRAM_COST_MAX};
use crate::loyalty::program::document::{self, Document, Earning, Wallet as WrittenWallet};
use crate::loyalty::program::model::{Award, Cap, EarningRule, NetOf, Slot, Step};
use crate::loyalty::program::slots::Slots;

/// No rule multiplies by more.
pub const MULTIPLY_MAX: i64 = 1_000;

impl Reading {
    pub(super) fn earning(&mut self, named: &Named<'_>) -> Vec<EarningRule> {
        let Named { document, slots, exponent, zone, .. } = *named;
        if document.earning.len() > EARNING_RULES_MAX {
            self.wrong(&["earning"], format_args!("a programme has at most {EARNING_RULES_MAX} earning rules"));
        }
        let mut rules = Vec::with_capacity(document.earning.len());
        for (code, written) in &document.earning {
            let place = ["earning", code];
            self.code(&place, code);
            let wallet = self.filled(document, code, written.wallet.as_deref());
            let lines = self.condition(&["earning", code, "lines"], written.lines.as_ref(), &named.of_lines());
            let when = self.condition(&["earning", code, "when"], written.when.as_ref(), &named.of_order());
            let audience = self.audience(&place, written.audience.as_ref(), named);
            let award = self.award(code, &written.award, exponent);
            let net_of = self.net_of(code, written);
            let schedule = self.schedule(&place, written.schedule.as_ref(), zone);
            let cap = written.caps.as_ref().map(|caps| self.cap(code, caps, slots));
            if let Some(campaign) = &written.campaign {
                self.code(&["earning", code, "campaign"], campaign);
            }
            self.texts(&place, &written.text);
            let slot = wallet.and_then(|wallet| slots.wallets.get(wallet).copied());
            let (Some((wallet, award)), Some(schedule)) = (slot.zip(award), schedule) else { continue };
            let Some(cap) = cap.map_or(Some(None), |cap| cap.map(Some)) else { continue };
            let code = code.clone();
            rules.push(EarningRule { code, wallet, lines, when, audience, award, net_of, schedule, cap });
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

    /// Each order asks them all.
    fn cost_of(&mut self, rules: &[EarningRule]) {
        let of_members = rules.iter().filter_map(|rule| rule.audience.as_ref()?.when.as_ref());
        let conditions = rules.iter().flat_map(|rule| rule.lines.iter().chain(&rule.when)).chain(of_members);
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
}

#[cfg(test)]
mod tests;
