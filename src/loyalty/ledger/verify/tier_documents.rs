//! The documents of postings as far as they tell of tiers.

use chrono::NaiveDate;
use serde::Deserialize;

use crate::kernel::clock::Instant;
use crate::kernel::id::PostingId;
use crate::loyalty::ledger::verify::ladder::{Earned, Given, Stand};
use crate::loyalty::program::model::Timeline;

/// What a document says of the member's tier.
#[derive(Debug, Default, PartialEq, Deserialize)]
pub struct TierDocument {
    /// The tier before.
    pub before: Option<String>,
    /// The tier after it.
    pub after: Option<String>,
    /// The last day.
    pub until: Option<NaiveDate>,
    /// The day on which it falls.
    pub falls_on: Option<NaiveDate>,
    /// To which tier.
    pub falls_to: Option<String>,
    /// What had been earned before, where that changed.
    pub was: Option<EarnedDocument>,
}

/// A tier that was earned.
#[derive(Debug, PartialEq, Deserialize)]
pub struct EarnedDocument {
    /// Its code.
    pub tier: String,
    /// Since when.
    pub since: Instant,
    /// The last day.
    pub until: Option<NaiveDate>,
    /// The day on which it falls.
    pub falls_on: Option<NaiveDate>,
    /// To which tier.
    pub falls_to: Option<String>,
    /// The posting that reached it.
    pub reached_by: Option<PostingId>,
}

/// A tier that was given.
#[derive(Debug, PartialEq, Deserialize)]
pub struct GivenDocument {
    /// Its code.
    pub tier: String,
    /// Since when.
    pub since: Instant,
    /// The last day.
    pub until: Option<NaiveDate>,
    /// The posting that gave it.
    pub given_by: PostingId,
}

/// A tier of the past.
#[derive(Debug, PartialEq, Deserialize)]
pub struct PastDocument {
    /// Its code.
    pub tier: String,
    /// Since when.
    pub since: Instant,
    /// The last day.
    pub until: Instant,
}

/// What a merge says went along.
#[derive(Debug, Default, PartialEq, Deserialize)]
pub struct StandDocument {
    /// What was earned.
    pub earned: Option<EarnedDocument>,
    /// What was given.
    pub given: Option<GivenDocument>,
    /// What was before.
    #[serde(default)]
    pub past: Vec<PastDocument>,
}

/// A change that happened by itself, as a document says it and as it must have been.
#[derive(Debug, PartialEq, Deserialize)]
pub struct StepDocument {
    /// When.
    pub at: Instant,
    /// The tier before.
    pub before: Option<String>,
    /// The tier after it.
    pub after: Option<String>,
    /// The last day.
    pub until: Option<NaiveDate>,
    /// The day on which it falls.
    pub falls_on: Option<NaiveDate>,
    /// To which tier.
    pub falls_to: Option<String>,
    /// Why.
    pub why: String,
}

/// Of a catch-up.
#[derive(Debug, Deserialize)]
pub struct OfSteps {
    /// What became of tiers, oldest first.
    #[serde(default)]
    pub tier: Vec<StepDocument>,
}

/// Of every document that tells of a tier.
#[derive(Debug, Deserialize)]
pub struct OfTier {
    /// What became of it.
    pub tier: Option<TierDocument>,
    /// What went along with a merge.
    #[serde(default)]
    pub standing: StandDocument,
    /// What a person gave.
    pub given: Option<GivenDocument>,
}

/// What a person gave, in the words of the rules.
///
/// # Errors
/// It names a tier that no version has.
pub fn given_of(said: Option<&GivenDocument>, timeline: &Timeline) -> Result<Option<Given>, String> {
    let Some(given) = said else { return Ok(None) };
    let unknown = || format!("no version has a tier {}", given.tier);
    let tier = timeline.tier_slot(&given.tier).ok_or_else(unknown)?;
    Ok(Some(Given { tier, since: given.since, until: given.until, by: given.given_by.seq.0 }))
}

/// What a merge says went along, in the words of the rules.
///
/// # Errors
/// It names a tier that no version has.
pub fn said_of(said: &StandDocument, timeline: &Timeline) -> Result<Stand, String> {
    let slot = |code: &str| timeline.tier_slot(code).ok_or_else(|| format!("no version has a tier {code}"));
    let mut stand = Stand::default();
    if let Some(earned) = &said.earned {
        let to = earned.falls_to.as_deref().map(slot).transpose()?;
        stand.earned = Some(Earned {
            tier: slot(&earned.tier)?,
            since: earned.since,
            until: earned.until,
            falls: earned.falls_on.map(|on| (on, to)),
            by: earned.reached_by.map(|posting| posting.seq.0),
        });
    }
    stand.given = given_of(said.given.as_ref(), timeline)?;
    for past in &said.past {
        stand.past.push((slot(&past.tier)?, past.since, past.until));
    }
    Ok(stand)
}
