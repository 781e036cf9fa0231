//! Changes of webhooks, each with its line in the audit log.

use chrono::TimeDelta;
use diesel::result::Error as QueryError;
use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::kernel::clock::Instant;
use crate::kernel::scope::ProgramScope;
use crate::platform::audit::{Action, record};
use crate::platform::db::DbError;
use crate::platform::entropy::uuid_v7;
use crate::platform::webhooks::deliveries::store::replay_deliveries;
use crate::platform::webhooks::hook::{HOOKS_PER_PROGRAM_MAX, Hook};
use crate::platform::webhooks::secret::HookSecret;
use crate::platform::webhooks::store::{clock, delete_hook, insert_hook, list_hooks, lock_hook, save_hook};

/// Why a change is not made.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The programme has no such webhook.
    #[error("there is no such webhook")]
    Unknown,
    /// It has as many as it can have.
    #[error("a programme has at most {HOOKS_PER_PROGRAM_MAX} webhooks")]
    TooMany,
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

impl From<QueryError> for KeepError {
    fn from(error: QueryError) -> Self {
        Self::Db(error.into())
    }
}

/// What is to be another way; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Where.
    pub url: Option<String>,
    /// Of which types of events.
    pub events: Option<Vec<String>>,
    /// Whether anything is sent.
    pub enabled: Option<bool>,
}

/// Adds a webhook.
///
/// # Errors
/// `TooMany`, or when the database fails.
pub async fn create(
    conn: &mut AsyncPgConnection,
    scope: &ProgramScope,
    (url, events): (String, Vec<String>),
    secret: &HookSecret,
) -> Result<Hook, KeepError> {
    conn.transaction(async |conn| {
        if list_hooks(conn, scope).await?.len() >= HOOKS_PER_PROGRAM_MAX {
            return Err(KeepError::TooMany);
        }
        let hook = insert_hook(conn, scope, uuid_v7(), (url, events), secret).await?;
        say(conn, scope, ("webhook.created", hook.id), &json!({ "events": hook.events })).await?;
        Ok(hook)
    })
    .await
}

/// Changes a webhook.
///
/// # Errors
/// `Unknown`, or when the database fails.
pub async fn change(
    conn: &mut AsyncPgConnection,
    scope: &ProgramScope,
    id: Uuid,
    changes: Changes,
) -> Result<Hook, KeepError> {
    conn.transaction(async |conn| {
        let hook = lock_hook(conn, scope, id).await?.ok_or(KeepError::Unknown)?;
        let hook = Hook {
            url: changes.url.unwrap_or(hook.url),
            events: changes.events.unwrap_or(hook.events),
            enabled: changes.enabled.unwrap_or(hook.enabled),
            ..hook
        };
        let hook = save_hook(conn, &hook).await?;
        let detail = json!({ "events": hook.events, "enabled": hook.enabled });
        say(conn, scope, ("webhook.changed", id), &detail).await?;
        Ok(hook)
    })
    .await
}

/// Forgets a webhook, and what it was told.
///
/// # Errors
/// `Unknown`, or when the database fails.
pub async fn discard(conn: &mut AsyncPgConnection, scope: &ProgramScope, id: Uuid) -> Result<(), KeepError> {
    conn.transaction(async |conn| {
        lock_hook(conn, scope, id).await?.ok_or(KeepError::Unknown)?;
        delete_hook(conn, scope, id).await?;
        say(conn, scope, ("webhook.discarded", id), &json!({})).await
    })
    .await
}

/// Gives a webhook a new secret; the old one signs on for so many seconds.
///
/// # Errors
/// `Unknown`, or when the database fails.
pub async fn rotate(
    conn: &mut AsyncPgConnection,
    scope: &ProgramScope,
    id: Uuid,
    (secret, overlap_s): (&HookSecret, u32),
) -> Result<Hook, KeepError> {
    conn.transaction(async |conn| {
        let hook = lock_hook(conn, scope, id).await?.ok_or(KeepError::Unknown)?;
        let until = clock(conn).await? + TimeDelta::seconds(overlap_s.into());
        let old_secret = (overlap_s > 0).then(|| (hook.secret.clone(), until));
        let hook = save_hook(conn, &Hook { secret: secret.clone(), old_secret, ..hook }).await?;
        say(conn, scope, ("webhook.secret_rotated", id), &json!({ "overlap_s": overlap_s })).await?;
        Ok(hook)
    })
    .await
}

/// Has what was to be told in a time told again; how many deliveries that is.
///
/// # Errors
/// `Unknown`, or when the database fails.
pub async fn replay(
    conn: &mut AsyncPgConnection,
    scope: &ProgramScope,
    id: Uuid,
    (from, until): (Instant, Instant),
) -> Result<usize, KeepError> {
    conn.transaction(async |conn| {
        lock_hook(conn, scope, id).await?.ok_or(KeepError::Unknown)?;
        let deliveries = replay_deliveries(conn, (scope, id), (from, until)).await?;
        let detail = json!({ "from": from, "until": until, "deliveries": deliveries });
        say(conn, scope, ("webhook.replayed", id), &detail).await?;
        Ok(deliveries)
    })
    .await
}

async fn say(
    conn: &mut AsyncPgConnection,
    scope: &ProgramScope,
    (action, id): (&'static str, Uuid),
    detail: &Value,
) -> Result<(), KeepError> {
    Ok(record(conn, scope, Action(action), &id.to_string(), detail).await?)
}
