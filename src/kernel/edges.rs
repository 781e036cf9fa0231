//! For tests: values that love the edges of their types, where arithmetic goes wrong first.

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveTime, Utc};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

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
    let edge = select(vec![0, 1, 2, (1 << 53) - 1, 1 << 53, (1 << 53) + 1, max / 2, max - 1, max]);
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
    prop_oneof![3 => built, 1 => select(named.to_vec())]
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
    let odd = select(odd.to_vec());
    let long = (odd.clone(), 0..300_usize).prop_map(|(text, n)| text.repeat(n));
    prop_oneof![2 => odd.prop_map(str::to_owned), 1 => long, 1 => any::<String>(), 1 => ".{0,20}"]
}

/// What a field is not meant to be.
pub fn odd_value() -> impl Strategy<Value = Value> {
    let amounts = ["0", "0.00", "9999999999999.999999", "10000000000.00", "10000000000.01", "-1", "1e3", ".5", "1.005"];
    let times = [
        "+262142-12-31T23:59:59.999999999Z",
        "-262143-01-01T00:00:00Z",
        "2026-06-30T23:59:60Z",
        "0000-01-01",
        "9999-12-31",
        "+262142-12-31",
        "2026-02-30",
        "2026-06-10T12:00:00+23:59",
    ];
    let deep = (1..140_usize).prop_map(|depth| (0..depth).fold(Value::Null, |inside, _| json!([inside])));
    prop_oneof![
        3 => select(amounts.to_vec()).prop_map(Value::from),
        2 => select(times.to_vec()).prop_map(Value::from),
        3 => text().prop_map(Value::from),
        2 => text().prop_map(|text| Value::from(format!("{text}@b.example"))),
        2 => whole().prop_map(Value::from),
        1 => select(vec![u64::MAX, 1 << 63]).prop_map(Value::from),
        1 => select(vec![0.1, -0.0, 1e308, 5e-324]).prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => select(vec![json!(null), json!([]), json!({}), json!([[]]), json!({ "": 1 })]),
        1 => deep,
    ]
}

/// A body that was good, with up to three places changed.
pub fn bent(good: Value) -> impl Strategy<Value = Value> {
    let bend = (any::<Index>(), prop::option::weighted(0.85, odd_value()));
    prop::collection::vec(bend, 0..4).prop_map(move |bends| {
        let mut body = good.clone();
        for (place, value) in bends {
            let places = pointers(&body);
            let pointer = place.get(&places);
            match value {
                Some(value) => *body.pointer_mut(pointer).unwrap() = value,
                None => leave_out(&mut body, pointer),
            }
        }
        body
    })
}

fn pointers(value: &Value) -> Vec<String> {
    let below = |name: String, value: &Value| pointers(value).into_iter().map(move |rest| format!("/{name}{rest}"));
    let escaped = |name: &str| name.replace('~', "~0").replace('/', "~1");
    let inner: Vec<String> = match value {
        Value::Object(fields) => fields.iter().flat_map(|(name, value)| below(escaped(name), value)).collect(),
        Value::Array(items) => items.iter().enumerate().flat_map(|(i, value)| below(i.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    std::iter::once(String::new()).chain(inner).collect()
}

fn leave_out(body: &mut Value, pointer: &str) {
    let Some((parent, name)) = pointer.rsplit_once('/') else { return };
    if let Some(Value::Object(fields)) = body.pointer_mut(parent) {
        Map::remove(fields, name);
    }
}

/// Its bytes, mostly as they are, else cut, doubled or with one of them changed.
pub fn bytes(body: impl Strategy<Value = Value>) -> impl Strategy<Value = Vec<u8>> {
    let noise = prop::collection::vec(any::<u8>(), 0..60);
    let damage = (body, 0..8_u8, any::<Index>(), any::<u8>()).prop_map(|(body, how, place, byte)| {
        let mut bytes = serde_json::to_vec(&body).unwrap();
        let at = place.index(bytes.len());
        match how {
            0 => bytes.truncate(at),
            1 => bytes[at] = byte,
            2 => bytes.insert(at, byte),
            3 => bytes.extend_from_within(at..),
            _ => {}
        }
        bytes
    });
    prop_oneof![12 => damage, 1 => noise]
}
