//! What returns give back, however they are split.

use proptest::prelude::*;

use crate::kernel::edges::cases;
use crate::kernel::money::Money;
use crate::kernel::points::Points;
use crate::kernel::spread::Share;
use crate::loyalty::checkout::returns::{LineReturn, ReturnError, ReturnRequest};
use crate::loyalty::checkout::share::{Figures, GivenBack, Returned, Sold, SoldLine, give_back};
use crate::loyalty::earning::model::LineKind;

fn money(minor: i64) -> Money {
    Money::from_minor(minor).unwrap()
}

fn points(n: i64) -> Points {
    Points::try_from(n).unwrap()
}

fn sold_line(id: &str, quantity: u32, charged: i64, spent: i64, gift_card: i64) -> SoldLine {
    SoldLine {
        id: id.into(),
        kind: LineKind::Product,
        quantity,
        charged: money(charged),
        tax: Money::ZERO,
        points_spent: points(spent),
        worth: money(spent),
        uncovered: Money::ZERO,
        gift_card: money(gift_card),
        returned: Returned::default(),
    }
}

fn sold(lines: Vec<SoldLine>) -> Sold {
    Sold { lines, rows: vec![], credits: vec![] }
}

fn pieces(id: &str, quantity: u32) -> ReturnRequest {
    by_line(vec![LineReturn { id: id.into(), quantity: Some(quantity), amount: None }])
}

fn amount_of(id: &str, minor: i64) -> ReturnRequest {
    by_line(vec![LineReturn { id: id.into(), quantity: None, amount: Some(money(minor)) }])
}

fn by_line(lines: Vec<LineReturn>) -> ReturnRequest {
    ReturnRequest { lines: Some(lines), ..ReturnRequest::default() }
}

fn amount(minor: i64) -> ReturnRequest {
    ReturnRequest { amount: Some(money(minor)), ..ReturnRequest::default() }
}

fn all() -> ReturnRequest {
    ReturnRequest { all: true, ..ReturnRequest::default() }
}

fn book(sold: &mut Sold, given: &GivenBack) {
    for line in &given.lines {
        sold.lines[line.line].returned = line.returned;
    }
}

fn give(sold: &mut Sold, request: &ReturnRequest) -> GivenBack {
    let given = give_back(sold, request).unwrap();
    book(sold, &given);
    given
}

#[test]
fn pieces_and_amounts_mix_exactly() {
    let mut order = sold(vec![sold_line("a", 3, 2_182, 407, 0)]);
    assert_eq!(give(&mut order, &pieces("a", 1)).sum.money, money(592));
    give(&mut order, &amount_of("a", 500));
    assert_eq!(order.lines[0].returned.share.to_string(), "1841/3273");
    // A third and 5.00 are gone: the pieces that are out bring what is left, and no more.
    let rest = give(&mut order, &pieces("a", 2));
    assert_eq!((order.lines[0].returned.share, order.lines[0].returned.money.minor()), (Share::ALL, 1_775));
    assert!(rest.completes);
}

#[test]
fn the_last_whole_cent_returns_the_line() {
    let mut order = sold(vec![sold_line("a", 3, 2_182, 407, 0)]);
    give(&mut order, &pieces("a", 1));
    let left = give_back(&order, &amount_of("a", 1_455)).unwrap_err();
    assert_eq!(left, ReturnError::AmountBeyondLine { line: 0, asked: money(1_455), left: money(1_454) });
    let given = give(&mut order, &amount_of("a", 1_454));
    assert_eq!((given.sum.points_spent, order.lines[0].returned.share), (points(271), Share::ALL));
}

#[test]
fn an_amount_alone_is_spread_by_what_is_left_shipping_too() {
    let shipping = SoldLine { kind: LineKind::Shipping, ..sold_line("s", 1, 500, 0, 0) };
    let mut order = sold(vec![sold_line("a", 2, 1_000, 0, 0), sold_line("free", 1, 0, 0, 0), shipping]);
    give(&mut order, &pieces("a", 1));
    let given = give(&mut order, &amount(500));
    let of: Vec<(usize, i64)> = given.lines.iter().map(|l| (l.line, l.figures.charged.minor())).collect();
    assert_eq!(of, [(0, 250), (2, 250)]);
    let too_much = ReturnError::AmountBeyondOrder { asked: money(501), left: money(500) };
    assert_eq!(give_back(&order, &amount(501)), Err(too_much));
    let given = give(&mut order, &amount(500));
    assert!(given.completes && order.lines[1].returned == Returned::default());
    assert_eq!(give_back(&order, &amount(1)), Err(ReturnError::Nothing { line: None }));
}

