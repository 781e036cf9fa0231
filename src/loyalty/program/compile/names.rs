//! What conditions and audiences may name: tiers, lists of members, experiments and attributes.

use indexmap::IndexMap;

use crate::kernel::calendar::Zone;
use crate::loyalty::program::arm::{Experiment, TenThousandths};
use crate::loyalty::program::compile::Reading;
use crate::loyalty::program::condition::{Condition, Scope, read};
use crate::loyalty::program::document::Document;
use crate::loyalty::program::document::attributes::{Attribute as WrittenAttribute, AttributeKind};
use crate::loyalty::program::document::audience::Experiment as WrittenExperiment;
use crate::loyalty::program::model::attributes::{Attribute, AttributeType, Declared, DeclaredAttributes};
use crate::loyalty::program::model::{On, SEGMENTS_MAX, SegmentSlot};
use crate::loyalty::program::read::Mistake;
use crate::loyalty::program::slots::Slots;

/// The most attributes of one kind of thing.
pub const ATTRIBUTES_MAX: usize = 50;
/// The most texts that an attribute names.
pub const ATTRIBUTE_TEXTS_MAX: usize = 100;
/// The most characters of the name of an attribute or event, and of a text that an attribute can be.
pub const ATTRIBUTE_CHARS_MAX: usize = 100;
/// The most experiments.
pub const EXPERIMENTS_MAX: usize = 50;
/// The most arms of an experiment.
pub const ARMS_MAX: usize = 20;
/// The most characters of a salt.
pub const SALT_CHARS_MAX: usize = 100;
/// All members, in ten-thousandths.
pub const ALL_MEMBERS: u32 = 10_000;

/// A document with what its parts may name.
pub(super) struct Named<'d> {
    /// The document.
    pub document: &'d Document,
    /// What stands for its parts in accounts.
    pub slots: &'d Slots,
    /// The decimal places of its currency.
    pub exponent: u32,
    /// Its time zone.
    pub zone: Zone,
    /// The attributes.
    pub declared: DeclaredAttributes,
    /// The codes of the experiments,
    pub experiments: Vec<String>,
    /// of the tiers,
    pub tiers: Vec<String>,
    /// and of the lists of members.
    pub segments: Vec<String>,
}

impl<'d> Named<'d> {
    /// All that a document names.
    pub fn of(document: &'d Document, slots: &'d Slots, (exponent, zone): (u32, Zone)) -> Self {
        let attributes = &document.attributes;
        let event = attributes.event.iter().map(|(event, of)| (event.clone(), declared(of))).collect();
        let [member, order, line] = [&attributes.member, &attributes.order, &attributes.line].map(declared);
        let ladder = document.tiers.iter().flat_map(|tiers| &tiers.ladder);
        Self {
            document,
            slots,
            exponent,
            zone,
            declared: DeclaredAttributes { member, order, line, event },
            experiments: document.experiments.keys().cloned().collect(),
            tiers: ladder.map(|tier| tier.code.clone()).collect(),
            segments: document.segments.keys().cloned().collect(),
        }
    }

    /// What a condition on a member alone may name.
    pub fn of_member(&self) -> Scope<'_> {
        Scope {
            order: false,
            line: false,
            event: None,
            declared: &self.declared,
            experiments: &self.experiments,
            tiers: &self.tiers,
            segments: &self.segments,
        }
    }

    /// What a condition on an order may name.
    pub fn of_order(&self) -> Scope<'_> {
        Scope { order: true, ..self.of_member() }
    }

    /// What a condition on what a rule is about may name.
    pub fn of_trigger<'o>(&'o self, on: &'o On) -> Scope<'o> {
        match on {
            On::Order => self.of_order(),
            On::Enrolment => self.of_member(),
            On::Event(name) => Scope { event: Some(name), ..self.of_member() },
        }
    }

    /// What a condition on each line of an order may name.
    pub fn of_lines(&self) -> Scope<'_> {
        Scope { line: true, ..self.of_order() }
    }
}

fn declared(written: &IndexMap<String, WrittenAttribute>) -> Declared {
    let attribute = |(name, written): (&String, &WrittenAttribute)| {
        let kind = match written.kind {
            AttributeKind::Text => AttributeType::Text,
            AttributeKind::Number => AttributeType::Number,
            AttributeKind::Flag => AttributeType::Flag,
            AttributeKind::Date => AttributeType::Date,
        };
        (name.clone(), Attribute { kind, one_of: written.one_of.clone(), by_member: written.by_member })
    };
    written.iter().map(attribute).collect()
}

impl Reading {
    /// Reads a condition where one is written.
    pub(super) fn condition(&mut self, place: &[&str], text: Option<&String>, scope: &Scope<'_>) -> Option<Condition> {
        let mistakes = match read(text?, scope) {
            Ok(condition) => {
                self.reads = self.reads.or(condition.reads());
                return Some(condition);
            }
            Err(mistakes) => mistakes,
        };
        let named = mistakes.into_iter().map(|mistake| Mistake::at(place, &mistake.message).within(mistake.at));
        self.mistakes.extend(named);
        None
    }

