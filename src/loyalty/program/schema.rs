//! The JSON Schema of a programme's document, from its types: for editors, and for whoever writes one by program.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::kernel::points::POINTS_MAX;
use crate::loyalty::program::compile::discounts::{DISCOUNTS_MAX, ENTERED_CODES_MAX};
use crate::loyalty::program::compile::names::{
    ARMS_MAX, ATTRIBUTE_CHARS_MAX, ATTRIBUTE_TEXTS_MAX, ATTRIBUTES_MAX, EXPERIMENTS_MAX, SALT_CHARS_MAX,
};
use crate::loyalty::program::compile::perks::{GOALS_MAX, PERKS_MAX};
use crate::loyalty::program::compile::rewards::{GIVEN_CHARS_MAX, REWARDS_MAX};
use crate::loyalty::program::compile::texts::{TEXT_CHARS_MAX, TITLE_CHARS_MAX};
use crate::loyalty::program::compile::{CODE_CHARS_MAX, EARNING_RULES_MAX, PROGRAM_NAME_CHARS_MAX};
use crate::loyalty::program::condition::CONDITION_CHARS_MAX;
use crate::loyalty::program::document::tiers::{Downgrade, DowngradeRule};
use crate::loyalty::program::document::{Document, Expiry, Term};
use crate::loyalty::program::model::{SEGMENTS_MAX, WALLETS_MAX};
use crate::loyalty::program::slots::TIER_SLOTS_MAX;

/// The dialect.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
/// Where utoipa looks for types,
const COMPONENTS: &str = "#/components/schemas/";
/// and where JSON Schema does.
const DEFINITIONS: &str = "#/$defs/";

/// A language, perhaps with a region.
const LANGUAGE: &str = "^[a-z]{2,3}(-[A-Z]{2})?$";

/// What a field holds that its Rust type does not tell.
#[derive(Clone, Copy, Debug)]
enum Holds {
    /// A name for people.
    Name,
    /// ISO 4217.
    Currency,
    /// A time zone of IANA.
    Zone,
    /// A code of the document.
    Code,
    /// A decimal.
    Amount,
    /// A period of ISO 8601.
    Period,
    /// A period of ISO 8601, or that a tier is held to the end of the next period of its window.
    Valid,
    /// An instant on the programme's clocks.
    Time,
    /// A condition.
    Condition,
    /// A number, 0 at least.
    Count,
    /// Points, 1 at least.
    Points,
    /// Parts by code, as many as this at least and at most.
    Parts(usize, usize),
    /// Parts by names of the shop, as many as this at most.
    Names(usize),
    /// Codes by codes, as many as there are slots.
    Mapped,
    /// Texts by language.
    Texts,
    /// A text of so many characters at most.
    Words(usize),
    /// Texts, so many at most.
    List(usize),
    /// What a rule is about.
    Trigger,
    /// A day.
    Day,
    /// The tag of a language.
    Language,
    /// A table, which says the rest.
    Table,
}

