//! Discounts in the naive model: worked out as a quote does, and compared with what an order names.

use std::collections::BTreeMap;

use crate::command::{Basket, Line, Order};
use crate::facts::{Day, DiscountFacts, FlagFacts, Time};
use crate::naive::Naive;
use crate::naive::caps::Had;
use crate::naive::conditions::{Asking, Holds};
use crate::naive::price::{PricedLine, half_up, shares};
use crate::naive::wallets::Member;
use crate::spec::{Benefit, Discount, LineTest, Rules, TIERS};

/// What comes off, by code: off each line how much.
pub type Off = (&'static str, Vec<i64>);

/// What a discount takes off, or why it does not apply.
type Taken = Result<Vec<i64>, String>;

/// Of a stack what applies, with what it takes off each line, and why the others do not.
type Best<'d> = (Option<(&'d Discount, Vec<i64>)>, Vec<(&'d Discount, String)>);

/// Why an order names a discount that a quote would not give so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    Twice(&'static str),
    /// Code, what was named, what a quote would give, and why nothing.
    Differs(&'static str, i64, i64, String),
}

/// When an order was placed, on which day, and when it came in.
#[derive(Clone, Copy)]
pub struct When {
    pub ordered: Time,
    pub day: Day,
    pub now: Time,
}

/// An order of which something may come off.
struct Offering<'o, 's> {
    naive: &'o Naive<'s>,
    rules: &'s Rules,
    lines: Vec<PricedLine>,
    state: &'o Member,
    when: When,
}

/// The name under which the uses of a discount are counted.
fn uses_of(code: &str) -> String {
    format!("{code}.uses")
}

/// By stacks, each at the place where it is first named.
fn stacks(discounts: &[Discount]) -> Vec<Vec<&Discount>> {
    let mut stacks: Vec<Vec<&Discount>> = Vec::new();
    for discount in discounts {
        let same = |stack: &&mut Vec<&Discount>| discount.stack.is_some() && stack[0].stack == discount.stack;
        match stacks.iter_mut().find(same) {
            Some(stack) => stack.push(discount),
            None => stacks.push(vec![discount]),
        }
    }
    stacks
}

fn matches(discount: &Discount, line: &PricedLine) -> Holds {
    let free = discount.benefit == Benefit::FreeShipping;
    match discount.of {
        None => Ok(line.product != free),
        Some(_) if free && line.product => Ok(false),
        Some(test) if line.product || free || test == LineTest::Shipping => test.holds(line),
        Some(_) => Ok(false),
    }
}

impl Offering<'_, '_> {
    /// What a discount takes off what is left.
    fn taken(&self, discount: &Discount, left: &[i64]) -> Taken {
        let lines = self.applies(discount)?;
        let there: Vec<i64> = left.iter().zip(&lines).map(|(left, is)| if *is { *left } else { 0 }).collect();
        let sum: i64 = there.iter().sum();
        let by_line = match discount.benefit {
            Benefit::FreeShipping => there,
            Benefit::Price(price) => {
                let pieces = self.lines.iter().zip(&there);
                pieces.map(|(line, left)| (left - price * line.quantity).max(0)).collect()
            }
            Benefit::Percent(tenths) => shares(half_up(sum, tenths, 1_000), &there),
            Benefit::Amount(minor) => shares(minor.min(sum), &there),
        };
        if by_line.iter().sum::<i64>() == 0 { Err("takes_nothing".into()) } else { Ok(by_line) }
    }

    /// The lines that it comes off.
    fn applies(&self, discount: &Discount) -> Result<Vec<bool>, String> {
        if self.state.suspended {
            return Err("member_suspended".into());
        }
        let ladder = self.rules.ladder.as_ref();
        let tier = ladder.and_then(|ladder| self.state.tier_at(ladder, self.when.ordered)).map(|tier| TIERS[tier]);
        if !discount.tiers.is_empty() && !discount.tiers.contains(&tier.unwrap_or("none")) {
            return Err("wrong_tier".into());
        }
        let of = |product| self.lines.iter().filter(|l| l.product == product).map(|l| l.amount).sum::<i64>();
        let (products, shipping, member, day) = (of(true), of(false), self.state, self.when.day);
        let asking = Asking { lines: &self.lines, products, shipping, member, tier, day };
        match discount.when.map(|when| when.holds(&asking)) {
            None | Some(Ok(true)) => {}
            Some(Ok(false)) => return Err("condition_false".into()),
            Some(Err(_)) => return Err("condition_failed".into()),
        }
        let lines: Vec<bool> = self.lines.iter().map(|line| matches(discount, line) == Ok(true)).collect();
        if !lines.contains(&true) {
            return Err("no_matching_lines".into());
        }
        if self.has_uses(discount) { Ok(lines) } else { Err("limit_reached".into()) }
    }

    fn has_uses(&self, discount: &Discount) -> bool {
        let calendar = &self.naive.spec.calendar;
        let of_member = discount.per_member.is_none_or(|(most, each)| {
            let (name, period) = (uses_of(discount.code), calendar.period(each, self.when.day));
            self.state.had(&name, each, period).sum::<i64>() < most
        });
        of_member && discount.total.is_none_or(|_| self.naive.uses_left(discount, self.when) > 0)
    }

    /// Of a stack what takes most off, the first of equals; and what becomes of the others.
    fn best<'d>(&self, stack: &[&'d Discount], left: &[i64]) -> Best<'d> {
        let mut best: Option<(&Discount, Vec<i64>)> = None;
        let mut others = Vec::new();
        for discount in stack {
            match self.taken(discount, left) {
                Err(reason) => others.push((*discount, reason)),
                Ok(taken) => {
                    let sum = |taken: &[i64]| taken.iter().sum::<i64>();
                    if best.as_ref().is_none_or(|(_, best)| sum(&taken) > sum(best)) {
                        others.extend(best.replace((discount, taken)).map(|b| (b.0, "stack_had_better".into())));
                    } else {
                        others.push((*discount, "stack_had_better".into()));
                    }
                }
            }
        }
        (best, others)
    }
}

