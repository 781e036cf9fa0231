//! The golden cases, to the cent and to the point. Source: golden.md.

use chrono::DateTime;
use rust_decimal::Decimal;

use crate::kernel::money::{Currency, Money, Ratio};
use crate::kernel::points::Points;
use crate::kernel::spread::spread;
use crate::loyalty::checkout::cart::{Cart, CartLine, DiscountedLine, Prices, StatedDiscount, Tax};
use crate::loyalty::checkout::price::{Priced, Terms, price};
use crate::loyalty::checkout::returns::{LineReturn, ReturnRequest};
use crate::loyalty::checkout::share::{GivenBack, Returned, Sold, SoldLine, give_back};
use crate::loyalty::earning::asked::Matching;
use crate::loyalty::earning::asked::Trigger;
use crate::loyalty::earning::model::{LineFigures, LineKind};
use crate::loyalty::earning::rows::{Room, award, by_line};
use crate::loyalty::program::model::{Award, EarningRule, NetOf, On, Schedule, Slot};

/// Lines, of which shipping is the last where there is any.
struct Case {
    cart: Cart,
    /// charged, tax, points, paid, base, by line.
    lines: &'static [(&'static str, &'static str, i64, &'static str, &'static str)],
    /// charged, shipping, tax of the products, paid, base.
    sums: [&'static str; 5],
    /// What the base rule awards, by line.
    base_row: &'static [i64],
    /// What all rules award, by line: base, multiplier, tier, fixed.
    rows: &'static [&'static [i64]],
    /// Each a split of a return of all products.
    splits: &'static [&'static [Step]],
}

