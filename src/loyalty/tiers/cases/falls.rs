//! How tiers are kept and lost.

use crate::kernel::calendar::Zone;
use crate::kernel::id::Seq;
use crate::loyalty::program::model::tiers::TierMapping;
use crate::loyalty::tiers::cases::{Lot, Member, day, instant, ladder, ladder_of, zone};
use crate::loyalty::tiers::standing::{PAST_TIERS_MAX, Past, Why, at, prune};

const CALENDAR: &str = "\"calendar_year\"";

fn member(window: &str, rules: &str, now: &str) -> Member {
    Member::enrolled(ladder(window, rules), Zone::UTC, instant(now))
}

#[test]
fn one_down_goes_through_the_whole_ladder_a_period_each() {
    let mut member = member(CALENDAR, "downgrade = { to = \"one_down\" }", "2026-03-01T12:00:00Z");
    member.earns(5_000);
    let mut held = vec![member.held()];
    for year in 2027..=2033 {
        member.at(&format!("{year}-01-01T00:00:00Z"));
        held.push(member.held());
    }
    let years = ["platinum to 2027-12-31", "platinum to 2027-12-31", "gold to 2028-12-31", "silver to 2029-12-31"];
    assert_eq!(held, [years.as_slice(), &["bronze to 2030-12-31", "-", "-", "-"]].concat());
}

#[test]
fn earned_goes_to_what_the_closed_period_earned() {
    let mut member = member(CALENDAR, "downgrade = { to = \"earned\", grace = \"P2M\" }", "2026-03-01T12:00:00Z");
    member.earns(5_000);
    member.at("2027-06-01T00:00:00Z").earns(300);
    member.at("2028-01-01T00:00:00Z");
    assert_eq!(member.held(), "platinum to 2027-12-31, silver from 2028-03-01");
    // More than what it falls to and less than what is held: the fall is softer.
    member.at("2028-02-29T00:00:00Z").earns(1_200);
    assert_eq!(member.held(), "platinum to 2027-12-31, silver from 2028-03-01");
    member.at("2028-03-01T00:00:00Z");
    assert_eq!(member.held(), "gold to 2028-12-31");
}

#[test]
fn a_grace_that_ends_raises_nobody() {
    let mut member = member(CALENDAR, "downgrade = { to = \"earned\", grace = \"P2M\" }", "2026-03-01T12:00:00Z");
    member.earns(300);
    member.at("2028-02-01T00:00:00Z");
    assert_eq!(member.held(), "silver to 2027-12-31, - from 2028-03-01");
    // Whoever is suspended reaches nothing by what comes.
    member.lots.push(Lot { order: Seq(9), last: None, points: 1_000 });
    member.at("2028-03-01T00:00:00Z");
    assert_eq!(member.held(), "silver to 2028-12-31");
}

#[test]
fn a_rolling_window_is_below_when_its_lots_leave_it() {
    let rules = "downgrade = { at = \"when_below\", to = \"one_down\", grace = \"P30D\" }";
    let mut member = member("{ rolling = \"P12M\" }", rules, "2026-01-31T12:00:00Z");
    member.earns(1_000);
    assert_eq!(member.held(), "gold to ever");
    member.at("2027-01-31T00:00:00Z");
    assert_eq!(member.held(), "gold to ever, silver from 2027-03-02");
    member.at("2027-03-02T00:00:00Z");
    // Silver is not earned either: the next grace begins.
    assert_eq!(member.held(), "silver to ever, bronze from 2027-04-01");
    member.at("2027-03-15T00:00:00Z").earns(250);
    assert_eq!(member.held(), "silver to ever");
    member.at("2030-01-01T00:00:00Z");
    assert_eq!(member.held(), "-");
}

