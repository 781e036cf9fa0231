//! What carts cost, and which are refused.

use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::kernel::edges::{cases, up_to};
use crate::kernel::money::{MONEY_MINOR_MAX, Money, Ratio};
use crate::kernel::points::{POINTS_MAX, Points};
use crate::loyalty::checkout::cart::{Cart, CartError, CartLine, DiscountedLine, Prices, StatedDiscount, Tax};
use crate::loyalty::checkout::price::{Priced, Terms, price};
use crate::loyalty::earning::base::base_of;
use crate::loyalty::earning::model::{LineFigures, LineKind};
use crate::loyalty::program::model::NetOf;

fn money(minor: i64) -> Money {
    Money::from_minor(minor).unwrap()
}

fn points(n: i64) -> Points {
    Points::try_from(n).unwrap()
}

fn percent(text: &str) -> Tax {
    Tax::Rate(Decimal::from_str_exact(text).unwrap())
}

fn product(id: &str, minor: i64) -> CartLine {
    let (kind, tax) = (LineKind::Product, Tax::None);
    CartLine {
        attributes: Default::default(),
        id: id.into(),
        kind,
        sku: None,
        category: None,
        brand: None,
        quantity: 1,
        amount: money(minor),
        tax,
    }
}

fn shipping(minor: i64) -> CartLine {
    CartLine { kind: LineKind::Shipping, ..product("s", minor) }
}

fn taxed(line: CartLine, tax: Tax) -> CartLine {
    CartLine { tax, ..line }
}

fn cart(lines: Vec<CartLine>) -> Cart {
    let (points, gift_card) = (Points::ZERO, Money::ZERO);
    Cart {
        attributes: Default::default(),
        prices: Prices::TaxIncluded,
        lines,
        discounts: vec![],
        entered: Vec::new(),
        points,
        gift_card,
        total: None,
    }
}

fn off(entries: &[(&str, i64)]) -> StatedDiscount {
    let line = |(id, minor): &(&str, i64)| DiscountedLine { id: (*id).into(), amount: money(*minor) };
    StatedDiscount { code: "d".into(), lines: entries.iter().map(line).collect() }
}

fn terms() -> Terms<'static> {
    Terms { value: Ratio::of(Decimal::ONE, Decimal::ONE).unwrap(), net_of: NetOf::ALL, barred: &[] }
}

/// An order online: all of its points are there.
fn online(cart: &Cart, terms: &Terms<'_>) -> Result<Priced, CartError> {
    price(cart, cart.points, terms)
}

fn refused(cart: &Cart) -> (CartError, String) {
    let error = online(cart, &terms()).unwrap_err();
    (error, error.pointer())
}

fn each(priced: &Priced, figure: fn(&LineFigures) -> Money) -> Vec<i64> {
    priced.lines.iter().map(|line| figure(line).minor()).collect()
}

#[test]
fn tax_on_top_is_charged_after_discounts() {
    let lines = vec![taxed(product("a", 10_000), percent("21")), taxed(product("b", 995), percent("9.975"))];
    let mut order = Cart { prices: Prices::TaxOnTop, discounts: vec![off(&[("a", 1_000)])], ..cart(lines) };
    let priced = online(&order, &terms()).unwrap();
    // 90.00 x 21 % = 18.90; 9.95 x 9.975 % = 0.9925.
    assert_eq!((each(&priced, |l| l.tax), each(&priced, |l| l.charged)), (vec![1_890, 99], vec![10_890, 1_094]));
    assert_eq!(each(&priced, |l| l.base), [9_000, 995]);
    order.lines[0].tax = Tax::Stated(money(9_000));
    assert_eq!(online(&order, &terms()).unwrap().charged, money(18_000 + 1_094));
    order.lines[0].tax = Tax::Stated(money(9_001));
    assert_eq!(refused(&order).1, "/lines/0/tax");
}

#[test]
fn half_a_cent_of_tax_is_a_cent() {
    // 0.05 x 10 % = 0.005.
    let order = Cart { prices: Prices::TaxOnTop, ..cart(vec![taxed(product("a", 5), percent("10"))]) };
    assert_eq!(online(&order, &terms()).unwrap().tax, money(1));
}

