//! How a row came to its points, as far as what is stored tells it: on what it was computed, by what, and exactly.

use rust_decimal::Decimal;

use crate::kernel::money::{Amount, Currency, Money, Ratio};
use crate::loyalty::earning::rows::TIER_ROW;
use crate::loyalty::program::model::{Award, EarningRule, Rulebook};
use crate::loyalty::program::reason::Reason;
use crate::loyalty::statement::why::documents::{LineSaid, RowSaid, Said};

/// The decimal places of points before they are rounded.
const EXACT_PLACES: u32 = 4;
/// The decimal places of a rate.
const RATE_PLACES: u32 = 6;

/// Why a rule that awarded nothing applied all the same: a multiplier multiplies it then.
const APPLIED: [Reason; 3] = [Reason::RoundsToZero, Reason::CapReached, Reason::BudgetSpent];

/// How a row came to its points.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// By what: points for each whole unit of money, or what a multiplier or a tier multiplies by.
    pub rate: Option<Amount>,
    /// The money on which it was computed.
    pub base: Option<Amount>,
    /// The points on which it was.
    pub of_points: Option<i64>,
    /// What a multiplier multiplied, by the codes of the rules.
    pub of_rules: Vec<String>,
    /// What it came to before it was rounded down.
    pub exact: Option<Amount>,
}

/// How a rule's row came to its points.
pub fn of_rule(rule: &EarningRule, row: &RowSaid, said: &Said, book: &Rulebook) -> Figures {
    let rate = rate(rule, book.currency).map(Amount);
    let parts = parts(rule, row, said, book);
    let of_rules = match rule.award {
        Award::Multiply { .. } => parts.iter().map(|part| part.rule.code.clone()).collect(),
        Award::Rate { .. } | Award::Fixed(_) => Vec::new(),
    };
    let bases: Option<Vec<Money>> = parts.iter().map(|part| part.base(said, book)).collect();
    let exact = bases.as_ref().and_then(|bases| exact(&parts, bases)).filter(|exact| {
        // Where a line matched that got no whole point, what is stored does not tell it.
        exact.trunc() == Decimal::from(row.uncut.unwrap_or(row.points))
    });
    // Several bases are no one figure.
    let same = |bases: Vec<Money>| bases.first().copied().filter(|first| bases.iter().all(|base| base == first));
    let base = exact.and(bases).and_then(same).map(|base| base.amount(book.currency));
    Figures { rate, base, of_points: None, of_rules, exact: exact.map(Amount) }
}

/// How a tier's row came to its points: on those of the rows by the base and of multipliers that fill its wallet.
pub fn of_tier(row: &RowSaid, said: &Said, book: &Rulebook) -> Figures {
    let code = row.rule.strip_prefix(TIER_ROW);
    let tier = book.tiers.as_ref().and_then(|ladder| ladder.tiers.iter().find(|tier| Some(&*tier.code) == code));
    let Some(over) = tier.and_then(|tier| tier.earn) else { return Figures::default() };
    let is_fixed = |row: &RowSaid| book.rule(&row.rule).is_none_or(|rule| matches!(rule.award, Award::Fixed(_)));
    let below = said.rows.iter().filter(|below| below.wallet == row.wallet && !is_fixed(below));
    let of_points = below.flat_map(|below| &below.lines).map(|part| part.points).fold(0_i64, i64::saturating_add);
    Figures {
        rate: decimal(over, 1, RATE_PLACES).map(whole).map(Amount),
        of_points: Some(of_points),
        exact: decimal(over, of_points, EXACT_PLACES).map(Amount),
        ..Figures::default()
    }
}

/// Something by the base of lines that a row was computed by.
struct Part<'b> {
    rule: &'b EarningRule,
    /// Points for each minor unit of base, or for each full step.
    rate: Ratio,
    /// The lines, where that can be told, of the rule and of what multiplies it; `None`: every one.
    lines: Option<[Option<Vec<String>>; 2]>,
}

