//! What rules awarded, as documents say it.

use chrono::NaiveDate;
use serde::Deserialize;

use crate::kernel::grow::Grow;

/// What a rule awarded.
#[derive(Debug, Deserialize)]
pub struct RowDocument {
    /// Its code.
    pub rule: String,
    /// Its wallet.
    pub wallet: String,
    /// In all.
    pub points: i64,
    /// Their last day, where it is sooner than that of others.
    pub expires_on: Option<NaiveDate>,
    /// Without what cut it.
    pub uncut: Option<i64>,
    /// What cut it, at last.
    pub cut_by: Option<String>,
    /// What cut it, one after the other, where it was more than one.
    #[serde(default)]
    pub cuts: Vec<CutDocument>,
    /// By line.
    pub lines: Vec<PartDocument>,
}

/// The last day of what rows brought to a lot, where that is sooner than that of others, and how much.
pub type Lot = (Option<NaiveDate>, i64);

/// What rows brought to a wallet, by lot: what is over when others are comes first, then the rest by its first row.
pub fn lots_of(rows: &[RowDocument], wallet: &str) -> Vec<Lot> {
    let mut lots: Vec<Lot> = Vec::new();
    for row in rows.iter().filter(|row| row.wallet == wallet) {
        match lots.iter_mut().find(|(day, _)| *day == row.expires_on) {
            Some((_, points)) => points.grow(row.points),
            None => lots.push((row.expires_on, row.points)),
        }
    }
    lots.sort_by_key(|(day, _)| day.is_some());
    lots
}

/// What cut a row, and to what.
#[derive(Debug, Deserialize)]
pub struct CutDocument {
    /// What.
    pub by: String,
    /// What was left.
    pub to: i64,
}

impl RowDocument {
    /// What a cap or a budget left of the row, where it cut it.
    pub fn cut_to(&self, by: &str) -> Option<i64> {
        let alone = self.cut_by.as_ref().filter(|_| self.cuts.is_empty()).map(|by| (by.as_str(), self.points));
        let mut cuts = self.cuts.iter().map(|cut| (cut.by.as_str(), cut.to)).chain(alone);
        cuts.find(|(there, _)| *there == by).map(|(_, to)| to)
    }

    /// Whether its cuts are as such are: the cap first, each less than what was there before, and the last is what is said.
    pub fn is_cut_in_order(&self) -> bool {
        let (cap, budget) = (self.cut_to("cap"), self.cut_to("budget"));
        let steps: Vec<i64> = self.uncut.into_iter().chain(cap).chain(budget).collect();
        let last = if budget.is_some() { Some("budget") } else { cap.map(|_| "cap") };
        let whole = self.uncut.is_none() == last.is_none() && self.cuts.len() != 1 && self.cuts.len() <= 2;
        let falls = steps.is_sorted_by(|a, b| a > b) && steps.last().is_none_or(|last| *last == self.points);
        whole && falls && self.cut_by.as_deref() == last
    }
}

/// A line's part.
#[derive(Debug, Deserialize)]
pub struct PartDocument {
    /// The line.
    pub id: String,
    /// Its part.
    pub points: i64,
}

/// What came off an order.
#[derive(Debug, Deserialize)]
pub struct DiscountDocument {
    /// The discount's code.
    pub code: String,
    /// Whose it is.
    of: String,
    /// Whether there were no uses left.
    #[serde(default)]
    uncounted: bool,
}

/// What rules awarded: of an order, an enrolment or an event.
#[derive(Debug, Deserialize)]
pub struct AwardDocument {
    /// The business day.
    #[serde(alias = "ordered_on", alias = "enrolled_on", alias = "occurred_on")]
    pub day: NaiveDate,
    /// Rule by rule.
    #[serde(default)]
    pub rows: Vec<RowDocument>,
    /// What came off.
    #[serde(default)]
    discounts: Vec<DiscountDocument>,
}

impl AwardDocument {
    /// The discounts of the programme of which it is a use.
    pub fn uses(&self) -> impl Iterator<Item = &str> {
        uses(&self.discounts)
    }
}

/// The discounts of the programme of which something is a use.
pub fn uses(discounts: &[DiscountDocument]) -> impl Iterator<Item = &str> {
    let counted = |discount: &&DiscountDocument| discount.of == "program" && !discount.uncounted;
    discounts.iter().filter(counted).map(|discount| discount.code.as_str())
}
