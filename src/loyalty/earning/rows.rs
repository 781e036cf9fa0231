//! The rows of an award: whole numbers, each floored on its own and spread over the lines. Source: golden.md R3.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::kernel::clock::Instant;
use crate::kernel::money::{Money, Ratio};
use crate::kernel::points::Points;
use crate::kernel::spread::spread;
use crate::loyalty::earning::asked::{Asked, Matching, Trigger, ask};
use crate::loyalty::earning::base::base_of;
use crate::loyalty::earning::model::LineFigures;
use crate::loyalty::earning::stacks::choose;
use crate::loyalty::program::condition::EvalError;
use crate::loyalty::program::facts::Facts;
use crate::loyalty::program::model::tiers::Tier;
use crate::loyalty::program::model::{Award, EarningRule, On, Slot};
use crate::loyalty::program::reason::Reason;

/// What stands before a tier's code in the name of its row: no code of a rule has the sign.
pub const TIER_ROW: &str = "tier:";

/// What awards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awarder<'a> {
    /// A rule.
    Rule(&'a EarningRule),
    /// The tier that the member was in before.
    Tier(&'a Tier),
}

/// What one rule awards, or a tier on top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// What awards it.
    pub by: Awarder<'a>,
    /// The wallet that it fills.
    pub wallet: Slot,
    /// How much in all.
    pub points: Points,
    /// How much it would have been without its cap and its budget,
    pub uncut: Points,
    /// and without its budget.
    pub capped: Points,
    /// How much of `points` each line earned, in the order of the lines.
    pub by_line: Vec<Points>,
}

impl<'a> Row<'a> {
    /// The rule, of a rule's.
    pub fn rule(&self) -> Option<&'a EarningRule> {
        match self.by {
            Awarder::Rule(rule) => Some(rule),
            Awarder::Tier(_) => None,
        }
    }

    /// The name in the API: the rule's code, or `tier:gold`.
    pub fn name(&self) -> String {
        match self.by {
            Awarder::Rule(rule) => rule.code.clone(),
            Awarder::Tier(tier) => format!("{TIER_ROW}{}", tier.code),
        }
    }
}

/// What is left of a rule; `None` without a bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// For the member,
    pub cap: Option<Points>,
    /// and for all.
    pub budget: Option<Points>,
}

/// A rule that awards nothing, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped<'a> {
    /// The rule.
    pub rule: &'a EarningRule,
    /// The first reason.
    pub reason: Reason,
    /// What in a condition could not be told.
    pub detail: Option<EvalError>,
    /// The rule that is better.
    pub better: Option<&'a EarningRule>,
}

impl<'a> Skipped<'a> {
    /// Of a reason that says it all.
    pub fn plain(rule: &'a EarningRule, reason: Reason) -> Self {
        Self { rule, reason, detail: None, better: None }
    }
}

/// What the rules award for an order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Awarded<'a> {
    /// A row for each rule that awards anything, in document order, and for each wallet one of the tier.
    pub rows: Vec<Row<'a>>,
    /// The rules that would have, in document order.
    pub skipped: Vec<Skipped<'a>>,
}

/// An award does not fit a wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the award is larger than a wallet holds")]
pub struct AwardTooLarge;

