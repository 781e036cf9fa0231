//! What members and shops of other systems complain about (product.md, section 3): each is a fact about this one.

use std::collections::BTreeMap;

use crate::loyalty::checkout::cart::Cart;
use crate::loyalty::checkout::cases::{
    STATUS, Shop, all, amount, goods, instant, lines, lots, money, paid_with, pieces, points, program,
};
use crate::loyalty::checkout::error::{OrderRefusal, ReturnRefusal};
use crate::loyalty::checkout::returns::ReturnError;
use crate::loyalty::ledger::entry::EntryKind;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::queue::PostError;

const START: &str = "2026-06-10T12:00:00Z";

fn insufficient(asked: i64, spendable: i64) -> OrderRefusal {
    LedgerRefusal::InsufficientPoints { asked: points(asked), spendable: points(spendable) }.into()
}

#[test]
fn pain_1_a_partial_return_takes_back_its_part_of_the_points_and_a_full_one_all() {
    let mut shop = Shop::new(START, &program("expiry = \"never\"", ""));
    shop.order("1", lines(&[("a", 3, "30.00"), ("b", 1, "70.00")]));
    assert_eq!(shop.spendable(), 100);
    shop.give_back("1", "r1", pieces(&[("a", 1)]));
    assert_eq!(shop.spendable(), 90);
    shop.give_back("1", "r2", amount("45.00"));
    assert_eq!(shop.spendable(), 45);
    assert!(shop.give_back("1", "r3", all()).complete);
    assert_eq!((shop.spendable(), shop.seen().figures(STATUS).spendable.get()), (0, 0));
    assert_eq!(shop.stored().order_count, 0);
}

#[test]
fn pain_2_spent_points_come_back_once_and_with_their_own_expiry() {
    let mut shop = Shop::new(START, &program("expiry = { after = \"P12M\" }", ""));
    shop.bring(300, "2026-12-31");
    shop.bring(300, "2027-01-31");
    let before = shop.lots();
    shop.order("1", paid_with(400, lines(&[("a", 2, "2.00"), ("b", 2, "2.00")])));
    shop.at("2026-11-11T12:00:00Z").give_back("1", "r1", pieces(&[("a", 1)]));
    assert_eq!(shop.lots(), lots(&[(300, "2027-01-31")]), "the lot taken last is filled first");
    shop.give_back("1", "r2", pieces(&[("b", 2)]));
    shop.give_back("1", "r3", all());
    assert_eq!(shop.lots(), before);
    let nothing = ReturnRefusal::Return(ReturnError::Nothing { line: None });
    assert_eq!(shop.refused_return("1", "r4", all()), nothing);
    assert_eq!(shop.lots(), before);
}

#[test]
fn pain_3_asking_again_books_once_and_gets_the_same_answer() {
    let mut shop = Shop::new(START, &program("expiry = \"never\"", ""));
    let first = shop.order("1", goods("100.00"));
    let returned = shop.give_back("1", "r1", amount("40.00"));
    let seq = shop.stored().seq;
    for later in ["2026-06-10T12:00:01Z", "2027-06-10T12:00:00Z"] {
        let again = shop.at(later).post_order("1", goods("100.00")).unwrap();
        assert!(again.replayed);
        assert_eq!(again.receipt, first);
        let again = shop.post_return("1", "r1", amount("40.00")).unwrap();
        assert!(again.replayed);
        assert_eq!(again.receipt, returned);
    }
    assert_eq!((shop.spendable(), shop.stored().seq), (60, seq));
    assert!(matches!(shop.post_order("1", goods("100.01")), Err(PostError::Conflict)));
    assert!(matches!(shop.post_return("1", "r1", all()), Err(PostError::Conflict)));
    assert_eq!((shop.spendable(), shop.stored().seq), (60, seq));
}

#[test]
fn pain_4_two_carts_cannot_spend_the_same_points() {
    let mut shop = Shop::new(START, &program("expiry = \"never\"", ""));
    shop.order("1", goods("100.00"));
    shop.order("2", paid_with(80, goods("0.80")));
    assert_eq!(shop.refused_order("3", paid_with(80, goods("0.80"))), insufficient(80, 20));
    shop.order("4", paid_with(20, goods("0.20")));
    assert_eq!(shop.spendable(), 0);
}

#[test]
fn pain_5_what_is_shown_as_spendable_is_what_can_be_spent() {
    let waits = "pending = { after = \"P14D\" }, expiry = { after = \"P3M\" }";
    let moments =
        [START, "2026-06-23T21:59:59Z", "2026-06-23T22:00:00Z", "2026-09-10T21:59:59Z", "2026-09-10T22:00:00Z"];
    for moment in moments {
        let mut shop = Shop::new(START, &program(waits, ""));
        shop.bring(11, "2026-07-31");
        shop.order("1", goods("100.00"));
        let shown = shop.at(moment).spendable();
        assert_eq!(shop.refused_order("2", paid_with(shown + 1, goods("9.00"))), insufficient(shown + 1, shown));
        if shown > 0 {
            shop.order("3", paid_with(shown, goods("9.00")));
        }
        assert_eq!(shop.figures().spent.get(), shown, "{moment}");
    }
}

