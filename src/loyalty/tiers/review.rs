//! What happens to a tier by itself: reviews, falls, and the end of what was granted.

use chrono::NaiveDate;

use crate::kernel::calendar::Zone;
use crate::kernel::clock::Instant;
use crate::loyalty::program::model::TierSlot;
use crate::loyalty::program::model::tiers::{Downgrade, Fall, FallTo, Ladder};
use crate::loyalty::tiers::reach::is_below;
use crate::loyalty::tiers::standing::{Falls, Held, Seen, Standing, Step, Why, stepped};

/// When something happens by itself next while the balance stays as it is: at this instant, and not before, [`close`] or
/// [`after`] does something. One that has passed means at once.
pub fn next_review(standing: &Standing, ladder: &Ladder, zone: Zone, seen: Seen) -> Option<Instant> {
    let held = standing.held.and_then(|held| due(&held, ladder, zone, seen));
    held.into_iter().chain(grant_ends(standing, zone)).min()
}

/// Closes a period of the window at its end, on the balance before anything expires: a tier that it earns is held to the end
/// of the period that begins, any other falls.
pub fn close(standing: &mut Standing, ladder: &Ladder, zone: Zone, seen: Seen, at: Instant) -> Option<Step> {
    let Downgrade::PeriodEnd(fall) = ladder.downgrade else { return None };
    let held = standing.held.filter(|held| held.falls.is_none())?;
    due(&held, ladder, zone, seen).filter(|due| *due <= at)?;
    Some(stepped(standing, ladder, (at, Why::PeriodClosed), |standing| {
        if is_below(&held, ladder, seen) {
            begin(standing, (held, fall), ladder, zone, seen, at);
        } else {
            let until = ladder.window.last_day(seen.enrolled_on, zone.day_of(at));
            standing.hold(Some(Held { until, cause: None, ..held }), at);
        }
    }))
}

/// At an instant at which anything changes by itself, when lots have ended and become available: ends what was granted,
/// lets announced falls happen, and looks whether the balance is still there.
pub fn after(standing: &mut Standing, ladder: &Ladder, zone: Zone, seen: Seen, at: Instant) -> Vec<Step> {
    let mut steps = Vec::new();
    steps.extend(end_grant(standing, ladder, zone, at));
    steps.extend(end_grace(standing, ladder, zone, seen, at));
    steps.extend(look_below(standing, ladder, zone, seen, at));
    steps
}

/// The day to which a tier is held to which a member fell on `day`: the next review is that of the period, not one later.
pub(super) fn fallen_until(ladder: &Ladder, seen: Seen, day: NaiveDate) -> Option<NaiveDate> {
    match ladder.downgrade {
        Downgrade::PeriodEnd(_) => ladder.window.last_day(seen.enrolled_on, day),
        Downgrade::WhenBelow(_) | Downgrade::Never => ladder.valid_until(seen.enrolled_on, day),
    }
}

/// When a held tier is reviewed, or falls.
fn due(held: &Held, ladder: &Ladder, zone: Zone, seen: Seen) -> Option<Instant> {
    if let Some(falls) = held.falls {
        return Some(zone.start_of(falls.on));
    }
    match ladder.downgrade {
        Downgrade::Never => None,
        Downgrade::PeriodEnd(_) => {
            let until = held.until.and_then(|until| ladder.window.last_day(seen.enrolled_on, until));
            until.map(|last| zone.end_of(last))
        }
        Downgrade::WhenBelow(_) => is_below(held, ladder, seen)
            .then(|| held.until.map_or(held.since, |until| zone.end_of(until).max(held.since))),
    }
}

fn grant_ends(standing: &Standing, zone: Zone) -> Option<Instant> {
    standing.granted.and_then(|granted| granted.until).map(|until| zone.end_of(until))
}

fn end_grant(standing: &mut Standing, ladder: &Ladder, zone: Zone, at: Instant) -> Option<Step> {
    grant_ends(standing, zone).filter(|end| *end <= at)?;
    Some(stepped(standing, ladder, (at, Why::GrantOver), |standing| standing.give(None, at)))
}

fn end_grace(standing: &mut Standing, ladder: &Ladder, zone: Zone, seen: Seen, at: Instant) -> Option<Step> {
    let held = standing.held?;
    let falls = held.falls.filter(|falls| zone.start_of(falls.on) <= at)?;
    Some(stepped(standing, ladder, (at, Why::GraceOver), |standing| {
        land(standing, (held, falls.to), ladder, zone, seen, at);
    }))
}

fn look_below(standing: &mut Standing, ladder: &Ladder, zone: Zone, seen: Seen, at: Instant) -> Option<Step> {
    let Downgrade::WhenBelow(fall) = ladder.downgrade else { return None };
    let held = standing.held.filter(|held| held.falls.is_none())?;
    due(&held, ladder, zone, seen).filter(|due| *due <= at)?;
    Some(stepped(standing, ladder, (at, Why::Below), |standing| {
        begin(standing, (held, fall), ladder, zone, seen, at);
    }))
}

/// Announces a fall, or lets it happen where there is no grace.
fn begin(standing: &mut Standing, (held, fall): (Held, Fall), ladder: &Ladder, zone: Zone, seen: Seen, at: Instant) {
    let to = match fall.to {
        FallTo::Earned => ladder.earned(seen.balance),
        FallTo::OneDown => ladder.below(held.tier),
    };
    match fall.grace {
        None => land(standing, (held, to), ladder, zone, seen, at),
        Some(grace) => {
            let falls = Falls { on: grace.after(zone.day_of(at)), to };
            standing.hold(Some(Held { falls: Some(falls), ..held }), at);
        }
    }
}

/// Falls to a tier, or to what the balance earns if that is higher: at best it stays what it is, as a fall raises nobody.
fn land(
    standing: &mut Standing,
    (held, to): (Held, Option<TierSlot>),
    ladder: &Ladder,
    zone: Zone,
    seen: Seen,
    at: Instant,
) {
    let until = fallen_until(ladder, seen, zone.day_of(at));
    let tier = if is_below(&held, ladder, seen) {
        ladder.higher(to, ladder.earned(seen.balance))
    } else {
        // Of whoever is suspended, as anybody else has reached it again.
        Some(held.tier)
    };
    let since = if tier == Some(held.tier) { held.since } else { at };
    standing.hold(tier.map(|tier| Held { tier, since, until, falls: None, cause: None }), at);
}