#[test]
fn an_order_is_back_when_its_products_are() {
    let shipping = SoldLine { kind: LineKind::Shipping, ..sold_line("s", 1, 500, 0, 0) };
    let mut order = sold(vec![sold_line("a", 2, 1_000, 0, 0), sold_line("gift", 1, 0, 0, 0), shipping.clone()]);
    assert!(!give(&mut order, &pieces("a", 1)).complete);
    let last = give(&mut order, &pieces("a", 1));
    assert!(last.complete && last.completes);
    let late = give(&mut order, &pieces("s", 1));
    assert!(late.complete && !late.completes, "it is counted back once");
    let mut free = sold(vec![sold_line("gift", 1, 0, 0, 0), shipping]);
    assert!(!give(&mut free, &pieces("gift", 1)).complete);
    assert!(give(&mut free, &all()).completes);
}

#[test]
fn money_given_back_is_never_taken_again() {
    // Of 3 cents 2 are paid with points: after 2 of 5 pieces nothing of the money stays, after 3 a cent would.
    let mut order = sold(vec![sold_line("a", 5, 3, 2, 0)]);
    let given: Vec<i64> = (0..5).map(|_| give(&mut order, &pieces("a", 1)).sum.money.minor()).collect();
    assert_eq!(given, [0, 1, 0, 0, 0]);
    let mut thirds = sold(vec![sold_line("a", 20, 10, 3, 3)]);
    let given: Vec<i64> = (0..20).map(|_| give(&mut thirds, &pieces("a", 1)).sum.money.minor()).collect();
    assert_eq!(given.iter().sum::<i64>(), 4);
}

#[test]
fn a_wrong_return_is_refused_with_its_place() {
    let mut order = sold(vec![sold_line("a", 3, 900, 0, 0), sold_line("free", 2, 0, 0, 0)]);
    let refused = |order: &Sold, request: &ReturnRequest| {
        let error = give_back(order, request).unwrap_err();
        (error, error.pointer())
    };
    let either = |request| refused(&order, &request);
    assert_eq!(either(ReturnRequest::default()), (ReturnError::NotOneOfThree, String::new()));
    assert_eq!(either(ReturnRequest { all: true, ..amount(1) }).0, ReturnError::NotOneOfThree);
    assert_eq!(either(ReturnRequest { all: true, ..pieces("a", 1) }).0, ReturnError::NotOneOfThree);
    assert_eq!(either(by_line(vec![])), (ReturnError::Nothing { line: None }, String::new()));
    assert_eq!(either(pieces("x", 1)), (ReturnError::UnknownLine { line: 0 }, "/lines/0/id".into()));
    let line = |quantity, amount| either(by_line(vec![LineReturn { id: "a".into(), quantity, amount }]));
    assert_eq!(line(None, None), (ReturnError::NotOneOfTwo { line: 0 }, "/lines/0".into()));
    assert_eq!(line(Some(1), Some(money(1))).0, ReturnError::NotOneOfTwo { line: 0 });
    assert_eq!(line(Some(0), None).0, ReturnError::Nothing { line: Some(0) });
    assert_eq!(line(None, Some(money(0))).0, ReturnError::Nothing { line: Some(0) });
    let more = ReturnError::MoreThanLeft { line: 0, asked: 4, left: 3 };
    assert_eq!(either(pieces("a", 4)), (more, "/lines/0/quantity".into()));
    assert_eq!(either(amount_of("free", 1)), (ReturnError::AmountOfFreeLine { line: 0 }, "/lines/0/amount".into()));
    let twice = [pieces("a", 1), amount_of("a", 1)].into_iter().flat_map(|r| r.lines.unwrap()).collect();
    assert_eq!(either(by_line(twice)), (ReturnError::LineTwice { line: 1 }, "/lines/1/id".into()));
    give(&mut order, &pieces("a", 2));
    let more = ReturnError::MoreThanLeft { line: 0, asked: 2, left: 1 };
    assert_eq!(refused(&order, &pieces("a", 2)).0, more);
    give(&mut order, &all());
    assert_eq!(refused(&order, &all()).0, ReturnError::Nothing { line: None });
    assert_eq!(refused(&order, &pieces("free", 1)).0, ReturnError::Nothing { line: Some(0) });
}