impl Part<'_> {
    /// The base of its lines; `None` where it is not the one that lines show.
    fn base(&self, said: &Said, book: &Rulebook) -> Option<Money> {
        let lines = self.lines.as_ref().filter(|_| self.rule.net_of == book.net_of())?;
        let has = |line: &LineSaid| lines.iter().flatten().all(|ids| ids.contains(&line.id));
        let mut bases = said.lines.iter().filter(|line| has(line)).map(|line| line.base.read(book.currency).ok());
        bases.try_fold(Money::ZERO, |sum, base| sum.plus(base?))
    }

    /// What it is multiplied with: minor units, or full steps.
    fn count(&self, base: Money) -> Option<i64> {
        match &self.rule.award {
            Award::Rate { step: Some(step), .. } => step.rate.floor(base.minor()),
            Award::Rate { step: None, .. } | Award::Multiply { .. } | Award::Fixed(_) => Some(base.minor()),
        }
    }
}

fn parts<'b>(rule: &'b EarningRule, row: &RowSaid, said: &Said, book: &'b Rulebook) -> Vec<Part<'b>> {
    let own = rule.lines.is_some().then(|| ids(row));
    match &rule.award {
        Award::Fixed(_) => Vec::new(),
        Award::Rate { rate, step } => {
            let of_step = step.and_then(|step| Ratio::of(Decimal::from(step.points.get()), Decimal::ONE));
            vec![Part { rule, rate: of_step.unwrap_or(*rate), lines: Some([own, None]) }]
        }
        Award::Multiply { of, .. } => {
            let part = |(place, rate): &(usize, Ratio)| {
                let rule = book.earning.get(*place)?;
                let theirs = said.rows.iter().find(|row| row.rule == rule.code);
                let was = |skipped: &str| APPLIED.iter().any(|reason| reason.name() == skipped);
                let skipped = said.skipped.iter().any(|skipped| skipped.rule == rule.code && was(&skipped.reason));
                let known = theirs.map(ids).or_else(|| skipped.then(Vec::new))?;
                let lines = match (&rule.lines, theirs) {
                    (None, _) => Some([None, own.clone()]),
                    (Some(_), Some(_)) => Some([Some(known), own.clone()]),
                    (Some(_), None) => None,
                };
                Some(Part { rule, rate: *rate, lines })
            };
            of.iter().filter_map(part).collect()
        }
    }
}

fn ids(row: &RowSaid) -> Vec<String> {
    row.lines.iter().map(|part| part.id.clone()).collect()
}

fn exact(parts: &[Part<'_>], bases: &[Money]) -> Option<Decimal> {
    let counts = parts.iter().zip(bases).map(|(part, base)| Some((part.count(*base)?, part.rate)));
    let counts = counts.collect::<Option<Vec<_>>>().filter(|counts| !counts.is_empty())?;
    decimal(Ratio::sum(counts)?, 1, EXACT_PLACES)
}

/// Points for each whole unit of money, or the factor of a multiplier.
fn rate(rule: &EarningRule, currency: Currency) -> Option<Decimal> {
    match &rule.award {
        Award::Rate { rate, .. } => {
            let unit = 10_i64.checked_pow(currency.exponent())?;
            decimal(*rate, unit, RATE_PLACES).map(|rate| rate.normalize())
        }
        Award::Multiply { over, .. } => decimal(*over, 1, RATE_PLACES).map(whole),
        Award::Fixed(_) => None,
    }
}

/// A factor, of what it adds.
fn whole(over: Decimal) -> Decimal {
    over.checked_add(Decimal::ONE).unwrap_or(over).normalize()
}

/// x r, down to so many places.
fn decimal(ratio: Ratio, x: i64, places: u32) -> Option<Decimal> {
    let wide = Ratio::of(Decimal::from(10_i64.checked_pow(places)?), Decimal::ONE)?;
    ratio.times(wide)?.floor(x).map(|n| Decimal::new(n, places))
}
