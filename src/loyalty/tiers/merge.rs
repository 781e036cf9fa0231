//! Two standings become one.

use chrono::NaiveDate;

use crate::kernel::clock::Instant;
use crate::loyalty::program::model::tiers::Ladder;
use crate::loyalty::tiers::standing::{Falls, Granted, Held, Past, Standing, Step, Why, effective};

/// When an account is merged into another: the member holds the better one of both tiers with the later day, has the better
/// one of both grants, and was in the past in whatever either was in. No return takes it back. What the sum of both balances
/// reaches is for `reach`, afterwards. `ladder` is `None` where the programme has no tiers.
pub fn merge(into: &mut Standing, source: &Standing, ladder: Option<&Ladder>, at: Instant) -> Option<Step> {
    let tier_of = |standing: &Standing| ladder.and_then(|ladder| effective(standing, ladder));
    let mut merged = into.clone();
    for past in &source.past {
        merged.remember(*past);
    }
    if let Some(ladder) = ladder {
        merge_held(&mut merged, source.held, ladder, at);
        merge_granted(&mut merged, source.granted, ladder, at);
    }
    let (before, was) = (tier_of(into), into.held);
    let changed = (merged.held, merged.granted) != (into.held, into.granted);
    *into = merged;
    changed.then(|| Step { at, before, after: tier_of(into), was, held: into.held, why: Why::Merged })
}

fn merge_held(into: &mut Standing, source: Option<Held>, ladder: &Ladder, at: Instant) {
    let held = match (into.held, source) {
        (Some(one), Some(other)) => better(one, other, ladder),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => return,
    };
    if let Some(Held { tier, since, .. }) = source.filter(|source| source.tier != held.tier) {
        into.remember(Past { tier, since, until: at });
    }
    into.hold(Some(Held { cause: None, ..held }), at);
}

fn better(one: Held, other: Held, ladder: &Ladder) -> Held {
    let rank = |held: Held| ladder.rank(Some(held.tier));
    let (high, low) = if rank(one) >= rank(other) { (one, other) } else { (other, one) };
    let until = later(high.until, low.until);
    let (since, falls) = if high.tier == low.tier {
        let both = high.falls.zip(low.falls);
        let falls = both.map(|(a, b)| Falls { on: a.on.max(b.on), to: ladder.higher(a.to, b.to) });
        (high.since.min(low.since), falls)
    } else {
        // Who falls from the higher tier falls no lower than to the other one.
        let falls = high.falls.map(|falls| Falls { to: ladder.higher(falls.to, Some(low.tier)), ..falls });
        (high.since, falls)
    };
    Held { since, until, falls, ..high }
}

fn merge_granted(into: &mut Standing, source: Option<Granted>, ladder: &Ladder, at: Instant) {
    let Some(theirs) = source else { return };
    let rank = |granted: Granted| (ladder.rank(Some(granted.tier)), granted.until.unwrap_or(NaiveDate::MAX));
    if into.granted.is_none_or(|ours| rank(theirs) > rank(ours)) {
        into.give(Some(theirs), at);
    } else {
        into.remember(Past { tier: theirs.tier, since: theirs.since, until: at });
    }
}

/// The later one of two last days, of which no day is the latest.
fn later(one: Option<NaiveDate>, other: Option<NaiveDate>) -> Option<NaiveDate> {
    one.zip(other).map(|(one, other)| one.max(other))
}
