//! Whole stories at the edges: programmes, carts, accounts and clocks as extreme as they may be. Each command is accepted
//! and keeps every law that `verify` knows, or is refused and leaves nothing.

use chrono::{Duration, NaiveDate};
use proptest::prelude::*;

use crate::kernel::clock::later;
use crate::kernel::edges::{ZONES, cases, day as odd_day, instant as odd_instant, up_to};
use crate::kernel::id::MemberId;
use crate::kernel::money::MONEY_MINOR_MAX;
use crate::kernel::points::POINTS_MAX;
use crate::loyalty::checkout::cases::*;
use crate::loyalty::checkout::holds::open_hold::OpenHold;
use crate::loyalty::checkout::holds::release::ReleaseHold;
use crate::loyalty::ledger::adjust::{Adjust, Direction};
use crate::loyalty::ledger::posting::PostingKind;
use crate::loyalty::ledger::settle_due::SettleDue;
use crate::loyalty::membership::transfer::TransferPoints;

/// How many points somebody asks for.
#[derive(Clone, Copy, Debug)]
enum Ask {
    Exactly(i64),
    /// What is there, and so many more.
    There(i64),
}

#[derive(Clone, Debug)]
enum Step {
    Wait(i64),
    Order {
        cart: Cart,
        pays: Ask,
        stated: bool,
        hold: Option<usize>,
        ordered: OrderedAt,
    },
    /// Of one of the orders that were accepted.
    Return {
        order: usize,
        request: ReturnRequest,
    },
    Hold {
        asks: Ask,
        lasts_s: i64,
    },
    Release(usize),
    Bring {
        points: i64,
        from: Option<NaiveDate>,
        to: Option<NaiveDate>,
    },
    Adjust(Direction, Ask),
    Give(Ask),
    Change(Status),
}

fn one_of<T: Clone + std::fmt::Debug + 'static>(list: &[T]) -> impl Strategy<Value = T> + use<T> {
    prop::sample::select(list.to_vec())
}

fn any_program() -> impl Strategy<Value = String> {
    let place = (one_of(&["EUR", "JPY", "KWD"]), one_of(&ZONES));
    let value = one_of(&["0.01", "1", "1000000", "0.00000001", "3.14159265"]);
    let pending = one_of(&["", "pending = { after = \"P1D\" },", "pending = { after = \"P1M\" },"]);
    let expiry = one_of(&[
        "\"never\"",
        "{ after = \"P1M\" }",
        "{ after = \"P36600D\", round = \"end_of_year\", restore_grace = \"P36600D\" }",
        "{ after = \"P1M\", restore_grace = \"P1D\" }",
        "{ inactive = \"P1M\" }",
        "{ inactive = \"P36600D\", restore_grace = \"P1D\" }",
    ]);
    let returns = one_of(&["pending_only", "within_balance", "allow"]);
    let window = one_of(&["\"lifetime\"", "\"calendar_year\"", "\"anniversary\"", "{ rolling = \"P1D\" }"]);
    let award = (one_of(&[("0.01", 10), ("1.00", 1), ("0.00000001", 0), ("1000000", 1_000_000_000)]), any::<bool>());
    let net_of = one_of(&["", "\"discounts\", \"points_paid\", \"tax\", \"shipping\", \"gift_card\"", "\"tax\""]);
    (place, value, pending, expiry, returns, window, award, net_of).prop_map(
        |((currency, zone), value, pending, expiry, returns, window, ((per, points), step), net_of)| {
            let base = if points == 0 { String::new() } else {
                format!(
                    "[earning.base]\nwallet = \"points\"\naward = {{ per = \"{per}\", points = {points}, step = {step} }}\n\
                     base = {{ net_of = [{net_of}] }}\n"
                )
            };
            // Where nothing is awarded there are no points to be counted.
            let level = if points == 0 { String::new() } else {
                format!("level = {{ kind = \"qualifying\", counts = \"points\", window = {window} }}\n")
            };
            format!(
                "program = {{ name = \"Edge\", currency = \"{currency}\", timezone = \"{zone}\" }}\n[wallets]\n\
                 points = {{ kind = \"redeemable\", by_hand = true, value = \"{value}\", {pending} expiry = {expiry}, returns = \"{returns}\", \
                 transfer = {{ max = {POINTS_MAX}, each = \"P1Y\" }} }}\n\
                 status = {{ kind = \"qualifying\", counts = \"spend\", window = {window} }}\n\
                 visits = {{ kind = \"qualifying\", counts = \"orders\", window = {window} }}\n\
                 {level}{base}"
            )
        },
    )
}

