//! G3 of golden.md: the tier year, to the instant.

use crate::loyalty::program::model::tiers::Ladder;
use crate::loyalty::tiers::cases::{Member, instant, ladder_of, zone};
use crate::loyalty::tiers::standing::Why;

/// Gold from 1,000.00 of a calendar year, in cents.
fn g3(downgrade: &str) -> Ladder {
    let rules = format!("valid = \"end_of_next_period\"\ndowngrade = {{ at = \"period_end\", {downgrade} }}");
    let tiers = r#"ladder = [{ code = "silver", from = "25000" }, { code = "gold", from = "100000", earn = "1.5" }]"#;
    ladder_of("\"calendar_year\"", &rules, tiers)
}

fn gold(downgrade: &str) -> Member {
    let mut member = Member::enrolled(g3(downgrade), zone("Europe/Amsterdam"), instant("2026-05-01T12:00:00Z"));
    assert_eq!((member.tier(), member.next_change()), ("-", None));
    // 23:30 on the last day of the year.
    member.at("2026-12-31T22:30:00Z").earns(105_000);
    assert_eq!(member.held(), "gold to 2027-12-31");
    member.at("2026-12-31T23:00:00Z");
    assert_eq!((member.held().as_str(), member.balance()), ("gold to 2027-12-31", 0));
    member.at("2027-06-01T12:00:00Z").earns(40_000);
    member.at("2027-12-31T22:59:59.999999Z");
    assert_eq!((member.held().as_str(), member.balance()), ("gold to 2027-12-31", 40_000));
    member
}

const ONE_DOWN: &str = "to = \"one_down\", grace = \"P30D\"";

#[test]
fn g3_gold_lasts_to_the_end_of_the_next_year_and_its_grace() {
    let mut member = gold(ONE_DOWN);
    member.at("2027-12-31T23:00:00Z");
    assert_eq!((member.tier(), member.balance()), ("gold", 0));
    assert_eq!(member.held(), "gold to 2027-12-31, silver from 2028-01-31");
    assert_eq!(member.next_change(), Some(instant("2028-01-30T23:00:00Z")));
    member.at("2028-01-30T22:59:59.999999Z");
    assert_eq!(member.tier(), "gold");
    member.at("2028-01-30T23:00:00Z");
    assert_eq!(member.held(), "silver to 2028-12-31");
    let why: Vec<Why> = member.steps.iter().map(|step| step.why).collect();
    assert_eq!(why, [Why::Reached, Why::PeriodClosed, Why::GraceOver]);
    // A year with nothing in it: one more step down, after its grace.
    member.at("2028-12-31T23:00:00Z");
    assert_eq!(member.held(), "silver to 2028-12-31, - from 2029-01-31");
    member.at("2029-01-30T23:00:00Z");
    assert_eq!((member.held().as_str(), member.tier(), member.next_change()), ("-", "-", None));
}

#[test]
fn g3_gold_is_kept_if_it_is_reached_within_the_grace() {
    let mut member = gold(ONE_DOWN);
    member.at("2028-01-15T12:00:00Z").earns(99_999);
    assert_eq!(member.held(), "gold to 2027-12-31, silver from 2028-01-31");
    member.at("2028-01-30T22:59:59Z").earns(1);
    assert_eq!(member.held(), "gold to 2029-12-31");
    assert_eq!(member.standing.held.unwrap().since, instant("2026-12-31T22:30:00Z"), "it was never lost");
}

#[test]
fn g3_without_grace_the_fall_is_at_the_first_instant_of_the_year() {
    for (downgrade, held) in
        [("to = \"one_down\"", "silver to 2028-12-31"), ("to = \"earned\"", "silver to 2028-12-31")]
    {
        let mut member = gold(downgrade);
        member.at("2027-12-31T23:00:00Z");
        assert_eq!((member.held().as_str(), member.balance()), (held, 0));
    }
}

#[test]
fn the_review_sees_the_year_before_its_lots_expire() {
    let mut member = gold(ONE_DOWN);
    member.earns(60_000);
    member.at("2027-12-31T23:00:00Z");
    assert_eq!((member.held().as_str(), member.balance()), ("gold to 2028-12-31", 0));
}
