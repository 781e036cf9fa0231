//! What an account knows of its member's tiers.

use chrono::NaiveDate;

use crate::kernel::clock::Instant;
use crate::kernel::id::Seq;
use crate::kernel::points::Points;
use crate::loyalty::program::model::TierSlot;
use crate::loyalty::program::model::tiers::Ladder;

/// No standing remembers more tiers of the past; the ones that ended first are forgotten first.
pub const PAST_TIERS_MAX: usize = 64;

/// Where a member stands. The member is in the higher one of the tiers that are held and granted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The tier that was earned.
    pub held: Option<Held>,
    /// The tier that a person gave.
    pub granted: Option<Granted>,
    /// What was held and granted before, soonest-ended first: by it late orders are decided.
    pub past: Vec<Past>,
}

/// A tier that was earned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Which.
    pub tier: TierSlot,
    /// From when on.
    pub since: Instant,
    /// The last day before which nobody asks for the balance again; `None`: there is no such day.
    pub until: Option<NaiveDate>,
    /// The fall that a review has announced.
    pub falls: Option<Falls>,
    /// The posting that reached it, as long as its return may take the tier back.
    pub cause: Option<Seq>,
}

/// A fall that is announced: it happens unless the tier is reached again by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Falls {
    /// At the start of this day,
    pub on: NaiveDate,
    /// to this tier, or what the balance earns then if that is higher; `None`: to none.
    pub to: Option<TierSlot>,
}

/// A tier that a person gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted {
    /// Which.
    pub tier: TierSlot,
    /// From when on.
    pub since: Instant,
    /// Its last day; `None`: until a person ends it.
    pub until: Option<NaiveDate>,
    /// The posting that gave it, which has the reason.
    pub cause: Seq,
}

/// A tier of the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Past {
    /// Which.
    pub tier: TierSlot,
    /// From this instant on,
    pub since: Instant,
    /// and before this one.
    pub until: Instant,
}

/// What the rules look at of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What lies in the ladder's wallet.
    pub balance: Points,
    /// The local day of the enrolment.
    pub enrolled_on: NaiveDate,
}

/// Something that happened to a standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Instant,
    /// The tier that the member was in,
    pub before: Option<TierSlot>,
    /// and is in.
    pub after: Option<TierSlot>,
    /// What was held before,
    pub was: Option<Held>,
    /// and is held.
    pub held: Option<Held>,
    /// Why.
    pub why: Why,
}

/// Why something happened to a standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The balance earns the tier.
    Reached,
    /// What reached the tier was returned.
    TakenBack,
    /// A period of the window was over: the tier was earned again, or is lost.
    PeriodClosed,
    /// The balance that the tier asks for is not there any more.
    Below,
    /// An announced fall happened.
    GraceOver,
    /// A person gave a tier, or ended what was given.
    Granted,
    /// The last day of what was given is over.
    GrantOver,
    /// A version of the programme started.
    Published,
    /// Another account was merged into this one.
    Merged,
}

impl Standing {
    /// Holds another tier or none; one that is lost by it becomes past.
    pub(super) fn hold(&mut self, held: Option<Held>, at: Instant) {
        let lost = std::mem::replace(&mut self.held, held).filter(|was| held.is_none_or(|is| is.tier != was.tier));
        if let Some(Held { tier, since, .. }) = lost {
            self.remember(Past { tier, since, until: at });
        }
    }

    /// Has another tier given or none; the one before becomes past.
    pub(super) fn give(&mut self, granted: Option<Granted>, at: Instant) {
        if let Some(Granted { tier, since, .. }) = std::mem::replace(&mut self.granted, granted) {
            self.remember(Past { tier, since, until: at });
        }
    }

    /// Remembers a tier of the past, unless it was over as soon as it began.
    pub(super) fn remember(&mut self, past: Past) {
        if past.since < past.until {
            let place = self.past.partition_point(|other| other.until <= past.until);
            self.past.insert(place, past);
        }
        let surplus = self.past.len().saturating_sub(PAST_TIERS_MAX);
        self.past.drain(..surplus);
    }
}

/// The tier that a member is in.
pub fn effective(standing: &Standing, ladder: &Ladder) -> Option<TierSlot> {
    let (held, granted) = (standing.held.map(|held| held.tier), standing.granted.map(|granted| granted.tier));
    ladder.higher(held, granted).or_else(|| ladder.ground())
}

/// The tier that a member was in at an instant of the past, by the ladder of the version in force then.
pub fn at(standing: &Standing, ladder: &Ladder, at: Instant) -> Option<TierSlot> {
    let held = standing.held.filter(|held| held.since <= at).map(|held| held.tier);
    let granted = standing.granted.filter(|granted| granted.since <= at).map(|granted| granted.tier);
    let past = standing.past.iter().filter(|past| past.since <= at && at < past.until).map(|past| past.tier);
    let best = past.fold(ladder.higher(held, granted), |best, tier| ladder.higher(best, Some(tier)));
    best.or_else(|| ladder.ground())
}

/// Forgets the tiers of the past that ended before an instant: no order is so late.
pub fn prune(standing: &mut Standing, before: Instant) {
    standing.past.retain(|past| past.until > before);
}

/// Changes a standing and says what that came to.
pub(super) fn stepped(
    standing: &mut Standing,
    ladder: &Ladder,
    (at, why): (Instant, Why),
    change: impl FnOnce(&mut Standing),
) -> Step {
    let (before, was) = (effective(standing, ladder), standing.held);
    change(standing);
    Step { at, before, after: effective(standing, ladder), was, held: standing.held, why }
}