fn minor(n: i64) -> Money {
    Money::from_minor(n).unwrap()
}

fn any_line() -> impl Strategy<Value = CartLine> {
    let rate = prop_oneof![9 => one_of(&["0", "0.000001", "21", "99.999999", "100"]), 1 => Just("100.000001")];
    let tax = prop_oneof![
        2 => Just(Tax::None),
        2 => rate.prop_map(|r| Tax::Rate(Decimal::from_str_exact(r).unwrap())),
        1 => up_to(MONEY_MINOR_MAX).prop_map(|n| Tax::Stated(minor(n))),
        1 => Just(Tax::Stated(minor(0))),
    ];
    let quantity = prop_oneof![20 => 1..10_u32, 10 => Just(1_000_000), 1 => one_of(&[0, 1_000_001, u32::MAX])];
    let amount =
        prop_oneof![4 => 0..10_000_i64, 1 => Just(0), 3 => up_to(MONEY_MINOR_MAX / 4), 1 => up_to(MONEY_MINOR_MAX)];
    (prop::bool::weighted(0.2), quantity, amount, tax).prop_map(|(ship, quantity, amount, tax)| {
        let kind = if ship { LineKind::Shipping } else { LineKind::Product };
        CartLine { kind, quantity, amount: minor(amount), tax, ..goods("1").lines.remove(0) }
    })
}

fn any_cart() -> impl Strategy<Value = Cart> {
    let few = prop::collection::vec(any_line(), 1..4);
    let many = (any_line(), one_of(&[500, 501])).prop_map(|(line, n)| vec![line; n]);
    let prices = one_of(&[Prices::TaxIncluded, Prices::TaxIncluded, Prices::TaxOnTop, Prices::NoTax]);
    let gift_card = prop_oneof![6 => Just(0), 1 => 0..1_000_i64, 1 => up_to(MONEY_MINOR_MAX)];
    (prop_oneof![12 => few, 1 => many], prices, gift_card).prop_map(|(mut lines, prices, gift_card)| {
        lines.iter_mut().zip(0..).for_each(|(line, i): (_, i32)| line.id = i.to_string());
        Cart { prices, lines, gift_card: minor(gift_card), ..goods("1") }
    })
}

fn any_ask() -> impl Strategy<Value = Ask> {
    prop_oneof![up_to(POINTS_MAX).prop_map(Ask::Exactly), (-1..=1_i64).prop_map(Ask::There)]
}

fn any_request() -> impl Strategy<Value = ReturnRequest> {
    let quantity = one_of(&[0, 1, 2, 999_999, 1_000_000, u32::MAX]);
    let amount = up_to(MONEY_MINOR_MAX).prop_map(minor);
    let part = prop_oneof![quantity.prop_map(|n| (Some(n), None)), amount.prop_map(|m| (None, Some(m)))];
    let lines = prop::collection::vec((0..4_usize, part), 1..3).prop_map(|lines| {
        let line = |(i, (quantity, amount)): (usize, _)| LineReturn { id: i.to_string(), quantity, amount };
        ReturnRequest { lines: Some(lines.into_iter().map(line).collect()), ..ReturnRequest::default() }
    });
    let amount = up_to(MONEY_MINOR_MAX)
        .prop_map(|n| ReturnRequest { amount: Some(minor(n)), ..all() })
        .prop_map(|request| ReturnRequest { all: false, ..request });
    prop_oneof![2 => lines, 1 => amount, 1 => Just(all())]
}

