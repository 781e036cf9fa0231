//! Returns, versions and merges.

use crate::kernel::calendar::Zone;
use crate::loyalty::program::model::TierSlot;
use crate::loyalty::program::model::tiers::{Ladder, TierMapping};
use crate::loyalty::tiers::cases::{Member, day, instant, ladder, ladder_of};
use crate::loyalty::tiers::merge::merge;
use crate::loyalty::tiers::reach::reach;
use crate::loyalty::tiers::standing::{Standing, Why, at};
use crate::loyalty::tiers::version::{NewLadder, start_version};

const CALENDAR: &str = "\"calendar_year\"";
const GRACE: &str = "downgrade = { to = \"one_down\", grace = \"P30D\" }";

fn member(rules: &str) -> Member {
    Member::enrolled(ladder(CALENDAR, rules), Zone::UTC, instant("2026-03-01T12:00:00Z"))
}

/// A calendar year with these thresholds instead.
fn raised(tiers: &str) -> Ladder {
    let entries = tiers.split_whitespace().map(|tier| {
        let (code, from) = tier.split_once(':').unwrap();
        format!("{{ code = \"{code}\", from = \"{from}\" }}")
    });
    ladder_of(CALENDAR, GRACE, &format!("ladder = [{}]", entries.collect::<Vec<_>>().join(", ")))
}

#[test]
fn a_return_takes_the_upgrade_that_it_paid_for_and_no_other() {
    let mut member = member(GRACE);
    let first = member.earns(300);
    member.at("2026-04-01T12:00:00Z");
    let second = member.earns(800);
    assert_eq!(member.tier(), "gold");
    member.returns(first, 300);
    assert_eq!(member.tier(), "gold", "another order reached gold");
    member.at("2026-05-01T12:00:00Z").returns(second, 800);
    let step = member.steps.last().unwrap();
    assert_eq!((step.why, member.held().as_str()), (Why::TakenBack, "silver to 2027-12-31"));
    assert_eq!(member.code(at(&member.standing, &member.ladder, instant("2026-04-01T12:00:00Z"))), "gold");
}

#[test]
fn a_part_of_an_order_keeps_what_the_rest_earns() {
    let mut member = member(GRACE);
    let order = member.earns(5_000);
    member.at("2026-04-01T12:00:00Z").returns(order, 1);
    assert_eq!(member.tier(), "gold");
    // What is left of it is still that order's.
    member.returns(order, 4_800);
    assert_eq!(member.tier(), "bronze");
    member.returns(order, 199);
    assert_eq!((member.tier(), member.standing.held), ("-", None));
}

#[test]
fn an_upgrade_that_something_else_holds_stays() {
    let mut member = member(GRACE);
    let order = member.earns(1_000);
    member.earns(1_000);
    member.returns(order, 1_000);
    assert_eq!(member.tier(), "gold", "the balance earns it");
    // The year is closed: what counted in it is not looked at again, and of a piece less so.
    let late = member.at("2026-12-31T12:00:00Z").earns(4_000);
    member.at("2027-01-10T12:00:00Z").returns(late, 1);
    assert_eq!(member.held(), "platinum to 2027-12-31");
}

#[test]
fn a_return_within_the_grace_brings_the_fall_back() {
    let mut member = member(GRACE);
    member.earns(1_000);
    let saved = member.at("2028-01-15T12:00:00Z").earns(1_000);
    assert_eq!(member.held(), "gold to 2029-12-31");
    member.at("2028-01-20T12:00:00Z");
    let mut late = member.clone();
    member.returns(saved, 600);
    assert_eq!(member.held(), "gold to 2027-12-31, silver from 2028-01-31");
    // After its day the fall happens in the return itself.
    late.at("2028-03-01T12:00:00Z").returns(saved, 600);
    assert_eq!(late.held(), "silver to 2028-12-31");
}

