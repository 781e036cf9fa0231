//! Perks and goals, compiled.

use rust_decimal::Decimal;

use crate::loyalty::program::compile::Reading;
use crate::loyalty::program::compile::names::Named;
use crate::loyalty::program::document::Document;
use crate::loyalty::program::model::attributes::date;
use crate::loyalty::program::model::audience::Perk;

/// The most perks.
pub const PERKS_MAX: usize = 50;
/// The most goals.
pub const GOALS_MAX: usize = 50;

impl Reading {
    pub(super) fn perks(&mut self, named: &Named<'_>) -> Vec<Perk> {
        let document = named.document;
        if document.perks.len() > PERKS_MAX {
            self.wrong(&["perks"], format_args!("a programme has at most {PERKS_MAX} perks"));
        }
        let mut perks = Vec::with_capacity(document.perks.len());
        for (code, written) in &document.perks {
            let place = ["perks", code];
            self.code(&place, code);
            let text = self.texts(&place, &written.text);
            let audience = self.audience(&place, written.audience.as_ref(), named);
            let Some(schedule) = self.schedule(&place, written.schedule.as_ref(), named.zone) else { continue };
            perks.push(Perk { code: code.clone(), audience, schedule, text });
        }
        perks
    }

    /// Checks the goals: nothing that decides reads them.
    pub(super) fn goals(&mut self, document: &Document) {
        if document.goals.len() > GOALS_MAX {
            self.wrong(&["goals"], format_args!("a programme has at most {GOALS_MAX} goals"));
        }
        for (code, goal) in &document.goals {
            let place = |field| ["goals", code.as_str(), field];
            self.code(&["goals", code], code);
            self.texts(&["goals", code], &goal.text);
            let target = self.amount(&place("target"), &goal.target);
            if target.is_some_and(|target| goal.metric.is_rate() && target > Decimal::ONE) {
                self.wrong(&place("target"), "is a share, 1 at most");
            }
            if self.required(&place("by"), &goal.by).is_some() {
                self.ok(&place("by"), date(&goal.by).ok_or("is no day such as \"2026-12-31\""));
            }
        }
    }
}
