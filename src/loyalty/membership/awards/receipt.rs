//! What rules awarded, and what came in, as it is stored and sent.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::clock::Instant;
use crate::kernel::money::Amount;
use crate::loyalty::earning::rows::{Row, Skipped};
use crate::loyalty::ledger::grant::{dates, ends_sooner};
use crate::loyalty::program::model::{Rulebook, Slot, WalletKind};

/// What one rule awarded, or the tier on top.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RowReceipt {
    /// The rule's code; `tier:gold` is what the tier awarded that the member was in before.
    pub rule: String,
    /// The wallet that it filled.
    pub wallet: String,
    /// Points.
    pub points: i64,
    /// The last programme-local day of its points, where they are over sooner than others of their wallet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub expires_on: Option<NaiveDate>,
    /// What it would have been, where something cut it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub uncut: Option<i64>,
    /// What cut it, at last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cut_by: Option<CutName>,
    /// Where a cap and a budget cut it: one after the other, and what each left of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cuts: Vec<CutReceipt>,
    /// Each line's part.
    pub lines: Vec<LinePoints>,
}

/// What cuts an award.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CutName {
    /// What one member can have of the rule in a calendar period.
    Cap,
    /// What all members together can have of it.
    Budget,
}

/// What cut an award, and to what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CutReceipt {
    /// What cut it.
    pub by: CutName,
    /// Points that were left.
    pub to: i64,
}

/// A line's part of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LinePoints {
    /// The line's id in the order.
    pub id: String,
    /// Points.
    pub points: i64,
}

/// What came into a wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EarnedReceipt {
    /// The wallet's code.
    pub wallet: String,
    /// Points, of a wallet that holds points.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub points: Option<i64>,
    /// Money, of a qualifying wallet that counts spend.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, example = "72.19", required = false)]
    pub amount: Option<Amount>,
    /// What a qualifying wallet counts: `spend`, `points` or `orders`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub counts: Option<CountsName>,
    /// When the points can be spent, if not at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    pub available_at: Option<Instant>,
    /// Their last usable day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub expires_on: Option<NaiveDate>,
}

/// What a qualifying wallet counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CountsName {
    /// The earning base, in money.
    Spend,
    /// Points earned.
    Points,
    /// Orders.
    Orders,
}

/// What did not apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SkippedReceipt {
    /// The rule's code.
    pub rule: String,
    /// The first reason.
    pub reason: String,
    /// What in the rule's condition was not known, or could not be computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub detail: Option<String>,
    /// The rule of its stack that awarded instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub better: Option<String>,
}

/// What each rule awarded to lines of these ids, in their order.
pub fn row_receipts(rows: &[Row<'_>], book: &Rulebook, day: NaiveDate, lines: &[&str]) -> Vec<RowReceipt> {
    let of_lines = |row: &Row<'_>| {
        let parts = lines.iter().zip(&row.by_line).filter(|(_, p)| !p.is_zero());
        parts.map(|(id, p)| LinePoints { id: (*id).to_owned(), points: p.get() }).collect()
    };
    let receipt = |row: &Row<'_>| RowReceipt {
        rule: row.name(),
        wallet: code_of(book, row.wallet),
        points: row.points.get(),
        expires_on: expires_on(row, book, day),
        uncut: (row.uncut > row.points).then_some(row.uncut.get()),
        cut_by: cuts(row).last().map(|cut| cut.by),
        cuts: Some(cuts(row)).filter(|cuts| cuts.len() > 1).unwrap_or_default(),
        lines: of_lines(row),
    };
    rows.iter().map(receipt).collect()
}

/// What did not apply, as it is stored.
pub fn skipped_receipt(skipped: &Skipped<'_>) -> SkippedReceipt {
    SkippedReceipt {
        rule: skipped.rule.code.clone(),
        reason: skipped.reason.name().to_owned(),
        detail: skipped.detail.as_ref().map(ToString::to_string),
        better: skipped.better.map(|rule| rule.code.clone()),
    }
}

/// The last day of a row's points, where they are over sooner than others of their wallet.
fn expires_on(row: &Row<'_>, book: &Rulebook, day: NaiveDate) -> Option<NaiveDate> {
    let own = row.rule()?.expiry?;
    let WalletKind::Redeemable(rules) = &book.wallet_in(row.wallet)?.kind else { return None };
    ends_sooner(Some(own), dates(rules, book, day), day)
}

/// What cut a row, one after the other.
fn cuts(row: &Row<'_>) -> Vec<CutReceipt> {
    let steps = [(CutName::Cap, row.uncut, row.capped), (CutName::Budget, row.capped, row.points)];
    let cuts = steps.into_iter().filter(|(_, from, to)| to < from);
    cuts.map(|(by, _, to)| CutReceipt { by, to: to.get() }).collect()
}

fn code_of(book: &Rulebook, slot: Slot) -> String {
    book.wallet_in(slot).map(|w| w.code.clone()).unwrap_or_default()
}