#[test]
fn a_tier_with_a_day_is_not_looked_at_before_it() {
    let rules = "valid = \"P18M\"\ndowngrade = { to = \"one_down\" }";
    let mut member = member("{ rolling = \"P12M\" }", rules, "2026-01-31T12:00:00Z");
    member.earns(1_000);
    assert_eq!(member.held(), "gold to 2027-07-31");
    member.at("2027-07-31T23:59:59Z");
    assert_eq!(member.held(), "gold to 2027-07-31");
    member.at("2027-08-01T00:00:00Z");
    assert_eq!(member.held(), "silver to 2029-02-01");
}

#[test]
fn lifetime_tiers_stay_and_never_is_never() {
    let mut life = member("\"lifetime\"", "", "2026-01-31T12:00:00Z");
    life.earns(1_000);
    let mut never = member(CALENDAR, "downgrade = \"never\"", "2026-01-31T12:00:00Z");
    never.earns(1_000);
    for member in [&mut life, &mut never] {
        member.at("2076-01-01T00:00:00Z");
        assert_eq!(member.held(), "gold to ever");
    }
}

#[test]
fn who_enrolled_on_29_february_is_reviewed_on_the_28th() {
    let mut member = member("\"anniversary\"", "downgrade = { grace = \"P1M\" }", "2024-02-29T12:00:00Z");
    member.earns(1_000);
    assert_eq!(member.held(), "gold to 2026-02-27");
    member.at("2026-02-28T00:00:00Z");
    assert_eq!(member.held(), "gold to 2026-02-27, - from 2026-03-28");
    member.at("2027-02-28T12:00:00Z").earns(300);
    assert_eq!(member.held(), "silver to 2029-02-27", "2028-02-29 is an anniversary again");
}

#[test]
fn on_29_february_a_year_of_validity_ends_on_the_28th() {
    let mut member = member("{ rolling = \"P12M\" }", "valid = \"P12M\"", "2028-02-29T12:00:00Z");
    member.earns(1_000);
    assert_eq!((member.held().as_str(), member.lots[0].last), ("gold to 2029-02-28", Some(day("2029-02-27"))));
    member.at("2029-02-28T00:00:00Z");
    assert_eq!((member.tier(), member.balance()), ("gold", 0));
    member.at("2029-03-01T00:00:00Z");
    assert_eq!(member.tier(), "-");
}

#[test]
fn reviews_are_at_the_first_instant_of_the_local_day() {
    // In São Paulo the day began at 01:00; in Samoa the 30th of December 2011 was left out.
    let instants = [
        ("America/Sao_Paulo", "{ rolling = \"P1D\" }", "2018-11-03T15:00:00Z", "2018-11-04T03:00:00Z"),
        ("Pacific/Apia", "\"anniversary\"", "2010-12-30T22:00:00Z", "2011-12-30T10:00:00Z"),
        ("Asia/Kathmandu", CALENDAR, "2026-05-01T00:00:00Z", "2026-12-31T18:15:00Z"),
    ];
    for (name, window, enrolled, review) in instants {
        let rules = if window.contains("rolling") { "" } else { "valid = \"P1D\"" };
        let mut member = Member::enrolled(ladder(window, rules), zone(name), instant(enrolled));
        member.earns(1_000);
        assert_eq!(member.next_change(), Some(instant(review)), "{name}");
        member.at(review);
        assert_eq!(member.balance(), 0, "{name}");
        assert_eq!(member.tier(), if window.contains("rolling") { "-" } else { "gold" }, "{name}");
    }
}

#[test]
fn a_granted_tier_lies_over_the_earned_one() {
    let mut member = member(CALENDAR, "", "2026-03-01T12:00:00Z");
    member.earns(300);
    member.is_given("gold", Some(day("2026-06-30")));
    assert_eq!((member.tier(), member.held().as_str()), ("gold", "silver to 2027-12-31"));
    // A better one is earned beside it, and a worse one that is given takes nothing.
    member.at("2026-04-01T00:00:00Z").earns(5_000);
    assert_eq!(member.tier(), "platinum");
    member.is_given("bronze", None);
    assert_eq!(member.tier(), "platinum");
    member.is_given("platinum", Some(day("2027-06-30")));
    member.at("2027-07-01T00:00:00Z");
    let over = member.steps.last().unwrap();
    assert_eq!((over.why, over.at, over.before == over.after), (Why::GrantOver, instant("2027-07-01T00:00:00Z"), true));
    assert_eq!(member.next_change(), Some(instant("2028-01-01T00:00:00Z")));
    member.at("2028-01-01T00:00:00Z");
    assert_eq!((member.tier(), member.standing.granted), ("-", None));
}

