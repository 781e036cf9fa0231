//! Attributes at the door: what a shop says of a member, an order or a line besides what everybody has.

use serde_json::{Map, Value};
use utoipa::openapi::Schema;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};

use crate::loyalty::membership::profile_in::BadField;
use crate::loyalty::program::compile::names::ATTRIBUTE_CHARS_MAX as NAME_CHARS_MAX;
use crate::loyalty::program::model::attributes::Declared;

/// The most attributes of one thing.
pub const ATTRIBUTES_MAX: usize = 50;
/// The longest text attribute, in characters.
pub const ATTRIBUTE_CHARS_MAX: usize = 500;

/// The names that a document can declare.
const NAME_PATTERN: &str = r"^[^\x00-\x1f\x7f-\x9f]{1,100}$";
const WANTS: &str =
    "at most 50 attributes with names of 1 to 100 printable characters, each a short text, number or truth value";

/// What attributes look like where `null` clears one.
pub fn attributes_schema() -> Schema {
    schema("Texts, numbers and truth values, by name; `null` clears one.", &[Type::Null])
}

/// What attributes look like of what is said once.
pub fn stated_schema() -> Schema {
    schema("Texts, numbers and truth values, by name; those that the programme declares are what it says.", &[])
}

fn schema(says: &str, besides: &[Type]) -> Schema {
    let types = [Type::String, Type::Number, Type::Boolean].iter().chain(besides).cloned();
    let value = ObjectBuilder::new().schema_type(SchemaType::from_iter(types));
    let value = value.max_length(Some(ATTRIBUTE_CHARS_MAX)).pattern(Some(r"^[^\x00]*$"));
    let name = ObjectBuilder::new().schema_type(Type::String).pattern(Some(NAME_PATTERN));
    ObjectBuilder::new()
        .description(Some(says))
        .property_names(Some(name))
        .additional_properties(Some(value))
        .max_properties(Some(ATTRIBUTES_MAX))
        .into()
}

/// Attributes that are bounded, at a place in the document.
///
/// # Errors
/// The first that is not as it has to be.
pub fn bounded(sent: Map<String, Value>, place: &str) -> Result<Map<String, Value>, BadField> {
    let name_ok = |name: &str| (1..=NAME_CHARS_MAX).contains(&name.chars().count()) && !name.contains(char::is_control);
    let value_ok = |value: &Value| match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => text.chars().nth(ATTRIBUTE_CHARS_MAX).is_none() && !text.contains('\0'),
        Value::Array(_) | Value::Object(_) => false,
    };
    if sent.len() > ATTRIBUTES_MAX {
        return Err(BadField { pointer: place.to_owned(), wants: WANTS });
    }
    match sent.iter().find(|(name, value)| !name_ok(name) || !value_ok(value)) {
        Some((name, _)) => Err(BadField { pointer: pointer(place, name), wants: WANTS }),
        None => Ok(sent),
    }
}

/// Attributes of what is said once, as a programme declares them. One that it does not declare is kept, and no rule can
/// name it.
///
/// # Errors
/// The first that is not as it has to be.
pub fn stated(sent: &Map<String, Value>, declared: &Declared, place: &str) -> Result<Map<String, Value>, BadField> {
    let sent = bounded(sent.clone(), place)?;
    if let Some((name, _)) = sent.iter().find(|(name, value)| value.is_null() && !declared.contains_key(*name)) {
        return Err(BadField { pointer: pointer(place, name), wants: WANTS });
    }
    as_declared(sent.iter(), declared, place)?;
    Ok(sent)
}

/// Checks attributes of a member, which `null` clears, as a programme declares them. One that it does not declare is kept,
/// and no rule can name it.
///
/// # Errors
/// The first that is not as it has to be.
pub fn kept(sent: &Map<String, Value>, declared: &Declared, place: &str) -> Result<(), BadField> {
    as_declared(sent.iter().filter(|(_, value)| !value.is_null()), declared, place)
}

fn as_declared<'s>(
    mut sent: impl Iterator<Item = (&'s String, &'s Value)>,
    declared: &Declared,
    place: &str,
) -> Result<(), BadField> {
    let refused = sent.find_map(|(name, value)| Some((name, declared.get(name)?.refuses(value)?)));
    refused.map_or(Ok(()), |(name, wants)| Err(BadField { pointer: pointer(place, name), wants }))
}

/// Where an attribute stands, as a JSON pointer.
pub fn pointer(place: &str, name: &str) -> String {
    format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::loyalty::program::model::attributes::{Attribute, AttributeType};

    #[test]
    fn what_is_declared_is_what_it_says_and_what_is_not_is_kept() {
        let sizes =
            Attribute { kind: AttributeType::Text, one_of: vec!["s".to_owned(), "m".to_owned()], by_member: false };
        let of = |name: &str, kind: AttributeType| (name.to_owned(), Attribute::from(kind));
        let [gift, weight, day] =
            [of("gift", AttributeType::Flag), of("weight", AttributeType::Number), of("day", AttributeType::Date)];
        let declared: Declared = [("size".to_owned(), sizes), gift, weight, day].into_iter().collect();
        let read = |sent: Value| {
            let Value::Object(sent) = sent else { return Err(("no object".to_owned(), "")) };
            stated(&sent, &declared, "/lines/0/attributes").map_err(|bad| (bad.pointer, bad.wants))
        };
        let good = json!({ "size": "m", "gift": true, "weight": "1.50", "day": "2026-02-28", "mood": 3, "Shoe size / EU": 42 });
        assert_eq!(read(good.clone()).map(Value::Object), Ok(good));
        for (name, value, wants) in [
            ("size", json!("xl"), "one of the texts that the programme declares"),
            ("size", json!(1), "a text"),
            ("gift", json!("true"), "true or false"),
            ("weight", json!("heavy"), "a number"),
            ("day", json!("2026-02-30"), "a day such as 2026-02-28"),
            ("day", json!(null), "a day such as 2026-02-28"),
            ("mood", json!(null), WANTS),
            ("mood", json!([1]), WANTS),
            ("mo\u{7}od", json!(1), WANTS),
            ("", json!(1), WANTS),
            (&"long".repeat(26), json!(1), WANTS),
        ] {
            assert_eq!(read(json!({ name: value })), Err((format!("/lines/0/attributes/{name}"), wants)), "{value}");
        }
    }
}