prop_compose! {
    fn any_sold_line()(
        // Five lines have room in one amount of money, as those of a stored order have.
        quantity in prop_oneof![1..6_u32, 1..=1_000_000_u32],
        charged in prop_oneof![Just(0), 0..30_i64, 0..100_000_i64, 0..=200_000_000_000_i64],
        ship in any::<bool>(), factor in 0..50_i64,
    )(
        spent in 0..=charged, gift in 0..=charged, tax in 0..=charged,
        quantity in Just(quantity), charged in Just(charged), ship in Just(ship), factor in Just(factor),
    ) -> SoldLine {
        let line = sold_line("", quantity, charged, spent, gift.min(charged - spent));
        let kind = if ship { LineKind::Shipping } else { LineKind::Product };
        SoldLine { kind, tax: money(tax), points_spent: points(spent * factor), ..line }
    }
}

#[derive(Clone, Debug)]
enum Try {
    Pieces(usize, u32),
    Amount(usize, u64),
    Spread(u64),
}

fn any_try() -> impl Strategy<Value = Try> {
    prop_oneof![
        (0..5_usize, 0..5_u32).prop_map(|(line, n)| Try::Pieces(line, n)),
        (0..5_usize, any::<u64>()).prop_map(|(line, n)| Try::Amount(line, n)),
        any::<u64>().prop_map(Try::Spread),
    ]
}

fn request(sold: &Sold, attempt: &Try) -> ReturnRequest {
    let left = |line: &SoldLine| line.returned.share.stays(line.charged.minor());
    let of = |n: u64, most: i64| i64::try_from(n % (most.unsigned_abs() + 2)).unwrap();
    match attempt {
        Try::Pieces(line, n) => pieces(&(line % sold.lines.len()).to_string(), *n),
        Try::Amount(line, n) => {
            let line = line % sold.lines.len();
            amount_of(&line.to_string(), of(*n, left(&sold.lines[line])).min(1_000_000_000_000))
        }
        Try::Spread(n) => amount(of(*n, sold.lines.iter().map(left).sum()).min(1_000_000_000_000)),
    }
}

fn numbers(figures: &Figures) -> Vec<i64> {
    let points = figures.rows.iter().chain(&figures.credits).map(|p| p.get());
    let money = [figures.charged, figures.tax, figures.worth, figures.gift_card, figures.money].map(Money::minor);
    money.into_iter().chain([figures.points_spent.get()]).chain(points).collect()
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn any_split_of_a_full_return_sums_to_every_stored_number(
        mut lines in prop::collection::vec(any_sold_line(), 1..5),
        stored in prop::collection::vec(prop::collection::vec(0..1_000_000_000_000_000_i64, 5), 3),
        tries in prop::collection::vec(any_try(), 0..12),
    ) {
        lines.iter_mut().enumerate().for_each(|(i, line)| line.id = i.to_string());
        let n = i64::try_from(lines.len()).unwrap();
        let row = |row: &Vec<i64>| row.iter().take(lines.len()).map(|x| points(x / n)).collect::<Vec<_>>();
        let rows: Vec<Vec<Points>> = stored.iter().map(row).collect();
        let credits = rows[..1].to_vec();
        let mut order = Sold { lines, rows, credits };
        let mut back = vec![0; 6 + order.rows.len() + order.credits.len()];
        let mut completed = 0;
        for attempt in tries {
            let asked = request(&order, &attempt);
            let Ok(given) = give_back(&order, &asked) else { continue };
            completed += u32::from(given.completes);
            book(&mut order, &given);
            back.iter_mut().zip(numbers(&given.sum)).for_each(|(a, b)| *a += b);
        }
        if let Ok(rest) = give_back(&order, &all()) {
            completed += u32::from(rest.completes);
            book(&mut order, &rest);
            back.iter_mut().zip(numbers(&rest.sum)).for_each(|(a, b)| *a += b);
        }
        prop_assert!(order.lines.iter().all(|line| line.returned.share.is_all()));
        prop_assert_eq!(completed, 1);
        let sum = |figure: fn(&SoldLine) -> i64| order.lines.iter().map(figure).sum::<i64>();
        let paid = sum(|l| l.charged.minor() - l.worth.minor() - l.gift_card.minor());
        let mut want = vec![sum(|l| l.charged.minor()), sum(|l| l.tax.minor()), sum(|l| l.worth.minor())];
        want.extend([sum(|l| l.gift_card.minor()), paid, sum(|l| l.points_spent.get())]);
        want.extend(order.rows.iter().chain(&order.credits).map(|row| row.iter().map(|p| p.get()).sum::<i64>()));
        prop_assert_eq!(back, want);
    }
}
