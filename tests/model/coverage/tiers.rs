//! What tiers must have done, by the window of their wallet: reached, kept, announced to fall, fallen, taken back.

use std::collections::BTreeMap;

use crate::command::{Command, What};
use crate::coverage::Coverage;
use crate::facts::OrderFacts;
use crate::naive::Naive;
use crate::naive::tiers::{Held, Standing};
use crate::spec::{Lasts, Spec};

const WINDOWS: [&str; 4] = ["calendar", "anniversary", "rolling", "lifetime"];

/// In each window.
const DONE: [&str; 8] = [
    "reached",
    "reached on the way up",
    "a fall announced",
    "a fall called off",
    "fallen",
    "fallen by more than one",
    "taken back to none",
    "taken back to what was before",
];

/// In any.
const ONCE: [&str; 8] = [
    "kept by a review",
    "what the rest of an order still reaches",
    "of a suspended member, fallen",
    "a tier's row",
    "a tier's row of two wallets",
    "by the wrong tier",
    "a late order by an earlier tier",
    "the tier from zero",
];

/// What was done, in which window.
pub type Did = (&'static str, &'static str);

pub fn wanted() -> impl Iterator<Item = Did> {
    let windows = WINDOWS.iter().flat_map(|window| DONE.iter().map(move |did| (*window, *did)));
    windows.chain(ONCE.iter().map(|did| ("any", *did)))
}

fn window(lasts: Lasts) -> &'static str {
    match lasts {
        Lasts::Calendar => "calendar",
        Lasts::Anniversary => "anniversary",
        Lasts::Rolling(_) => "rolling",
        Lasts::Lifetime => "lifetime",
    }
}

impl Coverage {
    /// Notes what became of tiers by a command, and by the time before it.
    pub fn climbed(&mut self, spec: &Spec, command: &Command, before: &BTreeMap<u32, Standing>, model: &Naive<'_>) {
        let Some(ladder) = &spec.versions[0].ladder else { return };
        let window = window(ladder.lasts);
        for (member, was) in before {
            let member = &model.members[member];
            let did = moved(was.held.as_ref(), member.standing.held.as_ref(), &command.what);
            if did == Some("fallen") && member.suspended {
                self.tiers.insert(("any", "of a suspended member, fallen"));
            }
            self.tiers.extend(did.map(|did| (if DONE.contains(&did) { window } else { "any" }, did)));
        }
    }

    /// Notes what a tier did for an order; `now` is the one that the member is in by then.
    pub fn ranked(&mut self, facts: &OrderFacts, asked: Option<usize>, now: Option<usize>) {
        let rows = facts.rows.iter().filter(|row| row.rule.starts_with("tier:")).count();
        for (did, is) in [
            ("a tier's row", rows > 0),
            ("a tier's row of two wallets", rows > 1),
            ("by the wrong tier", facts.skipped.iter().any(|skipped| skipped.ends_with(" wrong_tier"))),
            ("a late order by an earlier tier", asked != now),
            ("the tier from zero", facts.tier.as_ref().is_some_and(|t| t.until.is_none() && t.after.is_some())),
        ] {
            self.tiers.extend(is.then_some(("any", did)));
        }
    }
}

fn moved(was: Option<&Held>, is: Option<&Held>, what: &What) -> Option<&'static str> {
    let back = matches!(what, What::Return { .. });
    let (from, to) = (was.map(|held| held.tier), is.map(|held| held.tier));
    if to > from {
        return Some(if from.is_some() { "reached on the way up" } else { "reached" });
    }
    let by = was.and_then(|held| held.by.as_ref());
    if to < from && back && by.is_some() {
        return match is {
            None => Some("taken back to none"),
            Some(held) if held.by.as_ref() == by => Some("what the rest of an order still reaches"),
            Some(_) => Some("taken back to what was before"),
        };
    }
    if to < from {
        let far = from.is_some_and(|from| from > to.map_or(0, |to| to + 1));
        return Some(if far { "fallen by more than one" } else { "fallen" });
    }
    match (was.and_then(|held| held.falls), is.and_then(|held| held.falls)) {
        (None, Some(_)) => Some("a fall announced"),
        (Some(_), None) => Some("a fall called off"),
        _ if was.map(|held| held.until) < is.map(|held| held.until) => Some("kept by a review"),
        _ => None,
    }
}
