//! For whom something is, as it is written.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::loyalty::program::document::texts::Text;

/// For whom something is: for who is in one of each list that is written, and for whom the condition holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Audience {
    /// Codes of tiers; `none` stands for members without one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<String>,
    /// Codes of lists of members.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<String>,
    /// Arms of experiments, by the experiment's code.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub arms: IndexMap<String, Vec<String>>,
    /// A condition on the member and the time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
}

/// A list of members, which is kept over the API.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Segment {
    /// What it is called, by language.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub text: IndexMap<String, Text>,
}

/// Shares of the members who are treated alike.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Experiment {
    /// What members are shuffled with; absent: the code. Another salt puts them into other arms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
    /// The arms with their shares, in ten-thousandths of the members, 10,000 in all at most. Who is in none is in the rest.
    pub arms: IndexMap<String, u16>,
    /// What it is called, by language.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub text: IndexMap<String, Text>,
}
