//! For whom and when, compiled.

use chrono::NaiveDateTime;
use indexmap::IndexMap;

use crate::kernel::calendar::Zone;
use crate::kernel::clock::Instant;
use crate::loyalty::program::compile::Reading;
use crate::loyalty::program::compile::names::Named;
use crate::loyalty::program::compile::tiers::NO_TIER;
use crate::loyalty::program::document;
use crate::loyalty::program::document::audience::Audience as WrittenAudience;
use crate::loyalty::program::model::audience::Audience;
use crate::loyalty::program::model::{Schedule, TierSlot};

/// How documents write an instant on the programme's clocks.
const TIME: &str = "%Y-%m-%dT%H:%M";

impl Reading {
    /// For whom a part is; `None`: for everybody.
    pub(super) fn audience(
        &mut self,
        part: &[&str],
        written: Option<&WrittenAudience>,
        named: &Named<'_>,
    ) -> Option<Audience> {
        let written = written?;
        let place = [part, &["audience"]].concat();
        if *written == WrittenAudience::default() {
            self.wrong(&place, "has `tiers`, `segments`, `arms` or `when`");
        }
        let at = |field| [place.as_slice(), &[field]].concat();
        let slots = named.slots;
        let tier = |code: &str| -> Option<Option<TierSlot>> {
            if code == NO_TIER { Some(None) } else { slots.tiers.get(code).copied().map(Some) }
        };
        let (ladder, lists) = (&named.tiers, &named.segments);
        let is_tier = |code: &str| code == NO_TIER || ladder.iter().any(|tier| tier == code);
        let tiers = self.listed(&at("tiers"), &written.tiers, "is no tier of this document", is_tier);
        let is_list = |code: &str| lists.iter().any(|list| list == code);
        let segments =
            self.listed(&at("segments"), &written.segments, "is no list of members of this document", is_list);
        let arms = self.arms(&at("arms"), &written.arms, named);
        let when = self.condition(&at("when"), written.when.as_ref(), &named.of_member());
        Some(Audience {
            tiers: tiers.into_iter().filter_map(tier).collect(),
            segments: segments.into_iter().filter_map(|code| slots.segments.get(code).copied()).collect(),
            arms,
            when,
        })
    }

    /// The items of a list that are something.
    fn listed<'w>(
        &mut self,
        place: &[&str],
        written: &'w [String],
        unknown: &str,
        known: impl Fn(&str) -> bool,
    ) -> Vec<&'w str> {
        let mut there = Vec::with_capacity(written.len());
        for (i, code) in written.iter().enumerate() {
            let index = i.to_string();
            let place = [place, &[&index]].concat();
            self.once(&place, written, i);
            if known(code) {
                there.push(code.as_str());
            } else {
                self.wrong(&place, unknown);
            }
        }
        there
    }

    fn arms(
        &mut self,
        place: &[&str],
        written: &IndexMap<String, Vec<String>>,
        named: &Named<'_>,
    ) -> Vec<(String, Vec<String>)> {
        let mut arms = Vec::with_capacity(written.len());
        for (experiment, of) in written {
            let place = [place, &[experiment]].concat();
            let Some(there) = named.document.experiments.get(experiment) else {
                self.wrong(&place, "is no experiment of this document");
                continue;
            };
            if of.is_empty() {
                self.wrong(&place, "names at least one arm");
            }
            self.listed(&place, of, "is no arm of this experiment", |arm| there.arms.contains_key(arm));
            arms.push((experiment.clone(), of.clone()));
        }
        arms
    }

    /// When a part applies.
    pub(super) fn schedule(
        &mut self,
        part: &[&str],
        written: Option<&document::Schedule>,
        zone: Zone,
    ) -> Option<Schedule> {
        let Some(written) = written else { return Some(Schedule::default()) };
        let place = |field: &'static str| [part, &["schedule", field]].concat();
        let mut instant = |field: &'static str, text: &Option<String>| -> Option<Option<Instant>> {
            let Some(text) = text else { return Some(None) };
            let read = NaiveDateTime::parse_from_str(text, TIME).map_err(|_| "is no time such as \"2026-12-01T00:00\"");
            self.ok(&place(field), read).map(|time| Some(zone.first_at(time)))
        };
        let (from, until) = (instant("from", &written.from), instant("until", &written.until));
        let schedule = Schedule { from: from?, until: until? };
        if schedule.from.zip(schedule.until).is_some_and(|(from, until)| from >= until) {
            self.wrong(&place("until"), "is not after `from`");
            return None;
        }
        Some(schedule)
    }
}

#[cfg(test)]
mod tests;
