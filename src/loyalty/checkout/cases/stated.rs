//! Sales that have happened, and members who are suspended.

use rust_decimal::Decimal;

use crate::kernel::money::{Amount, Currency};
use crate::loyalty::checkout::cart::Cart;
use crate::loyalty::checkout::cases::{
    STATUS, Shop, all, amount, goods, lines, money, paid_with, pieces, points, program,
};
use crate::loyalty::checkout::error::OrderRefusal;
use crate::loyalty::checkout::receipt::{FlagReceipt, LineReceipt};
use crate::loyalty::checkout::settle::{OrderedAt, SettleOrder};
use crate::loyalty::earning::model::LineKind;
use crate::loyalty::ledger::account::Status;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::queue::PostError;
use crate::loyalty::ledger::suspend::StatusName;

const START: &str = "2026-06-10T12:00:00Z";

fn shop() -> Shop {
    let mut shop = Shop::new(START, &program("expiry = { after = \"P12M\" }", ""));
    shop.bring(320, "2026-12-31");
    shop
}

fn eur(text: &str) -> Amount {
    money(text).amount(Currency::parse("EUR").unwrap())
}

fn short(asked: i64, spendable: i64, uncovered: &str) -> FlagReceipt {
    FlagReceipt::InsufficientPoints { wallet: "points".into(), asked, spendable, uncovered: eur(uncovered) }
}

#[test]
fn a_sale_that_happened_takes_the_points_that_are_there_and_keeps_what_was_paid() {
    let mut shop = shop();
    let cart = Cart { gift_card: money("5.00"), ..paid_with(500, lines(&[("a", 2, "10.00"), ("b", 1, "20.00")])) };
    let refusal = LedgerRefusal::InsufficientPoints { asked: points(500), spendable: points(320) };
    assert_eq!(shop.refused_order("1", cart.clone()), OrderRefusal::Ledger(refusal));
    let receipt = shop.stated_order("1", cart);
    assert_eq!(receipt.flags, [short(500, 320, "1.80")]);
    // 30.00, of which 5.00 by points as the customer was told, and 5.00 by gift card.
    assert_eq!((receipt.paid, receipt.charged), (eur("20.00"), eur("30.00")));
    let figures = |l: &LineReceipt| (l.points_spent, l.worth, l.uncovered, l.paid);
    let expected =
        [(107, eur("1.07"), Some(eur("0.60")), eur("6.66")), (213, eur("2.13"), Some(eur("1.20")), eur("13.34"))];
    assert_eq!(receipt.lines.iter().map(figures).collect::<Vec<_>>(), expected);
    // It earns on the money alone, not on what nobody paid.
    assert_eq!((shop.spendable(), shop.seen().figures(STATUS).spendable.get()), (20, 2_000));
    assert_eq!(shop.debt(), 0);
}

#[test]
fn a_return_of_such_a_sale_gives_back_no_more_than_was_paid_and_taken() {
    for split in [vec![all()], vec![pieces(&[("a", 1)]), amount("4.44"), pieces(&[("b", 1)]), all()]] {
        let mut shop = shop();
        let order = shop.stated_order("1", paid_with(500, lines(&[("a", 3, "9.99"), ("b", 1, "0.02")])));
        assert_eq!(order.paid, eur("5.01"));
        let returns: Vec<_> =
            split.into_iter().enumerate().map(|(n, part)| shop.give_back("1", &format!("r{n}"), part)).collect();
        let money: Decimal = returns.iter().map(|r| r.money.0).sum();
        let restored: i64 = returns.iter().flat_map(|r| &r.restored).map(|r| r.points).sum();
        assert_eq!((money, restored, shop.spendable()), (order.paid.0, 320, 320));
    }
}

#[test]
fn a_sale_in_which_points_paid_all_is_covered_no_line_twice() {
    let mut shop = shop();
    let mut cart = lines(&[("a", 1, "0.03"), ("b", 1, "0.03"), ("c", 1, "4.94"), ("s", 1, "4.95")]);
    cart.lines[3].kind = LineKind::Shipping;
    let receipt = shop.stated_order("1", paid_with(500, cart));
    assert!(receipt.lines.iter().all(|line| line.paid.0 >= Decimal::ZERO));
    let uncovered: Decimal = receipt.lines.iter().filter_map(|l| l.uncovered).map(|a| a.0).sum();
    assert_eq!((receipt.paid, uncovered), (eur("4.95"), eur("1.80").0));
}

#[test]
fn what_an_order_online_may_do_is_done_as_online_and_has_no_flag() {
    let (mut online, mut till) = (shop(), shop());
    let cart = || paid_with(320, goods("12.34"));
    let (online, till) = (online.order("1", cart()), till.stated_order("1", cart()));
    assert_eq!(online, till);
    assert!(till.flags.is_empty() && !serde_json::to_string(&till).unwrap().contains("flags"));
}

#[test]
fn a_suspended_member_earns_and_spends_nothing_and_keeps_what_is_there() {
    let mut shop = shop();
    shop.order("before", paid_with(20, goods("10.20")));
    let answer = shop.change_status("1", Status::Suspended).unwrap();
    assert_eq!(answer.receipt.status, StatusName::Suspended);
    assert!(shop.change_status("1", Status::Suspended).unwrap().replayed);
    let again = shop.change_status("2", Status::Suspended);
    assert!(matches!(again, Err(PostError::Refused(LedgerRefusal::AlreadySuspended))), "{again:?}");
    assert_eq!(shop.refused_order("1", paid_with(100, goods("10.00"))), LedgerRefusal::Suspended.into());
    let plain = shop.order("2", goods("10.00"));
    assert_eq!((plain.earned.len(), plain.skipped[0].reason.as_str(), plain.flags.len()), (0, "member_suspended", 0));
    let stated = shop.stated_order("3", paid_with(100, goods("10.00")));
    let flag = FlagReceipt::MemberSuspended { wallet: "points".into(), asked: 100, uncovered: eur("1.00") };
    assert_eq!((stated.flags, stated.paid, stated.spent.len()), (vec![flag], eur("9.00"), 0));
    assert_eq!(shop.spendable(), 310);
    // Returns give back, and points end as ever.
    shop.give_back("before", "r", all());
    assert_eq!(shop.spendable(), 320);
    assert_eq!(shop.at("2027-01-05T12:00:00Z").spendable(), 0);
    assert_eq!(shop.change_status("3", Status::Active).unwrap().receipt.status, StatusName::Active);
    let again = shop.change_status("4", Status::Active);
    assert!(matches!(again, Err(PostError::Refused(LedgerRefusal::NotSuspended))), "{again:?}");
    shop.order("4", goods("10.00"));
    assert_eq!(shop.spendable(), 10);
}

#[test]
fn a_sale_whose_hold_could_not_pay_is_sound_to_verify() {
    let mut shop = shop();
    let order = shop.settle(OrderedAt::Now, "1", paid_with(20, goods("10.00")));
    let order = SettleOrder { stated: true, hold: Some("gone".into()), ..order };
    let receipt = shop.post(order).unwrap();
    assert_eq!(receipt.flags, [FlagReceipt::HoldUnavailable { hold: "gone".into() }]);
    assert_eq!(shop.findings(), Vec::<String>::new());
}