/// The fields of the document that hold more than their types tell: the type, the field, what it holds, and whether a
/// document without it is refused, though it can be read.
const FIELDS: [(&str, &str, Holds, bool); 97] = [
    ("Document", "wallets", Holds::Parts(1, WALLETS_MAX), true),
    ("Document", "earning", Holds::Parts(0, EARNING_RULES_MAX), false),
    ("Program", "name", Holds::Name, true),
    ("Program", "currency", Holds::Currency, true),
    ("Program", "timezone", Holds::Zone, true),
    ("Redeemable", "value", Holds::Amount, true),
    ("Spend", "min", Holds::Points, false),
    ("Spend", "step", Holds::Points, false),
    ("Spend", "max_share", Holds::Amount, false),
    ("Spend", "not", Holds::Condition, false),
    ("Transfer", "max", Holds::Points, true),
    ("Transfer", "each", Holds::Period, true),
    ("Pending", "after", Holds::Period, true),
    ("Term", "after", Holds::Period, false),
    ("Term", "inactive", Holds::Period, false),
    ("Term", "restore_grace", Holds::Period, false),
    ("Window", "rolling", Holds::Period, true),
    ("Earning", "on", Holds::Trigger, false),
    ("Earning", "wallet", Holds::Code, false),
    ("Earning", "lines", Holds::Condition, false),
    ("Earning", "when", Holds::Condition, false),
    ("Earning", "stack", Holds::Code, false),
    ("Earning", "award", Holds::Table, true),
    ("Award", "per", Holds::Amount, false),
    ("Award", "points", Holds::Points, false),
    ("Award", "multiply", Holds::Amount, false),
    ("Award", "of", Holds::Code, false),
    ("Schedule", "from", Holds::Time, false),
    ("Schedule", "until", Holds::Time, false),
    ("PerMember", "points", Holds::Points, false),
    ("PerMember", "awards", Holds::Points, false),
    ("PerMember", "each", Holds::Period, false),
    ("Budget", "points", Holds::Points, false),
    ("Budget", "money", Holds::Amount, false),
    ("Budget", "each", Holds::Period, false),
    ("OwnExpiry", "after", Holds::Period, true),
    ("Tiers", "wallet", Holds::Code, true),
    ("Tiers", "ladder", Holds::Table, true),
    ("Tiers", "valid", Holds::Valid, false),
    ("Tier", "code", Holds::Code, true),
    ("Tier", "from", Holds::Amount, true),
    ("Tier", "earn", Holds::Amount, false),
    ("DowngradeRule", "grace", Holds::Period, false),
    ("Document", "perks", Holds::Parts(0, PERKS_MAX), false),
    ("Document", "discounts", Holds::Parts(0, DISCOUNTS_MAX), false),
    ("Discount", "benefit", Holds::Table, true),
    ("Discount", "codes", Holds::List(ENTERED_CODES_MAX), false),
    ("Discount", "when", Holds::Condition, false),
    ("Discount", "stack", Holds::Code, false),
    ("Discount", "text", Holds::Texts, false),
    ("Benefit", "percent", Holds::Amount, false),
    ("Benefit", "amount", Holds::Amount, false),
    ("Benefit", "price", Holds::Amount, false),
    ("Benefit", "of", Holds::Condition, false),
    ("Uses", "uses", Holds::Points, true),
    ("Uses", "each", Holds::Period, false),
    ("Document", "rewards", Holds::Parts(0, REWARDS_MAX), false),
    ("Reward", "wallet", Holds::Code, false),
    ("Reward", "cost", Holds::Table, true),
    ("Reward", "gives", Holds::Table, true),
    ("Reward", "text", Holds::Texts, false),
    ("Cost", "points", Holds::Points, true),
    ("Gives", "product", Holds::Words(GIVEN_CHARS_MAX), false),
    ("Gives", "gift_card", Holds::Amount, false),
    ("Gives", "perk", Holds::Code, false),
    ("Gives", "custom", Holds::Words(GIVEN_CHARS_MAX), false),
    ("Gives", "valid", Holds::Period, false),
    ("Voucher", "amount", Holds::Amount, false),
    ("Voucher", "percent", Holds::Amount, false),
    ("RewardLimits", "stock", Holds::Count, false),
    ("Document", "segments", Holds::Parts(0, SEGMENTS_MAX), false),
    ("Document", "experiments", Holds::Parts(0, EXPERIMENTS_MAX), false),
    ("Document", "goals", Holds::Parts(0, GOALS_MAX), false),
    ("Mapping", "tiers", Holds::Mapped, false),
    ("Program", "language", Holds::Language, false),
    ("Earning", "campaign", Holds::Code, false),
    ("Earning", "text", Holds::Texts, false),
    ("Tier", "text", Holds::Texts, false),
    ("Perk", "text", Holds::Texts, false),
    ("Attribute", "text", Holds::Texts, false),
    ("Segment", "text", Holds::Texts, false),
    ("Experiment", "text", Holds::Texts, false),
    ("Goal", "text", Holds::Texts, false),
    ("Text", "title", Holds::Words(TITLE_CHARS_MAX), false),
    ("Text", "terms", Holds::Words(TEXT_CHARS_MAX), false),
    ("Text", "says", Holds::Words(TEXT_CHARS_MAX), false),
    ("Audience", "arms", Holds::Parts(0, EXPERIMENTS_MAX), false),
    ("Audience", "when", Holds::Condition, false),
    ("Attributes", "member", Holds::Names(ATTRIBUTES_MAX), false),
    ("Attributes", "order", Holds::Names(ATTRIBUTES_MAX), false),
    ("Attributes", "line", Holds::Names(ATTRIBUTES_MAX), false),
    ("Attributes", "event", Holds::Names(ATTRIBUTES_MAX), false),
    ("Attribute", "one_of", Holds::List(ATTRIBUTE_TEXTS_MAX), false),
    ("Experiment", "salt", Holds::Words(SALT_CHARS_MAX), false),
    ("Experiment", "arms", Holds::Parts(1, ARMS_MAX), true),
    ("Goal", "target", Holds::Amount, true),
    ("Goal", "by", Holds::Day, true),
];

