//! What a preview says, in figures.

use chrono::{Duration, NaiveDate};

use crate::kernel::money::{Amount, Currency};
use crate::loyalty::backtest::budgets::Demand;
use crate::loyalty::backtest::cases::{RICH, Shop, begin, ever, member, timeline};
use crate::loyalty::backtest::replay::Span;
use crate::loyalty::backtest::report::CountsCompared;
use crate::loyalty::program::model::Slot;

#[test]
fn a_changed_rate_shows_in_points_money_and_members() {
    let plain = |rate: i64| {
        format!(
            "program = {{ name = \"Acme\", currency = \"EUR\", timezone = \"Europe/Amsterdam\" }}\n\
             wallets.points = {{ kind = \"redeemable\", value = \"0.01\" }}\n\
             earning.base = {{ award = {{ per = \"1.00\", points = {rate} }}, base = {{ net_of = [] }} }}"
        )
    };
    let mut shop = Shop::new(&plain(1));
    let mut earned = [0, 0];
    let from = begin() + Duration::days(3);
    for number in 1..=12 {
        shop.enrol(number);
    }
    for (at, number) in (1..=12).cycle().take(60).enumerate() {
        shop.now = begin() + Duration::days(i64::try_from(at / 12).unwrap());
        let minor = i64::from(number) * 700;
        shop.order(number, minor, 0, 0).unwrap();
        if shop.now >= from {
            // With tax on top, of each line; shipping too, as nothing is left out.
            let charged: i64 = [minor, minor / 7, 495].map(|net| net + (net * 21 + 50) / 100).iter().sum();
            earned = [earned[0] + charged / 100, earned[1] + charged * 2 / 100];
        }
    }
    let span = Span { from, to: shop.now + Duration::days(1) };
    let told = shop.preview(&plain(2), span, 1..=13);
    assert_eq!((told.members, told.orders.before, told.orders.after), (12, 24, 24));
    let [wallet] = told.wallets.as_slice() else { panic!("{told:?}") };
    let (before, after) = (wallet.before.unwrap(), wallet.after.unwrap());
    assert_eq!([before.issued, after.issued], earned);
    assert_eq!(told.rules[0].before.zip(told.rules[0].after), Some((earned[0], earned[1])));
    let cents = |minor: i64| Amount::of_minor(minor, Currency::parse("EUR").unwrap());
    assert_eq!([told.cost.before, told.cost.after], earned.map(cents));
    assert_eq!((told.gain, told.lose, told.same), (12, 0, 0));
    let winners: Vec<u128> = told.winners.iter().map(|winner| winner.member.as_u128()).collect();
    assert_eq!(winners, (3..=12).rev().collect::<Vec<_>>(), "who buys most gains most");
    assert!(told.losers.is_empty());
    assert!(after.left > after.issued, "what was earned before the window is still there");
    assert_eq!(shop.preview(&plain(2), span, 1..=13), told, "twice the same");
}

#[test]
fn points_worth_more_pay_no_more_than_an_order_costs() {
    let mut shop = Shop::new(RICH);
    shop.enrol(1);
    shop.bring(1, 2_000, NaiveDate::from_ymd_opt(2030, 1, 1).unwrap());
    shop.order(1, 1_000, 900, 0).unwrap();
    let span = ever(shop.now + Duration::days(1));
    // At five cents each 900 points are worth more than products of 13.82; a shop that gives none a value takes them all.
    let dearer = shop.replay(1, &timeline(&RICH.replace("\"0.01\"", "\"0.05\""), 2), span);
    assert_eq!((dearer.flows[0].spent, dearer.refused), (276, 0));
    let gone = RICH.replace("points = { kind", "stars = { kind").replace("wallet = \"points\"", "wallet = \"stars\"");
    let gone = shop.replay(1, &timeline(&gone, 2), span);
    assert_eq!((gone.orders, gone.refused), (1, 1), "an opening balance of a wallet that is gone");
    assert_eq!(gone.flows[0], <_>::default());
}

#[test]
fn what_cannot_be_read_is_counted() {
    let mut shop = Shop::new(RICH);
    shop.enrol(1);
    shop.order(1, 1_000, 0, 0).unwrap();
    shop.ledger.postings.get_mut(&member(1)).unwrap()[1].document = "{}".to_owned();
    let past = shop.past(1, shop.now + Duration::days(1));
    assert_eq!((past.deeds.len(), past.unreadable), (1, 1));
}

