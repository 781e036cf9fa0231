//! Points that are over sooner than others of their wallet: a lot of their own, and given back out of it.

use crate::loyalty::checkout::cases::{Shop, all, goods, lots, paid_with, pieces, points, program};
use crate::loyalty::checkout::receipt::{OrderReceipt, ReturnReceipt};

/// A point for a euro for a year; a hundred more for ten days, and as many again to the end of the next month.
fn shop() -> Shop {
    let rules = "[earning.bonus]\naward = { points = 100 }\nexpiry = { after = \"P10D\" }\n\
                 [earning.double]\naward = { multiply = \"2\" }\nexpiry = { after = \"P1M\", round = \"end_of_month\" }\n";
    let expiry = "expiry = { after = \"P12M\", round = \"end_of_month\" }";
    Shop::new("2026-12-01T12:00:00Z", &(program(expiry, "") + rules))
}

fn days(receipt: &OrderReceipt) -> Vec<(&str, i64, Option<String>)> {
    let rows = receipt.rows.iter();
    rows.map(|row| (row.rule.as_str(), row.points, row.expires_on.map(|day| day.to_string()))).collect()
}

/// What came into the points, lot by lot.
fn came_in(receipt: &OrderReceipt) -> Vec<(i64, String)> {
    let earned = receipt.earned.iter().filter(|earned| earned.counts.is_none());
    earned.map(|earned| (earned.points.unwrap(), earned.expires_on.unwrap().to_string())).collect()
}

/// Taken and forgiven, lot by lot.
fn back(receipt: &ReturnReceipt) -> Vec<(i64, i64, Option<String>)> {
    let lots = receipt.points_clawed_back("points");
    lots.map(|back| (back.taken, back.forgiven, back.expires_on.map(|day| day.to_string()))).collect()
}

#[test]
fn each_day_of_its_own_is_a_lot_of_its_own() {
    let mut shop = shop();
    let receipt = shop.order("1", goods("50.00"));
    let [soon, later] = ["2026-12-11", "2027-01-31"].map(|day| Some(day.to_owned()));
    assert_eq!(days(&receipt), [("base", 50, None), ("bonus", 100, soon), ("double", 50, later)]);
    let want = [(50, "2027-12-31"), (100, "2026-12-11"), (50, "2027-01-31")];
    assert_eq!(came_in(&receipt), lots(&want));
    // What is over first is spent first.
    shop.order("2", paid_with(30, goods("0.30")));
    assert_eq!(shop.at("2026-12-11T22:59:59Z").spendable(), 270);
    assert_eq!(
        shop.at("2026-12-11T23:00:00Z").spendable(),
        100,
        "30 were spent of the first bonus, the second is over whole"
    );
    assert_eq!(shop.at("2027-01-31T23:00:00Z").spendable(), 50);
}

#[test]
fn a_return_takes_back_from_the_lot_that_each_row_filled() {
    let mut shop = shop();
    shop.order("1", goods("50.00"));
    let [soon, later] = ["2026-12-11", "2027-01-31"].map(|day| Some(day.to_owned()));
    let whole = shop.at("2026-12-20T12:00:00Z").give_back("1", "r", all());
    assert_eq!(back(&whole), [(50, 0, None), (0, 100, soon), (50, 0, later)], "the bonus was over, and is forgiven");
    assert_eq!(shop.spendable(), 0);
}

#[test]
fn any_split_of_a_return_takes_back_what_the_whole_does() {
    let mut shop = shop();
    let cart = super::lines(&[("a", 3, "33.33"), ("b", 1, "7.77")]);
    shop.order("1", cart);
    let mut sums = [0; 3];
    for (nth, (line, quantity)) in [("a", 1), ("b", 1), ("a", 2)].into_iter().enumerate() {
        let done = shop.give_back("1", &format!("r{nth}"), pieces(&[(line, quantity)]));
        for (sum, (taken, forgiven, _)) in sums.iter_mut().zip(back(&done)) {
            assert_eq!(forgiven, 0);
            *sum += taken;
        }
    }
    assert_eq!((sums, shop.spendable()), ([41, 100, 41], 0));
    assert_eq!(shop.stored().lots.len(), 0);
}

#[test]
fn a_day_that_is_not_sooner_is_that_of_the_others() {
    let rules = "[earning.bonus]\naward = { points = 100 }\nexpiry = { after = \"P1M\", round = \"end_of_year\" }\n";
    let expiry = "expiry = { after = \"P6M\", round = \"end_of_month\" }";
    let mut shop = Shop::new("2027-01-15T12:00:00Z", &(program(expiry, "") + rules));
    let receipt = shop.order("1", goods("50.00"));
    assert_eq!(days(&receipt), [("base", 50, None), ("bonus", 100, None)]);
    assert_eq!(came_in(&receipt), lots(&[(150, "2027-07-31")]));
    assert_eq!(points(150), shop.figures().spendable);
}

#[test]
fn a_late_order_is_over_at_once_where_its_day_has_passed() {
    let mut shop = shop();
    let receipt = shop.at("2026-12-20T12:00:00Z").late_order("2026-12-01T12:00:00Z", "1", goods("50.00"));
    assert_eq!(came_in(&receipt), lots(&[(50, "2027-12-31"), (100, "2026-12-11"), (50, "2027-01-31")]));
    assert_eq!(shop.spendable(), 100);
}

/// `verify` agrees when the story ends: one order is one activity, whatever lots it fills, and what has ended by then is
/// not brought back by the next of them.
#[test]
fn a_late_order_fills_lots_of_two_kinds_in_a_wallet_that_ended_by_inactivity_since() {
    let rules = "[earning.bonus]\naward = { points = 100 }\nexpiry = { after = \"P1M\" }\n";
    let mut shop = Shop::new("2026-06-01T12:00:00Z", &(program("expiry = { inactive = \"P60D\" }", "") + rules));
    let receipt = shop.at("2026-10-01T12:00:00Z").late_order("2026-06-10T12:00:00Z", "1", goods("50.00"));
    assert_eq!(receipt.earned.iter().filter(|came| came.wallet == "points").count(), 2);
    assert_eq!((shop.spendable(), shop.stored().wallets[0].expires_on), (0, None));
}
