//! For what an order was flagged that was taken as stated.

use serde::Deserialize;

use crate::kernel::money::Amount;
use crate::loyalty::ledger::posting::PostingRow;
use crate::loyalty::ledger::verify::documents::{OrderDocument, minor};
use crate::loyalty::ledger::verify::law::{Findings, Law, Place};
use crate::loyalty::ledger::verify::orders::{compare, uncovered};

/// A flag.
#[derive(Debug, Deserialize)]
#[serde(tag = "code")]
pub enum FlagDocument {
    /// Points that were not there, or not taken.
    #[serde(rename = "insufficient_points", alias = "member_suspended")]
    Short(ShortDocument),
    /// A hold that could not pay, a rule that it was not paid by, or a discount that a quote would not have given.
    #[serde(rename = "hold_unavailable", alias = "spend_rule", alias = "discount_differs", alias = "discount_twice")]
    Other {},
}

/// Points that were to pay.
#[derive(Debug, Deserialize)]
pub struct ShortDocument {
    /// Points that it was paid with.
    pub asked: i64,
    /// Points that were there; none, where that was not asked.
    #[serde(default)]
    pub spendable: i64,
    /// What nobody paid.
    pub uncovered: Amount,
}

/// What nobody paid is what the flags say, and only of points that were asked for and not taken.
pub fn check_flags(row: &PostingRow, document: &OrderDocument, spent: i64, found: &mut Findings) {
    let place = Place::posting(row.member, row.seq);
    let lines = document.lines.iter().map(|line| uncovered(row, line)).sum();
    let short = || {
        document.flags.iter().filter_map(|flag| match flag {
            FlagDocument::Short(short) => Some(short),
            FlagDocument::Other {} => None,
        })
    };
    let says = short().map(|flag| minor(flag.uncovered, row.currency)).sum();
    compare(Law::Documents, place, &[("uncovered", says, lines)], found);
    for flag in short() {
        compare(Law::Documents, place, &[("points of a flag", flag.spendable, spent)], found);
        if flag.asked <= flag.spendable {
            found.add(Law::Documents, place, "it is flagged for points that were there");
        }
    }
}
