//! Which rules apply to an order, and by which lines: conditions and stacks, golden.md R3 and R6.

use crate::facts::Time;
use crate::naive::Naive;
use crate::naive::awards::{Awarding, Fraction};
use crate::naive::conditions::{Asking, Holds};
use crate::naive::price::PricedLine;
use crate::spec::{Earn, Gives, Rules};

/// What became of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is not its time, of which nobody is told.
    Asleep,
    /// It awards nothing, and why.
    Not(String),
    /// The lines that it awards by.
    Lines(Vec<bool>),
}

/// Those by amount first: multipliers are about what they have left.
const STACKS: [&str; 3] = ["per", "times", "whole"];

impl Naive<'_> {
    /// A verdict for each rule.
    pub fn asked(&self, rules: &Rules, asking: &Asking<'_>, ordered: Time) -> Vec<Verdict> {
        let mut verdicts: Vec<Verdict> = rules.earns.iter().map(|earn| self.ask(earn, asking, ordered)).collect();
        for stack in STACKS {
            let order = Awarding { earns: &rules.earns, verdicts: &verdicts, lines: asking.lines };
            let left = if stack == "whole" { largest(&order, stack) } else { best_by_line(&order, stack) };
            for (place, verdict) in left {
                verdicts[place] = verdict;
            }
        }
        verdicts
    }

    /// Whether it is a rule's time.
    pub fn is_awake(&self, earn: &Earn, ordered: Time) -> bool {
        let calendar = &self.spec.calendar;
        let begun = earn.from.is_none_or(|from| calendar.first(from) <= ordered);
        begun && earn.until.is_none_or(|until| ordered < calendar.first(until))
    }

    fn ask(&self, earn: &Earn, asking: &Asking<'_>, ordered: Time) -> Verdict {
        if !self.is_awake(earn, ordered) {
            return Verdict::Asleep;
        }
        if !earn.tiers.is_empty() && !earn.tiers.contains(&asking.tier.unwrap_or("none")) {
            return Verdict::Not("wrong_tier".into());
        }
        match earn.when.map(|when| when.holds(asking)) {
            None | Some(Ok(true)) => {}
            Some(Ok(false)) => return Verdict::Not("condition_false".into()),
            Some(Err(unknown)) => return Verdict::Not(format!("condition_failed {unknown}")),
        }
        let holds: Vec<Holds> = asking.lines.iter().map(|line| matches(earn, line)).collect();
        let lines: Vec<bool> = holds.iter().map(|holds| *holds == Ok(true)).collect();
        if lines.contains(&true) {
            return Verdict::Lines(lines);
        }
        let unknown = holds.iter().find_map(|holds| holds.err()).map(|unknown| format!(" {unknown}"));
        Verdict::Not(format!("no_matching_lines{}", unknown.unwrap_or_default()))
    }
}

/// Shipping is no line of a condition that does not ask for it; a multiplier takes what the others take.
fn matches(earn: &Earn, line: &PricedLine) -> Holds {
    use crate::spec::LineTest::Shipping;
    let multiplies = matches!(earn.gives, Gives::Multiply { .. });
    match earn.lines {
        None => Ok(true),
        Some(test) if line.product || multiplies || test == Shipping => test.holds(line),
        Some(_) => Ok(false),
    }
}

/// The rules of a stack that apply, by their places, with their lines.
fn rivals<'o>(order: &Awarding<'o>, stack: &str) -> Vec<(usize, &'o [bool])> {
    let there = order.earns.iter().zip(order.verdicts).enumerate();
    let rivals = there.filter_map(|(place, (earn, verdict))| match verdict {
        Verdict::Lines(lines) if earn.stack == Some(stack) => Some((place, lines.as_slice())),
        Verdict::Lines(_) | Verdict::Asleep | Verdict::Not(_) => None,
    });
    rivals.collect()
}

fn lost(to: &Earn) -> Verdict {
    Verdict::Not(format!("stack_had_better {}", to.code))
}

/// Of awards for each order the largest is given as a whole; the first of equals.
fn largest(order: &Awarding<'_>, stack: &str) -> Vec<(usize, Verdict)> {
    let mut rivals: Vec<usize> = rivals(order, stack).into_iter().map(|rival| rival.0).collect();
    rivals.sort_by_key(|place| (std::cmp::Reverse(order.uncut(*place).0), *place));
    let Some(best) = rivals.first().copied() else { return Vec::new() };
    rivals.into_iter().skip(1).map(|place| (place, lost(&order.earns[best]))).collect()
}

/// Each line goes to the rule that is worth most there, the first of equals.
fn best_by_line(order: &Awarding<'_>, stack: &str) -> Vec<(usize, Verdict)> {
    let rivals = rivals(order, stack);
    let worth: Vec<Vec<Fraction>> = rivals.iter().map(|(place, _)| order.by_line(*place)).collect();
    let more = |(a, b): Fraction, (c, d): Fraction| a * d > c * b;
    let mut winners: Vec<Option<usize>> = vec![None; order.lines.len()];
    for (rival, (_, lines)) in rivals.iter().enumerate() {
        for (line, winner) in winners.iter_mut().enumerate().filter(|(line, _)| lines[*line]) {
            if winner.is_none_or(|best| more(worth[rival][line], worth[best][line])) {
                *winner = Some(rival);
            }
        }
    }
    let left = rivals.iter().enumerate().map(|(rival, (place, lines))| {
        let won: Vec<bool> = winners.iter().map(|winner| *winner == Some(rival)).collect();
        if won.contains(&true) {
            return (*place, Verdict::Lines(won));
        }
        // What would have been nothing has lost nothing.
        if order.uncut(*place).0 == 0 {
            return (*place, Verdict::Not("rounds_to_zero".into()));
        }
        let first = (0..lines.len()).find(|line| lines[*line]).unwrap();
        (*place, lost(&order.earns[rivals[winners[first].unwrap()].0]))
    });
    left.collect()
}