#[test]
fn a_gift_card_pays_what_points_left_and_shipping_too() {
    let mut order = cart(vec![product("a", 10_000), product("b", 5_000), shipping(500)]);
    order.points = points(14_999);
    order.gift_card = money(400);
    let priced = online(&order, &terms()).unwrap();
    assert_eq!(each(&priced, |l| l.worth), [9_999, 5_000, 0]);
    assert_eq!(each(&priced, |l| l.gift_card), [1, 0, 399]);
    assert_eq!((priced.paid, each(&priced, |l| l.paid)), (money(101), vec![0, 0, 101]));
    order.gift_card = money(502);
    assert_eq!(refused(&order), (CartError::GiftCardExceedsOrder { left: money(501) }, "/gift_card".into()));
}

#[test]
fn points_are_worth_half_up_in_all() {
    let value = Ratio::of(Decimal::new(5, 1), Decimal::ONE).unwrap();
    let order = Cart { points: points(3), ..cart(vec![product("a", 100)]) };
    assert_eq!(online(&order, &Terms { value, ..terms() }).unwrap().worth, money(2));
}

#[test]
fn points_pay_for_products_alone() {
    let mut order = Cart { points: points(101), ..cart(vec![product("a", 100), shipping(500)]) };
    let too_many = CartError::PointsExceedProducts { products: money(100) };
    assert_eq!(refused(&order), (too_many, "/points/spend".into()));
    order.points = points(100);
    assert_eq!(each(&online(&order, &terms()).unwrap(), |l| l.worth), [100, 0]);
    order.lines[0].amount = Money::ZERO;
    let worthless = Terms { value: Ratio::ZERO, ..terms() };
    let nothing = CartError::PointsExceedProducts { products: Money::ZERO };
    assert_eq!(online(&order, &worthless), Err(nothing), "points are not taken for nothing");
    order.points = points(i64::from(i32::MAX) * 1_000);
    let huge = Terms { value: Ratio::of(Decimal::MAX, Decimal::ONE).unwrap(), ..terms() };
    assert_eq!(online(&order, &huge), Err(nothing));
}

#[test]
fn a_line_has_its_base_as_the_programme_counts() {
    let mut order = cart(vec![taxed(product("a", 12_100), percent("21")), taxed(shipping(1_210), percent("21"))]);
    order.discounts = vec![off(&[("a", 1_210)])];
    order.points = points(1_089);
    order.gift_card = money(1_101);
    let base = |net_of| each(&online(&order, &Terms { net_of, ..terms() }).unwrap(), |l| l.base);
    // Charged 108.90 and 12.10, of which points pay 10.89 and the gift card 9.80 and 1.21.
    assert_eq!(base(NetOf::ALL), [7_290, 0]);
    assert_eq!(base(NetOf::NOTHING), [12_100, 1_210]);
    assert_eq!(base(NetOf { tax: true, ..NetOf::NOTHING }), [10_000, 1_000]);
    assert_eq!(base(NetOf { discounts: true, ..NetOf::NOTHING }), [10_890, 1_210]);
    assert_eq!(base(NetOf { points_paid: true, ..NetOf::NOTHING }), [11_011, 1_210]);
    assert_eq!(base(NetOf { gift_card: true, shipping: true, ..NetOf::NOTHING }), [11_120, 0]);
}

#[test]
fn a_line_charged_nothing_has_no_base() {
    let order = Cart { discounts: vec![off(&[("a", 100)])], ..cart(vec![product("a", 100)]) };
    let free = online(&order, &Terms { net_of: NetOf::NOTHING, ..terms() }).unwrap();
    assert_eq!((free.charged, free.base), (Money::ZERO, Money::ZERO));
    assert_eq!(base_of(&free.lines[0], NetOf::NOTHING), Some(Money::ZERO));
}

