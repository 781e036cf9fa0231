//! Whether a member is one of those whom something is for.

use crate::loyalty::program::condition::EvalError;
use crate::loyalty::program::facts::Facts;
use crate::loyalty::program::model::audience::Audience;
use crate::loyalty::program::reason::Reason;

/// Why something is not for a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside {
    /// The first reason, in the order of [`Reason`].
    pub reason: Reason,
    /// What in a condition could not be told, where that is why.
    pub detail: Option<EvalError>,
}

impl Outside {
    /// For a reason that needs no more words.
    pub fn by(reason: Reason) -> Self {
        Self { reason, detail: None }
    }
}

/// Asks whether a member is of an audience, as the facts are before the order or event.
///
/// # Errors
/// The first reason why not.
pub fn ask(audience: &Audience, facts: &Facts<'_>) -> Result<(), Outside> {
    let member = &facts.member;
    if !audience.tiers.is_empty() && !audience.tiers.contains(&member.tier) {
        return Err(Outside::by(Reason::WrongTier));
    }
    let listed = || audience.segments.iter().any(|slot| member.segments.has(*slot));
    if !audience.segments.is_empty() && !listed() {
        return Err(Outside::by(Reason::WrongSegment));
    }
    let in_arms = |(experiment, wanted): &(String, Vec<String>)| {
        let arm = facts.book.arm(experiment, member.member);
        arm.is_some_and(|arm| wanted.iter().any(|wanted| wanted == arm))
    };
    if !audience.arms.iter().all(in_arms) {
        return Err(Outside::by(Reason::WrongArm));
    }
    match audience.when.as_ref().map(|when| when.holds(facts, None)) {
        None | Some(Ok(true)) => Ok(()),
        Some(Ok(false)) => Err(Outside::by(Reason::ConditionFalse)),
        Some(Err(error)) => Err(Outside { reason: Reason::ConditionFailed, detail: Some(error) }),
    }
}
