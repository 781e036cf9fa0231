//! What the shop tells of members, orders, lines and events, as it is declared.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::loyalty::program::document::texts::Text;

/// What conditions may ask of what the shop tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Attributes {
    /// Of members, by name.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub member: IndexMap<String, Attribute>,
    /// Of orders, by name.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub order: IndexMap<String, Attribute>,
    /// Of lines of orders, by name.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub line: IndexMap<String, Attribute>,
    /// Of events, by the name of the event.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub event: IndexMap<String, IndexMap<String, Attribute>>,
}

impl Attributes {
    /// Whether none is declared.
    pub fn is_empty(&self) -> bool {
        self.member.is_empty() && self.order.is_empty() && self.line.is_empty() && self.event.is_empty()
    }
}

/// One thing that the shop tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Attribute {
    /// What it is.
    pub kind: AttributeKind,
    /// The texts that it can be; absent: any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub one_of: Vec<String>,
    /// Whether members may say it of themselves, by app: a preference, a consent.
    #[serde(skip_serializing_if = "is_false")]
    pub by_member: bool,
    /// What it is called, by language.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub text: IndexMap<String, Text>,
}

/// What an attribute is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttributeKind {
    /// A text.
    #[default]
    Text,
    /// A number, or a decimal in a text.
    Number,
    /// True or false.
    Flag,
    /// A day, `2026-12-01`.
    Date,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_false(b: &bool) -> bool {
    !*b
}
