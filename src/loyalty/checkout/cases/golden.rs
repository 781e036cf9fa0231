//! G1 and G2 of golden.md through the ledger: the base rule alone, and with campaigns and tiers.

use rust_decimal::Decimal;

use crate::loyalty::checkout::cart::{Cart, CartLine, DiscountedLine, Prices, StatedDiscount, Tax};
use crate::loyalty::checkout::cases::{
    STATUS, Shop, amount, goods, lines, lots, money, paid_with, pieces, points, program,
};
use crate::loyalty::checkout::receipt::{ClawedBackReceipt, OrderReceipt, ReturnReceipt};
use crate::loyalty::earning::model::LineKind;

/// What is returned; money, points restored, points clawed back, spend taken back; what lots A and B hold then.
struct Step(&'static [(&'static str, u32)], &'static str, i64, i64, &'static str, [i64; 2]);

/// Each a split of a return of all products of G1.
const SPLITS: [&[Step]; 2] = [
    &[
        Step(&[("socks", 1)], "5.92", 136, 5, "4.89", [0, 2_636]),
        Step(&[("shoes", 1)], "60.29", 1_380, 50, "49.83", [1_016, 3_000]),
        Step(&[("socks", 2), ("mug", 1)], "21.13", 484, 17, "17.47", [1_500, 3_000]),
    ],
    &[
        Step(&[("mug", 1)], "9.30", 213, 8, "7.69", [0, 2_713]),
        Step(&[("socks", 2)], "11.83", 272, 10, "9.78", [0, 2_985]),
        Step(&[("shoes", 1), ("socks", 1)], "66.21", 1_515, 54, "54.72", [1_500, 3_000]),
    ],
];

/// The order of G1.
pub fn g1() -> Cart {
    let tax = Tax::Rate(Decimal::new(21, 0));
    let priced = lines(&[("shoes", 1, "89.99"), ("socks", 3, "23.85"), ("mug", 1, "12.50"), ("shipping", 1, "4.95")]);
    let kind = |id: &str| if id == "shipping" { LineKind::Shipping } else { LineKind::Product };
    let taxed = priced.lines.into_iter().map(|line| CartLine { kind: kind(&line.id), tax, ..line }).collect();
    let off = |code: &str, lines: &[(&str, &str)]| StatedDiscount {
        code: code.into(),
        lines: lines.iter().map(|(id, off)| DiscountedLine { id: (*id).into(), amount: money(off) }).collect(),
    };
    Cart {
        attributes: Default::default(),
        prices: Prices::TaxIncluded,
        lines: taxed,
        discounts: vec![
            off("item", &[("shoes", "9.00")]),
            off("order", &[("shoes", "6.90"), ("socks", "2.03"), ("mug", "1.07")]),
        ],
        entered: Vec::new(),
        points: points(2_000),
        gift_card: money("0"),
        total: Some(money("112.29")),
    }
}

fn g1_shop() -> Shop {
    g1_shop_of(&program("expiry = { after = \"P12M\" }", ""))
}

/// A shop of this document, to whose member the points of G1 were brought.
pub fn g1_shop_of(document: &str) -> Shop {
    let mut shop = Shop::new("2026-06-10T12:00:00Z", document);
    shop.bring(1_500, "2026-12-31");
    shop.bring(3_000, "2027-03-31");
    shop
}

fn spend_clawed_back(receipt: &ReturnReceipt) -> Option<Decimal> {
    receipt.clawed_back.iter().find_map(|back| match back {
        ClawedBackReceipt::Amount(back) => Some(back.amount.0),
        ClawedBackReceipt::Points(_) => None,
    })
}

#[test]
fn an_order_takes_the_soonest_lot_first_and_earns_on_what_was_paid_in_money() {
    let mut shop = g1_shop();
    let receipt = shop.order("1001", g1());
    assert_eq!((receipt.paid.0, receipt.charged.0), (Decimal::new(9_229, 2), Decimal::new(10_734, 2)));
    let earned: Vec<i64> = receipt.lines.iter().map(|l| l.earned).collect();
    assert_eq!(earned, [50, 14, 8, 0]);
    assert_eq!(shop.lots(), lots(&[(2_500, "2027-03-31"), (72, "2027-06-10")]));
    assert_eq!(shop.seen().figures(STATUS).spendable, points(7_219));
}

/// The earning rules of G1 and G2, the tiers before them, and a member who has one.
fn tiered(rules: &str, tier: &str, earn: &str, reached: &str) -> Shop {
    let ladder = format!("ladder = [{{ code = \"{tier}\", from = \"1000.00\", earn = \"{earn}\" }}]");
    let document = program("expiry = { after = \"P12M\" }", "") + rules + "[tiers]\nwallet = \"status\"\n" + &ladder;
    let mut shop = g1_shop_of(&document);
    shop.order("rise", goods(reached));
    shop.at("2026-07-10T12:00:00Z");
    shop
}

