//! Decimal amounts at the door: JSON strings, never numbers, so that no client's float touches money.

use std::borrow::Cow;
use std::fmt;

use rust_decimal::Decimal;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// What an amount looks like; JSON Schema's dialect.
pub const AMOUNT_PATTERN: &str = r"^[0-9]{1,13}(\.[0-9]{1,6})?$";
const WHOLE_DIGITS_MAX: usize = 13;
const FRACTION_DIGITS_MAX: usize = 6;

/// A decimal as it was sent, `"12.34"`, never negative: at most 13 digits before the point and 6 after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AmountIn(pub Decimal);

impl AmountIn {
    /// Reads an amount; `None` unless it looks like [`AMOUNT_PATTERN`].
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').map_or((text, None), |(w, f)| (w, Some(f)));
        let are_digits =
            |part: &str, max: usize| (1..=max).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        let looks_right = are_digits(whole, WHOLE_DIGITS_MAX)
            && fraction.is_none_or(|fraction| are_digits(fraction, FRACTION_DIGITS_MAX));
        Some(text).filter(|_| looks_right).and_then(|text| Decimal::from_str_exact(text).ok()).map(Self)
    }
}

struct AmountVisitor;

impl Visitor<'_> for AmountVisitor {
    type Value = AmountIn;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a decimal amount in a JSON string such as \"12.34\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<AmountIn, E> {
        AmountIn::parse(text).ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }
}

impl<'de> Deserialize<'de> for AmountIn {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_str(AmountVisitor)
    }
}

impl Serialize for AmountIn {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&self.0)
    }
}

impl PartialSchema for AmountIn {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(AMOUNT_PATTERN))
            .description(Some("A decimal amount; its currency is the document's."))
            .examples(["12.34"])
            .into()
    }
}

impl ToSchema for AmountIn {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Amount")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_plain_digits_in_a_string() {
        for good in ["0", "12.34", "0.000001", "9999999999999.999999"] {
            assert_eq!(AmountIn::parse(good).unwrap().0.to_string(), good);
        }
        for bad in ["", "-", ".5", "5.", "+1", "1e3", "1,000", " 1", "1.2345678", "12345678901234", "１", "NaN", "-1"]
        {
            assert_eq!(AmountIn::parse(bad), None, "{bad}");
        }
        let numeric = serde_json::from_str::<AmountIn>("12.34").unwrap_err().to_string();
        assert!(numeric.contains("in a JSON string"), "{numeric}");
    }
}