/// The schema, JSON Schema draft 2020-12. What it refuses is refused as a document; the other way round not all: amounts
/// are compared, codes looked up and periods counted when a document is read.
pub fn json_schema() -> Value {
    let mut parts = vec![(Document::name().into_owned(), Document::schema())];
    Document::schemas(&mut parts);
    let mut types: Map<String, Value> = parts.into_iter().map(|(name, part)| (name, json!(part))).collect();
    for (of, field, holds, required) in FIELDS {
        if let Some(schema) = types.get_mut(of) {
            tell(schema, field, holds, required);
        }
    }
    let whole = types.clone();
    types.values_mut().for_each(|schema| settle(schema, &whole));
    let mut root = types.remove("Document").unwrap_or_default();
    let mut used = BTreeSet::new();
    follow(&root, &types, &mut used);
    types.retain(|name, _| used.contains(name));
    if let Some(root) = root.as_object_mut() {
        root.insert("$schema".to_owned(), DIALECT.into());
        root.insert("title".to_owned(), "The document of a Perennial programme".into());
        root.insert("$defs".to_owned(), types.into());
    }
    root
}

/// The schema as it is printed and kept: indented, ending in a newline.
pub fn written() -> String {
    format!("{:#}\n", json_schema())
}

impl Holds {
    fn keywords(self) -> Value {
        let code = format!("^[a-z][a-z0-9_]{{0,{}}}$", CODE_CHARS_MAX.saturating_sub(1));
        match self {
            Self::Name => json!({ "minLength": 1, "maxLength": PROGRAM_NAME_CHARS_MAX }),
            Self::Currency => json!({ "pattern": "^[A-Z]{3}$", "examples": ["EUR"] }),
            Self::Zone => json!({ "minLength": 1, "examples": ["Europe/Amsterdam"] }),
            Self::Code => json!({ "pattern": code }),
            Self::Amount => json!({ "pattern": "^[0-9]*[.]?[0-9]*$", "minLength": 1, "examples": ["0.01"] }),
            Self::Period => {
                let pattern = "^P([0-9]+Y)?([0-9]+M)?([0-9]+W)?([0-9]+D)?$";
                json!({ "pattern": pattern, "minLength": 3, "examples": ["P12M", "P14D"] })
            }
            Self::Valid => {
                json!({ "pattern": "^(end_of_next_period|P[0-9YMWD]+)$", "examples": ["end_of_next_period"] })
            }
            Self::Time => {
                let pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}$";
                json!({ "pattern": pattern, "examples": ["2026-12-01T00:00"] })
            }
            Self::Condition => json!({ "minLength": 1, "maxLength": CONDITION_CHARS_MAX }),
            Self::Count => json!({ "minimum": 0, "maximum": POINTS_MAX }),
            Self::Points => json!({ "minimum": 1, "maximum": POINTS_MAX }),
            Self::Parts(least, most) => {
                json!({ "propertyNames": { "pattern": code }, "minProperties": least, "maxProperties": most })
            }
            Self::Names(most) => {
                let name = json!({ "minLength": 1, "maxLength": ATTRIBUTE_CHARS_MAX });
                json!({ "propertyNames": name, "maxProperties": most })
            }
            Self::Mapped => {
                let most = TIER_SLOTS_MAX;
                let to = json!({ "type": "string", "pattern": code });
                json!({ "propertyNames": { "pattern": code }, "additionalProperties": to, "maxProperties": most })
            }
            Self::Texts => json!({ "propertyNames": { "pattern": LANGUAGE } }),
            Self::Words(most) => json!({ "minLength": 1, "maxLength": most }),
            Self::List(most) => json!({ "maxItems": most }),
            Self::Trigger => {
                json!({ "pattern": "^(order|enrolment|birthday|anniversary|event:.+)$", "examples": ["order", "event:review_written"] })
            }
            Self::Day => json!({ "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "examples": ["2026-12-31"] }),
            Self::Language => json!({ "pattern": LANGUAGE, "examples": ["en"] }),
            Self::Table => json!({}),
        }
    }
}

/// Adds to a field of a type what it holds, wherever in the type's forms the field is.
fn tell(schema: &mut Value, field: &str, holds: Holds, required: bool) {
    if let Some(property) = schema.pointer_mut(&format!("/properties/{field}")).and_then(Value::as_object_mut) {
        if let Value::Object(keywords) = holds.keywords() {
            property.extend(keywords);
        }
        if required {
            property.remove("default");
            let names = schema.as_object_mut().map(|schema| schema.entry("required").or_insert_with(|| json!([])));
            let names = names.and_then(Value::as_array_mut);
            names.filter(|names| !names.contains(&json!(field))).into_iter().for_each(|names| names.push(field.into()));
        }
    }
    let forms = schema.get_mut("oneOf").and_then(Value::as_array_mut);
    forms.into_iter().flatten().for_each(|form| tell(form, field, holds, required));
}

/// Makes a schema of utoipa one of the document: references lead to `$defs`, tables are closed, and a kind stands in the
/// table that it is the kind of, since a closed table beside it would refuse it.
fn settle(schema: &mut Value, types: &Map<String, Value>) {
    if let Some(Value::Array(all)) = schema.as_object_mut().and_then(|schema| schema.remove("allOf")) {
        all.iter().for_each(|part| merge(schema, part.get("$ref").and_then(|to| named(to, types)).unwrap_or(part)));
    }
    match schema {
        Value::Object(fields) => {
            if fields.contains_key("properties") {
                fields.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            // What is left out is not null, and the width of a number says less than its bounds.
            fields.retain(|keyword, value| keyword != "format" && !(keyword == "default" && value.is_null()));
            if let Some(Value::String(to)) = fields.get_mut("$ref") {
                *to = to.replace(COMPONENTS, DEFINITIONS);
            }
            fields.values_mut().for_each(|field| settle(field, types));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| settle(item, types)),
        _ => {}
    }
}

fn named<'t>(reference: &Value, types: &'t Map<String, Value>) -> Option<&'t Value> {
    types.get(reference.as_str()?.rsplit('/').next()?)
}