#[test]
fn a_budget_ends_with_the_day_by_which_all_would_have_used_it_up() {
    let budget =
        RICH.replace("award = { points = 2 }", "award = { points = 2 }, budget = { points = 9, each = \"P1M\" }");
    let mut shop = Shop::new(&budget);
    for number in 1..=3 {
        shop.enrol(number);
    }
    // The second order of a member on is given 2 coins: 6 a day, on two days of November and of December each.
    let days = ["2023-11-20", "2023-11-24", "2023-11-27", "2023-11-28", "2023-12-05", "2023-12-06"];
    for day in days {
        shop.now = format!("{day}T10:00:00Z").parse().unwrap();
        for number in 1..=3 {
            shop.order(number, 1_000, 0, 0).unwrap();
        }
    }
    let span = ever(shop.now + Duration::days(1));
    let mut demand = Demand::default();
    for number in 1..=3 {
        let freely = shop.replay(number, &shop.timeline, span);
        assert_eq!(freely.rules[2], 10, "nobody draws on a budget alone");
        demand.add(&freely.demand);
    }
    let spent = demand.spent(shop.timeline.newest(), shop.scope.program());
    let coins = |number: u32, span| shop.replay_spent(number, (&shop.timeline, &spent), span).rules[2];
    // All of the 24th and of 5 December; from the 27th and from the 6th on it is used up.
    assert_eq!((1..=3).map(|number| coins(number, span)).collect::<Vec<_>>(), [4, 4, 4]);
    let december = Span { from: "2023-12-01T00:00:00Z".parse().unwrap(), to: span.to };
    assert_eq!((1..=3).map(|number| coins(number, december)).collect::<Vec<_>>(), [2, 2, 2]);
    // What was booked is all that there was, to the last coin.
    let booked: i64 = (1..=3).map(|number| shop.booked(number, span.to).figures(Slot(1)).earned.get()).sum();
    assert_eq!(booked, 18);
}

#[test]
fn another_threshold_shows_who_moves_up_and_down() {
    let mut shop = Shop::new(RICH);
    let mut spends = Vec::new();
    for number in 1..=12 {
        shop.enrol(number);
        shop.order(number, i64::from(number) * 9_000, 0, 0).unwrap();
        let booked = shop.booked(number, shop.now + Duration::hours(1));
        spends.push(booked.figures(Slot(2)).spendable.get());
    }
    // Gold from 500.00 instead of 700.00, and silver from 300.00 instead of 250.00.
    let moved = RICH.replace("\"700.00\"", "\"500.00\"").replace("\"250.00\"", "\"300.00\"");
    let span = Span { from: begin(), to: shop.now + Duration::hours(1) };
    let told = shop.preview(&moved, span, 1..=12);
    let count = |of: &dyn Fn(&i64) -> bool| u64::try_from(spends.iter().filter(|spend| of(spend)).count()).unwrap();
    let by = |[silver, gold]: [i64; 2]| {
        let tier = move |spend: &i64| if *spend >= gold { 2 } else { usize::from(*spend >= silver) };
        [0, 1, 2].map(|wanted| count(&|spend| tier(spend) == wanted))
    };
    let (before, after) = (by([25_000, 70_000]), by([30_000, 50_000]));
    let counted: Vec<_> = told.tiers.iter().map(|tier| (tier.tier.as_deref(), tier.members)).collect();
    let both = |place: usize| CountsCompared { before: before[place], after: after[place] };
    assert_eq!(counted, [(None, both(0)), (Some("silver"), both(1)), (Some("gold"), both(2))]);
    let moves: Vec<_> =
        told.moves.iter().map(|way| (way.before.as_deref(), way.after.as_deref(), way.up, way.members)).collect();
    let between = |from: i64, to: i64| count(&|spend| (from..to).contains(spend));
    let (up, down) = (between(50_000, 70_000), between(25_000, 30_000));
    assert!(up > 0 && down > 0, "{spends:?}");
    assert!(told.moves.iter().all(|way| u64::try_from(way.examples.len()) == Ok(way.members)), "{:?}", told.moves);
    assert_eq!(moves, [(Some("silver"), None, Some(false), down), (Some("silver"), Some("gold"), Some(true), up)]);
}