/// Each row's name, points, and parts by line.
fn parts(receipt: &OrderReceipt) -> Vec<(&str, i64, Vec<i64>)> {
    let rows = receipt.rows.iter();
    rows.map(|row| (row.rule.as_str(), row.points, row.lines.iter().map(|part| part.points).collect())).collect()
}

/// What is returned, and what is clawed back and given back to the cap for it.
type TieredStep = (&'static [(&'static str, u32)], i64, &'static [i64]);

/// The two splits of G1.
const TIERED_SPLITS: [[TieredStep; 3]; 2] = [
    [(&[("socks", 1)], 8, &[]), (&[("shoes", 1)], 135, &[40]), (&[("socks", 2), ("mug", 1)], 25, &[])],
    [(&[("mug", 1)], 12, &[]), (&[("socks", 2)], 15, &[]), (&[("shoes", 1), ("socks", 1)], 141, &[40])],
];

#[test]
fn g1_with_its_campaign_and_gold() {
    let campaign = "[earning.shoes]\naward = { multiply = \"2\" }\nlines = 'line.category == \"shoes\"'\n\
                    caps = { per_member = { points = 40, each = \"P1M\" } }\n";
    for steps in TIERED_SPLITS {
        let mut shop = tiered(campaign, "gold", "1.5", "1000.00");
        let mut cart = g1();
        cart.lines[0].category = Some("shoes".into());
        let receipt = shop.order("1001", cart);
        let rows = [("base", 72, vec![50, 14, 8]), ("shoes", 40, vec![40]), ("tier:gold", 56, vec![45, 7, 4])];
        assert_eq!(parts(&receipt), rows);
        assert_eq!(receipt.lines.iter().map(|line| line.earned).collect::<Vec<_>>(), [135, 21, 12, 0]);
        for ((back, clawed_back, cap), name) in steps.iter().zip(["r1", "r2", "r3"]) {
            let receipt = shop.give_back("1001", name, pieces(back));
            assert_eq!(receipt.points_clawed_back("points").next().unwrap().taken, *clawed_back);
            assert_eq!(receipt.given_back.iter().map(|given| given.points).collect::<Vec<_>>(), *cap);
        }
        assert_eq!((shop.spendable(), shop.stored().usage.as_slice()), (5_500, [].as_slice()));
    }
}

#[test]
fn g2_with_its_cap_budget_tier_and_fixed_award() {
    let campaign = "[earning.campaign]\naward = { multiply = \"3\" }\n\
                    caps = { per_member = { points = 200, each = \"P1M\" } }\nbudget = { points = 320, each = \"P1M\" }\n\
                    [earning.large]\naward = { points = 50 }\nwhen = 'order.products >= 100'\n";
    let mut shop = tiered(campaign, "silver", "1.25", "1000.00");
    let member = shop.member;
    shop.member = shop.enrol(4);
    shop.order("other", goods("100.00"));
    shop.member = member;
    let receipt = shop.order("1", lines(&[("1", 1, "100.00"), ("2", 1, "50.00")]));
    let rows = [
        ("base", 150, vec![100, 50]),
        ("campaign", 120, vec![80, 40]),
        ("large", 50, vec![33, 17]),
        ("tier:silver", 67, vec![45, 22]),
    ];
    assert_eq!(parts(&receipt), rows);
    assert_eq!(receipt.lines.iter().map(|line| line.earned).collect::<Vec<_>>(), [258, 129]);
    let mut part = pieces(&[("2", 1)]);
    for line in part.lines.iter_mut().flatten() {
        (line.quantity, line.amount) = (None, Some(money("30.00")));
    }
    for (request, name, taken, given) in [(part, "r1", 79, 24), (pieces(&[("2", 1)]), "r2", 50, 16)] {
        let back = shop.give_back("1", name, request);
        assert_eq!(
            (back.points_clawed_back("points").next().unwrap().taken, back.given_back[0].points),
            (taken, given)
        );
    }
}

#[test]
fn any_split_of_a_full_return_fills_the_same_lots_again() {
    for steps in SPLITS {
        split_return(steps, 0);
    }
}

#[test]
fn through_merges_the_same_split_fills_the_same_lots_of_who_goes_on() {
    for (steps, merges) in SPLITS.into_iter().flat_map(|steps| [(steps, 1), (steps, 2)]) {
        split_return(steps, merges);
    }
}

