//! All that a marketer configures, as it is written in TOML and JSON.
//!
//! Decimals, periods, currency and time zone are texts here, so that one reading names every mistake in them;
//! [`compile`](super::compile) turns them into what decisions need.

pub mod attributes;
pub mod audience;
pub mod discounts;
mod earning;
mod either;
pub mod mapping;
pub mod perks;
pub mod rewards;
mod spend;
pub mod texts;
pub mod tiers;

use indexmap::IndexMap;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

pub use earning::{Award, Base, Budget, Caps, Earning, NetOf, On, OwnExpiry, PerMember, Schedule};
pub use spend::Spend;

use crate::kernel::calendar::{RoundUp, Zone};
use crate::kernel::money::Currency;
use crate::loyalty::program::document::attributes::Attributes;
use crate::loyalty::program::document::audience::{Experiment, Segment};
use crate::loyalty::program::document::discounts::Discount;
use crate::loyalty::program::document::mapping::Mapping;
use crate::loyalty::program::document::perks::{Goal, Perk};
use crate::loyalty::program::document::rewards::Reward;
use crate::loyalty::program::document::tiers::Tiers;

/// The document of a programme. Order is kept: of wallets, the first redeemable one is the main one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// What holds for all of it.
    pub program: Program,
    /// What members collect, by code.
    pub wallets: IndexMap<String, Wallet>,
    /// What is earned, by code.
    #[serde(default)]
    pub earning: IndexMap<String, Earning>,
    /// What members rise to, where there is anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tiers: Option<Tiers>,
    /// What members can be entitled to, by code.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub perks: IndexMap<String, Perk>,
    /// What is taken off the price, by code.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub discounts: IndexMap<String, Discount>,
    /// What points can be given for, by code.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub rewards: IndexMap<String, Reward>,
    /// What conditions may ask of what the shop tells.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// The lists of members, by code.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub segments: IndexMap<String, Segment>,
    /// The experiments, by code.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub experiments: IndexMap<String, Experiment>,
    /// What the programme is to reach, by code.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub goals: IndexMap<String, Goal>,
    /// Where members go from what this version no longer has.
    #[serde(default, skip_serializing_if = "Mapping::is_empty")]
    pub mapping: Mapping,
}

/// What holds for the whole programme. Currency and time zone are fixed after the first publish.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Program {
    /// What it is called.
    pub name: String,
    /// ISO 4217, `EUR`.
    pub currency: String,
    /// IANA, `Europe/Amsterdam`.
    pub timezone: String,
    /// In which language people read what is there in no other; absent: English.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Whether anybody may become a member by app, with an e-mail that no member has.
    #[serde(skip_serializing_if = "is_false")]
    pub sign_up: bool,
}

/// Something that members collect. Its kind is fixed after the first publish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Wallet {
    /// Points that can be spent.
    Redeemable(Redeemable),
    /// A figure that drives tiers.
    Qualifying(Qualifying),
}

/// Points that can be spent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Redeemable {
    /// Money that one point is worth at checkout, a decimal.
    pub value: String,
    /// How long an award waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending: Option<Pending>,
    /// When points are over.
    pub expiry: Expiry,
    /// What a return may take.
    pub returns: Returns,
    /// How much members may give each other; absent: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfer: Option<Transfer>,
    /// Whether people, imports and transfers alone may fill it; else a rule has to.
    #[serde(skip_serializing_if = "is_false")]
    pub by_hand: bool,
    /// With how many points an order may be paid, and for what; absent: with any, for all products.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spend: Option<Box<Spend>>,
}

/// How many points a member may give others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Transfer {
    /// No more than so many points, 1 to 10^15,
    pub max: i64,
    /// in any such period, of a year at most.
    pub each: String,
}

/// How long an award waits before it can be spent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Pending {
    /// A period, from the order's day.
    pub after: String,
}

/// When points are over: `"never"`, a period after the order's day, or after the member was last active.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Expiry {
    /// Never.
    #[default]
    Never,
    /// `{ after, round, restore_grace }` or `{ inactive, restore_grace }`.
    Term(Term),
}

/// A term of points: one of `after` and `inactive`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Term {
    /// A period, from the order's day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// A period, from the day on which the member last earned or spent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inactive: Option<String>,
    /// The round day that the end is moved on to; with `after`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub round: Option<RoundUp>,
    /// A period for which points live on that are given back when they are over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restore_grace: Option<String>,
}

/// What a return may take when the award is not there any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Returns {
    /// The order's own points while they are pending.
    PendingOnly,
    /// Its own points, then others, as far as there are any.
    #[default]
    WithinBalance,
    /// Its own points, then others, then debt.
    Allow,
}

/// A figure that drives tiers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Qualifying {
    /// What an order adds.
    pub counts: Counts,
    /// For how long.
    pub window: Window,
}

/// What an order adds to a qualifying wallet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Counts {
    /// Its earning base, in money.
    #[default]
    Spend,
    /// The points that it earned.
    Points,
    /// One.
    Orders,
}

/// For how long an order counts: `"calendar_year"`, `"anniversary"`, `{ rolling = "P12M" }` or `"lifetime"`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// To the end of the calendar year.
    #[default]
    CalendarYear,
    /// To the day before the next anniversary of the enrolment.
    Anniversary,
    /// For a period.
    Rolling(String),
    /// For ever.
    Lifetime,
}

/// What a new programme starts with.
///
/// One point, worth one minor unit, for every hundred minor units of base: 1 % back in any currency. Points can be spent
/// at once and live for a year to the end of the month; points given back when they are over live for 30 days more. Yearly
/// spend counts for tiers.
pub fn default_document(name: &str, currency: Currency, zone: Zone) -> Document {
    let minor = |n| Decimal::new(n, currency.exponent()).to_string();
    let term = Term {
        after: Some("P12M".into()),
        inactive: None,
        round: Some(RoundUp::EndOfMonth),
        restore_grace: Some("P30D".into()),
    };
    let points = Redeemable { value: minor(1), expiry: Expiry::Term(term), ..Redeemable::default() };
    let award = Award { per: Some(minor(100)), points: Some(1), ..Award::default() };
    let base = Earning { award, base: Some(Base::default()), ..Earning::default() };
    Document {
        program: Program {
            name: name.into(),
            currency: currency.code().into(),
            timezone: zone.to_string(),
            language: None,
            sign_up: false,
        },
        wallets: IndexMap::from([
            ("points".into(), Wallet::Redeemable(points)),
            ("status".into(), Wallet::Qualifying(Qualifying::default())),
        ]),
        earning: IndexMap::from([("base".into(), base)]),
        ..Document::default()
    }
}

impl Serialize for Expiry {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let table = match self {
            Self::Never => None,
            Self::Term(term) => Some(term),
        };
        either::write(table, s)
    }
}

impl<'de> Deserialize<'de> for Expiry {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let term = either::read(d, "\"never\", or a table with `after` or `inactive`")?;
        Ok(term.map_or(Self::Never, Self::Term))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_false(b: &bool) -> bool {
    !*b
}
