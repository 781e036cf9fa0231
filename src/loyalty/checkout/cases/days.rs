//! G3 of golden.md: days, expiry, and points that come back when they are over.

use chrono::Duration;

use crate::loyalty::checkout::cases::{Shop, all, amount, day, goods, instant, lots, paid_with, pieces, program};
use crate::loyalty::checkout::receipt::ReturnReceipt;
use crate::loyalty::ledger::catch_up::next_change;
use crate::loyalty::ledger::entry::EntryKind;

/// Ordered, local day, available, last day, gone at.
const DAYS: [[&str; 5]; 5] = [
    ["2026-01-31T22:30:00Z", "2026-01-31", "2026-02-13T23:00:00Z", "2027-01-31", "2027-01-31T23:00:00Z"],
    ["2026-01-31T23:30:00Z", "2026-02-01", "2026-02-14T23:00:00Z", "2027-02-28", "2027-02-28T23:00:00Z"],
    ["2026-03-15T12:00:00Z", "2026-03-15", "2026-03-28T23:00:00Z", "2027-03-31", "2027-03-31T22:00:00Z"],
    ["2026-10-12T12:00:00Z", "2026-10-12", "2026-10-25T23:00:00Z", "2027-10-31", "2027-10-31T23:00:00Z"],
    ["2028-02-29T12:00:00Z", "2028-02-29", "2028-03-13T23:00:00Z", "2029-02-28", "2029-02-28T23:00:00Z"],
];

const WAITS: &str = "pending = { after = \"P14D\" }, expiry = { after = \"P12M\", round = \"end_of_month\" }";

#[test]
fn pain_7_points_wait_and_end_at_local_midnight_also_at_month_ends_and_clock_changes() {
    for [ordered, local_day, available, last_day, gone] in DAYS {
        let mut shop = Shop::new(ordered, &program(WAITS, ""));
        let receipt = shop.order("1", goods("100.00"));
        assert_eq!(receipt.ordered_on, day(local_day));
        let earned = receipt.earned.iter().find(|e| e.wallet == "points").unwrap();
        assert_eq!((earned.available_at, earned.expires_on), (Some(instant(available)), Some(day(last_day))));
        let moments = [
            (instant(ordered), [100, 0]),
            (instant(available) - Duration::microseconds(1), [100, 0]),
            (instant(available), [0, 100]),
            (instant(gone) - Duration::microseconds(1), [0, 100]),
            (instant(gone), [0, 0]),
        ];
        for (at, [pending, spendable]) in moments {
            shop.now = at;
            let figures = shop.figures();
            assert_eq!([figures.pending.get(), figures.spendable.get()], [pending, spendable], "{ordered} at {at}");
            assert_eq!(figures.expired.get(), 100 - pending - spendable);
        }
    }
}

#[test]
fn an_account_knows_when_it_changes_next() {
    let [ordered, _, available, _, gone] = DAYS[2];
    let mut shop = Shop::new(ordered, &program(WAITS, ""));
    let next = |shop: &Shop| next_change(&shop.seen(), &shop.timeline);
    assert_eq!(next(&shop), None);
    shop.order("1", goods("100.00"));
    assert_eq!(next(&shop), Some(instant(available)), "a lot that waits and ends changes first when it is available");
    shop.at(available);
    assert_eq!(next(&shop), Some(instant(gone)));
    shop.at(gone);
    assert_eq!(next(&shop), None);
}

/// Grace; what is there after the return, until 2027-03-12; what expired of 500 by then.
const GRACE: [(&str, i64, i64); 2] = [(", restore_grace = \"P30D\"", 180, 320), ("", 0, 500)];

#[test]
fn points_that_come_back_when_they_are_over_live_for_the_grace_or_end_at_once() {
    for (grace, left, expired) in GRACE {
        let there: Vec<_> = lots(&[(left, "2027-03-12")]).into_iter().filter(|lot| lot.0 > 0).collect();
        let document = program(&format!("expiry = {{ after = \"P12M\"{grace} }}"), "");
        let mut shop = Shop::new("2026-12-01T12:00:00Z", &document);
        shop.bring(500, "2027-01-31");
        shop.at("2027-01-31T22:50:00Z").order("1", paid_with(180, goods("1.80")));
        shop.at("2027-02-10T12:00:00Z").give_back("1", "r", pieces(&[("1", 1)]));
        assert_eq!(shop.lots(), there);
        let figures = shop.figures();
        assert_eq!((figures.spent.get(), figures.expired.get()), (0, expired));
        shop.at("2027-03-12T22:59:59Z");
        assert_eq!(shop.lots(), there);
        shop.at("2027-03-12T23:00:00Z");
        assert_eq!((shop.lots(), shop.figures().expired.get()), (Vec::new(), 500));
    }
}

#[test]
fn what_comes_back_out_of_many_lots_that_are_over_comes_back_as_one() {
    let document = program("expiry = { after = \"P12M\", restore_grace = \"P30D\" }", "");
    let mut shop = Shop::new("2026-12-01T12:00:00Z", &document);
    // More than a posting may open.
    for n in 1..=300 {
        let last = day("2026-12-31") + Duration::days(n % 20);
        shop.bring(n, &last.to_string());
    }
    shop.order("1", paid_with(45_150, goods("451.50")));
    shop.at("2027-02-10T12:00:00Z").give_back("1", "r", all());
    assert_eq!(shop.lots(), lots(&[(45_150, "2027-03-12")]));
}

