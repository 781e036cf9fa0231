//! A second version multiplies, and its cap cuts, by the calendar month of the business day (golden.md R3 and R4).

use crate::loyalty::checkout::cases::{Shop, all, amount, goods, lines, pieces, program};
use crate::loyalty::checkout::receipt::{CutName, OrderReceipt, ReturnReceipt, RowReceipt};

/// What the rule `double` gave by rule, in points, with what it would have been.
pub fn rows(receipt: &OrderReceipt) -> Vec<(&str, i64, Option<i64>)> {
    receipt.rows.iter().map(|row: &RowReceipt| (row.rule.as_str(), row.points, row.uncut)).collect()
}

pub fn skipped(receipt: &OrderReceipt) -> Vec<(&str, &str)> {
    receipt.skipped.iter().map(|skipped| (skipped.rule.as_str(), skipped.reason.as_str())).collect()
}

pub fn given_back(receipt: &ReturnReceipt) -> Vec<(&str, i64)> {
    receipt.given_back.iter().map(|back| (back.rule.as_str(), back.points)).collect()
}

/// From December on, twice the points: 150 more a month at most.
fn december() -> Shop {
    let plain = program("expiry = \"never\"", "");
    let double = format!(
        "{plain}[earning.double]\naward = {{ multiply = \"2\" }}\nschedule = {{ from = \"2026-12-01T00:00\", until = \"2027-02-01T00:00\" }}\n\
         caps = {{ per_member = {{ points = 150, each = \"P1M\" }} }}\n"
    );
    Shop::with_versions("2026-11-20T12:00:00Z", &[("2026-11-20T12:00:00Z", &plain), ("2026-11-25T12:00:00Z", &double)])
}

#[test]
fn a_second_version_multiplies_and_its_cap_cuts() {
    let mut shop = december();
    assert_eq!(rows(&shop.order("1", goods("100.00"))), [("base", 100, None)]);
    // Midnight in Amsterdam.
    shop.at("2026-11-30T22:59:59Z");
    assert_eq!(rows(&shop.order("2", goods("100.00"))), [("base", 100, None)]);
    shop.at("2026-11-30T23:00:00Z");
    assert_eq!(rows(&shop.order("3", goods("100.99"))), [("base", 100, None), ("double", 100, None)]);
    let cut = shop.order("4", lines(&[("1", 1, "70.00"), ("2", 1, "30.00")]));
    assert_eq!(rows(&cut), [("base", 100, None), ("double", 50, Some(100))]);
    assert_eq!(cut.rows[1].cut_by, Some(CutName::Cap));
    let of_lines: Vec<i64> = cut.rows[1].lines.iter().map(|part| part.points).collect();
    assert_eq!(of_lines, [35, 15]);
    let none = shop.order("5", goods("100.00"));
    assert_eq!((rows(&none), skipped(&none)), (vec![("base", 100, None)], vec![("double", "cap_reached")]));
    shop.at("2026-12-31T23:00:00Z");
    assert_eq!(rows(&shop.order("6", goods("100.00"))), [("base", 100, None), ("double", 100, None)]);
    shop.at("2027-01-31T23:00:00Z");
    let over = shop.order("7", goods("100.00"));
    assert_eq!((rows(&over), skipped(&over)), (vec![("base", 100, None)], vec![]));
}

#[test]
fn a_return_gives_the_cap_back_to_its_month() {
    let mut shop = december();
    shop.at("2026-12-10T12:00:00Z").order("1", lines(&[("a", 2, "100.00")]));
    shop.order("2", goods("100.00"));
    shop.at("2027-01-10T12:00:00Z").order("3", goods("120.00"));
    // Back in January, and it can be had again in December.
    let half = shop.give_back("1", "r1", pieces(&[("a", 1)]));
    assert_eq!((given_back(&half), half.clawed_back.len()), (vec![("double", 50)], 2));
    assert_eq!(rows(&shop.order("4", goods("100.00"))), [("base", 100, None), ("double", 30, Some(100))]);
    let late = shop.late_order("2026-12-20T12:00:00Z", "5", goods("80.00"));
    assert_eq!(rows(&late), [("base", 80, None), ("double", 50, Some(80))]);
    // What was cut gives back what it got: line by line, however it is split.
    assert_eq!(given_back(&shop.give_back("2", "r2", amount("30.00"))), [("double", 15)]);
    assert_eq!(given_back(&shop.give_back("2", "r3", all())), [("double", 35)]);
    let again = shop.late_order("2026-12-21T12:00:00Z", "6", goods("80.00"));
    assert_eq!(rows(&again), [("base", 80, None), ("double", 50, Some(80))]);
}

#[test]
fn what_came_back_after_two_years_opens_no_month_again() {
    let mut shop = december();
    shop.at("2026-12-10T12:00:00Z").order("1", goods("100.00"));
    shop.at("2029-02-10T12:00:00Z").order("2", goods("1.00"));
    assert_eq!(shop.stored().usage, []);
    assert_eq!(given_back(&shop.give_back("1", "r1", all())), [("double", 100)]);
    assert_eq!(shop.stored().usage, []);
}

#[test]
fn a_merge_tells_what_its_time_remembers_whatever_was_posted_in_between() {
    // The last moment at which December is remembered, and the first at which it is not; nothing was due before either.
    for (at, told) in [("2029-01-01T23:59:59Z", true), ("2029-01-02T00:00:00Z", false)] {
        let mut shop = december();
        shop.at("2026-12-10T12:00:00Z").order("1", goods("100.00"));
        let source = shop.member;
        shop.at(at).merge_into(3);
        let merged = shop.ledger.postings[&source].last().map(|row| row.document.contains("\"used\""));
        assert_eq!(merged, Some(told), "{at}");
    }
}

#[test]
fn caps_of_merged_members_count_together() {
    let mut shop = december();
    shop.at("2026-12-10T12:00:00Z").order("1", goods("100.00"));
    shop.merge_into(3);
    assert_eq!(rows(&shop.order("2", goods("100.00"))), [("base", 100, None), ("double", 50, Some(100))]);
    assert_eq!(given_back(&shop.give_back("1", "r1", all())), [("double", 100)]);
    assert_eq!(rows(&shop.order("3", goods("100.00"))), [("base", 100, None), ("double", 100, None)]);
}

#[test]
fn several_rules_are_multiplied_as_one_and_floored_once() {
    let document = program("expiry = \"never\"", "")
        + "[earning.steps]\naward = { per = \"10.00\", points = 3, step = true }\n\
           [earning.visit]\naward = { points = 5 }\n\
           [earning.half_more]\naward = { multiply = \"1.5\" }\n";
    let mut shop = Shop::new("2026-12-10T12:00:00Z", &document);
    // 25.50 + 2 steps of 3 = 31.50, half of it 15.75; what is given for coming is not multiplied.
    let receipt = shop.order("1", goods("25.50"));
    let found = rows(&receipt);
    assert_eq!(found, [("base", 25, None), ("steps", 6, None), ("visit", 5, None), ("half_more", 15, None)]);
}