/// What the rules award that something sets off at its business time, for the lines of an order if it is one, and on top
/// of it the tier that the member was in.
/// Their conditions are asked of `facts`, which are absent where the version has none; `room` says what is left of a rule with a cap or a budget. The cap cuts first.
///
/// # Errors
/// When a row, or all rows of one wallet together, are more than a wallet holds.
pub fn award<'a>(
    rules: &'a [EarningRule],
    trigger: Trigger<'_>,
    lines: &[LineFigures],
    at: Instant,
    (facts, tier): (Option<&Facts<'_>>, Option<&'a Tier>),
    mut room: impl FnMut(&EarningRule) -> Room,
) -> Result<Awarded<'a>, AwardTooLarge> {
    // All of them first, and each once: a multiplier is about what the rules match that it multiplies.
    let mut asked: Vec<Asked> = rules.iter().map(|rule| ask(rule, trigger, lines, at, facts)).collect();
    if rules.iter().any(|rule| rule.stack.is_some()) {
        choose(rules, lines, &mut asked)?;
    }
    let order = Order { rules, asked: &asked, lines };
    let mut awarded = Awarded::default();
    for (rule, asked) in rules.iter().zip(&asked) {
        let matching = match asked {
            Asked::Applies(matching) => matching,
            Asked::NotScheduled => continue,
            Asked::Not(reason, detail) => {
                awarded.skipped.push(Skipped { detail: detail.clone(), ..Skipped::plain(rule, *reason) });
                continue;
            }
            Asked::Beaten(by) => {
                let better = rules.get(*by);
                awarded.skipped.push(Skipped { better, ..Skipped::plain(rule, Reason::StackHadBetter) });
                continue;
            }
        };
        let (uncut, computed_from) = order.uncut(rule, matching)?;
        if uncut.is_zero() {
            awarded.skipped.push(Skipped::plain(rule, Reason::RoundsToZero));
            continue;
        }
        let bounded = rule.cap.is_some() || rule.awards.is_some() || rule.budget.is_some();
        let Room { cap, budget } = if bounded { room(rule) } else { Room::default() };
        let capped = cap.map_or(uncut, |left| uncut.min(left));
        let points = budget.map_or(capped, |left| capped.min(left));
        if !points.is_zero() {
            // What is not about an order is no part of its lines, and no return takes it back.
            let of_order = rule.on == On::Order;
            let by_line = if of_order {
                by_line(points, &computed_from, lines, matching)
            } else {
                vec![Points::ZERO; lines.len()]
            };
            awarded.rows.push(Row { by: Awarder::Rule(rule), wallet: rule.wallet, points, uncut, capped, by_line });
        } else {
            let reason = if capped.is_zero() { Reason::CapReached } else { Reason::BudgetSpent };
            awarded.skipped.push(Skipped::plain(rule, reason));
        }
    }
    if let Some((tier, over)) = tier.and_then(|tier| Some((tier, tier.earn?))) {
        let of_tier = tier_rows((tier, over), &awarded.rows, lines.len())?;
        awarded.rows.extend(of_tier);
    }
    for row in &awarded.rows {
        earned(&awarded.rows, row.wallet)?;
    }
    Ok(awarded)
}

/// What a tier adds to each wallet: its part of what rules by the base and multipliers award there after cuts, spread by
/// that. Nothing cuts it.
fn tier_rows<'a>(
    (tier, over): (&'a Tier, Ratio),
    rows: &[Row<'a>],
    lines: usize,
) -> Result<Vec<Row<'a>>, AwardTooLarge> {
    let is_fixed = |row: &&Row<'_>| row.rule().is_some_and(|rule| matches!(rule.award, Award::Fixed(_)));
    let mut on_top: Vec<Row<'a>> = Vec::new();
    for row in rows {
        if on_top.iter().any(|there| there.wallet == row.wallet) {
            continue;
        }
        let of_wallet = || rows.iter().filter(|other| other.wallet == row.wallet && !is_fixed(other));
        let part = |line: usize| of_wallet().filter_map(|row| row.by_line.get(line)).map(|part| part.get()).sum();
        let parts: Vec<i64> = (0..lines).map(part).collect();
        let points = over.floor(sum(&parts)?).and_then(|points| Points::try_from(points).ok()).ok_or(AwardTooLarge)?;
        let by_line =
            spread(points.get(), &parts).into_iter().map(|part| Points::try_from(part).unwrap_or(Points::ZERO));
        let (uncut, capped, by_line) = (points, points, by_line.collect());
        on_top.push(Row { by: Awarder::Tier(tier), wallet: row.wallet, points, uncut, capped, by_line });
    }
    on_top.retain(|row| !row.points.is_zero());
    Ok(on_top)
}

/// An order, and which rules apply to it.
#[derive(Clone, Copy)]
pub struct Order<'o> {
    /// The rules of the version.
    pub rules: &'o [EarningRule],
    /// One for each rule.
    pub asked: &'o [Asked],
    /// What was bought.
    pub lines: &'o [LineFigures],
}

impl<'o> Order<'o> {
    /// What a rule awards before its cap, and by what that is spread over the lines.
    ///
    /// # Errors
    /// When it is more than a wallet holds.
    pub fn uncut(self, rule: &EarningRule, matching: &Matching) -> Result<(Points, Vec<i64>), AwardTooLarge> {
        let own = || self.bases(rule, [matching, &Matching::ALL]);
        let (points, computed_from) = match &rule.award {
            Award::Fixed(points) => return Ok((*points, own()?)),
            Award::Rate { rate, step: None } => (rate.floor(sum(&own()?)?), own()?),
            Award::Rate { step: Some(step), .. } => {
                (step.rate.floor(sum(&own()?)?).and_then(|steps| steps.checked_mul(step.points.get())), own()?)
            }
            Award::Multiply { of, .. } => {
                let parts: Vec<Part<'_>> = of.iter().filter_map(|of| self.part(*of, matching)).collect();
                let worth = parts.iter().map(|part| Ok((self.multiplicand(part)?, part.rate)));
                let points = Ratio::floor_of_sum(worth.collect::<Result<Vec<_>, _>>()?);
                (points, self.multiplied(&parts)?)
            }
        };
        let points = Points::try_from(points.ok_or(AwardTooLarge)?).map_err(|_| AwardTooLarge)?;
        Ok((points, computed_from))
    }