    pub(super) fn attributes(&mut self, document: &Document) {
        let attributes = &document.attributes;
        for (of, declared) in [("member", &attributes.member), ("order", &attributes.order), ("line", &attributes.line)]
        {
            self.declared(&["attributes", of], declared);
        }
        if attributes.event.len() > ATTRIBUTES_MAX {
            self.wrong(&["attributes", "event"], format_args!("has at most {ATTRIBUTES_MAX} events"));
        }
        for (event, declared) in &attributes.event {
            let place = ["attributes", "event", event];
            self.words(&place, event, ATTRIBUTE_CHARS_MAX);
            self.declared(&place, declared);
        }
    }

    fn declared(&mut self, part: &[&str], declared: &IndexMap<String, WrittenAttribute>) {
        if declared.len() > ATTRIBUTES_MAX {
            self.wrong(part, format_args!("has at most {ATTRIBUTES_MAX} attributes"));
        }
        for (name, attribute) in declared {
            let place = [part, &[name]].concat();
            self.words(&place, name, ATTRIBUTE_CHARS_MAX);
            self.texts(&place, &attribute.text);
            let place = [place.as_slice(), &["one_of"]].concat();
            if attribute.kind != AttributeKind::Text && !attribute.one_of.is_empty() {
                self.wrong(&place, "goes with texts");
            }
            if attribute.one_of.len() > ATTRIBUTE_TEXTS_MAX {
                self.wrong(&place, format_args!("has at most {ATTRIBUTE_TEXTS_MAX} texts"));
            }
            for (i, text) in attribute.one_of.iter().enumerate() {
                let index = i.to_string();
                let place = [place.as_slice(), &[&index]].concat();
                self.words(&place, text, ATTRIBUTE_CHARS_MAX);
                self.once(&place, &attribute.one_of, i);
            }
        }
    }

    /// Checks a name that is the shop's.
    pub(super) fn words(&mut self, place: &[&str], text: &str, most: usize) {
        if text.trim().is_empty() || text.chars().count() > most || text.chars().any(char::is_control) {
            self.wrong(place, format_args!("is 1 to {most} printable characters"));
        }
    }

    /// Checks that an item is none of those before it.
    pub(super) fn once(&mut self, place: &[&str], items: &[String], i: usize) {
        if items.get(i).is_some_and(|item| items.iter().take(i).any(|other| other == item)) {
            self.wrong(place, "is named twice");
        }
    }

    pub(super) fn segments(&mut self, named: &Named<'_>) -> Vec<(String, SegmentSlot)> {
        let segments = &named.document.segments;
        if segments.len() > SEGMENTS_MAX {
            self.wrong(&["segments"], format_args!("a programme has at most {SEGMENTS_MAX} lists of members"));
        }
        let mut codes = Vec::with_capacity(segments.len());
        for (code, segment) in segments {
            let place = ["segments", code];
            self.code(&place, code);
            self.texts(&place, &segment.text);
            match named.slots.segments.get(code) {
                Some(slot) => codes.push((code.clone(), *slot)),
                None => self.wrong(&place, "has no slot"),
            }
        }
        codes
    }

    pub(super) fn experiments(&mut self, document: &Document) -> Vec<Experiment> {
        if document.experiments.len() > EXPERIMENTS_MAX {
            self.wrong(&["experiments"], format_args!("a programme has at most {EXPERIMENTS_MAX} experiments"));
        }
        document.experiments.iter().map(|(code, written)| self.experiment(code, written)).collect()
    }

    fn experiment(&mut self, code: &str, written: &WrittenExperiment) -> Experiment {
        let place = ["experiments", code];
        self.code(&place, code);
        self.texts(&place, &written.text);
        if let Some(salt) = &written.salt {
            self.words(&["experiments", code, "salt"], salt, SALT_CHARS_MAX);
        }
        let place = ["experiments", code, "arms"];
        if written.arms.is_empty() {
            self.wrong(&place, "has at least one arm");
        }
        if written.arms.len() > ARMS_MAX {
            self.wrong(&place, format_args!("has at most {ARMS_MAX} arms"));
        }
        for arm in written.arms.keys() {
            self.code(&["experiments", code, "arms", arm], arm);
        }
        let all = written.arms.values().map(|share| u32::from(*share)).fold(0, u32::saturating_add);
        if all > ALL_MEMBERS {
            self.wrong(&place, format_args!("are {all} ten-thousandths in all, of {ALL_MEMBERS}"));
        }
        let arms = written.arms.iter().map(|(arm, share)| (arm.clone(), TenThousandths(*share)));
        Experiment { code: code.to_owned(), salt: written.salt.clone(), arms: arms.collect() }
    }
}