fn take(left: &mut [i64], off: &[i64]) {
    left.iter_mut().zip(off).for_each(|(left, off)| *left = (*left - off).max(0));
}

impl<'s> Naive<'s> {
    fn offering<'o>(&'o self, basket: &Basket, state: &'o Member, when: When) -> Offering<'o, 's> {
        let line = |l: &Line| {
            let Line { product, category, amount, .. } = *l;
            PricedLine { product, category, amount, quantity: i64::from(l.quantity), ..PricedLine::default() }
        };
        let rules = &self.spec.versions[self.spec.at(when.ordered)];
        Offering { naive: self, rules, lines: basket.lines.iter().map(line).collect(), state, when }
    }

    /// Whether any version has a discount: one that none has is the shop's own.
    fn is_ours(&self, code: &str) -> bool {
        self.spec.versions.iter().flat_map(|version| &version.discounts).any(|discount| discount.code == code)
    }

    /// What is left of each line when the shop's own discounts are off; nothing where they are wrong.
    fn left_by_the_shop(&self, basket: &Basket) -> Option<Vec<i64>> {
        let mut left: Vec<i64> = basket.lines.iter().map(|line| line.amount).collect();
        for (place, off) in &basket.off {
            let left = left.get_mut(*place)?;
            *left = (*left - off).max(0);
        }
        let own = basket.named.iter().filter(|(code, _)| !self.is_ours(code));
        own.for_each(|(_, off)| take(&mut left, off));
        Some(left)
    }

    /// What a quote takes off; stacks that nobody wants are passed over.
    pub fn quote(&self, basket: &Basket, state: &Member, when: When, mut wants: impl FnMut() -> bool) -> Vec<Off> {
        let offering = self.offering(basket, state, when);
        let Some(mut left) = self.left_by_the_shop(basket) else { return Vec::new() };
        let mut off = Vec::new();
        for stack in stacks(&offering.rules.discounts).into_iter().filter(|_| wants()) {
            if let (Some((discount, taken)), _) = offering.best(&stack, &left) {
                take(&mut left, &taken);
                off.push((discount.code, taken));
            }
        }
        off
    }

    /// What an order names that a quote would not give.
    pub fn wrong(&self, basket: &Basket, state: &Member, when: When) -> Vec<Wrong> {
        let offering = self.offering(basket, state, when);
        let discounts = &offering.rules.discounts;
        let Some(mut left) = self.left_by_the_shop(basket) else { return Vec::new() };
        let sum = |off: &[i64]| off.iter().sum::<i64>();
        let mut wrong = Vec::new();
        let ours = || basket.named.iter().filter(|(code, _)| self.is_ours(code));
        for (code, off) in ours().filter(|(code, _)| discounts.iter().all(|d| d.code != *code)) {
            take(&mut left, off);
            wrong.push(Wrong::Differs(code, sum(off), 0, "not_in_version".into()));
        }
        for stack in stacks(discounts) {
            let named: Vec<&Off> = ours().filter(|(c, _)| stack.iter().any(|d| d.code == *c)).collect();
            let Some(((code, off), more)) = named.split_first() else { continue };
            wrong.extend(more.iter().map(|(code, _)| Wrong::Twice(code)));
            let (best, others) = offering.best(&stack, &left);
            match best {
                Some((discount, taken)) if discount.code == *code => {
                    if taken != *off {
                        wrong.push(Wrong::Differs(code, sum(off), sum(&taken), String::new()));
                    }
                }
                _ => {
                    let reason = others.into_iter().find(|(d, _)| d.code == *code).unwrap().1;
                    wrong.push(Wrong::Differs(code, sum(off), 0, reason));
                }
            }
            // One named beside it has no place among them.
            take(&mut left, off);
        }
        wrong
    }

    /// What came off an order, the shop's own first said; what there are no uses of is no use.
    pub fn told_off(&self, order: &Order, state: &Member, when: When) -> Vec<DiscountFacts> {
        let basket = &order.basket;
        let offering = self.offering(basket, state, when);
        let own = basket.off.iter().map(|(place, amount)| {
            let lines = [(*place, *amount)].into_iter().filter(|l| l.1 > 0).collect();
            DiscountFacts { code: "off".into(), ours: false, amount: *amount, lines, uncounted: false }
        });
        let mut told: Vec<DiscountFacts> = own.collect();
        for (code, off) in &basket.named {
            let lines = off.iter().copied().enumerate().filter(|l| l.1 > 0).collect();
            let ours = self.is_ours(code);
            let again = told.iter().any(|told| told.code == *code);
            let discount = offering.rules.discounts.iter().find(|d| d.code == *code);
            let uncounted = ours && (again || discount.is_some_and(|discount| !offering.has_uses(discount)));
            let amount = off.iter().sum();
            told.push(DiscountFacts { code: (*code).into(), ours, amount, lines, uncounted });
        }
        told
    }

    /// The discounts of which an order is a use.
    pub fn uses(&self, told: &[DiscountFacts], version: usize) -> Vec<Discount> {
        let counted = told.iter().filter(|told| told.ours && !told.uncounted);
        let discounts = &self.spec.versions[version].discounts;
        counted.filter_map(|told| discounts.iter().find(|d| d.code == told.code)).cloned().collect()
    }

    /// Notes with the member that an order had them, or, below zero, that it came back.
    pub fn note_uses(&self, uses: &[Discount], state: &mut Member, day: Day, n: i64) {
        for (discount, (_, each)) in uses.iter().filter_map(|d| Some((d, d.per_member?))) {
            let period = self.spec.calendar.period(each, day);
            state.had.push(Had { name: uses_of(discount.code), each, period, n });
        }
    }

    /// How many uses all members together have left, by the bound of the version in force now.
    fn uses_left(&self, discount: &Discount, when: When) -> i64 {
        let Some((most, each)) = discount.total else { return i64::MAX };
        let in_force = self.spec.versions[self.spec.at(when.now)].discounts.iter().find(|d| d.code == discount.code);
        let most = in_force.and_then(|d| d.total).filter(|total| total.1 == each).map_or(most, |total| total.0);
        let name = super::budgets::name(each, when.day);
        most - self.all_uses().get(&(uses_of(discount.code), name)).copied().unwrap_or(0)
    }

    /// By discount and period, how many orders had one and have not come back.
    pub fn all_uses(&self) -> BTreeMap<(String, String), i64> {
        let mut used = BTreeMap::new();
        for sale in self.sales.values().filter(|sale| !sale.complete) {
            for (discount, (_, each)) in sale.uses.iter().filter_map(|d| Some((d, d.total?))) {
                *used.entry((uses_of(discount.code), super::budgets::name(each, sale.day))).or_default() += 1;
            }
        }
        used
    }
}

impl Wrong {
    pub fn refusal(&self) -> String {
        match self {
            Self::Twice(_) => "discount Twice".into(),
            Self::Differs(..) => "discount Differs".into(),
        }
    }

    /// As it is said of a sale that has happened.
    pub fn flag(&self) -> FlagFacts {
        match self {
            Self::Twice(code) => ("DiscountTwice", (*code).into(), [0; 3]),
            Self::Differs(code, stated, ours, reason) => {
                ("DiscountDiffers", format!("{code} {reason}").trim().into(), [*stated, *ours, 0])
            }
        }
    }
}
