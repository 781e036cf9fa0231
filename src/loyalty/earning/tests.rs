//! What rules award, and what counts for tiers.

use chrono::DateTime;
use proptest::prelude::*;
use uuid::Uuid;

use crate::kernel::id::{MemberId, Version};
use crate::kernel::money::{MONEY_MINOR_MAX, Money};
use crate::kernel::points::{POINTS_MAX, Points};
use crate::loyalty::earning::asked::{Asked, Matching, Trigger, ask};
use crate::loyalty::earning::credit::{TakenBack, credits};
use crate::loyalty::earning::model::{LineFigures, LineKind};
use crate::loyalty::earning::rows::{AwardTooLarge, Room, Row, award, by_line, earned};
use crate::loyalty::program::compile::compile;
use crate::loyalty::program::document::Document;
use crate::loyalty::program::facts::{Facts, LineFacts, MemberFacts, OrderFacts};
use crate::loyalty::program::model::{EarningRule, NetOf, Rulebook, SegmentSet, Slot};
use crate::loyalty::program::slots::{Slots, assign_slots};

const PROGRAM: &str = r#"
program = { name = "Acme", currency = "EUR", timezone = "UTC" }
[wallets]
points = { kind = "redeemable", value = "0.01" }
coins = { kind = "redeemable", value = "1.00" }
spend = { kind = "qualifying", counts = "spend" }
collected = { kind = "qualifying", counts = "points" }
visits = { kind = "qualifying", counts = "orders", window = "lifetime" }
[earning]
base = { wallet = "points", award = { per = "1.00", points = 3 } }
steps = { wallet = "coins", award = { per = "10.00", points = 2, step = true } }
more = { wallet = "points", award = { per = "1.00", points = 1 }, base = { net_of = [] } }
"#;

fn program(text: &str) -> Rulebook {
    let document = Document::from_toml(text).unwrap();
    let slots = assign_slots(&Slots::default(), &document).unwrap();
    compile(&document, Version(1), DateTime::UNIX_EPOCH, &slots).unwrap()
}

fn line(kind: LineKind, quantity: u32, minor: i64) -> LineFigures {
    let amount = Money::from_minor(minor).unwrap();
    let base = if kind == LineKind::Product { amount } else { Money::ZERO };
    let (zero, points_spent) = (Money::ZERO, Points::ZERO);
    LineFigures {
        kind,
        quantity,
        amount,
        discount: zero,
        charged: amount,
        tax: zero,
        points_spent,
        worth: zero,
        uncovered: zero,
        gift_card: zero,
        paid: amount,
        base,
    }
}

const ORDER: Trigger<'_> = Trigger::Order { enrols: false };

fn no_bound(_: &EarningRule) -> Room {
    Room::default()
}

/// What the rules award while no cap was touched.
fn rows<'a>(program: &'a Rulebook, lines: &[LineFigures]) -> Vec<Row<'a>> {
    award(&program.earning, ORDER, lines, DateTime::UNIX_EPOCH, (None, None), no_bound).unwrap().rows
}

