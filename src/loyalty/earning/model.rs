//! The figures of an order's line that awards are computed from.

use crate::kernel::money::Money;
use crate::kernel::points::Points;
pub use crate::loyalty::program::facts::LineKind;

/// The figures of one line, whole numbers all of them; they are stored, and returns work on them alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineFigures {
    /// What it is.
    pub kind: LineKind,
    /// How many pieces, 1 or more.
    pub quantity: u32,
    /// As stated, before discounts: with the tax, or without where tax comes on top.
    pub amount: Money,
    /// Taken off `amount`, at most all of it.
    pub discount: Money,
    /// What is charged for it: after discounts, always with the tax.
    pub charged: Money,
    /// The tax in `charged`.
    pub tax: Money,
    /// Points paid for it.
    pub points_spent: Points,
    /// What those points are worth.
    pub worth: Money,
    /// What points were to pay that were not there: the sale has happened, and nobody paid it.
    pub uncovered: Money,
    /// What a gift card paid.
    pub gift_card: Money,
    /// The money paid for it: charged - worth - uncovered - gift card.
    pub paid: Money,
    /// What it earns on, by the programme's `net_of`.
    pub base: Money,
}
