//! What a why reads of an order's document: what checkout writes, in shapes of its own.

use chrono::NaiveDate;
use serde::Deserialize;

use crate::kernel::money::Amount;

/// Of an order.
#[derive(Debug, Deserialize)]
pub struct OrderSaid {
    /// Line by line.
    pub lines: Vec<LineSaid>,
    /// What rules awarded, and the tier on top.
    pub rows: Vec<RowSaid>,
    /// What did not apply.
    pub skipped: Vec<SkippedSaid>,
    /// What came off.
    #[serde(default)]
    pub discounts: Vec<DiscountSaid>,
}

/// A line.
#[derive(Debug, Deserialize)]
pub struct LineSaid {
    /// Its id.
    pub id: String,
    /// What it earned on.
    pub base: Amount,
}

/// A row of the award.
#[derive(Debug, Deserialize)]
pub struct RowSaid {
    /// The rule's code, or `tier:gold`.
    pub rule: String,
    /// The wallet that it filled.
    pub wallet: String,
    /// Points.
    pub points: i64,
    /// Their last day, where it is sooner than that of others.
    pub expires_on: Option<NaiveDate>,
    /// What it would have been.
    pub uncut: Option<i64>,
    /// What cut it, at last.
    pub cut_by: Option<String>,
    /// What cut it, one after the other, where it was more than one.
    #[serde(default)]
    pub cuts: Vec<CutSaid>,
    /// By line.
    pub lines: Vec<PartSaid>,
}

/// What cut a row, and to what.
#[derive(Clone, Debug, Deserialize)]
pub struct CutSaid {
    /// What.
    pub by: String,
    /// What was left.
    pub to: i64,
}

/// A line's part.
#[derive(Debug, Deserialize)]
pub struct PartSaid {
    /// The line.
    pub id: String,
}

/// A rule that did not apply.
#[derive(Debug, Deserialize)]
pub struct SkippedSaid {
    /// Its code.
    pub rule: String,
    /// The first reason.
    pub reason: String,
    /// What in its condition could not be told.
    pub detail: Option<String>,
    /// The rule of its stack that awarded instead.
    pub better: Option<String>,
}

/// What came off.
#[derive(Debug, Deserialize)]
pub struct DiscountSaid {
    /// Its code.
    pub code: String,
    /// Whose it is.
    pub of: String,
    /// In all.
    pub amount: Amount,
}
