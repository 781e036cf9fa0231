//! A return as it was asked for, and what can be wrong with it.

use crate::kernel::money::Money;

/// What comes back: lines, an amount, or all that is left. One of the three.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReturnRequest {
    /// Lines, each by quantity or by amount.
    pub lines: Option<Vec<LineReturn>>,
    /// So much of what was charged, whichever the lines.
    pub amount: Option<Money>,
    /// All that is left.
    pub all: bool,
}

/// What comes back of a line: a quantity or an amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineReturn {
    /// The line's id in the order.
    pub id: String,
    /// So many pieces.
    pub quantity: Option<u32>,
    /// So much of what was charged for it.
    pub amount: Option<Money>,
}

/// Why a return can't be. Numbers name the places in the request's lines, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReturnError {
    /// None, or more than one, of `lines`, `amount` and `all`.
    #[error("a return names lines, or an amount, or all")]
    NotOneOfThree,
    /// None, or both, of `quantity` and `amount`.
    #[error("a line comes back by quantity or by amount")]
    NotOneOfTwo {
        /// Which line.
        line: usize,
    },
    /// The order has no such line.
    #[error("the order has no line of this id")]
    UnknownLine {
        /// Which line.
        line: usize,
    },
    /// The line was named before.
    #[error("the line is named twice")]
    LineTwice {
        /// The later one.
        line: usize,
    },
    /// More pieces than are out.
    #[error("more pieces than are left")]
    MoreThanLeft {
        /// Which line.
        line: usize,
        /// What was asked for.
        asked: u32,
        /// What is left.
        left: u32,
    },
    /// A larger amount than is left of a line.
    #[error("more than is left of the line")]
    AmountBeyondLine {
        /// Which line.
        line: usize,
        /// What was asked for.
        asked: Money,
        /// What is left.
        left: Money,
    },
    /// A larger amount than is left of the order.
    #[error("more than is left of the order")]
    AmountBeyondOrder {
        /// What was asked for.
        asked: Money,
        /// What is left.
        left: Money,
    },
    /// Nothing was charged for the line: it comes back by quantity alone.
    #[error("nothing was charged for the line: return it by quantity")]
    AmountOfFreeLine {
        /// Which line.
        line: usize,
    },
    /// No line, a quantity or amount of 0, or nothing is left.
    #[error("there is nothing to return")]
    Nothing {
        /// Which line, if it is about one.
        line: Option<usize>,
    },
}

impl ReturnError {
    /// Where the mistake stands in the document, as a JSON pointer.
    pub fn pointer(&self) -> String {
        match self {
            Self::NotOneOfThree | Self::Nothing { line: None } => String::new(),
            Self::NotOneOfTwo { line } | Self::Nothing { line: Some(line) } => format!("/lines/{line}"),
            Self::UnknownLine { line } | Self::LineTwice { line } => format!("/lines/{line}/id"),
            Self::MoreThanLeft { line, .. } => format!("/lines/{line}/quantity"),
            Self::AmountBeyondLine { line, .. } | Self::AmountOfFreeLine { line } => format!("/lines/{line}/amount"),
            Self::AmountBeyondOrder { .. } => "/amount".into(),
        }
    }
}
