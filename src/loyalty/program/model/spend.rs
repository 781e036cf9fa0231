//! How points may be spent, compiled.

use crate::kernel::money::Ratio;
use crate::kernel::points::Points;
use crate::loyalty::program::condition::Condition;

/// With how many points of a wallet an order may be paid, and for what. Source: program.md, "Points to spend".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spend {
    /// No fewer than so many.
    pub min: Points,
    /// Only full steps of so many, counted from zero; 1 at least.
    pub step: Points,
    /// No more than this part of what the lines cost that points pay for, 0 to 1; `None`: all of it.
    pub max_share: Option<Ratio>,
    /// The lines that points do not pay for.
    pub not: Option<Condition>,
}
