//! Who changed what: append-only, written in the transaction of the change itself.

pub mod http;
mod store;

use std::fmt;

use diesel::result::Error as QueryError;
use diesel_async::AsyncPgConnection;
use serde_json::Value;
use uuid::Uuid;

use crate::kernel::clock::Instant;
use crate::kernel::scope::ProgramScope;
use crate::platform::entropy::uuid_v7;

/// What was done: the room and a verb in the past, `api_key.issued`; at most 64 characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action(pub &'static str);

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: Uuid,
    /// When, by Postgres's clock.
    pub at: Instant,
    /// Who.
    pub principal: String,
    /// What was done.
    pub action: String,
    /// To what: an id or code.
    pub subject: String,
    /// A JSON object with what is worth knowing; never a secret.
    pub detail: Value,
}

/// Writes a line, in the transaction that `conn` is in; `detail` is a JSON object without secrets.
///
/// # Errors
/// When the database fails.
pub async fn record(
    conn: &mut AsyncPgConnection,
    scope: &ProgramScope,
    action: Action,
    subject: &str,
    detail: &Value,
) -> Result<(), QueryError> {
    store::insert_entry(conn, scope, uuid_v7(), action, subject, detail).await
}
