//! What holds of every member, whatever happens to them: years of each kind of window, validity and downgrade in four zones.

use std::sync::LazyLock;

use chrono::{Days, Duration, NaiveDate};
use proptest::prelude::*;
use proptest::sample::select;

use crate::kernel::edges::cases;
use crate::kernel::id::Seq;
use crate::loyalty::program::model::tiers::{Downgrade, Ladder, TierMapping};
use crate::loyalty::tiers::cases::{Member, ladder, zone};
use crate::loyalty::tiers::standing::effective;

/// Among them one whose days begin at one, and one that left a day out in 2011.
const ZONES: [&str; 4] = ["Europe/Amsterdam", "America/Sao_Paulo", "Pacific/Apia", "Asia/Kathmandu"];
const PERIODIC: [&str; 2] = ["\"calendar_year\"", "\"anniversary\""];
const OPEN: [&str; 3] = ["{ rolling = \"P12M\" }", "{ rolling = \"P30D\" }", "\"lifetime\""];
const PERIODS: [&str; 3] = ["P1D", "P6M", "P24M"];

/// Every ladder that can be written of these parts.
static LADDERS: LazyLock<Vec<Ladder>> = LazyLock::new(|| {
    let mut all = Vec::new();
    for window in PERIODIC.into_iter().chain(OPEN) {
        let mut valid: Vec<String> = PERIODS.iter().map(|period| format!("valid = \"{period}\"")).collect();
        valid.push(String::new());
        if PERIODIC.contains(&window) {
            valid.push("valid = \"end_of_next_period\"".into());
        }
        for to in ["earned", "one_down"] {
            for grace in ["", ", grace = \"P1D\"", ", grace = \"P30D\"", ", grace = \"P18M\""] {
                for valid in &valid {
                    let falls_through = OPEN.contains(&window) && to == "one_down" && grace.is_empty();
                    if !falls_through || !valid.is_empty() {
                        let rules = format!("{valid}\ndowngrade = {{ to = \"{to}\"{grace} }}");
                        all.push(ladder(window, &rules));
                    }
                }
            }
        }
        all.push(ladder(window, "downgrade = \"never\""));
    }
    all
});

#[derive(Clone, Debug)]
enum Event {
    Earn(i64),
    Return(usize, i64),
    Grant(&'static str, u64),
    Publish(usize),
    Look,
}

fn events() -> impl Strategy<Value = Vec<(i64, Event)>> {
    let event = prop_oneof![
        6 => select(vec![1_i64, 99, 100, 249, 250, 700, 1_000, 4_999, 5_000]).prop_map(Event::Earn),
        2 => (0_usize..6, select(vec![1_i64, 250, 5_000])).prop_map(|(back, points)| Event::Return(back, points)),
        1 => (select(vec!["bronze", "gold", "platinum"]), 0_u64..500).prop_map(|(tier, days)| Event::Grant(tier, days)),
        1 => (0_usize..1_000).prop_map(Event::Publish),
        2 => Just(Event::Look),
    ];
    let minutes = prop_oneof![Just(0), 0..3 * 1_440_i64, 0..400 * 1_440_i64];
    prop::collection::vec((minutes, event), 1..24)
}

fn happens(member: &mut Member, event: &Event) {
    let before = member.ladder.rank(effective(&member.standing, &member.ladder));
    match event {
        Event::Earn(points) => {
            member.earns(*points);
            let earned = member.ladder.rank(member.ladder.earned(member.seen().balance));
            assert!(member.ladder.rank(member.standing.held.map(|held| held.tier)) >= earned);
        }
        Event::Return(back, points) => {
            member.returns(Seq(member.seq.0 - i64::try_from(*back).unwrap()), *points);
        }
        Event::Grant(tier, days) => {
            let until = member.zone.day_of(member.now).checked_add_days(Days::new(*days));
            member.is_given(tier, until);
        }
        Event::Publish(which) => {
            let next = LADDERS[which % LADDERS.len()].clone();
            let step = member.gets(next, &TierMapping::default());
            let after = step.map_or(before, |step| member.ladder.rank(step.after));
            assert!(after >= before, "somebody falls by a publish: {member:?}");
            // Nor at the same instant, where only the end of a period asks for a balance.
            let now = member.ladder.rank(effective(&member.standing, &member.ladder));
            assert!(now >= after || matches!(member.ladder.downgrade, Downgrade::WhenBelow(_)), "{member:?}");
        }
        Event::Look => {}
    }
}

fn enrolled(ladder: Ladder, zone_name: &str, first: NaiveDate, minute: i64) -> Member {
    let zone = zone(zone_name);
    Member::enrolled(ladder, zone, zone.start_of(first) + Duration::minutes(minute))
}

fn first_day() -> impl Strategy<Value = NaiveDate> {
    let named = ["2008-02-29", "2010-12-30", "2010-12-31", "2011-01-01", "2011-12-29", "2012-02-29"];
    let named = named.map(|text| text.parse::<NaiveDate>().unwrap());
    prop_oneof![
        select(named.to_vec()),
        (733_000_i32..734_500).prop_map(|n| NaiveDate::from_num_days_from_ce_opt(n).unwrap())
    ]
}

proptest! {
    #![proptest_config(cases(2_000))]

    /// The laws themselves stand where a member lives them.
    #[test]
    fn years_of_every_window_in_four_zones(
        which in 0_usize..1_000, name in select(ZONES.to_vec()), first in first_day(), minute in 0..1_440_i64,
        events in events(), publishes: bool,
    ) {
        let mut often = enrolled(LADDERS[which % LADDERS.len()].clone(), name, first, minute);
        let mut seldom = often.clone();
        for (minutes, event) in &events {
            if matches!(event, Event::Publish(_)) && !publishes {
                continue;
            }
            let next = often.now + Duration::minutes(*minutes);
            // One looks every few days, the other only when something happens.
            while often.now + Duration::days(9) < next {
                often.catch_up(often.now + Duration::days(9));
            }
            often.catch_up(next);
            seldom.catch_up(next);
            happens(&mut often, event);
            happens(&mut seldom, event);
            prop_assert_eq!(&often.standing, &seldom.standing);
            prop_assert_eq!(&often.lots, &seldom.lots);
        }
        prop_assert_eq!(&often.steps, &seldom.steps);
        // Without orders everything comes to an end, or there was no end to it.
        let end = often.now + Duration::days(40 * 366);
        often.catch_up(end);
        prop_assert!(often.next_change().is_none() || often.balance() >= 100, "{:?}", often);
    }
}

#[test]
fn there_are_ladders_of_every_kind() {
    assert_eq!(LADDERS.len(), 2 * (8 * 5 + 1) + 3 * (8 * 4 - 1 + 1));
}
