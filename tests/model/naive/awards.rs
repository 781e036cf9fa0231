//! What rules award, and what caps leave of it: golden.md R3.

use crate::facts::{Day, OrderFacts, Time};
use crate::naive::Naive;
use crate::naive::caps::Had;
use crate::naive::price::{PricedLine, base, shares};
use crate::naive::wallets::Member;
use crate::spec::{CODES, Earn, Gives, Rules};

/// What a rule awarded.
#[derive(Clone, Debug)]
pub struct Row {
    pub earn: Earn,
    /// What it would have been without its cap.
    pub uncut: i64,
    pub by_line: Vec<i64>,
}

impl Row {
    pub fn is_cut(&self) -> bool {
        self.by_line.iter().sum::<i64>() < self.uncut
    }
}

/// The lines' base, as receipts and tiers know it, is that of the first rule by amount.
pub fn leading_net(rules: &Rules) -> bool {
    rules.earns.iter().find(|e| is_per(e)).is_none_or(|e| e.net)
}

fn is_per(earn: &Earn) -> bool {
    matches!(earn.gives, Gives::Per { .. })
}

fn bases(earn: &Earn, lines: &[PricedLine]) -> Vec<i64> {
    lines.iter().map(|l| base(l, earn.net)).collect()
}

/// What a rule by amount gives, as a fraction.
fn exact((minor, points, step): (i64, i64, bool), base: i64) -> (i128, i128) {
    let steps = if step { (base / minor, 1) } else { (base, minor) };
    (i128::from(steps.0) * i128::from(points), i128::from(steps.1))
}

/// What a rule awards before its cap, and by what that is spread.
fn uncut(earn: &Earn, awake: &[&Earn], lines: &[PricedLine]) -> (i64, Vec<i64>) {
    let (num, den, by) = match earn.gives {
        Gives::Fixed { points } => (i128::from(points), 1, bases(earn, lines)),
        Gives::Per { minor, points, step } => {
            let by = bases(earn, lines);
            let (num, den) = exact((minor, points, step), by.iter().sum());
            (num, den, by)
        }
        Gives::Multiply { thousandths } => {
            let (mut num, mut den, mut by) = (0, 1, vec![0; lines.len()]);
            for other in awake.iter().filter(|e| e.wallet == earn.wallet) {
                let Gives::Per { minor, points, step } = other.gives else { continue };
                let bases = bases(other, lines);
                let (more, of) = exact((minor, points, step), bases.iter().sum());
                (num, den) = (num * of + more * den, den * of);
                by.iter_mut().zip(bases).for_each(|(by, base)| *by += base);
            }
            (num * i128::from(thousandths - 1_000), den * 1_000, by)
        }
    };
    (i64::try_from(num / den).unwrap(), by)
}

/// By what it was computed from; where that is nothing by what was charged, then by pieces.
fn spread(points: i64, by: &[i64], lines: &[PricedLine]) -> Vec<i64> {
    let charged: Vec<i64> = lines.iter().map(|l| l.charged).collect();
    let pieces: Vec<i64> = lines.iter().map(|l| l.quantity).collect();
    let weights = [by, &charged, &pieces].into_iter().find(|w| w.iter().any(|w| *w > 0)).unwrap();
    shares(points, weights)
}

impl Naive<'_> {
    /// The rules that apply at a time, and the codes of the others.
    pub fn awake<'r>(&self, rules: &'r Rules, ordered: Time) -> (Vec<&'r Earn>, Vec<&'static str>) {
        let calendar = &self.spec.calendar;
        let applies = |earn: &&Earn| {
            earn.from.is_none_or(|from| calendar.first(from) <= ordered)
                && earn.until.is_none_or(|until| ordered < calendar.first(until))
        };
        let (awake, asleep): (Vec<&Earn>, Vec<&Earn>) = rules.earns.iter().partition(applies);
        (awake, asleep.iter().map(|e| e.code).collect())
    }

    /// What the rules that apply award on a business day; what has a cap is noted with the member.
    pub fn award(
        &self,
        awake: &[&Earn],
        lines: &[PricedLine],
        (state, day): (&mut Member, Day),
        facts: &mut OrderFacts,
    ) -> Vec<Row> {
        let mut rows = Vec::new();
        for earn in awake {
            let (uncut, by) = uncut(earn, awake, lines);
            let mut points = uncut;
            if let Some((most, each)) = earn.cap {
                let (rule, period) = (earn.code, self.spec.calendar.period(each, day));
                let had: i64 = state.had(rule, each, period).sum();
                points = points.min((most - had).max(0));
                if points > 0 {
                    state.had.push(Had { rule, each, period, points });
                }
            }
            if points == 0 {
                let reason = if uncut > 0 { "cap_reached" } else { "rounds_to_zero" };
                facts.skipped.push(format!("{} {reason}", earn.code));
                continue;
            }
            let by_line = spread(points, &by, lines);
            for (line, part) in facts.lines.iter_mut().zip(&by_line) {
                line[7] += part;
            }
            let named = by_line.iter().copied().enumerate().filter(|(_, p)| *p > 0).collect();
            facts.rows.push((earn.code.into(), CODES[earn.wallet].into(), [points, uncut], named));
            rows.push(Row { earn: (*earn).clone(), uncut, by_line });
        }
        rows
    }
}