#[test]
fn activity_keeps_inactive_points_alive_and_a_return_does_not_undo_it() {
    let mut shop = Shop::new("2026-01-10T12:00:00Z", &program("expiry = { inactive = \"P6M\" }", ""));
    shop.order("1", goods("100.00"));
    shop.at("2026-06-10T12:00:00Z").order("2", goods("10.00"));
    shop.give_back("2", "r", all());
    shop.at("2026-12-10T22:59:59Z");
    assert_eq!(shop.spendable(), 100);
    shop.at("2026-12-10T23:00:00Z");
    assert_eq!((shop.spendable(), shop.figures().expired.get()), (0, 100));
    shop.at("2027-01-10T12:00:00Z").order("3", goods("7.00"));
    assert_eq!(shop.spendable(), 7, "what is over stays over");
}

#[test]
fn what_expired_unused_is_forgiven_when_its_order_comes_back() {
    for policy in ["pending_only", "within_balance", "allow"] {
        let document = program(&format!("expiry = {{ after = \"P1M\" }}, returns = \"{policy}\""), "");
        let mut shop = Shop::new("2026-01-10T12:00:00Z", &document);
        shop.order("1", goods("100.00"));
        shop.order("2", paid_with(40, goods("0.40")));
        // Nobody has posted since the 60 went: the return itself catches up.
        let receipt = shop.at("2026-03-01T12:00:00Z").give_back("1", "r1", amount("50.00"));
        let back = |receipt: &ReturnReceipt| {
            let back = receipt.points_clawed_back("points").next().unwrap();
            [back.forgiven, back.taken, back.waived + back.owed]
        };
        assert_eq!(back(&receipt), [50, 0, 0], "{policy}");
        let rest = shop.give_back("1", "r2", all());
        assert_eq!(back(&rest), [10, 0, 40], "{policy}");
        assert_eq!(shop.debt(), if policy == "allow" { 40 } else { 0 });
    }
}

#[test]
fn a_late_order_comes_to_the_same_as_one_in_time_and_what_is_over_ends_in_its_posting() {
    let waits = "pending = { after = \"P14D\" }, expiry = { after = \"P2M\" }";
    let mut shop = Shop::new("2026-06-10T12:00:00Z", &program(waits, ""));
    let earned = |shop: &mut Shop, ordered, reference| {
        let receipt = shop.late_order(ordered, reference, goods("100.00"));
        receipt.earned.into_iter().find(|e| e.wallet == "points").unwrap()
    };
    shop.at("2026-08-20T12:00:00Z");
    let waiting = earned(&mut shop, "2026-08-10T12:00:00Z", "waits");
    assert_eq!(waiting.available_at, Some(instant("2026-08-23T22:00:00Z")));
    let there = earned(&mut shop, "2026-07-10T12:00:00Z", "there");
    assert_eq!((there.available_at, there.expires_on), (None, Some(day("2026-09-10"))), "it has waited already");
    earned(&mut shop, "2026-06-15T12:00:00Z", "over");
    let kinds: Vec<_> = shop.ledger.postings[&shop.member].last().unwrap().entries.iter().map(|e| e.kind).collect();
    assert_eq!(kinds, [EntryKind::Award, EntryKind::Expire, EntryKind::Award], "the last counts for tiers");
    let figures = shop.figures();
    assert_eq!([figures.pending, figures.spendable, figures.expired].map(|p| p.get()), [100, 100, 100]);
}

#[test]
fn a_late_award_repays_debt_unless_it_is_over() {
    let mut shop = Shop::new("2026-06-10T12:00:00Z", &program("expiry = { after = \"P2M\" }, returns = \"allow\"", ""));
    shop.order("1", goods("100.00"));
    shop.order("2", paid_with(100, goods("1.00")));
    shop.give_back("1", "r", all());
    assert_eq!(shop.debt(), 100);
    shop.at("2026-09-01T12:00:00Z").late_order("2026-06-20T12:00:00Z", "over", goods("30.00"));
    assert_eq!((shop.debt(), shop.figures().expired.get()), (100, 30));
    shop.late_order("2026-08-20T12:00:00Z", "there", goods("30.00"));
    assert_eq!((shop.spendable(), shop.debt()), (0, 70));
}

#[test]
fn a_late_order_keeps_inactive_points_alive_as_its_own_day_says() {
    let long = program("expiry = { inactive = \"P12M\" }", "");
    let short = program("expiry = { inactive = \"P1M\" }", "");
    let versions = [("2026-01-01T00:00:00Z", long.as_str()), ("2026-06-01T00:00:00Z", short.as_str())];
    let mut shop = Shop::with_versions("2026-01-10T12:00:00Z", &versions);
    shop.order("1", goods("100.00"));
    shop.at("2026-06-10T12:00:00Z").late_order("2026-05-20T12:00:00Z", "late", goods("10.00"));
    shop.order("now", goods("1.00"));
    assert_eq!(shop.at("2027-05-20T21:59:59Z").spendable(), 111, "a shorter term brings no end forward");
    assert_eq!(shop.at("2027-05-20T22:00:00Z").spendable(), 0);
}

#[test]
fn a_lot_that_is_over_when_it_would_be_available_repays_nothing() {
    let mut shop = Shop::new("2026-06-10T12:00:00Z", &program("returns = \"allow\"", ""));
    shop.order("1", goods("100.00"));
    shop.order("2", paid_with(100, goods("1.00")));
    shop.give_back("1", "r", all());
    shop.bring_waiting(40, Some("2026-07-01"), "2026-06-30");
    shop.at("2026-07-01T12:00:00Z");
    assert_eq!((shop.spendable(), shop.debt(), shop.figures().expired.get()), (0, 100, 40));
}
