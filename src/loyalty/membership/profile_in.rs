//! Profiles at the door: normalised once, each field with its rule.

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::kernel::id::ProgramId;
use crate::loyalty::members::model::{Identity, IdentityKind, Profile, ProfilePatch};
use crate::loyalty::membership::attributes_in::{attributes_schema, bounded};

/// The longest external id, e-mail or card number, in characters.
pub const IDENTITY_CHARS_MAX: usize = 254;
/// The longest name, in characters.
pub const NAME_CHARS_MAX: usize = 200;

/// A member as sent: what is absent is not known.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = NewMember)]
pub struct ProfileIn {
    /// The storefront's own id.
    #[schema(
        min_length = 1,
        max_length = 254,
        pattern = r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$"
    )]
    pub external_id: Option<String>,
    /// E-mail address.
    #[schema(
        max_length = 254,
        pattern = r"^ *[^@\s\x00-\x1f\x7f-\x9f]+@[^@\s.\x00-\x1f\x7f-\x9f]+(\.[^@\s.\x00-\x1f\x7f-\x9f]+)+ *$"
    )]
    pub email: Option<String>,
    /// Phone number in E.164.
    #[schema(pattern = r"^\+[1-9][0-9]{6,14}$")]
    pub phone: Option<String>,
    /// Number of a loyalty card.
    #[schema(
        min_length = 1,
        max_length = 254,
        pattern = r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$"
    )]
    pub card: Option<String>,
    /// What to call the member.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$"
    )]
    pub name: Option<String>,
    /// Birthday.
    #[schema(pattern = "^(19|[2-9][0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}$")]
    pub birthday: Option<NaiveDate>,
    /// Language tag of BCP 47.
    #[schema(max_length = 35, pattern = "^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$")]
    pub locale: Option<String>,
    /// Texts, numbers and truth values, by name.
    #[schema(schema_with = attributes_schema)]
    pub attributes: Map<String, Value>,
}

/// A change of a member: what is absent stays, `null` clears. Attributes are merged by name.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = MemberChange)]
pub struct ProfilePatchIn {
    /// The storefront's own id.
    #[serde(deserialize_with = "sent")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 254, pattern = r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$")]
    pub external_id: Option<Option<String>>,
    /// E-mail address.
    #[serde(deserialize_with = "sent")]
    #[schema(value_type = Option<String>, max_length = 254, pattern = r"^ *[^@\s\x00-\x1f\x7f-\x9f]+@[^@\s.\x00-\x1f\x7f-\x9f]+(\.[^@\s.\x00-\x1f\x7f-\x9f]+)+ *$")]
    pub email: Option<Option<String>>,
    /// Phone number in E.164.
    #[serde(deserialize_with = "sent")]
    #[schema(value_type = Option<String>, pattern = r"^\+[1-9][0-9]{6,14}$")]
    pub phone: Option<Option<String>>,
    /// Number of a loyalty card.
    #[serde(deserialize_with = "sent")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 254, pattern = r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$")]
    pub card: Option<Option<String>>,
    /// What to call the member.
    #[serde(deserialize_with = "sent")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200, pattern = r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$")]
    pub name: Option<Option<String>>,
    /// Birthday.
    #[serde(deserialize_with = "sent")]
    #[schema(value_type = Option<NaiveDate>, pattern = "^(19|[2-9][0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}$")]
    pub birthday: Option<Option<NaiveDate>>,
    /// Language tag of BCP 47.
    #[serde(deserialize_with = "sent")]
    #[schema(value_type = Option<String>, max_length = 35, pattern = "^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$")]
    pub locale: Option<Option<String>>,
    /// Texts, numbers and truth values, by name; `null` clears one.
    #[schema(schema_with = attributes_schema)]
    pub attributes: Map<String, Value>,
}

/// A field that may be absent, or `null`.
///
/// # Errors
/// What is no `T`.
pub fn sent<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(d).map(Some)
}

/// By what a storefront names a member: exactly one.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = MemberReference)]
pub struct MemberRefIn {
    /// The id that the enrolment answered.
    pub id: Option<uuid::Uuid>,
    /// The storefront's own id.
    #[schema(
        min_length = 1,
        max_length = 254,
        pattern = r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$"
    )]
    pub external_id: Option<String>,
    /// E-mail address.
    #[schema(
        max_length = 254,
        pattern = r"^ *[^@\s\x00-\x1f\x7f-\x9f]+@[^@\s.\x00-\x1f\x7f-\x9f]+(\.[^@\s.\x00-\x1f\x7f-\x9f]+)+ *$"
    )]
    pub email: Option<String>,
    /// Phone number in E.164.
    #[schema(pattern = r"^\+[1-9][0-9]{6,14}$")]
    pub phone: Option<String>,
    /// Number of a loyalty card.
    #[schema(
        min_length = 1,
        max_length = 254,
        pattern = r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$"
    )]
    pub card: Option<String>,
}

/// A member as named: by id, or by something that is unique in the programme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// By id.
    Id(uuid::Uuid),
    /// By an identity.
    By(Identity),
}

/// A field that is not as it has to be, by its JSON pointer within the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadField {
    /// Where.
    pub pointer: String,
    /// What it has to be.
    pub wants: &'static str,
}

impl ProfileIn {
    /// The profile, normalised.
    ///
    /// # Errors
    /// The first field that is not as it has to be.
    pub fn read(self) -> Result<Profile, BadField> {
        let patch = ProfilePatchIn {
            external_id: self.external_id.map(Some),
            email: self.email.map(Some),
            phone: self.phone.map(Some),
            card: self.card.map(Some),
            name: self.name.map(Some),
            birthday: self.birthday.map(Some),
            locale: self.locale.map(Some),
            attributes: self.attributes,
        };
        patch.read().map(|patch| patch.apply(Profile::default()))
    }
}