/// Adds one schema to another: fields to fields, lists to lists; what both say, the first one says.
fn merge(schema: &mut Value, part: &Value) {
    match (schema, part) {
        (Value::Object(schema), Value::Object(part)) => {
            for (keyword, value) in part {
                match schema.get_mut(keyword) {
                    Some(there) => merge(there, value),
                    None => drop(schema.insert(keyword.clone(), value.clone())),
                }
            }
        }
        (Value::Array(schema), Value::Array(part)) => schema.extend(part.iter().cloned()),
        _ => {}
    }
}

/// Notes the types that a schema leads to.
fn follow(schema: &Value, types: &Map<String, Value>, used: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            let to = fields.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix(DEFINITIONS));
            if let Some(to) = to.filter(|to| used.insert((*to).to_owned())) {
                types.get(to).into_iter().for_each(|schema| follow(schema, types, used));
            }
            fields.values().for_each(|field| follow(field, types, used));
        }
        Value::Array(items) => items.iter().for_each(|item| follow(item, types, used)),
        _ => {}
    }
}

impl PartialSchema for Expiry {
    fn schema() -> RefOr<Schema> {
        let never =
            ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["never"])).description(Some("Never."));
        let about = "When points are over: never, a period after the order's day, or after the member was last active.";
        OneOfBuilder::new().item(never).item(Ref::from_schema_name(Term::name())).description(Some(about)).into()
    }
}

impl PartialSchema for Downgrade {
    fn schema() -> RefOr<Schema> {
        let never = ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(["never"]))
            .description(Some("Not at all."));
        let rule = Ref::from_schema_name(DowngradeRule::name());
        OneOfBuilder::new().item(never).item(rule).description(Some("How a tier is lost: never, or by a rule.")).into()
    }
}

impl ToSchema for Downgrade {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((DowngradeRule::name().into_owned(), DowngradeRule::schema()));
        DowngradeRule::schemas(schemas);
    }
}

impl ToSchema for Expiry {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Term::name().into_owned(), Term::schema()));
        Term::schemas(schemas);
    }
}

#[cfg(test)]
mod tests;
