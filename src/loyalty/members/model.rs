//! A member's profile and identities.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::kernel::id::ProgramId;

/// By what a value is unique in a programme. The numbers are stored: never change one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityKind {
    /// The storefront's own id.
    ExternalId,
    /// E-mail address, in lower case.
    Email,
    /// Phone number in E.164.
    Phone,
    /// Number of a loyalty card.
    Card,
}

/// Every kind with its stored number in the directory (1 is a reference) and its name in the API.
pub const IDENTITY_KINDS: [(IdentityKind, i16, &str); 4] = [
    (IdentityKind::ExternalId, 2, "external_id"),
    (IdentityKind::Email, 3, "email"),
    (IdentityKind::Phone, 4, "phone"),
    (IdentityKind::Card, 5, "card"),
];

impl IdentityKind {
    /// The stored number.
    pub fn number(self) -> i16 {
        IDENTITY_KINDS.iter().find(|(k, ..)| *k == self).map_or(0, |(_, n, _)| *n)
    }

    /// The name in the API.
    pub fn name(self) -> &'static str {
        IDENTITY_KINDS.iter().find(|(k, ..)| *k == self).map_or("", |(.., name)| name)
    }
}

/// Something by which a member is known; unique in its programme.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity {
    /// In which programme.
    pub program: ProgramId,
    /// Which kind.
    pub kind: IdentityKind,
    /// The value, normalised.
    pub value: String,
}

/// What a programme knows of a member: all of it personal data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The storefront's own id.
    pub external_id: Option<String>,
    /// E-mail address, in lower case.
    pub email: Option<String>,
    /// Phone number in E.164.
    pub phone: Option<String>,
    /// Number of a loyalty card.
    pub card: Option<String>,
    /// What to call the member.
    pub name: Option<String>,
    /// Birthday.
    pub birthday: Option<NaiveDate>,
    /// Language tag of BCP 47.
    pub locale: Option<String>,
    /// Attributes, as the programme declares them.
    pub attributes: serde_json::Map<String, serde_json::Value>,
}

impl Profile {
    /// The identities of the profile.
    pub fn identities(&self, program: ProgramId) -> Vec<Identity> {
        let values = [
            (IdentityKind::ExternalId, &self.external_id),
            (IdentityKind::Email, &self.email),
            (IdentityKind::Phone, &self.phone),
            (IdentityKind::Card, &self.card),
        ];
        let known = values.into_iter().filter_map(|(kind, value)| value.clone().map(|v| (kind, v)));
        known.map(|(kind, value)| Identity { program, kind, value }).collect()
    }
}

/// A change of a profile: what is absent stays, what is `Some(None)` is cleared. Attributes are merged by name, `null`
/// clears one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ProfilePatch {
    /// The storefront's own id.
    pub external_id: Option<Option<String>>,
    /// E-mail address, in lower case.
    pub email: Option<Option<String>>,
    /// Phone number in E.164.
    pub phone: Option<Option<String>>,
    /// Number of a loyalty card.
    pub card: Option<Option<String>>,
    /// What to call the member.
    pub name: Option<Option<String>>,
    /// Birthday.
    pub birthday: Option<Option<NaiveDate>>,
    /// Language tag of BCP 47.
    pub locale: Option<Option<String>>,
    /// Attributes.
    pub attributes: serde_json::Map<String, serde_json::Value>,
}

impl ProfilePatch {
    /// The profile after the change.
    pub fn apply(&self, profile: Profile) -> Profile {
        let mut attributes = profile.attributes;
        for (name, value) in &self.attributes {
            if value.is_null() {
                attributes.remove(name);
            } else {
                attributes.insert(name.clone(), value.clone());
            }
        }
        Profile {
            external_id: self.external_id.clone().unwrap_or(profile.external_id),
            email: self.email.clone().unwrap_or(profile.email),
            phone: self.phone.clone().unwrap_or(profile.phone),
            card: self.card.clone().unwrap_or(profile.card),
            name: self.name.clone().unwrap_or(profile.name),
            birthday: self.birthday.unwrap_or(profile.birthday),
            locale: self.locale.clone().unwrap_or(profile.locale),
            attributes,
        }
    }
}
