//! `Idempotency-Key`: what makes a write safe to retry.

use std::fmt;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::platform::web::codes;
use crate::platform::web::problem::Problem;

/// The longest key, in characters.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 64;
const PATTERN: &str = "^[A-Za-z0-9._:~-]{1,64}$";
const HEADER: &str = "idempotency-key";

/// The key that the caller gave this write: 1 to 64 of `A-Z a-z 0-9 . _ : ~ -`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

impl PartialSchema for IdempotencyKey {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).pattern(Some(PATTERN)).into()
    }
}

impl ToSchema for IdempotencyKey {}

/// The key, where a call also works without one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionalIdempotencyKey(pub Option<IdempotencyKey>);

impl IdempotencyKey {
    /// Reads a key; `None` when it is empty, too long, or has another character.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=IDEMPOTENCY_KEY_CHARS_MAX).contains(&text.len());
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'~' | b'-');
        (fits && text.bytes().all(allowed)).then(|| Self(text.to_owned()))
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn read(request: &HttpRequest) -> Result<Option<IdempotencyKey>, Problem> {
    let mut sent = request.headers().get_all(HEADER);
    let Some(first) = sent.next() else { return Ok(None) };
    let key = first.to_str().ok().and_then(IdempotencyKey::parse).filter(|_| sent.next().is_none());
    key.map(Some).ok_or_else(|| Problem::of(&codes::IDEMPOTENCY_KEY_INVALID))
}

impl FromRequest for IdempotencyKey {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request).and_then(|key| key.ok_or_else(|| Problem::of(&codes::IDEMPOTENCY_KEY_REQUIRED))))
    }
}

impl FromRequest for OptionalIdempotencyKey {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request).map(Self))
    }
}
