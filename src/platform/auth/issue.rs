//! The life of a key: issued, rotated, revoked; each with its line in the audit log.

use std::fmt;

use chrono::TimeDelta;
use diesel::result::Error as QueryError;
use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::json;

use crate::kernel::clock::Instant;
use crate::kernel::scope::ProgramScope;
use crate::platform::audit::{Action, record};
use crate::platform::auth::key::{ApiKey, KeyId, KeyName, KeyStatus, KeyToken};
use crate::platform::auth::scopes::{Scope, Scopes};
use crate::platform::auth::store::{
    Draft, EXPIRES_AFTER_CREATED, count_active, insert_key, lock_key, revoke, supersede,
};
use crate::platform::db::{DbError, Fault, fault_of};
use crate::platform::entropy::{NoEntropy, random, secret};

/// The most active keys of a programme.
pub const KEYS_PER_PROGRAM_MAX: i64 = 200;
/// The longest time for which a rotated key works on beside its successor, in seconds: 30 days.
pub const OVERLAP_S_MAX: u32 = 30 * 24 * 60 * 60;
/// What it is when nothing is said, in seconds: a day.
pub const OVERLAP_S_DEFAULT: u32 = 24 * 60 * 60;

/// What somebody wants of a new key.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// What people call it.
    pub name: KeyName,
    /// What it may do.
    pub scopes: Scopes,
    /// The first instant at which it is refused.
    pub expires_at: Option<Instant>,
}

/// How a key is rotated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rotation {
    pub(super) overlap: Overlap,
    pub(super) expires_at: Option<Instant>,
}

/// For how long a rotated key works on, in seconds, 0 to [`OVERLAP_S_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overlap(pub(super) u32);

/// A new key, and the one moment at which its secret is known.
#[derive(Debug)]
pub struct Issued {
    /// The key as it is kept.
    pub key: ApiKey,
    /// The whole key, to be shown once.
    pub token: KeyToken,
}

/// Why a key is not issued, rotated or revoked.
#[derive(Debug)]
pub enum IssueError {
    /// There is no such key in the programme.
    Unknown,
    /// It is expired, revoked or rotated already.
    NotActive,
    /// The programme has [`KEYS_PER_PROGRAM_MAX`] active keys.
    TooMany,
    /// The expiry lies in the past.
    ExpiryPassed,
    /// The one who asks lacks a scope that the key has.
    Exceeds(Scope),
    /// No randomness, so no secret.
    Entropy(NoEntropy),
    /// The database failed.
    Db(DbError),
}

impl fmt::Display for IssueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("there is no such key in this programme"),
            Self::NotActive => f.write_str("the key is expired, revoked or rotated already"),
            Self::TooMany => write!(f, "the programme has {KEYS_PER_PROGRAM_MAX} active keys already"),
            Self::ExpiryPassed => f.write_str("the expiry lies in the past"),
            Self::Exceeds(scope) => write!(f, "the key has the scope {scope}, which the caller lacks"),
            Self::Entropy(error) => error.fmt(f),
            Self::Db(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for IssueError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Entropy(error) => error.source(),
            Self::Db(error) => error.source(),
            Self::Unknown | Self::NotActive | Self::TooMany | Self::ExpiryPassed | Self::Exceeds(_) => None,
        }
    }
}

impl From<QueryError> for IssueError {
    fn from(error: QueryError) -> Self {
        match fault_of(&error) {
            Fault::Check(EXPIRES_AFTER_CREATED) => Self::ExpiryPassed,
            _ => Self::Db(error.into()),
        }
    }
}

impl From<NoEntropy> for IssueError {
    fn from(error: NoEntropy) -> Self {
        Self::Entropy(error)
    }
}

/// Issues a key. Whether the one who asks may give these scopes is for the caller to check.
///
/// # Errors
/// Too many keys, an expiry in the past, or the database.
pub async fn issue(conn: &mut AsyncPgConnection, scope: &ProgramScope, new: &NewKey) -> Result<Issued, IssueError> {
    conn.transaction(async |conn| {
        if count_active(conn, scope).await? >= KEYS_PER_PROGRAM_MAX {
            return Err(IssueError::TooMany);
        }
        let issued = add(conn, scope, new.name.as_str(), new.scopes, new.expires_at).await?;
        let detail = json!({ "name": issued.key.name, "scopes": new.scopes.to_string(), "expires_at": new.expires_at });
        record(conn, scope, Action("api_key.issued"), issued.key.id.as_str(), &detail).await?;
        Ok(issued)
    })
    .await
}

/// Makes a successor with the same name and scopes; the key itself works on for the overlap.
pub(super) async fn rotate(
    conn: &mut AsyncPgConnection,
    scope: &ProgramScope,
    id: KeyId,
    rotation: Rotation,
    held: Scopes,
) -> Result<Issued, IssueError> {
    conn.transaction(async |conn| {
        let (key, at) = lock_key(conn, scope, id).await?.ok_or(IssueError::Unknown)?;
        if key.status(at) != KeyStatus::Active || key.successor.is_some() {
            return Err(IssueError::NotActive);
        }
        // Else a key could get the secret of one that may do more.
        if let Some(scope) = held.lacks(key.scopes.iter()) {
            return Err(IssueError::Exceeds(scope));
        }
        let issued = add(conn, scope, &key.name, key.scopes, rotation.expires_at).await?;
        let overlapped = at + TimeDelta::seconds(i64::from(rotation.overlap.0));
        let ends_at = key.expires_at.map_or(overlapped, |end| end.min(overlapped));
        supersede(conn, scope, id, issued.key.id, ends_at).await?;
        let detail = json!({ "successor": issued.key.id.as_str(), "ends_at": ends_at });
        record(conn, scope, Action("api_key.rotated"), id.as_str(), &detail).await?;
        Ok(issued)
    })
    .await
}

/// Revokes a key; one that is revoked already stays so.
///
/// # Errors
/// `Unknown` when the programme has no such key, or the database.
pub async fn end(conn: &mut AsyncPgConnection, scope: &ProgramScope, id: KeyId) -> Result<(), IssueError> {
    conn.transaction(async |conn| {
        let (key, at) = lock_key(conn, scope, id).await?.ok_or(IssueError::Unknown)?;
        if revoke(conn, scope, id, at).await? {
            record(conn, scope, Action("api_key.revoked"), id.as_str(), &json!({ "name": key.name })).await?;
        }
        Ok(())
    })
    .await
}

async fn add(
    conn: &mut AsyncPgConnection,
    scope: &ProgramScope,
    name: &str,
    scopes: Scopes,
    expires_at: Option<Instant>,
) -> Result<Issued, IssueError> {
    let token = KeyToken::new(random()?, secret()?);
    let draft = Draft { id: token.id(), hash: token.hash(), name, scopes, expires_at };
    let key = insert_key(conn, scope, &draft).await?;
    Ok(Issued { key, token })
}
