//! A condition that was checked: a tree for each type, so that no evaluation meets a value of another one.

use std::cmp::Ordering;
use std::sync::Arc;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::loyalty::program::condition::fields::{LineNumber, LineText, NumberField, TextField};

/// How two values compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
}

impl Comparison {
    /// Each with its sign.
    pub const SIGNS: [(&'static str, Self); 6] = [
        ("==", Self::Equal),
        ("!=", Self::Unequal),
        ("<", Self::Less),
        ("<=", Self::AtMost),
        (">", Self::More),
        (">=", Self::AtLeast),
    ];

    /// Whether two values compare so that stand to each other in this way.
    pub fn admits(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Unequal => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::AtMost => ordering.is_le(),
            Self::More => ordering.is_gt(),
            Self::AtLeast => ordering.is_ge(),
        }
    }
}

/// What is done with two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Times,
    /// `/`
    Over,
    /// `%`
    Rest,
}

/// What is looked for in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// `startsWith`
    Start,
    /// `endsWith`
    End,
    /// `contains`
    Anywhere,
}

/// Of how many lines something has to be so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    /// `exists`
    One,
    /// `all`
    All,
}

/// Which line is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one that the condition is asked of.
    Asked,
    /// The one that a macro has come to.
    Each,
}

/// Whose an attribute is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The member's.
    Member,
    /// The order's.
    Order,
    /// A line's.
    Line(Which),
    /// The event's.
    Event,
}

/// An attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Whose.
    pub owner: Owner,
    /// Its name among the owner's.
    pub name: Box<str>,
    /// As conditions name it, `member.attributes.city`.
    pub path: Arc<str>,
}

/// `when ? then : otherwise`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice<T> {
    /// What decides.
    pub when: Flag,
    /// The value if so.
    pub then: T,
    /// The value if not.
    pub otherwise: T,
}

/// Something that is true or false.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flag {
    /// Always the same.
    Is(bool),
    /// An attribute.
    Attribute(Attribute),
    /// The opposite.
    Not(Box<Flag>),
    /// All of them.
    All(Box<[Flag]>),
    /// One of them at least.
    Any(Box<[Flag]>),
    /// How two of them compare; false is less than true.
    Flags(Comparison, Box<[Flag; 2]>),
    /// How two numbers compare.
    Numbers(Comparison, Box<[Number; 2]>),
    /// How two texts compare, by their characters' numbers.
    Texts(Comparison, Box<[Text; 2]>),
    /// How two days compare.
    Dates(Comparison, Box<[Date; 2]>),
    /// A number is one of these, which are sorted.
    NumberIn(Number, Box<[Decimal]>),
    /// A text is one of these, which are sorted.
    TextIn(Text, Box<[Box<str>]>),
    /// A day is one of these, which are sorted.
    DateIn(Date, Box<[NaiveDate]>),
    /// The member is in the list of this code.
    Segment(Text),
    /// The first text has the second one in it.
    Search(Search, Box<[Text; 2]>),
    /// So many lines of the order are so.
    Lines(Quantifier, Box<Flag>),
    /// One of two.
    Choice(Box<Choice<Flag>>),
}

/// A number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Number {
    /// Always the same.
    Is(Decimal),
    /// A field.
    Field(NumberField),
    /// A field of a line.
    Line(Which, LineNumber),
    /// An attribute.
    Attribute(Attribute),
    /// Zero less a number.
    Minus(Box<Number>),
    /// What two numbers give.
    Arithmetic(Arithmetic, Box<[Number; 2]>),
    /// One of two.
    Choice(Box<Choice<Number>>),
}

/// A text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    /// Always the same.
    Is(Box<str>),
    /// A field.
    Field(TextField),
    /// A field of a line.
    Line(Which, LineText),
    /// The member's arm of an experiment.
    Arm(Box<str>),
    /// An attribute.
    Attribute(Attribute),
    /// One after the other.
    Joined(Box<[Text; 2]>),
    /// One of two.
    Choice(Box<Choice<Text>>),
}

/// A day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Date {
    /// Always the same.
    Is(NaiveDate),
    /// Today, on the programme's clocks.
    Today,
    /// An attribute.
    Attribute(Attribute),
    /// One of two.
    Choice(Box<Choice<Date>>),
}
