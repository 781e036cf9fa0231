//! What people read, as it is written.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What people read of a part in one language, whose tag is `en`, or `pt-BR`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Text {
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// On which terms it is to be had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<String>,
    /// What is said to somebody who cannot have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub says: Option<String>,
}