#[test]
fn a_grant_and_a_grace_that_end_together_are_two_steps() {
    let mut member = member(CALENDAR, "downgrade = { grace = \"P30D\" }", "2026-03-01T12:00:00Z");
    member.earns(300);
    member.is_given("gold", Some(day("2028-01-30")));
    member.at("2028-01-31T00:00:00Z");
    let last: Vec<_> = member.steps.iter().rev().take(2).map(|step| (step.why, member.code(step.after))).collect();
    assert_eq!(last, [(Why::GraceOver, "-"), (Why::GrantOver, "silver")]);
}

#[test]
fn everybody_stands_on_the_tier_from_zero() {
    let tiers = r#"ladder = [{ code = "member", from = "0" }, { code = "silver", from = "250" }]"#;
    let ladder = ladder_of(CALENDAR, "downgrade = { to = \"one_down\" }", tiers);
    let mut member = Member::enrolled(ladder.clone(), Zone::UTC, instant("2026-03-01T12:00:00Z"));
    assert_eq!((member.tier(), member.held().as_str()), ("member", "-"));
    member.earns(100);
    assert_eq!((member.tier(), member.steps.len()), ("member", 0));
    member.earns(150);
    assert_eq!(member.tier(), "silver");
    member.at("2028-01-01T00:00:00Z");
    assert_eq!((member.tier(), member.held().as_str(), member.next_change()), ("member", "-", None));
    assert_eq!(member.gets(ladder, &TierMapping::default()), None);
}

#[test]
fn a_late_order_finds_the_tier_of_its_day() {
    let mut member = member(CALENDAR, "", "2026-03-01T12:00:00Z");
    member.earns(300);
    member.at("2026-05-01T12:00:00Z").is_given("platinum", Some(day("2026-05-31")));
    member.at("2026-07-01T12:00:00Z").earns(700);
    member.at("2030-01-01T00:00:00Z");
    let tiers = [
        ("2026-03-01T11:59:59Z", "-"),
        ("2026-03-01T12:00:00Z", "silver"),
        ("2026-05-01T11:59:59Z", "silver"),
        ("2026-05-01T12:00:00Z", "platinum"),
        ("2026-05-31T23:59:59Z", "platinum"),
        ("2026-06-01T00:00:00Z", "silver"),
        ("2026-07-01T12:00:00Z", "gold"),
        ("2027-12-31T23:59:59Z", "gold"),
        ("2028-01-01T00:00:00Z", "-"),
    ];
    for (then, tier) in tiers {
        assert_eq!(member.code(at(&member.standing, &member.ladder, instant(then))), tier, "{then}");
    }
    prune(&mut member.standing, instant("2026-06-01T00:00:00Z"));
    assert_eq!(member.standing.past.len(), 2);
}

#[test]
fn a_standing_remembers_so_many_tiers_and_the_newest() {
    let mut member = member(CALENDAR, "", "2026-03-01T12:00:00Z");
    let tier = member.slot("gold");
    let hour = |n: usize| instant("2026-03-01T12:00:00Z") + chrono::Duration::hours(n.try_into().unwrap());
    for n in (0..100).rev() {
        member.standing.remember(Past { tier, since: hour(n), until: hour(n + 1) });
    }
    assert_eq!(member.standing.past.len(), PAST_TIERS_MAX);
    assert_eq!(member.standing.past.first().unwrap().since, hour(100 - PAST_TIERS_MAX));
    assert!(member.standing.past.is_sorted_by_key(|past| past.until));
}
