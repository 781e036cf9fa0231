//! Tiers that a person gives.

use crate::kernel::clock::Instant;
use crate::loyalty::program::model::tiers::Ladder;
use crate::loyalty::tiers::standing::{Granted, Standing, Step, Why, stepped};

/// Gives a tier in the place of what was given before, or ends that. What is earned goes on beside it: nobody loses a higher
/// tier by a grant, nor a progress.
pub fn grant(standing: &mut Standing, ladder: &Ladder, granted: Option<Granted>, at: Instant) -> Option<Step> {
    (granted != standing.granted)
        .then(|| stepped(standing, ladder, (at, Why::Granted), |standing| standing.give(granted, at)))
}