fn any_step() -> impl Strategy<Value = Step> {
    let ordered = prop_oneof![
        14 => Just(OrderedAt::Now), 1 => odd_instant().prop_map(OrderedAt::At), 1 => odd_day().prop_map(OrderedAt::On),
    ];
    let pays = prop_oneof![4 => Just(Ask::Exactly(0)), 2 => (0..1_000_i64).prop_map(Ask::Exactly), 3 => any_ask()];
    let hold = prop::option::weighted(0.15, 0..4_usize);
    let order = (any_cart(), pays, any::<bool>(), hold, ordered)
        .prop_map(|(cart, pays, stated, hold, ordered)| Step::Order { cart, pays, stated, hold, ordered });
    let bring = (up_to(POINTS_MAX), prop::option::of(odd_day()), prop::option::of(odd_day()));
    let wait = one_of(&[0, 1, 3_600, 86_400, 31 * 86_400, 366 * 86_400, 36_601 * 86_400]);
    prop_oneof![
        3 => wait.prop_map(Step::Wait),
        10 => order,
        5 => (0..4_usize, any_request()).prop_map(|(order, request)| Step::Return { order, request }),
        3 => (any_ask(), one_of(&[1, 86_400])).prop_map(|(asks, lasts_s)| Step::Hold { asks, lasts_s }),
        1 => (0..4_usize).prop_map(Step::Release),
        4 => bring.prop_map(|(points, from, to)| Step::Bring { points, from, to }),
        2 => (one_of(&[Direction::Up, Direction::Down]), any_ask()).prop_map(|(to, ask)| Step::Adjust(to, ask)),
        2 => any_ask().prop_map(Step::Give),
        1 => one_of(&[Status::Active, Status::Suspended]).prop_map(Step::Change),
    ]
}

impl Shop {
    /// At least one point, but for an order: the door lets nothing else in.
    fn some(&self, ask: Ask) -> Points {
        self.asked(ask).max(points(1))
    }

    fn asked(&self, ask: Ask) -> Points {
        match ask {
            Ask::Exactly(n) => points(n),
            Ask::There(more) => points((self.spendable() + more).clamp(0, POINTS_MAX)),
        }
    }

    /// Posts; answers whether it was accepted. What is refused leaves nothing.
    fn attempt<P: Posting>(&mut self, posting: P) -> bool {
        let before = (self.ledger.accounts.clone(), self.ledger.owners.clone(), self.ledger.profiles.clone());
        let rows = self.ledger.postings.values().map(Vec::len).sum::<usize>();
        let refused = match self.ledger.post(&self.scope, posting, self.now, &self.timeline) {
            Ok(_) => return true,
            Err(error) => error,
        };
        assert!(matches!(refused, PostError::Refused(_)), "neither done nor refused");
        let after = (self.ledger.accounts.clone(), self.ledger.owners.clone(), self.ledger.profiles.clone());
        assert_eq!(before, after, "a refusal leaves the account as it was");
        assert_eq!(rows, self.ledger.postings.values().map(Vec::len).sum::<usize>());
        false
    }

    /// The references of the postings of a kind, oldest first, without what they begin with; one of them by a number.
    fn earlier(&self, kind: PostingKind, prefix: &str, number: usize) -> String {
        let rows = self.ledger.postings[&self.member].iter().filter(|row| row.kind == kind);
        let names: Vec<&str> = rows.filter_map(|row| row.reference.as_str().strip_prefix(prefix)).collect();
        names.get(number.checked_rem(names.len()).unwrap_or(0)).map_or_else(|| "none".into(), |name| (*name).into())
    }

    fn take_step(&mut self, number: usize, step: &Step, other: MemberId) -> bool {
        let (member, hash) = (self.member, RequestHash::of(&number));
        match step {
            Step::Wait(seconds) => {
                self.now = later(self.now, Duration::seconds(*seconds));
                self.attempt(SettleDue { member })
            }
            Step::Order { cart, pays, stated, hold, ordered } => {
                let cart = Cart { points: self.asked(*pays), ..cart.clone() };
                let order = self.settle(*ordered, &number.to_string(), cart);
                self.attempt(SettleOrder {
                    stated: *stated,
                    hold: hold.map(|h| self.earlier(PostingKind::Hold, "hold:", h)),
                    ..order
                })
            }
            Step::Return { order, request } => self.attempt(ReturnOrder {
                reference: number.to_string(),
                order: self.earlier(PostingKind::Order, "order:", *order),
                hash,
                member,
                request: request.clone(),
                time: AccountTime::Live,
            }),
            Step::Hold { asks, lasts_s } => {
                let (reference, points) = (number.to_string(), self.some(*asks));
                self.attempt(OpenHold {
                    reference,
                    hash,
                    member,
                    identity: None,
                    wallet: None,
                    points,
                    order: None,
                    lasts_s: *lasts_s,
                })
            }
            Step::Release(hold) => {
                self.attempt(ReleaseHold { reference: self.earlier(PostingKind::Hold, "hold:", *hold), member })
            }
            Step::Bring { .. } | Step::Adjust(..) | Step::Give(_) | Step::Change(_) => {
                self.take_step_of_staff(number, step, other)
            }
        }
    }

