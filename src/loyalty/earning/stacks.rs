//! Which rule of a stack awards by which line: the best by its exact amount, ties to the earlier rule. Source: golden.md R3.

use crate::kernel::money::Ratio;
use crate::loyalty::earning::asked::{Asked, Matching};
use crate::loyalty::earning::model::LineFigures;
use crate::loyalty::earning::rows::{AwardTooLarge, Order};
use crate::loyalty::program::model::{Award, EarningRule};
use crate::loyalty::program::reason::Reason;

/// Leaves each rule the lines on which it is the best of its stack. Those by the base come first: a multiplier is about
/// what they have left.
///
/// # Errors
/// When an amount is more than can be told.
pub fn choose(rules: &[EarningRule], lines: &[LineFigures], asked: &mut [Asked]) -> Result<(), AwardTooLarge> {
    let kinds: [fn(&Award) -> bool; 3] = [
        |award| matches!(award, Award::Rate { .. }),
        |award| matches!(award, Award::Multiply { .. }),
        |award| matches!(award, Award::Fixed(_)),
    ];
    for is_kind in kinds {
        let firsts = rules.iter().enumerate().filter(|(place, rule)| {
            let earlier = rules.iter().take(*place).any(|earlier| earlier.stack == rule.stack);
            rule.stack.is_some() && is_kind(&rule.award) && !earlier
        });
        for (first, rule) in firsts {
            let others = rules.iter().enumerate().skip(first).filter(|(_, other)| other.stack == rule.stack);
            let applies = |place: usize| matches!(asked.get(place), Some(Asked::Applies(_)));
            let places: Vec<usize> = others.map(|(place, _)| place).filter(|place| applies(*place)).collect();
            let order = Order { rules, asked, lines };
            let chosen =
                if matches!(rule.award, Award::Fixed(_)) { whole(rules, &places) } else { by_line(order, &places)? };
            for (place, answer) in chosen {
                if let Some(there) = asked.get_mut(place) {
                    *there = answer;
                }
            }
        }
    }
    Ok(())
}

/// The largest award for each order, as a whole.
fn whole(rules: &[EarningRule], places: &[usize]) -> Vec<(usize, Asked)> {
    let points = |place: usize| {
        rules.get(place).and_then(|rule| if let Award::Fixed(points) = rule.award { Some(points) } else { None })
    };
    // Of equal ones `max_by_key` takes the last.
    let Some(best) = places.iter().copied().rev().max_by_key(|place| points(*place)) else { return Vec::new() };
    places.iter().filter(|place| **place != best).map(|place| (*place, Asked::Beaten(best))).collect()
}

fn by_line(order: Order<'_>, places: &[usize]) -> Result<Vec<(usize, Asked)>, AwardTooLarge> {
    let mut rivals: Vec<(usize, &EarningRule, &Matching, Vec<Ratio>)> = Vec::with_capacity(places.len());
    for place in places {
        if let (Some(rule), Some(Asked::Applies(matching))) = (order.rules.get(*place), order.asked.get(*place)) {
            rivals.push((*place, rule, matching, order.exact(rule, matching)?));
        }
    }
    let best = |line: usize| {
        let there = rivals.iter().filter(|(_, _, matching, _)| matching.has(line));
        let amounts = there.rev().filter_map(|(place, _, _, amounts)| Some((*place, amounts.get(line)?)));
        amounts.max_by_key(|(_, amount)| *amount).map(|(place, _)| place)
    };
    let best: Vec<Option<usize>> = (0..order.lines.len()).map(best).collect();
    let answer = |(place, rule, matching, _): &(usize, &EarningRule, &Matching, Vec<Ratio>)| {
        let won: Vec<bool> = best.iter().map(|best| *best == Some(*place)).collect();
        if won.contains(&true) {
            return Ok((*place, Asked::Applies(Matching::of(won))));
        }
        let lost_to = best.iter().enumerate().find_map(|(line, best)| best.filter(|_| matching.has(line)));
        let worth = order.uncut(rule, matching)?.0;
        Ok((
            *place,
            match lost_to.filter(|_| !worth.is_zero()) {
                Some(better) => Asked::Beaten(better),
                None => Asked::Not(Reason::RoundsToZero, None),
            },
        ))
    };
    rivals.iter().map(answer).collect()
}