    /// What a rule would award by each line, exactly; nothing by any of one that awards for each order.
    ///
    /// # Errors
    /// When that cannot be told.
    pub fn exact(self, rule: &EarningRule, matching: &Matching) -> Result<Vec<Ratio>, AwardTooLarge> {
        let parts: Vec<Part<'_>> = match &rule.award {
            Award::Fixed(_) => Vec::new(),
            Award::Rate { rate, .. } => vec![Part { rule, rate: *rate, matching: [matching, &Matching::ALL] }],
            Award::Multiply { of, .. } => of.iter().filter_map(|of| self.part(*of, matching)).collect(),
        };
        let multiplies = matches!(rule.award, Award::Multiply { .. });
        let rate = |part: &Part<'_>| if multiplies { part.by_base() } else { Some(part.rate) };
        let mut amounts = vec![Ratio::ZERO; self.lines.len()];
        for part in &parts {
            let rate = rate(part).ok_or(AwardTooLarge)?;
            for (amount, base) in amounts.iter_mut().zip(self.bases(part.rule, part.matching)?) {
                *amount = Ratio::sum([(1, *amount), (base, rate)]).ok_or(AwardTooLarge)?;
            }
        }
        Ok(amounts)
    }

    /// The base of each line, as the rule computes it, in minor units; nothing of lines that do not match both.
    fn bases(self, rule: &EarningRule, [one, other]: [&Matching; 2]) -> Result<Vec<i64>, AwardTooLarge> {
        let base = |(place, line): (usize, &LineFigures)| {
            let matches = one.has(place) && other.has(place);
            if matches { base_of(line, rule.net_of).map(Money::minor) } else { Some(0) }
        };
        self.lines.iter().enumerate().map(base).collect::<Option<_>>().ok_or(AwardTooLarge)
    }

    /// A rule that a multiplier multiplies, where it applies.
    fn part(self, (place, rate): (usize, Ratio), multiplier: &'o Matching) -> Option<Part<'o>> {
        match (self.rules.get(place)?, self.asked.get(place)?) {
            (rule, Asked::Applies(own)) => Some(Part { rule, rate, matching: [own, multiplier] }),
            (_, Asked::NotScheduled | Asked::Beaten(_) | Asked::Not(..)) => None,
        }
    }

    /// What a multiplier multiplies of a rule: its base, or its full steps.
    fn multiplicand(self, part: &Part<'_>) -> Result<i64, AwardTooLarge> {
        let base = sum(&self.bases(part.rule, part.matching)?)?;
        match part.rule.award {
            Award::Rate { step: Some(step), .. } => step.rate.floor(base).ok_or(AwardTooLarge),
            Award::Rate { .. } | Award::Multiply { .. } | Award::Fixed(_) => Ok(base),
        }
    }

    /// By what a multiplier's row is spread: by the bases of all that it multiplies, as what one of them leaves out of its
    /// base another may earn on. Where one awards by a line that another leaves out it is what they award by each, to a
    /// thousandth of a point.
    fn multiplied(self, parts: &[Part<'_>]) -> Result<Vec<i64>, AwardTooLarge> {
        let bases = parts.iter().map(|part| self.bases(part.rule, part.matching));
        let bases: Vec<Vec<i64>> = bases.collect::<Result<_, _>>()?;
        let one = Ratio::of(Decimal::ONE, Decimal::ONE).ok_or(AwardTooLarge)?;
        let thousand = Ratio::of(Decimal::ONE_THOUSAND, Decimal::ONE).ok_or(AwardTooLarge)?;
        let alike = self.are_alike(parts, &bases)?;
        let weight = |part: &Part<'_>| if alike { Some(one) } else { part.by_base()?.times(thousand) };
        let weights: Vec<Ratio> = parts.iter().map(weight).collect::<Option<_>>().ok_or(AwardTooLarge)?;
        let of_line = |place: usize| {
            let parts = bases.iter().zip(&weights).filter_map(|(bases, weight)| Some((*bases.get(place)?, *weight)));
            Ratio::floor_of_sum(parts).ok_or(AwardTooLarge)
        };
        (0..self.lines.len()).map(of_line).collect()
    }

    /// Whether no rule leaves out a line that another awards by; `bases` are those of the lines that each awards by.
    fn are_alike(self, parts: &[Part<'_>], bases: &[Vec<i64>]) -> Result<bool, AwardTooLarge> {
        if parts.iter().all(|part| parts.first().is_some_and(|first| part.matching == first.matching)) {
            return Ok(true);
        }
        let of_all = parts.iter().map(|part| self.bases(part.rule, [&Matching::ALL, part.matching[1]]));
        let of_all: Vec<Vec<i64>> = of_all.collect::<Result<_, _>>()?;
        let differs = |place: usize| {
            let awards = |bases: &Vec<i64>| bases.get(place).is_some_and(|base| *base > 0);
            bases.iter().any(awards) && bases.iter().zip(&of_all).any(|(own, all)| awards(all) && !awards(own))
        };
        Ok(!(0..self.lines.len()).any(differs))
    }
}

/// What a multiplier multiplies of one rule.
struct Part<'o> {
    rule: &'o EarningRule,
    /// What is added to each minor unit of its base, or to each full step.
    rate: Ratio,
    /// The lines: of the rule, and of the multiplier.
    matching: [&'o Matching; 2],
}

impl Part<'_> {
    /// What is added to each minor unit of base, also where only full steps earn.
    fn by_base(&self) -> Option<Ratio> {
        match self.rule.award {
            Award::Rate { step: Some(step), .. } => self.rate.times(step.rate),
            Award::Rate { .. } | Award::Multiply { .. } | Award::Fixed(_) => Some(self.rate),
        }
    }
}

fn sum(bases: &[i64]) -> Result<i64, AwardTooLarge> {
    bases.iter().try_fold(0_i64, |sum, base| sum.checked_add(*base)).ok_or(AwardTooLarge)
}

/// All points that the rows bring to a wallet.
///
/// # Errors
/// When they are more than a wallet holds.
pub fn earned(rows: &[Row<'_>], wallet: Slot) -> Result<Points, AwardTooLarge> {
    let of_wallet = rows.iter().filter(|row| row.wallet == wallet);
    of_wallet.map(|row| row.points).try_fold(Points::ZERO, Points::plus).ok_or(AwardTooLarge)
}

/// What the rows bring to a wallet by the last day of points that are over sooner than others of it, in the order of the
/// rows; what is over when others are comes first. Each is a lot of its own.
///
/// # Errors
/// When they are more than a wallet holds.
pub fn by_last_day(
    rows: &[Row<'_>],
    wallet: Slot,
    ends_sooner: impl Fn(&Row<'_>) -> Option<NaiveDate>,
) -> Result<Vec<(Option<NaiveDate>, Points)>, AwardTooLarge> {
    let mut parts = vec![(None, Points::ZERO)];
    for row in rows.iter().filter(|row| row.wallet == wallet && !row.points.is_zero()) {
        let day = ends_sooner(row);
        match parts.iter_mut().find(|(there, _)| *there == day) {
            Some((_, sum)) => *sum = sum.plus(row.points).ok_or(AwardTooLarge)?,
            None => parts.push((day, row.points)),
        }
    }
    parts.retain(|(_, points)| !points.is_zero());
    Ok(parts)
}

/// Spreads a row over its lines by what it was computed from; when that is all zero by charged, then by quantity, and at
/// last to the first of them. The parts sum to `points`.
pub fn by_line(points: Points, computed_from: &[i64], lines: &[LineFigures], matching: &Matching) -> Vec<Points> {
    let any = |weights: &[i64]| weights.iter().any(|w| *w > 0);
    let of_matching = |weight: fn(&LineFigures) -> i64| -> Vec<i64> {
        let weight = |(place, line): (usize, &LineFigures)| if matching.has(place) { weight(line) } else { 0 };
        lines.iter().enumerate().map(weight).collect()
    };
    let mut weights = computed_from.to_vec();
    if !any(&weights) {
        weights = of_matching(|line| line.charged.minor());
    }
    if !any(&weights) {
        weights = of_matching(|line| i64::from(line.quantity));
    }
    if !any(&weights) {
        let first = (0..lines.len()).find(|place| matching.has(*place));
        weights = (0..lines.len()).map(|place| i64::from(Some(place) == first)).collect();
    }
    spread(points.get(), &weights).into_iter().map(|part| Points::try_from(part).unwrap_or(Points::ZERO)).collect()
}