    /// The steps that a member does not take at a till.
    fn take_step_of_staff(&mut self, number: usize, step: &Step, other: MemberId) -> bool {
        let (member, hash) = (self.member, RequestHash::of(&number));
        let reference = |command: &str| Reference::keyed(command, &number.to_string());
        match step {
            Step::Bring { points: n, from, to } => self.attempt(OpenBalance {
                reference: reference("opening"),
                hash,
                member,
                wallet: "points".into(),
                points: points((*n).max(1)),
                available_on: *from,
                expires_on: *to,
                time: AccountTime::Live,
            }),
            Step::Adjust(direction, ask) => {
                let (wallet, points, reason) = ("points".into(), self.some(*ask), String::from("a test"));
                self.attempt(Adjust {
                    reference: reference("adjust"),
                    hash,
                    member,
                    wallet,
                    direction: *direction,
                    points,
                    reason,
                })
            }
            Step::Give(ask) => {
                let (wallet, points) = ("points".into(), self.some(*ask));
                self.attempt(TransferPoints {
                    reference: reference("transfer"),
                    hash,
                    from: member,
                    to: other,
                    identity: None,
                    wallet,
                    points,
                })
            }
            Step::Change(status) => {
                let (reference, reason) = (reference("status"), String::from("a test"));
                self.attempt(Suspend { reference, hash, member, status: *status, reason })
            }
            Step::Wait(_) | Step::Order { .. } | Step::Return { .. } | Step::Hold { .. } | Step::Release(_) => false,
        }
    }
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn whatever_happens_is_lawful_or_refused(
        program in any_program(), steps in prop::collection::vec(any_step(), 1..40),
        start in one_of(&["2024-02-28T22:59:59Z", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "+262142-11-30T00:00:00Z"]),
    ) {
        let mut shop = Shop::new(start, &program);
        let other = shop.enrol(3);
        for (number, step) in steps.iter().enumerate() {
            if shop.take_step(number, step, other) {
                for account in shop.ledger.accounts.values() {
                    prop_assert!(account.wallets.iter().all(|w| w.figures.add_up()), "after {:?}", step);
                }
            }
        }
        prop_assert_eq!(shop.findings(), Vec::<String>::new());
    }
}

#[test]
fn an_order_paid_out_of_hundreds_of_lots_comes_back_to_each_of_them() {
    let mut shop = Shop::new("2026-06-10T12:00:00Z", &program("expiry = { after = \"P36600D\" }", ""));
    for ends in day("2026-07-01").iter_days().take(400) {
        shop.bring(1, &ends.to_string());
    }
    shop.order("1", paid_with(400, goods("4.00")));
    assert_eq!(shop.spendable(), 0);
    shop.at("2026-06-11T12:00:00Z").give_back("1", "r", all());
    assert_eq!((shop.spendable(), shop.lots().len()), (400, 400));
    assert!(shop.take_step(7, &Step::Hold { asks: Ask::There(0), lasts_s: 60 }, shop.member));
    assert_eq!(shop.at("2026-06-11T13:00:00Z").spendable(), 400);
    // They end one by one, and years later in one posting.
    assert_eq!(shop.at("2026-07-02T00:00:00+02:00").spendable(), 399);
    assert_eq!(shop.at("2099-01-01T00:00:00Z").spendable(), 0);
    let member = shop.member;
    assert!(shop.attempt(SettleDue { member }));
}