/// Returns G1 in steps, after its member was merged into another, and that one into the next, so many times.
fn split_return(steps: &[Step], merges: u128) {
    let mut shop = g1_shop();
    shop.order("1001", g1());
    (0..merges).for_each(|n| shop.merge_into(3 + n));
    let (mut own, mut status) = (72, 7_219);
    for (Step(back, paid, restored, taken, spend, [a, b]), name) in steps.iter().zip(["r1", "r2", "r3"]) {
        let receipt = shop.give_back("1001", name, pieces(back));
        assert_eq!((receipt.money.0, receipt.member), (Decimal::from_str_exact(paid).unwrap(), shop.member.0));
        assert_eq!(receipt.restored.iter().map(|r| r.points).sum::<i64>(), *restored);
        let points_back = receipt.points_clawed_back("points").next().unwrap();
        assert_eq!((points_back.points, points_back.taken), (*taken, *taken));
        assert_eq!(spend_clawed_back(&receipt), Decimal::from_str_exact(spend).ok());
        own -= taken;
        status -= money(spend).minor();
        let there = [(*a, "2026-12-31"), (*b, "2027-03-31"), (own, "2027-06-10")];
        let there: Vec<_> = there.into_iter().filter(|lot| lot.0 > 0).collect();
        assert_eq!(shop.lots(), lots(&there), "after {name} and {merges} merges");
        assert_eq!(shop.seen().figures(STATUS).spendable, points(status));
    }
    assert_eq!((own, status, shop.spendable()), (0, 0, 4_500));
    assert_eq!((shop.stored().order_count, shop.figures().earned.get()), (0, 4_572));
}

/// Policy; taken, waived, owed; spendable after the return; spendable and debt after the next award of 100.
const POLICIES: [(&str, [i64; 3], i64, [i64; 2]); 3] = [
    ("pending_only", [0, 79, 0], 57, [157, 0]),
    ("within_balance", [57, 22, 0], 0, [100, 0]),
    ("allow", [57, 0, 22], 0, [78, 0]),
];

#[test]
fn a_return_takes_what_is_left_and_the_policy_says_what_becomes_of_the_rest() {
    for (policy, [taken, waived, owed], left, [next, debt]) in POLICIES {
        let document = program(&format!("expiry = {{ after = \"P12M\" }}, returns = \"{policy}\""), "");
        let mut shop = Shop::new("2026-06-10T12:00:00Z", &document);
        shop.bring(40, "2026-12-31");
        shop.bring(30, "2027-12-31");
        shop.order("earns", goods("387.00"));
        shop.order("spends", paid_with(400, goods("4.00")));
        assert_eq!(shop.lots(), lots(&[(27, "2027-06-10"), (30, "2027-12-31")]));
        let receipt = shop.give_back("earns", "r1", amount("79.00"));
        let back = receipt.points_clawed_back("points").next().unwrap();
        assert_eq!((back.points, back.forgiven), (79, 0), "{policy}");
        assert_eq!([back.taken, back.waived, back.owed], [taken, waived, owed], "{policy}");
        assert_eq!((shop.spendable(), shop.debt()), (left, owed), "{policy}");
        shop.order("next", goods("100.00"));
        assert_eq!([shop.spendable(), shop.debt()], [next, debt], "{policy}");
    }
}

#[test]
fn pending_points_are_taken_back_whatever_the_policy() {
    for policy in ["pending_only", "within_balance", "allow"] {
        let points = format!("pending = {{ after = \"P14D\" }}, returns = \"{policy}\"");
        let mut shop = Shop::new("2026-06-10T12:00:00Z", &program(&points, ""));
        shop.order("1", goods("100.00"));
        let receipt = shop.give_back("1", "r", amount("40.00"));
        assert_eq!(receipt.points_clawed_back("points").next().unwrap().taken, 40, "{policy}");
        let figures = shop.figures();
        assert_eq!((figures.pending.get(), figures.spendable.get(), figures.debt.get()), (60, 0, 0), "{policy}");
    }
}

#[test]
fn a_restore_repays_no_debt_but_the_next_award_does() {
    let mut shop = Shop::new("2026-06-10T12:00:00Z", &program("returns = \"allow\"", ""));
    shop.order("earns", goods("100.00"));
    shop.order("spends", paid_with(100, goods("1.00")));
    shop.give_back("earns", "r1", amount("60.00"));
    assert_eq!((shop.spendable(), shop.debt()), (0, 60));
    shop.give_back("spends", "r2", amount("1.00"));
    assert_eq!((shop.spendable(), shop.debt()), (100, 60));
    shop.order("next", goods("50.00"));
    assert_eq!((shop.spendable(), shop.debt()), (100, 10));
}
