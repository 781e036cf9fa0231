//! For tests: values that love the edges of their types, where arithmetic goes wrong first.

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveTime, Utc};
use proptest::prelude::*;
use rust_decimal::Decimal;

/// Time zones whose days begin oddly: gaps and overlaps at midnight, a skipped day, offsets of halves and quarters.
pub const ZONES: [&str; 10] = [
    "UTC",
    "Europe/Amsterdam",
    "Africa/Cairo",
    "America/Havana",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Africa/Monrovia",
];

/// So many cases where nobody asks for more, by `PROPTEST_CASES`.
pub fn cases(lean: u32) -> ProptestConfig {
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    let usual = ProptestConfig::default();
    // What is found becomes a test with a name, not a line in a file of seeds.
    ProptestConfig { cases: if asked { usual.cases } else { lean }, failure_persistence: None, ..usual }
}

/// A whole number of 0 to `max`.
pub fn up_to(max: i64) -> impl Strategy<Value = i64> + Clone {
    let power = (0..19_u32).prop_map(|exponent| 10_i64.pow(exponent));
    let edge = prop::sample::select(vec![0, 1, 2, (1 << 53) - 1, 1 << 53, (1 << 53) + 1, max / 2, max - 1, max]);
    prop_oneof![4 => edge, 1 => power, 2 => 0..1_000_i64, 2 => 0..=max].prop_map(move |n| n.min(max))
}

/// Any whole number.
pub fn whole() -> impl Strategy<Value = i64> + Clone {
    let near = (any::<bool>(), 0..3_i64).prop_map(|(low, n)| if low { i64::MIN + n } else { i64::MAX - n });
    prop_oneof![2 => near, 2 => up_to(i64::MAX), 1 => up_to(i64::MAX).prop_map(|n| -n), 1 => any::<i64>()]
}

/// Any decimal, of up to 28 digits and places.
pub fn decimal() -> impl Strategy<Value = Decimal> {
    let part = || prop_oneof![Just(0), Just(1), Just(u32::MAX), any::<u32>()];
    let scale = prop_oneof![Just(0), Just(1), Just(28), 0..=28_u32];
    let built = (part(), part(), part(), any::<bool>(), scale);
    let built = built.prop_map(|(low, mid, high, minus, scale)| Decimal::from_parts(low, mid, high, minus, scale));
    let named = [Decimal::ZERO, Decimal::ONE, Decimal::MAX, Decimal::MIN, Decimal::new(1, 28), Decimal::new(-1, 28)];
    prop_oneof![3 => built, 1 => prop::sample::select(named.to_vec())]
}

/// Any day that can be counted.
pub fn day() -> impl Strategy<Value = NaiveDate> {
    let (first, last) = (NaiveDate::MIN.num_days_from_ce(), NaiveDate::MAX.num_days_from_ce());
    let around = |n: i32| (n - 400..=n + 400).prop_map(move |n| n.clamp(first, last));
    let count =
        prop_oneof![around(first), around(last), around(0), around(719_163), first..=last, 700_000..800_000_i32];
    count.prop_map(|n| NaiveDate::from_num_days_from_ce_opt(n).unwrap())
}

/// Any instant that can be counted.
pub fn instant() -> impl Strategy<Value = DateTime<Utc>> {
    let within = prop_oneof![Just(0), Just(86_399_999_999), 0..86_400_000_000_i64];
    let of_day = (day(), within).prop_map(|(day, micros)| {
        let midnight = day.and_time(NaiveTime::MIN).and_utc();
        midnight.checked_add_signed(Duration::microseconds(micros)).unwrap_or(midnight)
    });
    prop_oneof![1 => Just(DateTime::<Utc>::MIN_UTC), 1 => Just(DateTime::<Utc>::MAX_UTC), 8 => of_day]
}

/// Texts that somebody sends one day: signs that join, turn, shrink or grow, and those that end a text elsewhere.
pub fn text() -> impl Strategy<Value = String> {
    let odd = [
        "",
        " ",
        "\0",
        "\u{7f}",
        "\u{85}",
        "\u{a0}x",
        "\u{200b}",
        "\u{202e}abc",
        "\u{feff}x",
        "\u{10ffff}",
        "İ",
        "ß",
        "e\u{301}",
        "ﬃ",
        "Σας",
        "👩\u{200d}👧",
        "１２",
        "a/b~c",
        "~1",
        "\\",
        "\"",
        "'; --",
        "null",
        "NaN",
        "-0",
        "1e999",
    ];
    let odd = prop::sample::select(odd.to_vec());
    let long = (odd.clone(), 0..300_usize).prop_map(|(text, n)| text.repeat(n));
    prop_oneof![2 => odd.prop_map(str::to_owned), 1 => long, 1 => any::<String>(), 1 => ".{0,20}"]
}
