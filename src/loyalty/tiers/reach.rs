//! Tiers that are reached, and taken back when the order that reached them is returned.

use chrono::NaiveDate;

use crate::kernel::calendar::Zone;
use crate::kernel::clock::Instant;
use crate::kernel::id::Seq;
use crate::loyalty::program::model::tiers::Ladder;
use crate::loyalty::tiers::standing::{Held, Seen, Standing, Step, Why, stepped};

/// An upgrade, as the receipt of the order has it that reached the tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upgrade {
    /// The order's posting.
    pub cause: Seq,
    /// The order's business day.
    pub on: NaiveDate,
    /// What was held before.
    pub was: Option<Held>,
}

/// After whatever raised the balance: holds the tier that it earns if that is higher than the one that is held, and calls off
/// a fall if the balance earns that again. `cause` is the posting, when its return may take the tier back.
pub fn reach(
    standing: &mut Standing,
    ladder: &Ladder,
    zone: Zone,
    seen: Seen,
    at: Instant,
    cause: Option<Seq>,
) -> Option<Step> {
    reaches(standing, ladder, seen).then(|| {
        stepped(standing, ladder, (at, Why::Reached), |standing| raise(standing, ladder, zone, seen, (at, cause)))
    })
}

/// When an order comes back, after the balance went down: what it reached is not held any more, but what was held before it,
/// or what the balance earns now. Not when something else holds the tier: a balance that still earns it, a later order
/// that reached more, or a closed period. What has left the window is not looked at again, so its return takes nothing.
pub fn take_back(
    standing: &mut Standing,
    ladder: &Ladder,
    zone: Zone,
    seen: Seen,
    upgrade: &Upgrade,
    at: Instant,
) -> Option<Step> {
    let held = standing.held.filter(|held| held.cause == Some(upgrade.cause))?;
    let counts_until = ladder.window.last_day(seen.enrolled_on, upgrade.on);
    let has_left = counts_until.is_some_and(|last| last < zone.day_of(at));
    // Versions since may have moved the member below what was held before.
    let was_higher = ladder.rank(upgrade.was.map(|was| was.tier)) > ladder.rank(Some(held.tier));
    if !is_below(&held, ladder, seen) || has_left || was_higher {
        return None;
    }
    let was = upgrade.was.filter(|was| ladder.tier(was.tier).is_some());
    Some(stepped(standing, ladder, (at, Why::TakenBack), |standing| {
        standing.hold(was, at);
        if reaches(standing, ladder, seen) {
            raise(standing, ladder, zone, seen, (at, Some(upgrade.cause)));
        }
    }))
}

/// Whether the balance earns more than is held, or again what is about to be lost.
pub(super) fn reaches(standing: &Standing, ladder: &Ladder, seen: Seen) -> bool {
    let earned = ladder.rank(ladder.earned(seen.balance));
    let held = ladder.rank(standing.held.map(|held| held.tier));
    let falling = standing.held.is_some_and(|held| held.falls.is_some());
    earned > held || falling && earned == held && earned.is_some()
}

/// Holds what the balance earns, from now on.
pub(super) fn raise(
    standing: &mut Standing,
    ladder: &Ladder,
    zone: Zone,
    seen: Seen,
    (at, cause): (Instant, Option<Seq>),
) {
    let Some(tier) = ladder.earned(seen.balance) else { return };
    let since = standing.held.filter(|held| held.tier == tier).map_or(at, |held| held.since);
    let until = ladder.valid_until(seen.enrolled_on, zone.day_of(at));
    standing.hold(Some(Held { tier, since, until, falls: None, cause }), at);
}

/// Whether the balance does not earn what is held.
pub(super) fn is_below(held: &Held, ladder: &Ladder, seen: Seen) -> bool {
    ladder.rank(ladder.earned(seen.balance)) < ladder.rank(Some(held.tier))
}
