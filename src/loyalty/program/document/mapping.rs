//! Where members go from what a version no longer has, as it is written.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where members go from what this version no longer has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Mapping {
    /// From tiers that are gone, by their codes: to a tier of this version, or to `none`.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub tiers: IndexMap<String, String>,
}

impl Mapping {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.tiers.is_empty()
    }
}