impl ProfilePatchIn {
    /// The change, normalised.
    ///
    /// # Errors
    /// The first field that is not as it has to be.
    pub fn read(self) -> Result<ProfilePatch, BadField> {
        Ok(ProfilePatch {
            external_id: identity(self.external_id, IdentityKind::ExternalId)?,
            email: identity(self.email, IdentityKind::Email)?,
            phone: identity(self.phone, IdentityKind::Phone)?,
            card: identity(self.card, IdentityKind::Card)?,
            name: each(self.name, "/name", "1 to 200 printable characters", |n| plain(&n, NAME_CHARS_MAX))?,
            birthday: each(self.birthday, "/birthday", "a day from 1900 on", |day| {
                (NaiveDate::from_ymd_opt(1900, 1, 1)? <= day && day.format("%Y").to_string().len() == 4).then_some(day)
            })?,
            locale: each(self.locale, "/locale", "a language tag such as `en` or `nl-NL`", |l| locale(&l))?,
            attributes: bounded(self.attributes, "/attributes")?,
        })
    }
}

impl MemberRefIn {
    /// The one name that was given.
    ///
    /// # Errors
    /// None, or more than one, or a name that cannot be one.
    pub fn read(self, program: ProgramId) -> Result<Named, BadField> {
        let wants = "exactly one of id, external_id, email, phone and card";
        let given = [
            (self.external_id, IdentityKind::ExternalId),
            (self.email, IdentityKind::Email),
            (self.phone, IdentityKind::Phone),
            (self.card, IdentityKind::Card),
        ];
        let mut given = given.into_iter().filter_map(|(value, kind)| value.map(|v| (v, kind)));
        let named = match (self.id, given.next()) {
            (Some(id), None) => Named::Id(id),
            (None, Some((value, kind))) => Named::By(identity_of(program, kind, &value)?),
            _ => return Err(BadField { pointer: String::new(), wants }),
        };
        if given.next().is_some() {
            return Err(BadField { pointer: String::new(), wants });
        }
        Ok(named)
    }
}

/// An identity of a kind by its text, normalised.
///
/// # Errors
/// When the text cannot be one.
pub fn identity_of(program: ProgramId, kind: IdentityKind, value: &str) -> Result<Identity, BadField> {
    let bad = || BadField { pointer: format!("/{}", kind.name()), wants: wanted(kind) };
    normal(kind, value).map(|value| Identity { program, kind, value }).ok_or_else(bad)
}

type Sent<T> = Option<Option<T>>;

fn identity(sent: Sent<String>, kind: IdentityKind) -> Result<Sent<String>, BadField> {
    each(sent, &format!("/{}", kind.name()), wanted(kind), |value| normal(kind, &value))
}

fn each<T, U>(
    sent: Sent<T>,
    pointer: &str,
    wants: &'static str,
    read: impl FnOnce(T) -> Option<U>,
) -> Result<Sent<U>, BadField> {
    match sent {
        None => Ok(None),
        Some(None) => Ok(Some(None)),
        Some(Some(value)) => {
            read(value).map(|v| Some(Some(v))).ok_or_else(|| BadField { pointer: pointer.to_owned(), wants })
        }
    }
}

fn wanted(kind: IdentityKind) -> &'static str {
    match kind {
        IdentityKind::ExternalId | IdentityKind::Card => "1 to 254 printable characters without blanks at its ends",
        IdentityKind::Email => "an e-mail address",
        IdentityKind::Phone => "a phone number in E.164, +31612345678",
    }
}

fn normal(kind: IdentityKind, value: &str) -> Option<String> {
    match kind {
        IdentityKind::ExternalId | IdentityKind::Card => plain(value, IDENTITY_CHARS_MAX),
        IdentityKind::Email => email(value),
        IdentityKind::Phone => phone(value),
    }
}

fn plain(text: &str, max: usize) -> Option<String> {
    let fits = !text.is_empty() && text.chars().nth(max).is_none() && text.trim().len() == text.len();
    (fits && !text.chars().any(char::is_control)).then(|| text.to_owned())
}

fn email(text: &str) -> Option<String> {
    // Some letters grow in lower case: the length is that of what is kept.
    let address = plain(&text.trim_matches(' ').to_lowercase(), IDENTITY_CHARS_MAX)?;
    let (name, host) = address.rsplit_once('@')?;
    let host_ok = host.contains('.') && !host.starts_with('.') && !host.ends_with('.') && !host.contains("..");
    let blank = address.chars().any(char::is_whitespace);
    (!name.is_empty() && !name.contains('@') && host_ok && !blank).then_some(address)
}

fn phone(text: &str) -> Option<String> {
    let digits = text.strip_prefix('+')?;
    let fits = (7..=15).contains(&digits.len()) && !digits.starts_with('0');
    (fits && digits.bytes().all(|b| b.is_ascii_digit())).then(|| text.to_owned())
}

fn locale(text: &str) -> Option<String> {
    let mut parts = text.split('-');
    let language = parts.next()?;
    let language_ok = (2..=3).contains(&language.len()) && language.bytes().all(|b| b.is_ascii_alphabetic());
    let part_ok = |p: &str| (1..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric());
    (language_ok && text.len() <= 35 && parts.all(part_ok)).then(|| text.to_owned())
}