#[test]
fn a_raised_threshold_moves_nobody_before_the_review() {
    let mut member = member(GRACE);
    member.earns(1_000);
    member.at("2026-06-01T12:00:00Z");
    assert_eq!(member.gets(raised("bronze:100 silver:250 gold:2000 platinum:5000"), &TierMapping::default()), None);
    member.at("2027-12-31T23:59:59Z");
    assert_eq!(member.held(), "gold to 2027-12-31");
    member.at("2028-01-01T00:00:00Z");
    assert_eq!(member.held(), "gold to 2027-12-31, silver from 2028-01-31");
}

#[test]
fn a_lowered_threshold_raises_at_once() {
    let mut member = member(GRACE);
    member.earns(600);
    let step = member.gets(raised("bronze:100 silver:250 gold:500 platinum:5000"), &TierMapping::default()).unwrap();
    assert_eq!((step.why, member.code(step.before), member.code(step.after)), (Why::Published, "silver", "gold"));
    assert_eq!(member.held(), "gold to 2027-12-31");
}

#[test]
fn a_removed_tier_goes_where_the_mapping_says() {
    let to = |to: Option<TierSlot>| TierMapping([(TierSlot(2), to)].into());
    for (mapping, tier) in [(to(Some(TierSlot(1))), "silver"), (to(None), "-"), (TierMapping::default(), "-")] {
        let mut member = member(GRACE);
        member.earns(1_000);
        member.at("2027-06-01T12:00:00Z").is_given("gold", Some(day("2028-05-31")));
        member.at("2027-07-01T12:00:00Z");
        // Slots are by place in these ladders: gold, the third, goes.
        let step = member.gets(raised("bronze:100 silver:250"), &mapping).unwrap();
        assert_eq!((step.before, step.why), (Some(TierSlot(2)), Why::Published));
        assert_eq!((member.tier(), member.standing.granted.is_some()), (tier, tier != "-"));
        assert_eq!(member.held(), if tier == "-" { "-" } else { "silver to 2027-12-31" });
        assert_eq!(member.standing.past.len(), 2);
    }
}

#[test]
fn who_falls_to_where_the_mapping_leads_has_fallen() {
    let mut member = member(GRACE);
    member.earns(1_000);
    member.at("2028-01-10T00:00:00Z");
    assert_eq!(member.held(), "gold to 2027-12-31, silver from 2028-01-31");
    let mapping = TierMapping([(TierSlot(2), Some(TierSlot(1)))].into());
    member.gets(raised("bronze:100 silver:250"), &mapping);
    assert_eq!(member.held(), "silver to 2028-12-31");
}

#[test]
fn a_mapping_of_a_tier_that_is_there_again_says_nothing() {
    let mut member = member(GRACE);
    member.earns(1_000);
    let mapping = TierMapping([(TierSlot(2), None)].into());
    assert_eq!(member.gets(ladder(CALENDAR, GRACE), &mapping), None);
}

#[test]
fn a_tier_without_a_day_gets_one_where_periods_end() {
    let mut member = Member::enrolled(ladder("\"lifetime\"", ""), Zone::UTC, instant("2026-03-01T12:00:00Z"));
    member.earns(1_000);
    member.at("2030-06-01T12:00:00Z").gets(ladder(CALENDAR, GRACE), &TierMapping::default());
    assert_eq!(member.held(), "gold to 2031-12-31");
    member.gets(ladder(CALENDAR, "downgrade = \"never\""), &TierMapping::default());
    assert_eq!((member.held().as_str(), member.next_change()), ("gold to ever", None));
}

#[test]
fn a_day_that_is_over_is_no_overdue_review_where_periods_end() {
    let ladder = ladder("{ rolling = \"P12M\" }", "valid = \"P6M\"");
    let mut member = Member::enrolled(ladder, Zone::UTC, instant("2026-03-01T12:00:00Z"));
    member.earns(300);
    member.at("2027-02-01T12:00:00Z").earns(260);
    member.at("2027-06-01T12:00:00Z");
    assert_eq!(member.held(), "silver to 2026-09-01", "the balance has been there all the time");
    member.gets(raised("bronze:100 silver:300"), &TierMapping::default());
    assert_eq!(member.held(), "silver to 2028-12-31");
}

