//! Money is exact in every currency, and refuses what it has no room for.

use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::kernel::edges::{cases, decimal as any_decimal, up_to, whole};
use crate::kernel::money::{
    Currency, MONEY_MINOR_MAX, Money, MoneyError, PLACES_0, PLACES_2, PLACES_3, Ratio, half_up,
};

fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn amounts_are_read_in_the_places_of_their_currency() {
    let read = |text, code| Money::from_decimal(decimal(text), currency(code)).map(Money::minor);
    assert_eq!((read("12.34", "EUR"), read("12", "EUR"), read("12.3400", "EUR")), (Ok(1_234), Ok(1_200), Ok(1_234)));
    assert_eq!((read("1234", "JPY"), read("1234.0", "JPY")), (Ok(1_234), Ok(1_234)));
    assert_eq!((read("1.234", "KWD"), read("1.2", "KWD")), (Ok(1_234), Ok(1_200)));
    for (text, code) in [("0.5", "JPY"), ("0.001", "EUR"), ("0.0001", "KWD")] {
        assert_eq!(read(text, code), Err(MoneyError::TooPrecise));
    }
    assert_eq!((read("-0.01", "EUR"), read("-0", "EUR")), (Err(MoneyError::Negative), Ok(0)));
    assert_eq!(
        (read("10000000000", "EUR"), read("10000000000.01", "EUR")),
        (Ok(MONEY_MINOR_MAX), Err(MoneyError::TooLarge))
    );
    assert_eq!(Money::from_decimal(Decimal::MAX, currency("KWD")), Err(MoneyError::TooLarge));
    assert_eq!(Money::from_minor(7).unwrap().to_decimal(currency("KWD")).to_string(), "0.007");
    assert_eq!(Money::from_minor(7).unwrap().to_decimal(currency("JPY")).to_string(), "7");
}

#[test]
fn money_never_leaves_its_range() {
    let (most, cent) = (Money::from_minor(MONEY_MINOR_MAX).unwrap(), Money::from_minor(1).unwrap());
    assert_eq!((most.plus(cent), Money::ZERO.minus(cent)), (None, None));
    assert_eq!((Money::from_minor(-1), Money::from_minor(MONEY_MINOR_MAX + 1)), (None, None));
    assert_eq!(most.minus(most), Some(Money::ZERO));
}

#[test]
fn every_currency_is_listed_once() {
    let all: Vec<&str> = [PLACES_0, PLACES_2, PLACES_3].iter().flat_map(|l| l.split_ascii_whitespace()).collect();
    let distinct: std::collections::HashSet<&&str> = all.iter().collect();
    assert_eq!((distinct.len(), all.len()), (all.len(), 158));
    for code in all {
        assert_eq!(currency(code).code(), code);
    }
    for text in ["", "eur", "EURO", "XXX", "E R", "ÀB"] {
        assert!(Currency::parse(text).is_err(), "{text}");
    }
}

#[test]
fn halves_go_up() {
    assert_eq!((half_up(1, 1, 2), half_up(3, 1, 2), half_up(1, 49, 100), half_up(5, 0, 3)), (1, 2, 0, 0));
    assert_eq!((half_up(1, 1, 0), half_up(i64::MAX, i64::MAX, i64::MAX)), (0, i64::MAX));
    assert_eq!(half_up(i64::MAX, i64::MAX, 1), i64::MAX);
    // The taxes of golden case G1.
    assert_eq!([7_409, 2_182, 1_143].map(|charged| half_up(charged, 21, 121)), [1_286, 379, 198]);
}

