//! What is earned, as it is written.

use indexmap::IndexMap;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

use crate::kernel::calendar::RoundUp;
use crate::loyalty::program::document::audience::Audience;
use crate::loyalty::program::document::texts::Text;

/// A rule that awards points.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Earning {
    /// What earns: `order`, `enrolment`, `birthday`, `anniversary` (of the enrolment), or `event:` with the name of an event.
    #[schema(value_type = String)]
    pub on: On,
    /// The redeemable wallet that is filled; may be left out where there is one only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wallet: Option<String>,
    /// A condition on each line: it awards by those of which it holds; absent: by all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<String>,
    /// A condition on the order, the member and the time; absent: it always applies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// What is earned.
    pub award: Award,
    /// What points per amount are computed from; absent: what was paid for products, without tax.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<Base>,
    /// For whom it is; absent: for everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<Audience>,
    /// A name that rules share of which only the best awards by each line, or, of awards for each order, at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
    /// When it applies; absent: always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// How much one member can get of it; absent: as much as is earned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caps: Option<Caps>,
    /// How much all members together can get of it; absent: as much as is earned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
    /// When what it awards is over, where that is sooner than other points of the wallet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry: Option<OwnExpiry>,
    /// What it is part of, for reports: a code, which stands nowhere else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign: Option<String>,
    /// What it is called, by language.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub text: IndexMap<String, Text>,
}

/// What earns: `order`, `enrolment`, `birthday`, `anniversary`, or `event:` with the name of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum On {
    /// An order.
    #[default]
    Order,
    /// An enrolment.
    Enrolment,
    /// A birthday.
    Birthday,
    /// The day of the enrolment, in a later year.
    Anniversary,
    /// Something that happened outside of a checkout.
    Event(String),
}

/// What stands before the name of an event.
const EVENT: &str = "event:";

impl Serialize for On {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Order => s.serialize_str("order"),
            Self::Enrolment => s.serialize_str("enrolment"),
            Self::Birthday => s.serialize_str("birthday"),
            Self::Anniversary => s.serialize_str("anniversary"),
            Self::Event(name) => s.serialize_str(&format!("{EVENT}{name}")),
        }
    }
}

impl<'de> Deserialize<'de> for On {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        match (text.as_str(), text.strip_prefix(EVENT)) {
            ("order", _) => Ok(Self::Order),
            ("enrolment", _) => Ok(Self::Enrolment),
            ("birthday", _) => Ok(Self::Birthday),
            ("anniversary", _) => Ok(Self::Anniversary),
            (_, Some(name)) => Ok(Self::Event(name.to_owned())),
            _ => Err(D::Error::custom(
                "must be `order`, `enrolment`, `birthday`, `anniversary` or `event:` with the name of an event",
            )),
        }
    }
}

/// What a rule awards: `{ per, points }`, `{ multiply }`, or `{ points }` alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Award {
    /// An amount of base that earns `points`, a decimal; a part of it earns its part, in all rounded down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per: Option<String>,
    /// The points for it, or, alone, for each order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub points: Option<i64>,
    /// Whether only full amounts earn.
    #[serde(skip_serializing_if = "is_false")]
    pub step: bool,
    /// So many times what the rules with `per` earn in the same wallet, more than 1: this rule adds what that is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multiply: Option<String>,
    /// The one rule with `per` that is multiplied; absent: all that fill the same wallet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
}

/// What an award is computed from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Base {
    /// What is not part of it. Everything, when it is left out.
    pub net_of: Vec<NetOf>,
}

impl Default for Base {
    fn default() -> Self {
        use NetOf::{Discounts, GiftCard, PointsPaid, Shipping, Tax};
        Self { net_of: vec![Discounts, PointsPaid, Tax, Shipping, GiftCard] }
    }
}

/// What may be taken out of the base.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NetOf {
    /// Discounts.
    Discounts,
    /// The part paid with points.
    PointsPaid,
    /// Tax.
    Tax,
    /// Shipping lines.
    Shipping,
    /// The part paid with a gift card.
    GiftCard,
}

/// When a rule applies, by the programme's clocks: `2026-12-01T00:00`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Schedule {
    /// From then on; absent: from the beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Until just before then; absent: without end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// How much can be had of a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Caps {
    /// By one member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_member: Option<PerMember>,
}

/// How much one member can have in a calendar period of business days.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PerMember {
    /// Points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub points: Option<i64>,
    /// How often it may award anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub awards: Option<i64>,
    /// The period, P1D, P1W, P1M, P3M, P6M or P1Y; absent: all time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub each: Option<String>,
}

/// How much all members together can have in a calendar period of business days: `{ points }` or `{ money }`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Budget {
    /// Points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub points: Option<i64>,
    /// What the points are worth at checkout, a decimal: as many as fit into it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub money: Option<String>,
    /// The period, P1D, P1W, P1M, P3M, P6M or P1Y; absent: all time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub each: Option<String>,
}

/// When the points of a rule are over: never later than other points of the wallet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OwnExpiry {
    /// A period, from the order's day.
    pub after: String,
    /// The round day that the end is moved on to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub round: Option<RoundUp>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_false(b: &bool) -> bool {
    !*b
}
