//! What is taken off the price, as decisions read it.

use crate::kernel::money::{Money, Ratio};
use crate::loyalty::program::condition::Condition;
use crate::loyalty::program::facts::LineKind;
use crate::loyalty::program::model::audience::Audience;
use crate::loyalty::program::model::texts::Texts;
use crate::loyalty::program::model::{Budget, Cap, Schedule};

/// A discount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discount {
    /// The marketer's name for it, `gold_ten`.
    pub code: String,
    /// Its stack, by the order in which stacks apply.
    pub stack: usize,
    /// What customers enter to get it, in capitals; empty: nothing.
    pub codes: Vec<String>,
    /// For whom it is; `None`: for everybody.
    pub audience: Option<Audience>,
    /// When it applies.
    pub schedule: Schedule,
    /// What an order has to be for it; `None`: any.
    pub when: Option<Condition>,
    /// What it takes off.
    pub benefit: Benefit,
    /// What a line has to be for it; `None`: a product, or, of free shipping, shipping.
    pub of: Option<Condition>,
    /// For how many orders one member can have it: what would be points of the cap are uses.
    pub per_member: Option<Cap>,
    /// For how many all members together can: uses, not points.
    pub total: Option<Budget>,
    /// What it is called.
    pub text: Texts,
}

/// What a discount takes off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Benefit {
    /// A part of the lines together, half up.
    Percent(Ratio),
    /// So much of the lines together, or all that they cost.
    Amount(Money),
    /// What a piece costs more than this.
    Price(Money),
    /// All that shipping costs.
    FreeShipping,
}

/// A code as customers enter it: in capitals, without what is around it.
pub fn entered(code: &str) -> String {
    code.trim().to_uppercase()
}

impl Discount {
    /// Whether it can come off such a line at all: off shipping only where it is free, or its condition says so. Source:
    /// golden.md R6.
    pub fn takes(&self, kind: LineKind) -> bool {
        match (self.benefit, kind) {
            (Benefit::FreeShipping, kind) => kind == LineKind::Shipping,
            (_, LineKind::Product) => true,
            (_, LineKind::Shipping) => self.of.as_ref().is_some_and(|of| of.reads().kind),
        }
    }
}
