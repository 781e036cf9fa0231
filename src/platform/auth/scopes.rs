//! What a credential may do, as values and as types.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// The text is no scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a scope")]
pub struct NotAScope;

/// A set of scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes(u32);

/// Declares each scope once: the variant, its name in the API, its marker type, and what it lets one do.
macro_rules! scopes {
    ($($variant:ident = $bit:literal $name:literal, $about:literal;)+) => {
        /// One thing that a credential may do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Scope {
            $(#[doc = $about] #[serde(rename = $name)] $variant,)+
        }

        impl Scope {
            /// All scopes, in the order of their names.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its name in the API.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// What it lets one do.
            pub fn about(self) -> &'static str {
                match self { $(Self::$variant => $about),+ }
            }

            fn bit(self) -> u32 {
                match self { $(Self::$variant => 1 << $bit),+ }
            }
        }

        /// Scopes as types, for [`Caller`](super::Caller).
        pub mod needs {
            use super::{Needs, Scope};
            $(
                #[doc = $about]
                #[derive(Clone, Copy, Debug)]
                pub enum $variant {}
                impl Needs for $variant {
                    const SCOPES: &'static [Scope] = &[Scope::$variant];
                }
            )+
        }
    };
}

scopes! {
    AdjustmentsWrite = 0 "adjustments:write", "Adjust balances by hand.";
    AuditRead = 1 "audit:read", "Read the audit log.";
    EventsWrite = 15 "events:write", "Tell of what members do outside of a checkout.";
    IntegrityRead = 2 "integrity:read", "Read the proof that the ledger is sound.";
    KeysManage = 3 "keys:manage", "List, issue, rotate and revoke API keys.";
    MembersErase = 20 "members:erase", "Forget members.";
    MembersExport = 21 "members:export", "Hand out all that is stored of a member.";
    MembersRead = 4 "members:read", "Read members, balances and statements.";
    MembersWrite = 5 "members:write", "Enrol and change members.";
    MergesWrite = 11 "merges:write", "Merge members who turn out to be one.";
    OrdersRead = 6 "orders:read", "Read orders and why they earned what they earned.";
    OrdersWrite = 7 "orders:write", "Settle, hold and return orders.";
    ProgramRead = 8 "program:read", "Read the programme and its versions.";
    ProgramWrite = 12 "program:write", "Draft, preview and publish the programme.";
    RewardsRead = 17 "rewards:read", "Read what rewards members can have, and their vouchers.";
    RewardsWrite = 18 "rewards:write", "Redeem rewards for members; use and cancel vouchers.";
    SegmentsWrite = 14 "segments:write", "Put members into lists and take them out.";
    SuspensionsWrite = 9 "suspensions:write", "Suspend and reinstate members.";
    TiersWrite = 13 "tiers:write", "Give members tiers by hand.";
    TokensWrite = 16 "tokens:write", "Sign members in, for the app, and out of it.";
    TransfersWrite = 10 "transfers:write", "Give points of one member to another.";
    WebhooksManage = 19 "webhooks:manage", "Say who is told of what happens, and see what was told.";
}

// Not derived: utoipa does not see a `rename` that a macro's variable gives.
impl PartialSchema for Scope {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(Self::ALL.iter().map(|scope| scope.name())))
            .description(Some("One thing that a credential may do."))
            .into()
    }
}

impl ToSchema for Scope {}

/// What a handler wants of its caller, held in the handler's type.
pub trait Needs: 'static {
    /// All of these.
    const SCOPES: &'static [Scope];
}

impl Scopes {
    /// Every scope.
    pub fn all() -> Self {
        Scope::ALL.iter().copied().collect()
    }

    /// Whether a scope is in the set.
    pub fn has(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// The first scope of `wanted` that is not in the set.
    pub fn lacks(self, wanted: impl IntoIterator<Item = Scope>) -> Option<Scope> {
        wanted.into_iter().find(|scope| !self.has(*scope))
    }

    /// Whether nothing may be done.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The scopes, in the order of their names.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.iter().copied().filter(move |scope| self.has(*scope))
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |set, scope| set | scope.bit()))
    }
}

impl FromStr for Scope {
    type Err = NotAScope;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|scope| scope.name() == name).ok_or(NotAScope)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Names separated by blanks, as they are stored.
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.iter().map(Scope::name).collect();
        f.write_str(&names.join(" "))
    }
}

/// Names separated by blanks or commas.
impl FromStr for Scopes {
    type Err = NotAScope;

    fn from_str(names: &str) -> Result<Self, Self::Err> {
        names.split([' ', ',']).filter(|name| !name.is_empty()).map(str::parse::<Scope>).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_survive_being_written_down() {
        assert_eq!(Scopes::all().to_string().parse(), Ok(Scopes::all()));
        assert_eq!(Scopes::all().iter().count(), Scope::ALL.len(), "each has a bit of its own");
        assert_eq!("members:read,orders:write".parse::<Scopes>().unwrap().to_string(), "members:read orders:write");
        assert_eq!("members:reed".parse::<Scopes>(), Err(NotAScope));
        assert!(Scope::ALL.is_sorted_by_key(|scope| scope.name()));
        let sent = serde_json::to_string(&Scope::KeysManage).unwrap();
        assert_eq!(sent, "\"keys:manage\"");
    }

    #[test]
    fn a_missing_scope_is_named() {
        let some: Scopes = [Scope::MembersRead].into_iter().collect();
        assert_eq!(some.lacks([Scope::MembersRead, Scope::OrdersRead]), Some(Scope::OrdersRead));
        assert_eq!(some.lacks([Scope::MembersRead]), None);
    }
}
