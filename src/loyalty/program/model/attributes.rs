//! Attributes that a programme declares, and how their values are read.

use std::fmt;

use chrono::NaiveDate;
use indexmap::IndexMap;
use rust_decimal::Decimal;
use serde_json::Value;

/// What an attribute is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeType {
    /// A text.
    Text,
    /// A number of JSON, or a decimal in a text.
    Number,
    /// True or false.
    Flag,
    /// A day in a text, `2026-12-01`.
    Date,
}

impl fmt::Display for AttributeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Flag => "flag",
            Self::Date => "date",
        })
    }
}

/// An attribute as it is declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// What it is.
    pub kind: AttributeType,
    /// The texts that it can be; empty: any.
    pub one_of: Vec<String>,
    /// Whether members may say it of themselves.
    pub by_member: bool,
}

impl From<AttributeType> for Attribute {
    fn from(kind: AttributeType) -> Self {
        Self { kind, one_of: Vec::new(), by_member: false }
    }
}

impl Attribute {
    /// What a value would have to be to be one of these; `None` when it is.
    pub fn refuses(&self, value: &Value) -> Option<&'static str> {
        let (fits, wants) = match self.kind {
            AttributeType::Text => (value.is_string(), "a text"),
            AttributeType::Number => (number(value).is_some(), "a number"),
            AttributeType::Flag => (value.is_boolean(), "true or false"),
            AttributeType::Date => (value.as_str().and_then(date).is_some(), "a day such as 2026-02-28"),
        };
        let listed = self.one_of.is_empty() || self.one_of.iter().any(|text| value.as_str() == Some(text));
        let unlisted = (!listed).then_some("one of the texts that the programme declares");
        if fits { unlisted } else { Some(wants) }
    }
}

/// The attributes of one kind of thing, by name.
pub type Declared = IndexMap<String, Attribute>;

/// All attributes that a programme declares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeclaredAttributes {
    /// Of members.
    pub member: Declared,
    /// Of orders.
    pub order: Declared,
    /// Of lines of orders.
    pub line: Declared,
    /// Of events, by the event's name.
    pub event: IndexMap<String, Declared>,
}

/// The number that a value is, by its text and never through a float; `None` when it is none, or has more than 28 digits.
pub fn number(value: &Value) -> Option<Decimal> {
    match value {
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Some(Decimal::from(whole)),
            None => decimal(&number.to_string()),
        },
        Value::String(text) => decimal(text).filter(|_| plain(text)),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn decimal(text: &str) -> Option<Decimal> {
    Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text)).ok()
}

/// Whether a text is digits with at most one point between them, and perhaps a minus before.
fn plain(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    unsigned.split_once('.').map_or_else(|| digits(unsigned), |(whole, places)| digits(whole) && digits(places))
}

/// The day that a text writes as `2026-12-01`.
pub fn date(text: &str) -> Option<NaiveDate> {
    let form = |(place, byte): (usize, u8)| if matches!(place, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
    let written = text.len() == 10 && text.bytes().enumerate().all(form);
    text.parse().ok().filter(|_| written)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_read_by_their_text() {
        let read = |value: Value| number(&value).map(|n| n.to_string());
        for (value, want) in [
            (json!(12), "12"),
            (json!(-3), "-3"),
            (json!(0.1), "0.1"),
            (json!(u64::MAX), "18446744073709551615"),
            (json!(1e-7), "0.0000001"),
            (json!("12.50"), "12.50"),
            (json!("-0.5"), "-0.5"),
        ] {
            assert_eq!(read(value).as_deref(), Some(want));
        }
        let none = [json!(1e300), json!(5e-324), json!(""), json!("+1"), json!("1e3"), json!("1_0"), json!(".5")];
        for value in none.into_iter().chain([json!("1."), json!("１"), json!(true), json!(null), json!([1])]) {
            assert_eq!(read(value.clone()), None, "{value}");
        }
    }

    #[test]
    fn days_are_written_in_full() {
        assert_eq!(date("2024-02-29"), NaiveDate::from_ymd_opt(2024, 2, 29));
        for text in ["", "2026-2-1", "2026-02-30", "+2026-02-01", "2026-02-01T00:00", " 2026-02-0", "20260201", "２"] {
            assert_eq!(date(text), None, "{text}");
        }
    }
}
