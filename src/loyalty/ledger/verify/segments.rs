//! The lists that a member is in, from what documents say.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::loyalty::ledger::posting::{PostingKind, PostingRow};
use crate::loyalty::ledger::verify::documents::parse;
use crate::loyalty::ledger::verify::law::{Findings, Law, Place};
use crate::loyalty::program::model::{SegmentSet, Timeline};

/// The codes of the lists so far.
#[derive(Clone, Debug, Default)]
pub struct FoldedSegments(BTreeSet<String>);

/// Of a change of one list.
#[derive(Deserialize)]
struct ChangeDocument {
    segment: String,
    listed: bool,
}

/// Of a merge.
#[derive(Deserialize)]
struct MergeDocument {
    #[serde(default)]
    segments: BTreeSet<String>,
}

impl FoldedSegments {
    /// Adds a posting.
    pub fn step(&mut self, row: &PostingRow, found: &mut Findings) {
        let done = match row.kind {
            PostingKind::ChangeSegment => parse(row).and_then(|change| self.change(change)),
            PostingKind::MergeOut => parse(row).and_then(|merge| self.leave(&merge)),
            PostingKind::MergeIn => parse(row).map(|MergeDocument { segments }| self.0.extend(segments)),
            _ => Ok(()),
        };
        if let Err(says) = done {
            found.add(Law::Documents, Place::posting(row.member, row.seq), says);
        }
    }

    /// Whether an account is in the same lists, and in none that no version has.
    pub fn is(&self, segments: SegmentSet, timeline: &Timeline) -> bool {
        let codes: BTreeSet<String> = timeline.segment_codes(segments).into_iter().collect();
        let known = usize::try_from(segments.0.count_ones()).is_ok_and(|bits| bits == codes.len());
        known && self.0 == codes
    }

    fn change(&mut self, ChangeDocument { segment, listed }: ChangeDocument) -> Result<(), String> {
        let says = format!("{segment} is changed to what it is");
        let changes = if listed { self.0.insert(segment) } else { self.0.remove(&segment) };
        if changes { Ok(()) } else { Err(says) }
    }

    fn leave(&mut self, MergeDocument { segments }: &MergeDocument) -> Result<(), String> {
        let had = std::mem::take(&mut self.0);
        if had == *segments { Ok(()) } else { Err(format!("the member was in {had:?}, and {segments:?} went along")) }
    }
}
