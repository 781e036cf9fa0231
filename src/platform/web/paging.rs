//! Cursor paging at the door: `limit` and `cursor`.

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::kernel::page::{PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX};

/// The layout of cursors; one of another layout is refused.
const CURSOR_VERSION: u8 = 1;
/// The longest cursor, in characters.
pub const CURSOR_CHARS_MAX: usize = 512;

pub(crate) const NOT_A_CURSOR: &str = "not a cursor of this list";

/// How many items a page has: 1 to [`PAGE_ITEMS_MAX`], [`PAGE_ITEMS_DEFAULT`] when nothing is said
/// (`#[serde(default)]`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(u16);

impl Limit {
    /// The number of items.
    pub fn get(self) -> u16 {
        self.0
    }

    /// One more than a page has, for `LIMIT`: it says whether there is a next page.
    pub fn and_one(self) -> i64 {
        i64::from(self.0) + 1
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(PAGE_ITEMS_DEFAULT)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        u16::deserialize(d)
            .ok()
            .filter(|n| (1..=PAGE_ITEMS_MAX).contains(n))
            .map(Self)
            .ok_or_else(|| D::Error::custom(format!("must be a whole number from 1 to {PAGE_ITEMS_MAX}")))
    }
}

/// Where a page starts: after the item that `T` names. Opaque to callers, versioned, refused when altered in shape.
///
/// A room gives its cursor a name, as OpenAPI's derives want: `type Place = Cursor<(Instant, Uuid)>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor<T>(pub T);

/// The text that goes out as `next_cursor`.
impl<T: Serialize> fmt::Display for Cursor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![CURSOR_VERSION];
        serde_json::to_writer(&mut bytes, &self.0).map_err(|_| fmt::Error)?;
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl<T: DeserializeOwned> Cursor<T> {
    fn decode(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(Some(text).filter(|t| t.len() <= CURSOR_CHARS_MAX)?).ok()?;
        let (version, place) = bytes.split_first()?;
        if *version != CURSOR_VERSION {
            return None;
        }
        serde_json::from_slice(place).ok().map(Self)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Cursor<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(d)?;
        Self::decode(&text).ok_or_else(|| D::Error::custom(NOT_A_CURSOR))
    }
}

impl PartialSchema for Limit {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(PAGE_ITEMS_MAX))
            .default(Some(PAGE_ITEMS_DEFAULT.into()))
            .description(Some("How many items the page has."))
            .into()
    }
}

impl ToSchema for Limit {}

impl<T> PartialSchema for Cursor<T> {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(CURSOR_CHARS_MAX))
            .description(Some("Where the page starts: `next_cursor` of the page before it, unchanged."))
            .into()
    }
}

impl<T> ToSchema for Cursor<T> {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Cursor")
    }
}