#[test]
fn a_publish_gives_no_new_day_to_what_waits_for_the_end_of_its_period() {
    let mut member = member("valid = \"P3M\"");
    member.earns(300);
    member.at("2026-08-01T12:00:00Z").gets(raised("bronze:100 silver:300"), &TierMapping::default());
    assert_eq!(member.held(), "silver to 2026-06-01");
    member.at("2027-01-01T00:00:00Z");
    assert_eq!(member.held(), "silver to 2027-12-31");
}

#[test]
fn a_tier_from_zero_that_asks_for_something_is_held_by_who_stood_on_it() {
    let free = ladder_of(CALENDAR, GRACE, "ladder = [{ code = \"bronze\", from = \"0\" }]");
    let mut member = Member::enrolled(free, Zone::UTC, instant("2026-03-01T12:00:00Z"));
    assert_eq!((member.tier(), member.standing.held), ("bronze", None));
    member.at("2026-08-01T12:00:00Z").gets(raised("bronze:100 silver:300"), &TierMapping::default());
    assert_eq!(member.held(), "bronze to 2027-12-31");
    member.at("2028-01-01T12:00:00Z");
    assert_eq!(member.held(), "bronze to 2027-12-31, - from 2028-01-31");
}

#[test]
fn without_a_ladder_there_are_no_tiers() {
    let mut member = member(GRACE);
    member.earns(1_000);
    member.is_given("platinum", None);
    let new = NewLadder { before: Some(&member.ladder), after: None, mapping: &TierMapping::default() };
    let later = instant("2026-04-01T12:00:00Z");
    let seen = member.seen();
    let step = start_version(&mut member.standing, new, Zone::UTC, seen, later).unwrap();
    assert_eq!((step.before, step.after), (Some(TierSlot(3)), None));
    assert_eq!((member.standing.held, member.standing.granted, member.standing.past.len()), (None, None, 2));
    let of_then = at(&member.standing, &member.ladder, instant("2026-03-15T12:00:00Z"));
    assert_eq!(of_then, Some(TierSlot(3)));
    assert_eq!(start_version(&mut member.standing, new, Zone::UTC, seen, later), None);
}

#[test]
fn a_merge_has_the_better_of_both_with_the_later_day() {
    let mut gold = member(GRACE);
    gold.earns(1_000);
    gold.is_given("platinum", Some(day("2028-06-30")));
    let mut silver = member(GRACE);
    silver.at("2027-03-01T12:00:00Z").earns(300);
    silver.is_given("platinum", None);
    gold.at("2028-01-10T12:00:00Z");
    silver.at("2028-01-10T12:00:00Z");
    assert_eq!(gold.held(), "gold to 2027-12-31, silver from 2028-01-31");
    assert_eq!(silver.held(), "silver to 2028-12-31");
    for (into, source) in [(&gold, &silver), (&silver, &gold)] {
        let mut one = into.clone();
        one.lots.extend(source.lots.clone());
        let step = merge(&mut one.standing, &source.standing, Some(&one.ladder), one.now);
        assert_eq!(step.map(|step| step.why), Some(Why::Merged));
        assert_eq!(one.held(), "gold to 2028-12-31, silver from 2028-01-31");
        assert_eq!((one.standing.granted.unwrap().until, one.standing.held.unwrap().cause), (None, None));
        let then = instant("2027-06-01T12:00:00Z");
        assert_eq!(one.code(at(&one.standing, &one.ladder, then)), "platinum");
        one.at("2028-01-31T00:00:00Z");
        assert_eq!(one.held(), "silver to 2028-12-31");
    }
}

#[test]
fn together_two_members_reach_what_neither_had() {
    let (mut one, mut other) = (member(GRACE), member(GRACE));
    one.earns(600);
    other.earns(600);
    merge(&mut one.standing, &other.standing, Some(&one.ladder), one.now);
    one.lots.extend(other.lots);
    let seen = one.seen();
    let step = reach(&mut one.standing, &one.ladder, one.zone, seen, one.now, None);
    assert_eq!((step.map(|step| step.why), one.tier()), (Some(Why::Reached), "gold"));
    let nobody = merge(&mut Standing::default(), &Standing::default(), None, one.now);
    assert_eq!(nobody, None);
}