/// Asks something with the facts of an order of these lines; the first is an `a`, the others are `b`.
fn asked<T>(book: &Rulebook, lines: &[LineFigures], question: impl FnOnce(&Facts<'_>) -> T) -> T {
    let stated = |(place, line): (usize, &LineFigures)| LineFacts {
        kind: line.kind,
        sku: if place == 0 { "a" } else { "b" },
        category: "",
        brand: "",
        quantity: line.quantity,
        amount: line.amount,
        attributes: None,
    };
    let stated: Vec<LineFacts<'_>> = lines.iter().enumerate().map(stated).collect();
    let total = lines.iter().fold(Money::ZERO, |sum, line| sum.plus(line.charged).unwrap());
    let order = OrderFacts {
        total,
        products: total,
        shipping: Money::ZERO,
        channel: "",
        store: "",
        quantity: 1,
        lines: &stated,
        attributes: None,
    };
    let member = MemberFacts {
        member: MemberId(Uuid::nil()),
        tier: None,
        segments: SegmentSet::default(),
        order_count: 0,
        days_since_last_order: None,
        days_enrolled: 0,
        attributes: None,
    };
    let (at, local) = (DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH.naive_utc());
    question(&Facts { book, at, local, member, order: Some(order), event: None })
}

fn numbers(points: &[Points]) -> Vec<i64> {
    points.iter().map(|p| p.get()).collect()
}

fn points(n: i64) -> Points {
    Points::try_from(n).unwrap()
}

#[test]
fn a_multiplier_is_spread_by_the_bases_of_all_that_it_multiplies() {
    let doubled = program(&format!("{PROGRAM}double = {{ wallet = \"points\", award = {{ multiply = \"2\" }} }}\n"));
    // Shipping is no base of `base`, but one of `more`.
    let lines = [line(LineKind::Product, 1, 1_000), line(LineKind::Shipping, 1, 1_000)];
    let found = rows(&doubled, &lines);
    let by_line: Vec<(&str, Vec<i64>)> =
        found.iter().map(|r| (r.rule().unwrap().code.as_str(), numbers(&r.by_line))).collect();
    assert_eq!(
        by_line,
        [("base", vec![30, 0]), ("steps", vec![2, 0]), ("more", vec![10, 10]), ("double", vec![33, 17])]
    );
    // Where the first of them has no base at all, the second alone says by what.
    let found = rows(&doubled, &lines[1..]);
    let by_line: Vec<(&str, Vec<i64>)> =
        found.iter().map(|r| (r.rule().unwrap().code.as_str(), numbers(&r.by_line))).collect();
    assert_eq!(by_line, [("more", vec![10]), ("double", vec![10])]);
}

#[test]
fn a_condition_that_leaves_out_no_line_spreads_as_none_does() {
    let double = "double = { wallet = \"points\", award = { multiply = \"2\" } }\n";
    let lines = [line(LineKind::Product, 1, 1_000), line(LineKind::Shipping, 1, 1_000)];
    let spread = |condition: &str| {
        let conditioned = PROGRAM.replace("net_of = [] }", &format!("net_of = [] }}, lines = '{condition}'"));
        let book = program(&format!("{conditioned}{double}"));
        asked(&book, &lines, |facts| {
            let awarded =
                award(&book.earning, ORDER, &lines, DateTime::UNIX_EPOCH, (Some(facts), None), no_bound).unwrap();
            numbers(&awarded.rows.last().unwrap().by_line)
        })
    };
    assert_eq!(spread("line.quantity > 0"), [33, 17]);
    // Shipping is left out, on which it would have awarded, and nothing else does.
    assert_eq!(spread("line.sku == \"a\""), [40, 0]);
    // The product is left out, on which the other one awards: each is worth what it awards.
    assert_eq!(spread("line.sku == \"b\""), [30, 10]);
}

#[test]
fn each_rule_is_a_row_floored_on_its_own() {
    let program = program(PROGRAM);
    let lines =
        [line(LineKind::Product, 1, 1_050), line(LineKind::Product, 2, 1_849), line(LineKind::Shipping, 1, 495)];
    let found_rows = rows(&program, &lines);
    let found: Vec<_> = found_rows
        .iter()
        .map(|r| (r.rule().unwrap().code.as_str(), r.wallet, r.points.get(), numbers(&r.by_line)))
        .collect();
    let want = [
        // 28.99 x 3 = 86.97, two full steps of 10.00, and 33.94 with the shipping.
        ("base", Slot(0), 86, vec![31, 55, 0]),
        ("steps", Slot(1), 4, vec![1, 3, 0]),
        ("more", Slot(0), 33, vec![10, 18, 5]),
    ];
    assert_eq!(found, want);
    assert_eq!((earned(&found_rows, Slot(0)), earned(&found_rows, Slot(1))), (Ok(points(119)), Ok(points(4))));
    let none = rows(&program, &[line(LineKind::Product, 1, 0)]);
    assert_eq!(none, []);
}

#[test]
fn qualifying_wallets_count_spend_points_or_the_order() {
    let program = program(PROGRAM);
    let lines =
        [line(LineKind::Product, 1, 1_050), line(LineKind::Product, 2, 1_849), line(LineKind::Shipping, 1, 495)];
    let found_rows = rows(&program, &lines);
    let all = credits(&program, &lines, &found_rows).unwrap();
    let by_line = |parts: &[i64]| TakenBack::ByLine(parts.iter().map(|n| points(*n)).collect());
    let found: Vec<_> = all.into_iter().map(|c| (c.wallet, c.points.get(), c.taken_back)).collect();
    let want = [
        (Slot(2), 2_899, by_line(&[1_050, 1_849, 0])),
        (Slot(3), 119, by_line(&[41, 73, 5])),
        (Slot(4), 1, TakenBack::Whole),
    ];
    assert_eq!(found, want);
    let free = [line(LineKind::Product, 1, 0)];
    assert_eq!(credits(&program, &free, &[]).unwrap().len(), 1, "a free order is an order");
}

#[test]
fn a_row_without_base_goes_by_charged_then_quantity_then_to_the_first_line() {
    let charged = [line(LineKind::Product, 1, 300), line(LineKind::Product, 1, 100)];
    assert_eq!(numbers(&by_line(points(4), &[0, 0], &charged, &Matching::ALL)), [3, 1]);
    let free = [line(LineKind::Product, 1, 0), line(LineKind::Product, 3, 0)];
    assert_eq!(numbers(&by_line(points(4), &[0, 0], &free, &Matching::ALL)), [1, 3]);
    let nothing = [line(LineKind::Product, 0, 0), line(LineKind::Product, 0, 0)];
    assert_eq!(numbers(&by_line(points(4), &[], &nothing, &Matching::ALL)), [4, 0]);
}

#[test]
fn a_row_is_spread_over_matching_lines_whatever_they_cost() {
    let last = "last = { wallet = \"coins\", lines = 'line.sku == \"b\"', award = { points = 5 } }\n";
    let mut program = program(&format!("{PROGRAM}{last}"));
    let rules = program.earning.split_off(3);
    let parts = |lines: &[LineFigures]| {
        let awarded = asked(&program, lines, |facts| {
            let awarded = award(&rules, ORDER, lines, DateTime::UNIX_EPOCH, (Some(facts), None), no_bound);
            awarded.unwrap().rows.remove(0).by_line
        });
        numbers(&awarded)
    };
    let of = |quantity, minor| line(LineKind::Product, quantity, minor);
    assert_eq!(parts(&[of(1, 900), of(1, 300), of(1, 200)]), [0, 3, 2]);
    assert_eq!(parts(&[of(9, 900), of(3, 0), of(2, 0)]), [0, 3, 2]);
    assert_eq!(parts(&[of(9, 900), of(0, 0), of(0, 0)]), [0, 5, 0]);
}

#[test]
fn a_rule_says_the_first_reason_why_it_does_not_apply() {
    let rule = |fields: &str| {
        let fixed = format!("award = {{ points = 1 }}, {fields}");
        let program = program(&PROGRAM.replace("award = { per = \"1.00\", points = 3 }", &fixed));
        let lines = [line(LineKind::Product, 1, 100), line(LineKind::Shipping, 1, 100)];
        let told =
            |facts: Option<&Facts<'_>>| match ask(&program.earning[0], ORDER, &lines, DateTime::UNIX_EPOCH, facts) {
                Asked::Applies(matching) => format!("{} {}", matching.has(0), matching.has(1)),
                Asked::NotScheduled | Asked::Beaten(_) => "not scheduled".to_owned(),
                Asked::Not(reason, None) => reason.name().to_owned(),
                Asked::Not(reason, Some(error)) => format!("{}: {error}", reason.name()),
            };
        (asked(&program, &lines, |facts| told(Some(facts))), told(None))
    };
    let (failed, unmatched) = ("condition_failed: `order` is not known", "no_matching_lines: `order` is not known");
    for (fields, want, without_facts) in [
        ("schedule = {}", "true true", "true true"),
        ("when = '1 / 0 > 1', schedule = { from = \"1999-01-01T00:00\" }", "not scheduled", "not scheduled"),
        ("when = 'order.total == 2', lines = 'line.sku == \"a\"'", "true false", failed),
        ("when = 'order.total > 2', lines = 'line.sku == \"\"'", "condition_false", failed),
        ("when = '1 / 0 > 1', lines = 'false'", "condition_failed: division by zero", failed),
        ("lines = 'line.sku == \"\"'", "no_matching_lines", unmatched),
        ("lines = 'line.amount / 0 > 1 || line.kind == \"shipping\"'", "false true", unmatched),
        ("lines = 'true'", "true false", unmatched),
        ("lines = '1 / 0 > 1'", "no_matching_lines: division by zero", unmatched),
    ] {
        assert_eq!(rule(fields), (want.to_owned(), without_facts.to_owned()), "{fields}");
    }
}

