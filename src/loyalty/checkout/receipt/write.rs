//! Writes what an order did.

use chrono::NaiveDate;

use crate::kernel::money::Money;
use crate::kernel::points::Points;
use crate::loyalty::checkout::cart::Cart;
use crate::loyalty::checkout::pay::Payer;
use crate::loyalty::checkout::price::Priced;
use crate::loyalty::checkout::receipt::{LineKindName, LineReceipt, RowReceipt, SpentReceipt};
use crate::loyalty::earning::model::{LineFigures, LineKind};
use crate::loyalty::earning::rows::Row;
use crate::loyalty::membership::awards::receipt::row_receipts;
use crate::loyalty::program::model::Rulebook;

/// Writes the parts of an order's receipt.
#[derive(Clone, Copy)]
pub struct Writer<'o> {
    /// What was bought.
    pub cart: &'o Cart,
    /// The version that decided.
    pub book: &'o Rulebook,
    /// The business day.
    pub day: NaiveDate,
}

impl Writer<'_> {
    /// The figures of each line.
    pub fn lines(self, priced: &Priced, rows: &[Row<'_>]) -> Vec<LineReceipt> {
        let earned = |i: usize| rows.iter().filter_map(|r| r.by_line.get(i)).map(|p| p.get()).sum();
        let lines = self.cart.lines.iter().zip(&priced.lines).enumerate();
        lines.map(|(i, (stated, line))| self.line(&stated.id, line, earned(i))).collect()
    }

    /// What each rule awarded.
    pub fn rows(self, rows: &[Row<'_>]) -> Vec<RowReceipt> {
        let ids: Vec<&str> = self.cart.lines.iter().map(|line| line.id.as_str()).collect();
        row_receipts(rows, self.book, self.day, &ids)
    }

    /// What went out of the wallet that pays.
    pub fn spent(self, (points, worth): (Points, Money), payer: Option<Payer<'_>>) -> Vec<SpentReceipt> {
        let paying = payer.filter(|_| !points.is_zero());
        let spent = paying.map(|payer| SpentReceipt {
            wallet: payer.wallet.code.clone(),
            points: points.get(),
            worth: worth.amount(self.book.currency),
        });
        spent.into_iter().collect()
    }

    fn line(self, id: &str, line: &LineFigures, earned: i64) -> LineReceipt {
        let amount = |money: Money| money.amount(self.book.currency);
        LineReceipt {
            id: id.to_owned(),
            kind: match line.kind {
                LineKind::Product => LineKindName::Product,
                LineKind::Shipping => LineKindName::Shipping,
            },
            quantity: line.quantity,
            charged: amount(line.charged),
            tax: amount(line.tax),
            points_spent: line.points_spent.get(),
            worth: amount(line.worth),
            uncovered: (line.uncovered > Money::ZERO).then(|| amount(line.uncovered)),
            gift_card: amount(line.gift_card),
            paid: amount(line.paid),
            base: amount(line.base),
            earned,
        }
    }
}
