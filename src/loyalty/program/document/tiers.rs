//! Tiers as they are written.

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

use crate::loyalty::program::document::either;
use crate::loyalty::program::document::texts::Text;

/// The tiers of a programme.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Tiers {
    /// The qualifying wallet whose balance earns them.
    pub wallet: String,
    /// For how long a tier is held that is reached now. Absent: with calendar years and anniversaries to the end of the next
    /// period, else for as long as the balance is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "end_of_next_period")]
    pub valid: Option<Valid>,
    /// How a tier is lost. Absent: to the tier that is earned, without grace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub downgrade: Option<Downgrade>,
    /// The tiers, lowest first.
    pub ladder: Vec<Tier>,
}

/// A tier.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Tier {
    /// Its code, `gold`.
    pub code: String,
    /// The balance that earns it: a decimal of money where the wallet counts spend, else a whole number. From zero it is
    /// everybody's.
    pub from: String,
    /// What its members are entitled to, by the codes of perks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub perks: Vec<String>,
    /// How many times what others earn its members earn, a decimal from 1; absent: 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub earn: Option<String>,
    /// What it is called, by language.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub text: IndexMap<String, Text>,
}

/// For how long a tier is held: `"end_of_next_period"`, or a period from the day on which it is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Valid {
    /// To the end of the window's period after the present one.
    EndOfNextPeriod,
    /// For a period.
    For(String),
}

/// How a tier is lost: `"never"`, or a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Downgrade {
    /// Not at all.
    Never,
    /// `{ at, to, grace }`.
    Rule(DowngradeRule),
}

/// When and how far members fall.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DowngradeRule {
    /// When. Absent: what the wallet's window allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<DowngradeAt>,
    /// How far.
    pub to: DowngradeTo,
    /// A period that a member has after the review to reach the tier again; absent: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grace: Option<String>,
}

/// When members fall.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DowngradeAt {
    /// When a period of the window is over: with calendar years and anniversaries.
    PeriodEnd,
    /// When the balance is not there any more: with rolling and lifetime windows.
    WhenBelow,
}

/// How far members fall.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DowngradeTo {
    /// To the tier that the balance earns.
    #[default]
    Earned,
    /// To the next lower tier.
    OneDown,
}

const END_OF_NEXT_PERIOD: &str = "end_of_next_period";

impl From<String> for Valid {
    fn from(text: String) -> Self {
        if text == END_OF_NEXT_PERIOD { Self::EndOfNextPeriod } else { Self::For(text) }
    }
}

impl From<Valid> for String {
    fn from(valid: Valid) -> Self {
        match valid {
            Valid::EndOfNextPeriod => END_OF_NEXT_PERIOD.into(),
            Valid::For(period) => period,
        }
    }
}

impl Serialize for Downgrade {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let table = match self {
            Self::Never => None,
            Self::Rule(rule) => Some(rule),
        };
        either::write(table, s)
    }
}

impl<'de> Deserialize<'de> for Downgrade {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let rule = either::read(d, "\"never\", or a table with `at`, `to` and `grace`")?;
        Ok(rule.map_or(Self::Never, Self::Rule))
    }
}