#[test]
fn no_order_earns_more_than_a_wallet_holds() {
    let per_cent =
        |points: i64| PROGRAM.replace("per = \"1.00\", points = 3", &format!("per = \"0.01\", points = {points}"));
    let most = [line(LineKind::Product, 1, MONEY_MINOR_MAX)];
    let program_of = |points| program(&per_cent(points));
    assert_eq!(rows(&program_of(999), &most)[0].points.get(), POINTS_MAX / 1_000 * 999);
    let too_much = program_of(1_000);
    assert_eq!(
        award(&too_much.earning, ORDER, &most, DateTime::UNIX_EPOCH, (None, None), no_bound),
        Err(AwardTooLarge),
        "both rows together"
    );
}

proptest! {
    #[test]
    fn rows_sum_to_their_lines(minors in prop::collection::vec((0..=2_000_000_i64, any::<bool>()), 1..8), net in any::<bool>()) {
        let kind = |ship| if ship { LineKind::Shipping } else { LineKind::Product };
        let lines: Vec<_> = minors.iter().map(|(minor, ship)| line(kind(*ship), 1, *minor)).collect();
        let mut program = program(PROGRAM);
        program.earning[0].net_of = if net { NetOf::ALL } else { NetOf::NOTHING };
        for row in rows(&program, &lines) {
            prop_assert_eq!(numbers(&row.by_line).iter().sum::<i64>(), row.points.get());
        }
    }
}