#[test]
fn pain_6_what_was_spent_of_a_lot_that_is_over_takes_nothing_from_the_others() {
    let mut shop = Shop::new(START, &program("expiry = { after = \"P12M\" }", ""));
    shop.bring(100, "2026-07-31");
    shop.bring(50, "2026-12-31");
    shop.order("1", paid_with(60, goods("0.60")));
    shop.at("2026-08-01T12:00:00Z");
    assert_eq!(shop.lots(), lots(&[(50, "2026-12-31")]));
    let figures = shop.figures();
    assert_eq!((figures.spendable.get(), figures.spent.get(), figures.expired.get()), (50, 60, 40));
}

#[test]
fn pain_8_the_stored_balance_is_the_sum_of_the_entries_and_of_the_lots() {
    let points = "pending = { after = \"P2D\" }, expiry = { after = \"P2M\" }, returns = \"allow\"";
    let mut shop = Shop::new(START, &program(points, ""));
    shop.bring(500, "2026-09-30");
    for (n, now) in ["2026-06-10T13:00:00Z", "2026-06-20T12:00:00Z", "2026-08-21T12:00:00Z"].into_iter().enumerate() {
        shop.at(now).order(&format!("o{n}"), paid_with(120, goods("100.00")));
    }
    shop.give_back("o0", "r", amount("33.33"));
    shop.give_back("o2", "r", all());
    let mut sums: BTreeMap<i16, [i64; 2]> = BTreeMap::new();
    for row in &shop.ledger.postings[&shop.member] {
        for (place, entry) in row.entries.iter().enumerate() {
            let [entries, moves] = sums.entry(entry.wallet.0).or_default();
            let direction = if entry.kind == EntryKind::Owe { -1 } else { entry.kind.direction() };
            let repaid = if entry.kind == EntryKind::Repay { entry.points.get() } else { 0 };
            *entries += direction * entry.points.get() + repaid;
            let moved = row.moves_of(place).map(|m| m.points.get()).sum::<i64>();
            *moves += entry.kind.direction() * moved;
        }
    }
    for (slot, [entries, moves]) in sums {
        let figures = shop.stored().wallets[usize::try_from(slot).unwrap()].figures;
        let there = figures.spendable.get() + figures.pending.get();
        let in_lots: i64 = shop.stored().lots.iter().filter(|l| l.wallet.0 == slot).map(|l| l.remaining.get()).sum();
        assert_eq!((there - figures.debt.get(), there, there), (entries, moves, in_lots));
        assert!(figures.add_up());
    }
}

#[test]
fn pain_9_a_new_version_binds_new_points_alone() {
    let first = program("expiry = { after = \"P12M\" }, returns = \"pending_only\"", "");
    let second =
        program("pending = { after = \"P14D\" }, expiry = { after = \"P1M\" }", "").replace("points = 1", "points = 5");
    let mut shop = Shop::with_versions(START, &[(START, &first), ("2026-07-01T00:00:00Z", &second)]);
    shop.order("old", goods("100.00"));
    shop.at("2026-07-10T12:00:00Z").order("new", goods("100.00"));
    assert_eq!(shop.lots(), lots(&[(500, "2026-08-10"), (100, "2027-06-10")]));
    assert_eq!(shop.spendable(), 100);
    let receipt = shop.give_back("old", "r", all());
    let back = receipt.points_clawed_back("points").next().unwrap();
    assert_eq!((back.points, back.waived), (100, 100), "an order comes back by the rules it was made under");
    assert_eq!(shop.at("2027-06-10T21:59:59Z").spendable(), 100);
    assert_eq!(shop.at("2027-06-10T22:00:00Z").spendable(), 0);
}

#[test]
fn pain_10_spending_points_takes_nothing_from_what_counts_for_tiers() {
    let mut shop = Shop::new(START, &program("expiry = \"never\"", ""));
    shop.order("1", goods("100.00"));
    shop.order("2", paid_with(100, goods("1.00")));
    assert_eq!((shop.spendable(), shop.seen().figures(STATUS).spendable.get()), (0, 10_000));
}

#[test]
fn pain_12_what_points_or_a_gift_card_paid_earns_only_where_the_programme_says_so() {
    let counts_all = "base = { net_of = [\"discounts\", \"tax\", \"shipping\"] }";
    for (base, earned) in [("", 60), (counts_all, 100)] {
        let mut shop = Shop::new(START, &program("expiry = \"never\"", base));
        shop.bring(1_500, "2026-12-31");
        let cart = Cart { gift_card: money("25.00"), ..paid_with(1_500, goods("100.00")) };
        let receipt = shop.order("1", cart);
        assert_eq!(receipt.lines[0].earned, earned);
        assert_eq!(shop.spendable(), earned);
    }
}

#[test]
fn pain_14_points_that_are_over_are_gone_though_no_job_ran() {
    let mut shop = Shop::new(START, &program("expiry = { after = \"P1M\" }", ""));
    shop.order("1", goods("100.00"));
    let stored = shop.stored().clone();
    shop.at("2026-07-10T22:00:00Z");
    assert_eq!(shop.spendable(), 0);
    assert_eq!(shop.refused_order("2", paid_with(1, goods("1.00"))), insufficient(1, 0));
    assert_eq!(*shop.stored(), stored, "neither a look nor a refusal writes anything");
    shop.at("2026-09-09T09:00:00Z").order("3", goods("5.00"));
    let rows = &shop.ledger.postings[&shop.member];
    let expired = rows.iter().find(|r| r.entries.iter().any(|e| e.kind == EntryKind::Expire)).unwrap();
    assert_eq!(expired.effective_at, instant("2026-07-10T22:00:00Z"), "late, but dated from when it happened");
    assert_eq!(shop.spendable(), 5);
}