/// What is returned, and money, points restored, points clawed back, status, and of the capped row.
struct Step(&'static [Part], &'static str, i64, i64, &'static str, i64);

enum Part {
    Pieces(&'static str, u32),
    Amount(&'static str, &'static str),
}

use Part::{Amount, Pieces};

fn money(text: &str) -> Money {
    let amount = Decimal::from_str_exact(text).unwrap();
    Money::from_decimal(amount, Currency::parse("EUR").unwrap()).unwrap()
}

fn points(n: i64) -> Points {
    Points::try_from(n).unwrap()
}

fn line(id: &str, kind: LineKind, quantity: u32, amount: &str, tax: Tax) -> CartLine {
    CartLine {
        attributes: Default::default(),
        id: id.into(),
        kind,
        sku: None,
        category: None,
        brand: None,
        quantity,
        amount: money(amount),
        tax,
    }
}

fn off(code: &str, lines: &[(&str, &str)]) -> StatedDiscount {
    let line = |(id, amount): &(&str, &str)| DiscountedLine { id: (*id).into(), amount: money(amount) };
    StatedDiscount { code: code.into(), lines: lines.iter().map(line).collect() }
}

fn g1() -> Case {
    use LineKind::{Product, Shipping};
    let tax = Tax::Rate(Decimal::new(21, 0));
    Case {
        cart: Cart {
            attributes: Default::default(),
            prices: Prices::TaxIncluded,
            lines: vec![
                line("shoes", Product, 1, "89.99", tax),
                line("socks", Product, 3, "23.85", tax),
                line("mug", Product, 1, "12.50", tax),
                line("shipping", Shipping, 1, "4.95", tax),
            ],
            discounts: vec![
                off("item", &[("shoes", "9.00")]),
                off("order", &[("shoes", "6.90"), ("socks", "2.03"), ("mug", "1.07")]),
            ],
            entered: Vec::new(),
            points: points(2000),
            gift_card: Money::ZERO,
            total: Some(money("112.29")),
        },
        lines: &[
            ("74.09", "12.86", 1380, "60.29", "49.83"),
            ("21.82", "3.79", 407, "17.75", "14.67"),
            ("11.43", "1.98", 213, "9.30", "7.69"),
            ("4.95", "0.86", 0, "4.95", "0.00"),
        ],
        sums: ["107.34", "4.95", "18.63", "92.29", "72.19"],
        base_row: &[50, 14, 8, 0],
        rows: &[&[50, 14, 8, 0], &[40, 0, 0, 0], &[45, 7, 4, 0]],
        splits: &[
            &[
                Step(&[Pieces("socks", 1)], "5.92", 136, 8, "4.89", 0),
                Step(&[Pieces("shoes", 1)], "60.29", 1380, 135, "49.83", 40),
                Step(&[Pieces("socks", 2), Pieces("mug", 1)], "21.13", 484, 25, "17.47", 0),
            ],
            &[
                Step(&[Pieces("mug", 1)], "9.30", 213, 12, "7.69", 0),
                Step(&[Pieces("socks", 2)], "11.83", 272, 15, "9.78", 0),
                Step(&[Pieces("shoes", 1), Pieces("socks", 1)], "66.21", 1515, 141, "54.72", 40),
            ],
        ],
    }
}

fn g2() -> Case {
    Case {
        cart: Cart {
            attributes: Default::default(),
            prices: Prices::NoTax,
            lines: vec![
                line("1", LineKind::Product, 1, "100.00", Tax::None),
                line("2", LineKind::Product, 1, "50.00", Tax::None),
            ],
            discounts: vec![],
            entered: Vec::new(),
            points: Points::ZERO,
            gift_card: Money::ZERO,
            total: None,
        },
        lines: &[("100.00", "0.00", 0, "100.00", "100.00"), ("50.00", "0.00", 0, "50.00", "50.00")],
        sums: ["150.00", "0.00", "0.00", "150.00", "150.00"],
        base_row: &[100, 50],
        rows: &[&[100, 50], &[80, 40], &[45, 22], &[33, 17]],
        splits: &[&[
            Step(&[Amount("2", "30.00")], "30.00", 0, 79, "30.00", 24),
            Step(&[Amount("2", "20.00")], "20.00", 0, 50, "20.00", 16),
            Step(&[Pieces("1", 1)], "100.00", 0, 258, "100.00", 80),
        ]],
    }
}

fn priced(case: &Case) -> Priced {
    // A point is worth 0.01: one minor unit.
    let value = Ratio::of(Decimal::ONE, Decimal::ONE).unwrap();
    price(&case.cart, case.cart.points, &Terms { value, net_of: NetOf::ALL, barred: &[] }).unwrap()
}

fn sold(case: &Case, priced: &Priced) -> Sold {
    let line = |(stated, line): (&CartLine, &LineFigures)| SoldLine {
        id: stated.id.clone(),
        kind: line.kind,
        quantity: line.quantity,
        charged: line.charged,
        tax: line.tax,
        points_spent: line.points_spent,
        worth: line.worth,
        uncovered: line.uncovered,
        gift_card: line.gift_card,
        returned: Returned::default(),
    };
    Sold {
        lines: case.cart.lines.iter().zip(&priced.lines).map(line).collect(),
        rows: case.rows.iter().map(|row| row.iter().map(|n| points(*n)).collect()).collect(),
        credits: vec![priced.lines.iter().map(|line| points(line.base.minor())).collect()],
    }
}

fn give(sold: &mut Sold, request: &ReturnRequest) -> GivenBack {
    let given = give_back(sold, request).unwrap();
    for line in &given.lines {
        sold.lines[line.line].returned = line.returned;
    }
    given
}

#[test]
fn lines_are_priced_to_the_cent() {
    for case in [g1(), g2()] {
        let priced = priced(&case);
        for (line, want) in priced.lines.iter().zip(case.lines) {
            let (charged, tax, spent, paid, base) = *want;
            assert_eq!((line.charged, line.tax), (money(charged), money(tax)));
            assert_eq!((line.points_spent, line.worth.minor()), (points(spent), spent));
            assert_eq!((line.paid, line.base), (money(paid), money(base)));
        }
        assert_eq!(priced.lines.len(), case.lines.len());
        let products = priced.lines.iter().filter(|line| line.kind == LineKind::Product);
        let tax = products.fold(Money::ZERO, |sum, line| sum.plus(line.tax).unwrap());
        let sums = [priced.charged, priced.shipping, tax, priced.paid, priced.base];
        assert_eq!(sums, case.sums.map(money));
    }
}

#[test]
fn the_base_rule_earns_a_point_for_each_unit_of_base() {
    let rate = Ratio::of(Decimal::ONE, Decimal::ONE_HUNDRED).unwrap();
    let rule = EarningRule {
        on: On::Order,
        text: Default::default(),
        code: "base".into(),
        wallet: Slot(0),
        lines: None,
        when: None,
        audience: None,
        award: Award::Rate { rate, step: None },
        net_of: NetOf::ALL,
        schedule: Schedule::default(),
        stack: None,
        cap: None,
        awards: None,
        budget: None,
        expiry: None,
    };
    for case in [g1(), g2()] {
        let rules = std::slice::from_ref(&rule);
        let rows = award(
            rules,
            Trigger::Order { enrols: false },
            &priced(&case).lines,
            DateTime::UNIX_EPOCH,
            (None, None),
            |_| Room::default(),
        )
        .unwrap()
        .rows;
        assert_eq!(rows.len(), 1);
        let by_line: Vec<i64> = rows[0].by_line.iter().map(|p| p.get()).collect();
        assert_eq!(by_line, case.base_row);
        assert_eq!(rows[0].points.get(), case.base_row.iter().sum::<i64>());
    }
}

#[test]
fn rows_are_spread_by_what_they_were_computed_from() {
    let lines = priced(&g2()).lines;
    let parts =
        |n, from: &[i64]| by_line(points(n), from, &lines, &Matching::ALL).iter().map(|p| p.get()).collect::<Vec<_>>();
    assert_eq!(parts(120, &[10_000, 5_000]), [80, 40]);
    assert_eq!(parts(67, &[180, 90]), [45, 22]);
    assert_eq!(parts(50, &[10_000, 5_000]), [33, 17]);
    assert_eq!(spread(56, &[90, 14, 8]), [45, 7, 4]);
}

#[test]
fn any_split_of_a_full_return_gives_back_what_the_table_says() {
    for case in [g1(), g2()] {
        for steps in case.splits {
            let mut sold = sold(&case, &priced(&case));
            let capped: &[i64] = case.rows[1];
            let (mut clawed, mut of_capped) = (0, 0);
            for Step(parts, paid, restored, taken, status, cap) in *steps {
                let part = |part: &Part| match part {
                    Pieces(id, n) => LineReturn { id: (*id).into(), quantity: Some(*n), amount: None },
                    Amount(id, text) => LineReturn { id: (*id).into(), quantity: None, amount: Some(money(text)) },
                };
                let lines = Some(parts.iter().map(part).collect());
                let given = give(&mut sold, &ReturnRequest { lines, ..ReturnRequest::default() });
                let rows: i64 = given.sum.rows.iter().map(|p| p.get()).sum();
                assert_eq!((given.sum.money, given.sum.points_spent.get()), (money(paid), *restored));
                assert_eq!((rows, given.sum.rows[1].get()), (*taken, *cap));
                assert_eq!(given.sum.credits, [points(money(status).minor())]);
                clawed += rows;
                of_capped += cap;
            }
            assert_eq!(clawed, case.rows.iter().flat_map(|row| row.iter()).sum::<i64>());
            assert_eq!(of_capped, capped.iter().sum::<i64>());
        }
    }
}

#[test]
fn the_rest_of_an_order_is_what_earlier_returns_left() {
    let case = g1();
    let mut sold = sold(&case, &priced(&case));
    let lines = Some(vec![LineReturn { id: "socks".into(), quantity: Some(1), amount: None }]);
    assert!(!give(&mut sold, &ReturnRequest { lines, ..ReturnRequest::default() }).complete);
    let rest = give(&mut sold, &ReturnRequest { all: true, ..ReturnRequest::default() });
    assert_eq!(rest.sum.money, money("86.37"));
    assert_eq!((rest.sum.points_spent.get(), rest.sum.credits[0].get()), (1864, 6730));
    assert!(rest.completes);
}
