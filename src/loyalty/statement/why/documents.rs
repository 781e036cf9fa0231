//! What a why reads of the documents of orders, events and enrolments: what is written there, in shapes of its own.

use chrono::NaiveDate;
use serde::Deserialize;

use crate::kernel::money::Amount;

/// Of something that may have set rules off.
#[derive(Debug, Deserialize)]
pub struct Said {
    /// Line by line, of an order.
    #[serde(default)]
    pub lines: Vec<LineSaid>,
    /// What rules awarded, and the tier on top.
    #[serde(default)]
    pub rows: Vec<RowSaid>,
    /// What did not apply.
    #[serde(default)]
    pub skipped: Vec<SkippedSaid>,
    /// What came off an order.
    #[serde(default)]
    pub discounts: Vec<DiscountSaid>,
    /// For what an order online would have been refused.
    #[serde(default)]
    pub flags: Vec<FlagSaid>,
    /// What happened, of an event.
    #[serde(default)]
    pub event: String,
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
    /// Points.
    pub points: i64,
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

/// For what an order online would have been refused, as far as it is about a discount.
#[derive(Debug, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum FlagSaid {
    /// A quote would not have taken that off,
    DiscountDiffers {
        /// of this discount,
        discount: String,
        /// but so much,
        ours: Amount,
        /// or nothing, for a reason.
        reason: Option<String>,
    },
    /// Another one of its stack came off before it.
    DiscountTwice {
        /// The discount.
        discount: String,
    },
    /// About something else.
    #[serde(other)]
    Other,
}