#[test]
fn a_wrong_cart_is_refused_with_its_place() {
    let two = || cart(vec![product("a", 100), product("b", 50)]);
    let line = |change: fn(&mut CartLine)| {
        let mut order = two();
        change(&mut order.lines[1]);
        refused(&order)
    };
    let stated = |discounts| refused(&Cart { discounts, ..two() });
    let many = |n: u32| cart((0..n).map(|i| product(&i.to_string(), 1)).collect());
    assert_eq!(refused(&cart(vec![])), (CartError::NoLines, "/lines".into()));
    assert_eq!(refused(&many(501)), (CartError::TooManyLines, "/lines".into()));
    assert!(online(&many(500), &terms()).is_ok());
    assert_eq!(line(|l| l.id = "a".into()), (CartError::DuplicateLine { line: 1 }, "/lines/1/id".into()));
    assert_eq!(line(|l| l.quantity = 0), (CartError::Quantity { line: 1 }, "/lines/1/quantity".into()));
    assert_eq!(line(|l| l.quantity = 1_000_001).1, "/lines/1/quantity");
    for rate in ["100.1", "-1", "0.0000001"] {
        let order = cart(vec![taxed(product("a", 100), percent(rate))]);
        assert_eq!(refused(&order), (CartError::TaxRate { line: 0 }, "/lines/0/tax_rate".into()));
    }
    let too_much = CartError::TaxExceedsLine { line: 1, most: money(50) };
    assert_eq!(line(|l| l.tax = Tax::Stated(money(51))), (too_much, "/lines/1/tax".into()));
    let untaxed = |tax| refused(&Cart { prices: Prices::NoTax, ..cart(vec![taxed(product("a", 100), tax)]) }).1;
    assert_eq!(
        (untaxed(percent("9")), untaxed(Tax::Stated(money(1)))),
        ("/lines/0/tax_rate".into(), "/lines/0/tax".into())
    );
    let unknown = CartError::DiscountOnUnknownLine { discount: 1, entry: 0 };
    assert_eq!(stated(vec![off(&[]), off(&[("c", 1)])]), (unknown, "/discounts/1/lines/0/id".into()));
    let beyond = CartError::DiscountExceedsLine { discount: 1, entry: 1, left: money(20) };
    let both = vec![off(&[("b", 30)]), off(&[("a", 100), ("b", 21)])];
    assert_eq!(stated(both), (beyond, "/discounts/1/lines/1/amount".into()));
    assert_eq!(stated(vec![off(&[]); 201]), (CartError::TooManyDiscounts, "/discounts".into()));
    let sums = |total| online(&Cart { total: Some(money(total)), ..two() }, &terms());
    assert!(sums(150).is_ok());
    assert_eq!(sums(151), Err(CartError::LinesDoNotSum { lines: money(150) }));
    let most = money(MONEY_MINOR_MAX);
    let full = CartLine { amount: most, ..product("a", 0) };
    assert_eq!(online(&cart(vec![full.clone()]), &terms()).unwrap().charged, most);
    assert_eq!(refused(&cart(vec![full.clone(), product("b", 1)])), (CartError::SumTooLarge, "/lines".into()));
    let on_top = Cart { prices: Prices::TaxOnTop, ..cart(vec![taxed(full, percent("1"))]) };
    assert_eq!(refused(&on_top), (CartError::SumTooLarge, "/lines".into()));
}

fn any_money() -> impl Strategy<Value = Money> {
    prop_oneof![Just(0), 0..200_i64, 0..100_000_i64, up_to(MONEY_MINOR_MAX)].prop_map(money)
}

fn any_tax() -> impl Strategy<Value = Tax> {
    let rate = (any::<i64>(), 0..28_u32).prop_map(|(n, scale)| Tax::Rate(Decimal::new(n, scale)));
    let usual = (0..=10_000_i64).prop_map(|n| Tax::Rate(Decimal::new(n, 2)));
    prop_oneof![4 => usual, 1 => rate, 2 => Just(Tax::None), 1 => any_money().prop_map(Tax::Stated)]
}

prop_compose! {
    fn any_line()(
        id in "[a-h]", ship in any::<bool>(), quantity in prop_oneof![8 => 1..20_u32, 1 => any::<u32>()],
        amount in any_money(), tax in any_tax(),
    ) -> CartLine {
        let kind = if ship { LineKind::Shipping } else { LineKind::Product };
        CartLine { id, kind, quantity, amount, tax, ..product("", 0) }
    }
}

