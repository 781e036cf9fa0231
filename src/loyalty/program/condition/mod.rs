//! Conditions: what a marketer writes to say when a rule applies. A closed part of CEL's syntax, checked when the
//! document is read, and evaluated on exact decimals. `docs/conditions.md` describes the language.

mod check;
mod cost;
mod eval;
mod expr;
pub mod fields;
mod lex;
mod names;
mod parse;
mod tree;

use std::fmt;
use std::sync::Arc;

use crate::loyalty::program::condition::check::Check;
use crate::loyalty::program::condition::cost::lines;
use crate::loyalty::program::condition::eval::Seen;
use crate::loyalty::program::condition::lex::lex;
use crate::loyalty::program::condition::parse::parse;
use crate::loyalty::program::condition::tree::Flag;
use crate::loyalty::program::facts::{Facts, LineFacts};
use crate::loyalty::program::model::attributes::{AttributeType, DeclaredAttributes};

/// The most characters of a condition.
pub const CONDITION_CHARS_MAX: usize = 2_000;
/// How deep a condition may be nested.
pub const CONDITION_DEPTH_MAX: u32 = 32;
/// The most steps that a condition may take; one that looks at each line of an order takes its steps for each of them.
pub const CONDITION_COST_MAX: u32 = 20_000;
/// The most steps that all conditions that an order is asked may take together.
pub const PROGRAM_COST_MAX: u32 = 500_000;

/// What a condition may name, by where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// Whether there is an order,
    pub order: bool,
    /// and the condition is asked of each of its lines.
    pub line: bool,
    /// The event that it is about.
    pub event: Option<&'a str>,
    /// The attributes of the document.
    pub declared: &'a DeclaredAttributes,
    /// The codes of its experiments,
    pub experiments: &'a [String],
    /// of its tiers,
    pub tiers: &'a [String],
    /// and of its lists of members.
    pub segments: &'a [String],
}

/// Something wrong with a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionMistake {
    /// Where it begins, in bytes of the text.
    pub at: usize,
    /// For how many bytes; 0 when something is missing there.
    pub len: usize,
    /// What.
    pub message: String,
}

impl ConditionMistake {
    fn at(at: usize, len: usize, message: impl fmt::Display) -> Self {
        Self { at, len, message: message.to_string() }
    }
}

/// What a condition needs to be known that is not known anyway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// The member's attributes.
    pub attributes: bool,
    /// Whether the line that it is asked of is a product: it means to say so itself.
    pub kind: bool,
}

impl Reads {
    /// What either of two needs.
    pub fn or(self, other: Self) -> Self {
        Self { attributes: self.attributes || other.attributes, kind: self.kind || other.kind }
    }
}

/// Why a condition has no answer: it does not apply then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// There is no such thing, or nobody said what it is.
    #[error("`{0}` is not known")]
    Unknown(Arc<str>),
    /// There is no such thing here.
    #[error("`{0}` is not known")]
    Absent(&'static str),
    /// An attribute has another type than the document declares.
    #[error("`{0}` is no {1}")]
    Mistyped(Arc<str>, AttributeType),
    /// Something was divided by zero.
    #[error("division by zero")]
    DivisionByZero,
    /// A figure has more than 28 digits.
    #[error("a figure is too large")]
    TooLarge,
}

/// A condition that was checked. Two of one text are equal: compare those of one scope.
#[derive(Clone, Debug)]
pub struct Condition(Arc<Checked>);

#[derive(Debug)]
struct Checked {
    text: String,
    tree: Flag,
    cost: u32,
    reads: Reads,
}

/// Reads and checks a condition.
///
/// # Errors
/// Every mistake that can be found: those of the signs, else the first one of the form, else those of meaning.
pub fn read(text: &str, scope: &Scope<'_>) -> Result<Condition, Vec<ConditionMistake>> {
    let whole = |message: &dyn fmt::Display| vec![ConditionMistake::at(0, text.len(), message)];
    if text.chars().count() > CONDITION_CHARS_MAX {
        return Err(whole(&format_args!("a condition has at most {CONDITION_CHARS_MAX} characters")));
    }
    let written = parse(&lex(text)?, text.len()).map_err(|mistake| vec![mistake])?;
    let (tree, reads) = Check::of(&written, scope)?;
    let cost = tree.cost().saturating_mul(if scope.line { lines() } else { 1 });
    if cost > CONDITION_COST_MAX {
        let each = if scope.line { " on the lines of an order" } else { "" };
        return Err(whole(&format_args!("may take {cost} steps{each}, of {CONDITION_COST_MAX}: write it shorter")));
    }
    Ok(Condition(Arc::new(Checked { text: text.to_owned(), tree, cost, reads })))
}

impl Condition {
    /// Whether it holds, of a line where its scope has one.
    ///
    /// # Errors
    /// When a figure in it is not known, divided by zero or too large, unless the answer is the same without.
    pub fn holds(&self, facts: &Facts<'_>, line: Option<&LineFacts<'_>>) -> Result<bool, EvalError> {
        self.0.tree.value(&Seen { facts, line, each: None })
    }

    /// The most steps that it takes, of an order with as many lines as there can be; at most [`CONDITION_COST_MAX`].
    pub fn cost(&self) -> u32 {
        self.0.cost
    }

    /// What has to be known for it.
    pub fn reads(&self) -> Reads {
        self.0.reads
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.0.text
    }
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Condition {}

#[cfg(test)]
mod tests;