#[test]
fn a_ratio_is_exact_or_nothing() {
    let ratio = |num, den| Ratio::of(decimal(num), decimal(den));
    assert_eq!((ratio("-1", "1"), ratio("1", "0"), ratio("1", "-1")), (None, None, None));
    assert_eq!(ratio("0.50", "1.0"), ratio("2", "4"));
    assert_eq!((ratio("1", "3").unwrap().floor(8), ratio("1", "3").unwrap().half_up(8)), (Some(2), Some(3)));
    assert_eq!((ratio("0.5", "1").unwrap().half_up(3), Ratio::ZERO.half_up(i64::MAX)), (Some(2), Some(0)));
    let huge = Ratio::of(Decimal::MAX, Decimal::ONE).unwrap();
    assert_eq!((huge.floor(1), huge.half_up(i64::MAX)), (None, None));
    assert_eq!(Ratio::of(Decimal::MAX, decimal("0.0000000000000000000000000001")), None);
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn what_is_written_is_read_again(minor in 0..=MONEY_MINOR_MAX, code in prop::sample::select(vec!["JPY", "EUR", "KWD"])) {
        let money = Money::from_minor(minor).unwrap();
        let text = money.to_decimal(currency(code)).to_string();
        prop_assert_eq!(Money::from_decimal(decimal(&text), currency(code)), Ok(money));
    }

    #[test]
    fn no_decimal_panics(lo in any::<u32>(), mid in any::<u32>(), hi in any::<u32>(), negative: bool, scale in 0..29_u32) {
        let amount = Decimal::from_parts(lo, mid, hi, negative, scale);
        for code in ["JPY", "EUR", "KWD"] {
            if let Ok(money) = Money::from_decimal(amount, currency(code)) {
                prop_assert_eq!(money.to_decimal(currency(code)), amount);
            }
        }
        if let Some(ratio) = Ratio::of(amount, Decimal::ONE) {
            let _ = (ratio.floor(i64::MAX), ratio.half_up(i64::MAX));
        }
    }

    #[test]
    fn half_up_is_the_nearest(a in any::<i64>(), b in any::<i64>(), c in any::<i64>(), x in 0..1_000_000_i64, y in 1..1_000_i64) {
        let _ = half_up(a, b, c);
        let (exact, rounded) = (x * x, half_up(x, x, y) * y);
        prop_assert!(2 * (rounded - exact) <= y && 2 * (exact - rounded) < y);
    }

    #[test]
    fn sums_of_money_are_exact_or_nothing(a in whole(), b in whole()) {
        prop_assert_eq!(Money::from_minor(a).is_some(), (0..=MONEY_MINOR_MAX).contains(&a));
        let (Some(x), Some(y)) = (Money::from_minor(a), Money::from_minor(b)) else { return Ok(()) };
        prop_assert_eq!(x.plus(y), Money::from_minor(a + b));
        prop_assert_eq!(x.minus(y), Money::from_minor(a - b));
        prop_assert_eq!(x.minus_or_zero(y).minor(), (a - b).max(0));
    }

    #[test]
    fn half_up_is_exact_or_the_most_there_is(a in up_to(i64::MAX), b in up_to(i64::MAX), c in up_to(i64::MAX)) {
        prop_assume!(c > 0);
        let wide = |n: i64| u128::from(n.unsigned_abs());
        let exact = (wide(a) * wide(b) * 2 + wide(c)) / (2 * wide(c));
        prop_assert_eq!(half_up(a, b, c), i64::try_from(exact).unwrap_or(i64::MAX));
    }

    #[test]
    fn ratios_are_in_the_order_of_their_exact_values(a in up_to(i64::MAX), b in up_to(i64::MAX), c in up_to(i64::MAX), d in up_to(i64::MAX)) {
        let ratio = |num: i64, den: i64| Ratio::of(Decimal::from(num), Decimal::from(den));
        let (Some(x), Some(y)) = (ratio(a, b), ratio(c, d)) else { return Ok(()) };
        let wide = |n: i64| i128::from(n);
        prop_assert_eq!(x.cmp(&y), (wide(a) * wide(d)).cmp(&(wide(c) * wide(b))));
        prop_assert_eq!(x == y, wide(a) * wide(d) == wide(c) * wide(b));
    }

    #[test]
    fn a_ratio_of_any_decimals_keeps_to_its_exact_value(
        num in any_decimal(), den in any_decimal(), x in up_to(i64::MAX), y in up_to(i64::MAX),
    ) {
        let Some(ratio) = Ratio::of(num, den) else { return Ok(()) };
        prop_assert!((num.is_zero() || !num.is_sign_negative()) && den > Decimal::ZERO);
        let (Some(floor), Some(near)) = (ratio.floor(x), ratio.half_up(x)) else { return Ok(()) };
        prop_assert!(near == floor || near == floor + 1);
        if let Some(less) = ratio.floor(x.min(y)) {
            prop_assert!((0..=floor).contains(&less), "no more for less");
        }
        // floor <= x num / den < floor + 1, where that fits.
        let sides = Decimal::from(x).checked_mul(num).zip(Decimal::from(floor).checked_mul(den));
        if let Some((exact, below)) = sides.filter(|(a, b)| a.scale() == num.scale() && b.scale() == den.scale()) {
            prop_assert!(below <= exact);
            prop_assert!(below.checked_add(den).is_none_or(|above| exact < above || above.scale() < den.scale()));
        }
    }
}
