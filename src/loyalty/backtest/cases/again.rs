//! Whatever happened, replayed.

use std::collections::BTreeMap;

use chrono::{Days, Duration};
use proptest::prelude::*;

use crate::kernel::clock::Instant;
use crate::kernel::edges::cases;
use crate::kernel::money::Money;
use crate::loyalty::backtest::cases::{RICH, Shop, begin, ever, member, timeline};
use crate::loyalty::backtest::replay::{Flow, Replayed, Span};
use crate::loyalty::backtest::tally::{EXAMPLES, Tally};
use crate::loyalty::checkout::returns::{LineReturn, ReturnRequest};
use crate::loyalty::ledger::account::{Account, Status};
use crate::loyalty::ledger::catch_up::catch_up;
use crate::loyalty::program::model::Slot;

/// All that a member notices of an account.
fn face(account: &Account) -> impl PartialEq + std::fmt::Debug + use<> {
    let Account { status, enrolled_on, order_count, last_order_on, wallets, lots, standing, .. } = account.clone();
    (status, enrolled_on, order_count, last_order_on, wallets, lots, standing.held)
}

#[derive(Clone, Debug)]
enum Act {
    Order { minor: i64, share: i64, late: i64 },
    Pieces { order: usize, line: usize },
    Amount { order: usize, minor: i64 },
    All { order: usize },
    Adjust(i64),
    Bring { n: i64, days: u64 },
    Suspend(bool),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0..30_000_i64, 0..=100_i64, prop_oneof![3 => Just(0), 1 => 0..60_i64])
            .prop_map(|(minor, share, late)| Act::Order { minor, share, late }),
        2 => (0..9_usize, 0..3_usize).prop_map(|(order, line)| Act::Pieces { order, line }),
        1 => (0..9_usize, 1..9_000_i64).prop_map(|(order, minor)| Act::Amount { order, minor }),
        1 => (0..9_usize).prop_map(|order| Act::All { order }),
        1 => (-300..300_i64).prop_filter("none", |n| *n != 0).prop_map(Act::Adjust),
        1 => (1..900_i64, 0..400_u64).prop_map(|(n, days)| Act::Bring { n, days }),
        1 => any::<bool>().prop_map(Act::Suspend),
    ]
}

fn perform(shop: &mut Shop, acts: &[(Act, i64)]) {
    let mut orders: Vec<String> = Vec::new();
    let nth = |orders: &[String], n: usize| orders.len().checked_sub(1).map(|last| orders[n.min(last)].clone());
    for (act, hours) in acts {
        shop.now += Duration::hours(*hours);
        match act {
            Act::Order { minor, share, late } => {
                let mut account = shop.ledger.accounts[&member(1)].clone();
                catch_up(&mut account, &shop.timeline, shop.now).unwrap();
                // No more than it costs: what is refused has not happened.
                let spend = account.figures(Slot(0)).spendable.get().min(*minor) * share / 100;
                orders.extend(shop.order(1, *minor, spend, *late));
            }
            Act::Pieces { order, line } => {
                let Some(order) = nth(&orders, *order) else { continue };
                let line = LineReturn { id: (line + 1).to_string(), quantity: Some(1), amount: None };
                shop.give_back(1, &order, ReturnRequest { lines: Some(vec![line]), ..ReturnRequest::default() });
            }
            Act::Amount { order, minor } => {
                let Some(order) = nth(&orders, *order) else { continue };
                let amount = Money::from_minor(*minor);
                shop.give_back(1, &order, ReturnRequest { amount, ..ReturnRequest::default() });
            }
            Act::All { order } => {
                let Some(order) = nth(&orders, *order) else { continue };
                shop.give_back(1, &order, ReturnRequest { all: true, ..ReturnRequest::default() });
            }
            Act::Adjust(signed) => shop.adjust(1, *signed),
            Act::Bring { n, days } => {
                let last = shop.now.date_naive() + Days::new(*days);
                shop.bring(1, *n, last);
            }
            Act::Suspend(suspended) => {
                shop.suspend(1, if *suspended { Status::Suspended } else { Status::Active });
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn the_past_replayed_under_its_own_version_is_what_was_booked(
        acts in prop::collection::vec((act(), 0..1_500_i64), 1..25),
        rest in 0..9_000_i64,
    ) {
        let mut shop = Shop::new(RICH);
        shop.enrol(1);
        perform(&mut shop, &acts);
        let until = shop.now + Duration::hours(rest) + Duration::microseconds(1);
        let replayed = shop.replay(1, &shop.timeline, ever(until));
        prop_assert_eq!(replayed.refused, 0);
        let (again, booked) = (replayed.account.as_ref().unwrap(), shop.booked(1, until));
        prop_assert_eq!(face(again), face(&booked));
        // A reader forgets nothing: what is left of caps is what was booked.
        prop_assert!(again.usage.iter().all(|used| booked.usage.contains(used)));
        // Cut anywhere, the parts sum to the whole.
        let cut = begin() + Duration::hours(rest);
        let parts = [Span { from: Instant::MIN_UTC, to: cut }, Span { from: cut, to: until.max(cut) }];
        let [early, late] = parts.map(|span| shop.replay(1, &shop.timeline, span));
        for (slot, whole) in replayed.flows.iter().enumerate().filter(|_| cut < until) {
            prop_assert_eq!(early.flows[slot].issued + late.flows[slot].issued, whole.issued);
            prop_assert_eq!(early.flows[slot].spent + late.flows[slot].spent, whole.spent);
            prop_assert_eq!(early.flows[slot].expired + late.flows[slot].expired, whole.expired);
            prop_assert_eq!(early.flows[slot].taken_back + late.flows[slot].taken_back, whole.taken_back);
        }
    }

    #[test]
    fn tallies_add_up_in_any_order(gains in prop::collection::vec(-50..50_i64, 0..60), cut in 0..60_usize) {
        let figures: Vec<(i64, u32)> = gains.iter().copied().zip(0..).collect();
        let book = timeline(RICH, 1);
        let one = |gain: i64| {
            let mut flows = <[_; 8]>::default();
            flows[0] = Flow { issued: gain, ..Flow::default() };
            let (of_tiers, came_off) = (BTreeMap::new(), BTreeMap::new());
            let (rules, demand) = (vec![gain, 0, 0], Vec::new());
            Replayed { flows, rules, of_tiers, came_off, demand, orders: 1, refused: 0, account: None }
        };
        let tally = |figures: &[(i64, u32)]| {
            let mut tally = Tally::default();
            for (gain, number) in figures {
                tally.add(member(*number), [(book.newest(), &one(0)), (book.newest(), &one(*gain))]);
            }
            tally
        };
        let (first, second) = figures.split_at(cut.min(figures.len()));
        let mut forth = tally(first);
        forth.merge(&tally(second));
        let mut back = tally(second);
        back.merge(&tally(first));
        prop_assert_eq!(&forth, &back);
        prop_assert_eq!(&forth, &tally(&figures));
        let mut gains: Vec<i64> = gains.into_iter().filter(|gain| *gain > 0).collect();
        gains.sort_unstable_by(|a, b| b.cmp(a));
        gains.truncate(EXAMPLES);
        let shown: Vec<i64> = forth.winners.iter().map(|example| example.gain()).collect();
        prop_assert_eq!(shown, gains);
    }
}
