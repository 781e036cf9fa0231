//! The document of what happened by itself: which tiers changed, and which holds gave discounts back; entries say the rest.

use chrono::NaiveDate;
use serde::Serialize;

use crate::kernel::clock::Instant;
use crate::kernel::id::{MemberId, PostingId};
use crate::loyalty::ledger::catch_up::CaughtUp;
use crate::loyalty::program::model::{TierSlot, Timeline};
use crate::loyalty::tiers::standing::{Step, Why};

#[derive(Debug, Default, Serialize)]
struct CaughtUpDocument<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tier: Vec<StepDocument<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    holds: Vec<HoldDocument<'a>>,
}

#[derive(Debug, Serialize)]
struct StepDocument<'a> {
    at: Instant,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    falls_on: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    falls_to: Option<&'a str>,
    why: &'static str,
}

#[derive(Debug, Serialize)]
struct HoldDocument<'a> {
    held_by: PostingId,
    uses_given_back: Vec<&'a str>,
}

/// What happened by itself to a member, as it is stored.
pub fn caught_up_document(member: MemberId, caught_up: &CaughtUp, program: &Timeline) -> String {
    let holds = caught_up.holds.iter().map(|(opened_in, uses)| HoldDocument {
        held_by: PostingId { member, seq: *opened_in },
        uses_given_back: uses.iter().filter_map(|held| held.code(program)).collect(),
    });
    let tier = caught_up.tiers.iter().map(|step| step_document(step, program)).collect();
    // Our own types: serialising them cannot fail.
    serde_json::to_string(&CaughtUpDocument { tier, holds: holds.collect() }).unwrap_or_default()
}

fn step_document<'a>(step: &Step, program: &'a Timeline) -> StepDocument<'a> {
    let code = |slot: Option<TierSlot>| slot.and_then(|slot| program.tier_code(slot));
    let earned = step.held.filter(|held| step.after == Some(held.tier));
    let falls = earned.and_then(|held| held.falls);
    StepDocument {
        at: step.at,
        before: code(step.before),
        after: code(step.after),
        until: earned.and_then(|held| held.until),
        falls_on: falls.map(|falls| falls.on),
        falls_to: code(falls.and_then(|falls| falls.to)),
        why: name_of(step.why),
    }
}

fn name_of(why: Why) -> &'static str {
    match why {
        Why::Reached => "reached",
        Why::TakenBack => "taken_back",
        Why::PeriodClosed => "period_closed",
        Why::Below => "below",
        Why::GraceOver => "grace_over",
        Why::Granted => "granted",
        Why::GrantOver => "grant_over",
        Why::Published => "published",
        Why::Merged => "merged",
    }
}
