//! The languages in which a posting is told.

use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use serde::{Deserialize, Deserializer, de::Error};

/// The longest tag of a language, in characters.
const TAG_CHARS_MAX: usize = 35;

/// A language in which there are sentences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English, for whoever speaks none of the others.
    #[default]
    English,
    /// Dutch.
    Dutch,
    /// German.
    German,
}

impl Language {
    /// The language of a tag of BCP 47, by its first part; English where there are no sentences in it.
    pub fn of(tag: &str) -> Self {
        let first = tag.split('-').next().unwrap_or(tag);
        let all = [Self::English, Self::Dutch, Self::German];
        all.into_iter().find(|language| language.tag().eq_ignore_ascii_case(first)).unwrap_or_default()
    }

    /// Its tag.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Dutch => "nl",
            Self::German => "de",
        }
    }

    /// The one of three texts that is in it.
    pub fn one_of<T>(self, english: T, dutch: T, german: T) -> T {
        match self {
            Self::English => english,
            Self::Dutch => dutch,
            Self::German => german,
        }
    }

    /// A count with a mark between thousands.
    pub fn grouped(self, n: i64) -> String {
        let digits = n.to_string();
        let mut text = String::with_capacity(digits.len().saturating_mul(2));
        for (i, digit) in digits.chars().enumerate() {
            if i > 0 && digits.len().abs_diff(i).is_multiple_of(3) {
                text.push(self.one_of(',', '.', '.'));
            }
            text.push(digit);
        }
        text
    }
}

/// The language that a caller asks for: a tag of BCP 47, `nl` or `de-AT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked(pub String);

/// The tag of the language in which somebody is told something: the one that is asked for, the member's, or the programme's.
pub fn tag_of(asked: Option<Asked>, locale: Option<&str>, own: &str) -> String {
    asked.map_or_else(|| locale.unwrap_or(own).to_owned(), |Asked(tag)| tag)
}

impl<'de> Deserialize<'de> for Asked {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let tag = String::deserialize(d)?;
        let letters = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
        let is_tag = tag.len() <= TAG_CHARS_MAX && tag.split('-').all(letters);
        if is_tag { Ok(Self(tag)) } else { Err(D::Error::custom("must be a language tag such as `en` or `nl-NL`")) }
    }
}

impl PartialSchema for Asked {
    fn schema() -> RefOr<Schema> {
        let tag = ObjectBuilder::new().schema_type(Type::String).max_length(Some(TAG_CHARS_MAX));
        tag.pattern(Some("^[A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8})*$")).into()
    }
}

impl ToSchema for Asked {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_told_apart() {
        let grouped = |n| Language::English.grouped(n);
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(Language::German.grouped(1_234), "1.234");
    }

    #[test]
    fn a_tag_is_read_by_its_first_part_and_an_unknown_one_is_english() {
        let tags = ["en", "nl-BE", "DE-at", "fr", ""].map(Language::of);
        assert_eq!(tags.map(Language::tag), ["en", "nl", "de", "en", "en"]);
    }
}
