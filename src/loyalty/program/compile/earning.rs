//! Earning rules, compiled.

use std::mem::discriminant;

use rust_decimal::Decimal;

use crate::kernel::calendar::Period;
use crate::kernel::cycle::Cycle;
use crate::kernel::money::{MONEY_MINOR_MAX, Ratio};
use crate::kernel::points::{POINTS_MAX, Points};
use crate::loyalty::program::compile::names::{ATTRIBUTE_CHARS_MAX, Named};
use crate::loyalty::program::compile::{EARNING_RULES_MAX, Reading, always_within, in_minor, plain_decimal};
use crate::loyalty::program::condition::{Condition, PROGRAM_COST_MAX};
use crate::loyalty::program::document::{self, Document, Earning, Wallet as WrittenWallet};
use crate::loyalty::program::model::earning::{ANNIVERSARY, BIRTHDAY, is_kept};
use crate::loyalty::program::model::{Award, Budget, Cap, EarningRule, NetOf, On, OwnExpiry, Slot, Step};
use crate::loyalty::program::slots::{Slots, awards_of};

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
            let wallet = self.redeemable_named(&["earning", code, "wallet"], document, written.wallet.as_deref());
            let on = self.on(code, written);
            let lines = self.condition(&["earning", code, "lines"], written.lines.as_ref(), &named.of_lines());
            let when = self.condition(&["earning", code, "when"], written.when.as_ref(), &named.of_trigger(&on));
            let audience = self.audience(&place, written.audience.as_ref(), named);
            let award = self.award(code, &written.award, exponent);
            let net_of = self.net_of(code, written);
            let schedule = self.schedule(&place, written.schedule.as_ref(), zone);
            let caps = written.caps.as_ref().map_or(Some((None, None)), |caps| self.caps(code, caps, slots));
            for (field, name) in [("stack", &written.stack), ("campaign", &written.campaign)] {
                if let Some(name) = name {
                    self.code(&["earning", code, field], name);
                }
            }
            let text = self.texts(&place, &written.text);
            let expiry = written.expiry.as_ref().map(|expiry| self.own_expiry(code, expiry, document, wallet));
            let value = wallet.and_then(|wallet| value_of(document, wallet, exponent));
            let budget = written.budget.as_ref().map(|budget| self.budget(code, budget, value, exponent));
            let slot = wallet.and_then(|wallet| slots.wallets.get(wallet).copied());
            let (Some((wallet, award)), Some(schedule)) = (slot.zip(award), schedule) else { continue };
            let (Some((cap, awards)), Some(budget)) = (caps, budget.map_or(Some(None), |budget| budget.map(Some)))
            else {
                continue;
            };
            let Some(expiry) = expiry.map_or(Some(None), |expiry| expiry.map(Some)) else { continue };
            let (code, stack) = (code.clone(), written.stack.clone());
            rules.push(EarningRule {
                code,
                on,
                wallet,
                lines,
                when,
                audience,
                award,
                net_of,
                stack,
                schedule,
                cap,
                awards,
                budget,
                expiry,
                text,
            });
        }
        self.multiplied(document, &mut rules);
        self.stacks(&rules);
        self.cost_of(&rules);
        rules
    }

    /// What a rule is about; what is no order has no lines, and nothing to be paid by.
    fn on(&mut self, rule: &str, written: &Earning) -> On {
        let on = match &written.on {
            document::On::Order => return On::Order,
            document::On::Enrolment => On::Enrolment,
            document::On::Birthday => On::Event(BIRTHDAY.to_owned()),
            document::On::Anniversary => On::Event(ANNIVERSARY.to_owned()),
            document::On::Event(name) if is_kept(name) => {
                let message = format_args!("comes by itself: write `on = \"{name}\"`");
                self.wrong(&["earning", rule, "on"], message);
                On::Event(name.clone())
            }
            document::On::Event(name) => {
                self.words(&["earning", rule, "on"], name, ATTRIBUTE_CHARS_MAX);
                On::Event(name.clone())
            }
        };
        if written.lines.is_some() {
            self.wrong(&["earning", rule, "lines"], "goes with orders");
        }
        for (field, there) in [("per", written.award.per.is_some()), ("multiply", written.award.multiply.is_some())] {
            if there {
                self.wrong(&["earning", rule, "award", field], "goes with orders: others award `points` alone");
            }
        }
        on
    }

    /// The redeemable wallet that a part names, or the only one.
    pub(super) fn redeemable_named<'a>(
        &mut self,
        place: &[&str],
        document: &'a Document,
        named: Option<&'a str>,
    ) -> Option<&'a str> {
        let redeemable = |wallet: &WrittenWallet| matches!(wallet, WrittenWallet::Redeemable(_));
        let mut all = document.wallets.iter().filter(|(_, wallet)| redeemable(wallet)).map(|(code, _)| code.as_str());
        let Some(named) = named else {
            return match (all.next(), all.next()) {
                (Some(only), None) => Some(only),
                (None, _) => {
                    self.wrong(place, "there is no redeemable wallet");
                    None
                }
                (Some(_), Some(_)) => {
                    self.wrong(place, "is required, as there are several redeemable wallets");
                    None
                }
            };
        };
        if !all.any(|code| code == named) {
            self.wrong(place, "is not a redeemable wallet of this document");
            return None;
        }
        Some(named)
    }

    /// Points of a rule may be over sooner than others of their wallet, and not later, nor before they can be spent.
    fn own_expiry(
        &mut self,
        rule: &str,
        written: &document::OwnExpiry,
        document: &Document,
        wallet: Option<&str>,
    ) -> Option<OwnExpiry> {
        let place = ["earning", rule, "expiry", "after"];
        let after: Period = self.text(&place, &written.after)?;
        let wallet = wallet.and_then(|wallet| document.wallets.get(wallet));
        let Some(WrittenWallet::Redeemable(wallet)) = wallet else { return None };
        let period = |text: &String| text.parse::<Period>().ok();
        if let document::Expiry::Term(term) = &wallet.expiry
            && let Some(most) = term.after.as_ref().or(term.inactive.as_ref()).and_then(period)
            && !always_within(after, most)
        {
            self.wrong(&place, "is longer than that of its wallet");
            return None;
        }
        if let Some(pending) = wallet.pending.as_ref().and_then(|pending| period(&pending.after))
            && !always_within(pending, after)
        {
            self.wrong(&place, "points would be over before they can be spent");
            return None;
        }
        Some(OwnExpiry { after, round: written.round })
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
        if written.of.is_some() {
            self.wrong(&place("of"), "goes with `multiply`");
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
    fn multiplied(&mut self, document: &Document, rules: &mut [EarningRule]) {
        let codes: Vec<String> = rules.iter().map(|rule| rule.code.clone()).collect();
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
            let named = document.earning.get(&rule.code).and_then(|written| written.award.of.as_ref());
            let is_named = |place: usize| named.is_none_or(|named| codes.get(place) == Some(named));
            let multiplied = by_base.iter().filter(|(place, wallet, _)| *wallet == rule.wallet && is_named(*place));
            let each: Option<Vec<(usize, Ratio)>> =
                multiplied.map(|(place, _, rate)| rate.times(*over).map(|rate| (*place, rate))).collect();
            let most = |of: &Vec<(usize, Ratio)>| {
                let most = Ratio::floor_of_sum(of.iter().map(|(_, rate)| (MONEY_MINOR_MAX, *rate)));
                most.is_some_and(|most| most <= POINTS_MAX)
            };
            match each.filter(most) {
                None => self.wrong(&place, "is too much for the rules that it multiplies"),
                Some(each) if each.is_empty() && named.is_some() => {
                    let place = ["earning", rule.code.as_str(), "award", "of"];
                    self.wrong(&place, "is no rule with `per` that fills the same wallet");
                }
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

    fn caps(&mut self, rule: &str, written: &document::Caps, slots: &Slots) -> Option<(Option<Cap>, Option<Cap>)> {
        let Some(written) = &written.per_member else {
            self.wrong(&["earning", rule, "caps"], "has `per_member`");
            return None;
        };
        let place = |field| ["earning", rule, "caps", "per_member", field];
        if written.points.is_none() && written.awards.is_none() {
            self.wrong(&["earning", rule, "caps", "per_member"], "has `points`, `awards`, or both");
        }
        let cycle = self.ok(&place("each"), Cycle::read(written.each.as_deref()));
        let mut cap = |field: &str, most: Option<i64>, name: &str| {
            let Some(most) = most else { return Some(None) };
            let most = Points::try_from(most).ok().filter(|most| !most.is_zero());
            let points = self.ok(&["earning", rule, "caps", "per_member", field], most.ok_or("must be 1 or more"));
            let slot = slots.rules.get(name).copied();
            if slot.is_none() {
                self.wrong(&["earning", rule, "caps"], "has no slot");
            }
            Some(Some(Cap { slot: slot?, points: points?, cycle: cycle? }))
        };
        let points = cap("points", written.points, rule);
        let awards = cap("awards", written.awards, &awards_of(rule));
        points.zip(awards)
    }

    /// The rules of a stack can be compared: what they award is of one kind, and goes to one wallet.
    fn stacks(&mut self, rules: &[EarningRule]) {
        for (place, rule) in rules.iter().enumerate() {
            let mut before = rules.iter().take(place).filter(|before| before.stack == rule.stack);
            let Some(first) = before.next().filter(|_| rule.stack.is_some()) else { continue };
            let place = ["earning", rule.code.as_str(), "stack"];
            if discriminant(&first.award) != discriminant(&rule.award) {
                let others = "either points `per` amount, or multiply, or points for each order";
                self.wrong(&place, format_args!("is that of {}, and all of a stack award {others}", first.code));
            } else if first.on != rule.on {
                self.wrong(&place, format_args!("is that of {}, which is about something else", first.code));
            } else if first.wallet != rule.wallet {
                self.wrong(&place, format_args!("is that of {}, which fills another wallet", first.code));
            }
        }
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
        let minor = self.money(place, money, exponent)?.minor();
        // Where the value is wrong, that is a mistake of its own.
        let points = Ratio::of(Decimal::ONE, value?).and_then(|each| each.floor(minor));
        let points = points.and_then(|points| Points::try_from(points).ok());
        let points = self.ok(place, points.ok_or("is worth more points than a wallet holds"))?;
        self.ok(place, (!points.is_zero()).then_some(points).ok_or("is worth less than a point"))
    }
}

/// What a point of a wallet is worth at checkout, in minor units.
fn value_of(document: &Document, wallet: &str, exponent: u32) -> Option<Decimal> {
    let WrittenWallet::Redeemable(rules) = document.wallets.get(wallet)? else { return None };
    in_minor(plain_decimal(&rules.value)?, exponent).filter(|value| !value.is_zero())
}

#[cfg(test)]
mod tests;
