//! What the start of a version does to the tiers of a member.

use crate::kernel::calendar::Zone;
use crate::kernel::clock::Instant;
use crate::loyalty::program::model::TierSlot;
use crate::loyalty::program::model::tiers::{Downgrade, Ladder, TierMapping};
use crate::loyalty::tiers::reach::{raise, reaches};
use crate::loyalty::tiers::review::fallen_until;
use crate::loyalty::tiers::standing::{Falls, Granted, Held, Seen, Standing, Step, Why, effective};

/// A change from one version to the next.
#[derive(Clone, Copy, Debug)]
pub struct NewLadder<'a> {
    /// The ladder that was in force; `None`: there were no tiers.
    pub before: Option<&'a Ladder>,
    /// The one that is in force now.
    pub after: Option<&'a Ladder>,
    /// Where members of tiers go that are not there any more.
    pub mapping: &'a TierMapping,
}

/// When a version starts: tiers that it lacks are exchanged as the mapping says, and whoever earns more by it than is held is
/// raised. Nobody falls by it: what is held stays until its day and its grace, as an announced fall does, and a tier
/// without a day that now has one gets it as if it were reached now. `seen` has the balance of the new ladder's wallet.
pub fn start_version(standing: &mut Standing, new: NewLadder<'_>, zone: Zone, seen: Seen, at: Instant) -> Option<Step> {
    let mut next = standing.clone();
    if let Some(ladder) = new.after {
        // Whoever stood on a tier from zero that asks for something now has it as if it were reached now.
        let stood_on = new.before.and_then(Ladder::ground).filter(|_| next.held.is_none());
        next.held = next.held.or_else(|| stood_on.map(|tier| reached_now(tier, ladder, zone, seen, at)));
        move_held(&mut next, ladder, new.mapping, zone, seen, at);
        date_anew(&mut next, ladder, zone, seen, at);
        if reaches(&next, ladder, seen) {
            raise(&mut next, ladder, zone, seen, (at, None));
        }
        move_granted(&mut next, ladder, new.mapping, at);
    } else {
        next.hold(None, at);
        next.give(None, at);
    }
    if next == *standing {
        return None;
    }
    let (before, was) = (new.before.and_then(|ladder| effective(standing, ladder)), standing.held);
    *standing = next;
    let after = new.after.and_then(|ladder| effective(standing, ladder));
    Some(Step { at, before, after, was, held: standing.held, why: Why::Published })
}

fn reached_now(tier: TierSlot, ladder: &Ladder, zone: Zone, seen: Seen, at: Instant) -> Held {
    Held { tier, since: at, until: ladder.valid_until(seen.enrolled_on, zone.day_of(at)), falls: None, cause: None }
}

/// Where members of a tier are in a version. The mapping counts for tiers that the version lacks: one that it has again is
/// what it was.
fn moved(tier: TierSlot, ladder: &Ladder, mapping: &TierMapping) -> Option<TierSlot> {
    let mapped = || mapping.0.get(&tier).copied().flatten().filter(|to| ladder.tier(*to).is_some());
    ladder.tier(tier).map(|tier| tier.slot).or_else(mapped)
}

fn move_held(standing: &mut Standing, ladder: &Ladder, mapping: &TierMapping, zone: Zone, seen: Seen, at: Instant) {
    // Nobody holds the ground, as everybody stands on it.
    let moved = |tier| moved(tier, ladder, mapping).filter(|tier| ladder.ground() != Some(*tier));
    let Some(held) = standing.held else { return };
    let Some(tier) = moved(held.tier) else { return standing.hold(None, at) };
    let (since, cause) = if tier == held.tier { (held.since, held.cause) } else { (at, None) };
    let falls = held.falls.map(|falls| Falls { to: falls.to.and_then(&moved), ..falls });
    let landed = falls.is_some_and(|falls| ladder.rank(falls.to) >= ladder.rank(Some(tier)));
    let held = if landed {
        // The member is where the fall led.
        Held { tier, since, until: fallen_until(ladder, seen, zone.day_of(at)), falls: None, cause }
    } else {
        Held { tier, since, falls, cause, ..held }
    };
    standing.hold(Some(held), at);
}

fn move_granted(standing: &mut Standing, ladder: &Ladder, mapping: &TierMapping, at: Instant) {
    let Some(granted) = standing.granted else { return };
    match moved(granted.tier, ladder, mapping) {
        Some(tier) if tier == granted.tier => {}
        Some(tier) => standing.give(Some(Granted { tier, since: at, ..granted }), at),
        None => standing.give(None, at),
    }
}

/// Gives a held tier the day that the new rules of loss ask for.
fn date_anew(standing: &mut Standing, ladder: &Ladder, zone: Zone, seen: Seen, at: Instant) {
    let today = zone.day_of(at);
    let Some(held) = &mut standing.held else { return };
    match ladder.downgrade {
        Downgrade::Never => (held.until, held.falls) = (None, None),
        Downgrade::PeriodEnd(_) if held.falls.is_none() => {
            // What waits for the end of its period is reviewed then.
            let reviewed_on = held.until.and_then(|until| ladder.window.last_day(seen.enrolled_on, until));
            if reviewed_on.is_none_or(|day| day < today) {
                held.until = ladder.valid_until(seen.enrolled_on, today);
            }
        }
        Downgrade::PeriodEnd(_) | Downgrade::WhenBelow(_) => {}
    }
}
