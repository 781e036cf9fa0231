//! What documents say of tiers: all that a return needs to take one back, and that a proof needs to tell that it is right.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::clock::Instant;
use crate::kernel::id::{MemberId, PostingId};
use crate::loyalty::program::model::tiers::Ladder;
use crate::loyalty::program::model::{TierSlot, Timeline};
use crate::loyalty::tiers::standing::{Falls, Granted, Held, Past, Standing, effective};

/// What became of the member's tier.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TierReceipt {
    /// The tier before; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub before: Option<String>,
    /// The tier after it; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub after: Option<String>,
    /// The last programme-local day of a tier that was earned; absent: it has none, or a person gave the tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub until: Option<NaiveDate>,
    /// The day on which it falls unless it is earned again by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub falls_on: Option<NaiveDate>,
    /// To which tier; absent: to none, or it does not fall.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub falls_to: Option<String>,
    /// What had been earned before, where that changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub was: Option<HeldReceipt>,
}

/// A tier that was earned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldReceipt {
    /// Its code.
    pub tier: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Instant,
    /// Its last day; absent: there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub until: Option<NaiveDate>,
    /// The day on which it falls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub falls_on: Option<NaiveDate>,
    /// To which tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub falls_to: Option<String>,
    /// The posting that reached it, as long as its return may take it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    pub reached_by: Option<PostingId>,
}

/// A tier that a person gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GivenReceipt {
    /// Its code.
    pub tier: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Instant,
    /// Its last day; absent: until a person ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub until: Option<NaiveDate>,
    /// The posting that gave it.
    #[schema(value_type = String)]
    pub given_by: PostingId,
}

/// A tier of the past.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PastReceipt {
    /// Its code.
    pub tier: String,
    /// From this instant on,
    #[schema(value_type = String, format = DateTime)]
    pub since: Instant,
    /// and before this one.
    #[schema(value_type = String, format = DateTime)]
    pub until: Instant,
}

/// All that an account knows of its member's tiers: what a merge takes over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StandingReceipt {
    /// What was earned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub earned: Option<HeldReceipt>,
    /// What was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub given: Option<GivenReceipt>,
    /// What was before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub past: Vec<PastReceipt>,
}

impl TierReceipt {
    /// What became of a tier, from the one that the member was in and what had been earned.
    pub fn of(
        member: MemberId,
        (before, was): (Option<TierSlot>, Option<Held>),
        standing: &Standing,
        ladder: &Ladder,
        program: &Timeline,
    ) -> Self {
        let code = |slot: Option<TierSlot>| slot.and_then(|slot| program.tier_code(slot)).map(str::to_owned);
        let after = effective(standing, ladder);
        let earned = standing.held.filter(|held| after == Some(held.tier));
        let falls = earned.and_then(|held| held.falls);
        Self {
            before: code(before),
            after: code(after),
            until: earned.and_then(|held| held.until),
            falls_on: falls.map(|falls| falls.on),
            falls_to: code(falls.and_then(|falls| falls.to)),
            was: was.filter(|was| standing.held != Some(*was)).map(|was| HeldReceipt::of(member, was, program)),
        }
    }
}

impl TierReceipt {
    /// Whether anything changed.
    pub fn is_change(&self) -> bool {
        self.before != self.after || self.was.is_some()
    }
}

impl HeldReceipt {
    fn of(member: MemberId, held: Held, program: &Timeline) -> Self {
        let code = |slot: TierSlot| program.tier_code(slot).map(str::to_owned);
        Self {
            tier: code(held.tier).unwrap_or_default(),
            since: held.since,
            until: held.until,
            falls_on: held.falls.map(|falls| falls.on),
            falls_to: held.falls.and_then(|falls| falls.to).and_then(code),
            reached_by: held.cause.map(|seq| PostingId { member, seq }),
        }
    }

    /// The tier as an account has it; `None` where no version has it.
    pub fn read(&self, program: &Timeline) -> Option<Held> {
        let to = self.falls_to.as_deref().and_then(|code| program.tier_slot(code));
        Some(Held {
            tier: program.tier_slot(&self.tier)?,
            since: self.since,
            until: self.until,
            falls: self.falls_on.map(|on| Falls { on, to }),
            cause: self.reached_by.map(|posting| posting.seq),
        })
    }
}

impl StandingReceipt {
    /// What an account knows of its member's tiers; `None` where that is nothing.
    pub fn of(member: MemberId, standing: &Standing, program: &Timeline) -> Option<Self> {
        let code = |slot: TierSlot| program.tier_code(slot).map(str::to_owned).unwrap_or_default();
        let given = |given: Granted| GivenReceipt {
            tier: code(given.tier),
            since: given.since,
            until: given.until,
            given_by: PostingId { member, seq: given.cause },
        };
        let past = |past: &Past| PastReceipt { tier: code(past.tier), since: past.since, until: past.until };
        (*standing != Standing::default()).then(|| Self {
            earned: standing.held.map(|held| HeldReceipt::of(member, held, program)),
            given: standing.granted.map(given),
            past: standing.past.iter().map(past).collect(),
        })
    }
}