prop_compose! {
    fn any_cart()(
        prices in prop_oneof![Just(Prices::TaxIncluded), Just(Prices::TaxOnTop), Just(Prices::NoTax)],
        mut lines in prop::collection::vec(any_line(), 0..7),
        distinct in any::<bool>(),
        discounts in prop::collection::vec(prop::collection::vec(("[a-h]", any_money()), 0..4), 0..3),
        spend in prop_oneof![Just(0), 0..500_i64, 0..=1_000_000_000_000_000_i64],
        gift_card in any_money(), total in prop::option::weighted(0.1, any_money()),
    ) -> Cart {
        if distinct {
            lines.iter_mut().zip('a'..).for_each(|(line, id)| line.id = id.into());
        }
        let line = |(id, amount)| DiscountedLine { id, amount };
        let of = |lines: Vec<_>| StatedDiscount { code: "d".into(), lines: lines.into_iter().map(line).collect() };
        let discounts = discounts.into_iter().map(of).collect();
        Cart { attributes: Default::default(), prices, lines, discounts, entered: vec![], points: points(spend), gift_card, total }
    }
}

proptest! {
    #![proptest_config(cases(4_000))]

    #[test]
    fn whatever_the_cart_it_is_refused_or_its_figures_sum(
        cart in any_cart(), missing in up_to(POINTS_MAX), value in (up_to(10_000_000_000), 0..9_u32), bits in any::<[bool; 5]>(),
    ) {
        let value = Ratio::of(Decimal::new(value.0, value.1), Decimal::ONE).unwrap();
        let [discounts, points_paid, tax, shipping, gift_card] = bits;
        let net_of = NetOf { discounts, points_paid, tax, shipping, gift_card };
        let taken = cart.points.minus_or_zero(points(missing));
        match price(&cart, taken, &Terms { value, net_of, barred: &[] }) {
            Err(error) => prop_assert!(error.pointer().starts_with('/')),
            Ok(priced) => {
                let sum = |figure: fn(&LineFigures) -> Money| each(&priced, figure).iter().sum::<i64>();
                let total = priced.charged.minor() + priced.shipping.minor();
                prop_assert_eq!(sum(|l| l.charged), total);
                prop_assert_eq!(sum(|l| l.worth), priced.worth.minor());
                prop_assert_eq!(sum(|l| l.uncovered), priced.uncovered.minor());
                prop_assert_eq!(sum(|l| l.gift_card), cart.gift_card.minor());
                prop_assert_eq!(sum(|l| l.paid), priced.paid.minor());
                let unpaid = priced.worth.minor() + priced.uncovered.minor() + cart.gift_card.minor();
                prop_assert_eq!(priced.paid.minor(), total - unpaid);
                let asked = value.half_up(cart.points.get()).unwrap();
                prop_assert_eq!(priced.worth.minor() + priced.uncovered.minor(), asked, "the till was told so");
                prop_assert_eq!(priced.lines.iter().map(|l| l.points_spent.get()).sum::<i64>(), taken.get());
                for line in &priced.lines {
                    let unpaid = line.worth.minor() + line.uncovered.minor() + line.gift_card.minor();
                    prop_assert_eq!(line.paid.minor(), line.charged.minor() - unpaid);
                    prop_assert!(line.tax <= line.charged && line.discount <= line.amount);
                    prop_assert!(line.kind == LineKind::Product || line.points_spent.is_zero());
                    prop_assert!(!net_of.discounts || line.base <= line.charged);
                    prop_assert!(line.charged > Money::ZERO || line.base == Money::ZERO);
                }
            }
        }
    }
}

#[test]
fn a_base_that_money_has_no_room_for_is_refused_and_not_cut() {
    // Before its discount and with the tax on top the line cost more than money has room for.
    let line = taxed(product("a", MONEY_MINOR_MAX), percent("100"));
    let discounts = vec![off(&[("a", MONEY_MINOR_MAX / 2)])];
    let order = Cart { prices: Prices::TaxOnTop, discounts, ..cart(vec![line]) };
    assert_eq!(online(&order, &terms()).unwrap().base.minor(), MONEY_MINOR_MAX / 2);
    let gross = Terms { net_of: NetOf::NOTHING, ..terms() };
    assert_eq!(online(&order, &gross), Err(CartError::SumTooLarge));
}
