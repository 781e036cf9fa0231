//! The schema says what the types read.

use std::any::type_name;
use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::loyalty::program::document::attributes::{Attribute, Attributes};
use crate::loyalty::program::document::audience::{Audience, Experiment, Segment};
use crate::loyalty::program::document::discounts::{Benefit, Discount, Limits, Uses};
use crate::loyalty::program::document::mapping::Mapping;
use crate::loyalty::program::document::perks::{Goal, Perk};
use crate::loyalty::program::document::rewards::{Cost, Gives, Reward, RewardLimits, Voucher};
use crate::loyalty::program::document::texts::Text;
use crate::loyalty::program::document::tiers::{DowngradeRule, Tier, Tiers};
use crate::loyalty::program::document::{
    Award, Base, Budget, Caps, Document, Earning, OwnExpiry, Pending, PerMember, Program, Qualifying, Redeemable,
    Schedule, Spend, Term, Transfer, Window,
};
use crate::loyalty::program::schema::{FIELDS, Holds, json_schema};

/// The fields that a type reads, out of what it says of one that it does not know.
fn read_by<T: DeserializeOwned>() -> (String, BTreeSet<String>) {
    let error = serde_json::from_value::<T>(json!({ "?": 0 })).err().map(|error| error.to_string()).unwrap();
    let (_, names) = error.split_once("expected ").unwrap_or_else(|| panic!("{error}"));
    let names = names.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    (type_name::<T>().rsplit("::").next().unwrap().to_owned(), names)
}

/// The closed tables of the schema by the names of their types; the forms of a type go by their only or fixed field.
fn closed(schema: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let mut found = BTreeMap::new();
    let types = schema["$defs"].as_object().unwrap().iter().map(|(name, part)| (name.as_str(), part));
    for (name, part) in types.chain([("Document", schema)]) {
        let forms = part["oneOf"].as_array().map_or_else(|| vec![part], |forms| forms.iter().collect());
        for form in forms {
            let Some(properties) = form["properties"].as_object() else { continue };
            assert_eq!(form["additionalProperties"], false, "{name} is open");
            let name = match properties.get("kind").and_then(|kind| kind["enum"][0].as_str()) {
                Some("redeemable") => "Redeemable",
                Some("qualifying") => "Qualifying",
                _ => name,
            };
            let tag = |field: &str| field == "kind" && matches!(name, "Redeemable" | "Qualifying");
            let names = properties.keys().filter(|field| !tag(field)).cloned().collect();
            assert!(found.insert(name.to_owned(), names).is_none(), "{name} twice");
        }
    }
    found
}

#[test]
fn every_field_is_in_the_schema_and_no_other() {
    let read = [
        read_by::<Document>(),
        read_by::<Program>(),
        read_by::<Redeemable>(),
        read_by::<Spend>(),
        read_by::<Transfer>(),
        read_by::<Pending>(),
        read_by::<Term>(),
        read_by::<Qualifying>(),
        read_by::<Earning>(),
        read_by::<Award>(),
        read_by::<Base>(),
        read_by::<Schedule>(),
        read_by::<Caps>(),
        read_by::<PerMember>(),
        read_by::<Budget>(),
        read_by::<OwnExpiry>(),
        read_by::<Tiers>(),
        read_by::<Tier>(),
        read_by::<DowngradeRule>(),
        read_by::<Perk>(),
        read_by::<Attributes>(),
        read_by::<Attribute>(),
        read_by::<Discount>(),
        read_by::<Benefit>(),
        read_by::<Limits>(),
        read_by::<Uses>(),
        read_by::<Reward>(),
        read_by::<Cost>(),
        read_by::<Gives>(),
        read_by::<Voucher>(),
        read_by::<RewardLimits>(),
        read_by::<Segment>(),
        read_by::<Experiment>(),
        read_by::<Goal>(),
        read_by::<Mapping>(),
        read_by::<Audience>(),
        read_by::<Text>(),
        // Of its forms one is a table.
        ("Window".to_owned(), BTreeSet::from(["rolling".to_owned()])),
    ];
    assert_eq!(closed(&json_schema()), BTreeMap::from(read));
    assert!(read_by::<Window>().1.contains("rolling"));
}

#[test]
fn every_type_of_the_schema_is_there_and_every_field_is_described() {
    let schema = json_schema();
    walk(&schema, &mut |value| {
        if let Some(to) = value.get("$ref").and_then(Value::as_str) {
            assert!(schema.pointer(to.strip_prefix('#').unwrap()).is_some(), "{to} leads nowhere");
        }
        for (name, field) in value.get("properties").and_then(Value::as_object).into_iter().flatten() {
            // Of a type that may be left out, beside the reference to it.
            let described = field.get("description").or_else(|| field.pointer("/oneOf/0/description"));
            let form = name == "kind" || name == "rolling";
            assert!(form || described.is_some_and(Value::is_string), "{name} is not described: {field}");
        }
    });
}

#[test]
fn every_text_and_figure_says_what_it_holds() {
    let schema = json_schema();
    let mut bounded = 0;
    walk(&schema, &mut |value| {
        for (name, field) in value.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let is = |kind: &str| {
                field["type"] == kind || field["type"].as_array().is_some_and(|t| t.contains(&json!(kind)))
            };
            let told = ["pattern", "minLength", "maximum", "enum"].iter().any(|keyword| field.get(keyword).is_some());
            assert!(!is("string") && !is("integer") || told, "{name} holds anything: {field}");
            bounded += usize::from(told && field.get("enum").is_none());
        }
    });
    let table = |holds: &Holds| {
        matches!(
            holds,
            Holds::Parts(..) | Holds::Names(_) | Holds::Mapped | Holds::Texts | Holds::List(_) | Holds::Table
        )
    };
    let of_tables = FIELDS.iter().filter(|(_, _, holds, _)| table(holds)).count();
    assert_eq!(bounded, FIELDS.len() - of_tables, "a row of the table names no field");
    for part in ["wallets", "earning"] {
        assert!(schema["properties"][part]["maxProperties"].is_u64(), "{part}");
    }
}

fn walk(value: &Value, see: &mut impl FnMut(&Value)) {
    see(value);
    match value {
        Value::Object(fields) => fields.values().for_each(|field| walk(field, see)),
        Value::Array(items) => items.iter().for_each(|item| walk(item, see)),
        _ => {}
    }
}
