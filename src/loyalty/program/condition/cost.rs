//! How many steps a condition may take, from its text alone. A name or literal is one, an operator another one; looking
//! for a text in a text or joining two is two, and a list is searched by halves.

use crate::loyalty::program::condition::tree::{Choice, Date, Flag, Number, Text};
use crate::loyalty::program::facts::ORDER_LINES_MAX;

/// How often something happens that is done for each line of an order.
pub fn lines() -> u32 {
    u32::try_from(ORDER_LINES_MAX).unwrap_or(u32::MAX)
}

/// The steps of parts and so many of their own.
fn with(own: u32, parts: impl IntoIterator<Item = u32>) -> u32 {
    parts.into_iter().fold(own, u32::saturating_add)
}

/// The steps of finding something in a sorted list.
fn halving<T>(items: &[T]) -> u32 {
    items.len().checked_ilog2().unwrap_or(0).saturating_add(1)
}

impl Flag {
    /// The most steps.
    pub fn cost(&self) -> u32 {
        match self {
            Self::Is(_) | Self::Attribute(_) => 1,
            Self::Not(flag) => with(1, [flag.cost()]),
            Self::All(flags) | Self::Any(flags) => flags.iter().fold(0, |sum, flag| with(sum, [1, flag.cost()])),
            Self::Flags(_, pair) => with(1, pair.iter().map(Self::cost)),
            Self::Numbers(_, pair) => with(1, pair.iter().map(Number::cost)),
            Self::Texts(_, pair) => with(1, pair.iter().map(Text::cost)),
            Self::Dates(_, pair) => with(1, pair.iter().map(Date::cost)),
            Self::NumberIn(number, items) => with(halving(items), [number.cost()]),
            Self::TextIn(text, items) => with(halving(items), [text.cost()]),
            Self::DateIn(date, items) => with(halving(items), [date.cost()]),
            Self::Segment(code) => with(2, [code.cost()]),
            Self::Search(_, pair) => with(2, pair.iter().map(Text::cost)),
            Self::Lines(_, flag) => with(1, [flag.cost().saturating_mul(lines())]),
            Self::Choice(choice) => choice.cost(Self::cost),
        }
    }
}

impl<T> Choice<T> {
    fn cost(&self, of: fn(&T) -> u32) -> u32 {
        with(1, [self.when.cost(), of(&self.then).max(of(&self.otherwise))])
    }
}

impl Number {
    fn cost(&self) -> u32 {
        match self {
            Self::Is(_) | Self::Field(_) | Self::Line(..) | Self::Attribute(_) => 1,
            Self::Minus(number) => with(1, [number.cost()]),
            Self::Arithmetic(_, pair) => with(1, pair.iter().map(Self::cost)),
            Self::Choice(choice) => choice.cost(Self::cost),
        }
    }
}

impl Text {
    fn cost(&self) -> u32 {
        match self {
            Self::Is(_) | Self::Field(_) | Self::Line(..) | Self::Arm(_) | Self::Attribute(_) => 1,
            Self::Joined(pair) => with(2, pair.iter().map(Self::cost)),
            Self::Choice(choice) => choice.cost(Self::cost),
        }
    }
}

impl Date {
    fn cost(&self) -> u32 {
        match self {
            Self::Is(_) | Self::Today | Self::Attribute(_) => 1,
            Self::Choice(choice) => choice.cost(Self::cost),
        }
    }
}
