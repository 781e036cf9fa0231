//! A line of an order that comes back: the exact share of each of its stored whole numbers.

use crate::kernel::grow::Grow;
use crate::kernel::money::Amount;
use crate::kernel::spread::Share;
use crate::loyalty::ledger::posting::PostingRow;
use crate::loyalty::ledger::verify::documents::{
    LineDocument, OrderDocument, ReturnedDocument, ReturnedLineDocument, minor,
};
use crate::loyalty::ledger::verify::law::{Findings, Law, Place};
use crate::loyalty::ledger::verify::orders::{compare, uncovered};

/// What has come back of a line.
#[derive(Clone, Copy, Debug, Default)]
pub struct Line {
    /// The exact share.
    pub share: Share,
    /// Pieces.
    pub quantity: u32,
    /// Of what was charged, in minor units, as the rest of the money.
    pub charged: i64,
    /// The tax in it.
    pub tax: i64,
    /// To the gift card.
    pub gift_card: i64,
    /// In money.
    pub money: i64,
    /// Points given back.
    pub restored: i64,
    /// Points taken back.
    pub clawed_back: i64,
}

/// What has come back of a whole number.
pub fn gone(share: Share, x: i64) -> i64 {
    x.saturating_sub(share.stays(x))
}

/// Checks what a return says of a line, and adds it to what came back before.
pub fn check_line(
    row: &PostingRow,
    order: &OrderDocument,
    sold: &LineDocument,
    back: &mut Line,
    says: &ReturnedLineDocument,
    found: &mut Findings,
) {
    let place = Place::posting(row.member, row.seq);
    let minor = |amount: Amount| minor(amount, row.currency);
    let ReturnedDocument { share, quantity, money: money_in_all } = says.returned;
    let shrunk = gone(share, i64::MAX) < gone(back.share, i64::MAX) || quantity < back.quantity;
    if shrunk || quantity > sold.quantity {
        found.add(Law::Returns, place, format!("line {} is back by {share} and {quantity} pieces", says.id));
    }
    let unpaid = [minor(sold.worth), uncovered(row, sold), minor(sold.gift_card)];
    let paid = unpaid.into_iter().fold(minor(sold.charged), i64::saturating_sub);
    let stays = unpaid.into_iter().map(|x| share.stays(x)).fold(share.stays(minor(sold.charged)), i64::saturating_sub);
    // Money that was given back is never taken again.
    let money = paid.saturating_sub(stays).max(back.money);
    (back.share, back.quantity) = (share, quantity);
    back.charged.grow(minor(says.charged));
    back.tax.grow(minor(says.tax));
    back.gift_card.grow(minor(says.gift_card));
    back.money.grow(minor(says.money));
    back.restored.grow(says.restored);
    back.clawed_back.grow(says.clawed_back);
    let parts = order.rows.iter().flat_map(|r| &r.lines).filter(|p| p.id == sold.id);
    let pairs = [
        ("charged of a line", back.charged, gone(share, minor(sold.charged))),
        ("tax of a line", back.tax, gone(share, minor(sold.tax))),
        ("gift_card of a line", back.gift_card, gone(share, minor(sold.gift_card))),
        ("money of a line", back.money, money),
        ("money of a line in all", minor(money_in_all), back.money),
        ("restored of a line", back.restored, gone(share, sold.points_spent)),
        ("clawed back of a line", back.clawed_back, parts.map(|p| gone(share, p.points)).sum()),
    ];
    compare(Law::Returns, place, &pairs, found);
}
