//! What goes wrong with a database, and what a caller can do about it.

use std::error::Error;

use diesel::result::{DatabaseErrorKind, Error as QueryError};
use diesel_async::pooled_connection::PoolError as SetupError;
use diesel_async::pooled_connection::deadpool::PoolError;

use super::pool::POOL_WAIT_S;

/// The database did not do what it was asked; never holds the URL.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The connection string cannot be read.
    #[error("not a Postgres connection string (expected postgres://user:password@host:port/database)")]
    Url,
    /// No connection could be opened.
    #[error("cannot connect to the database")]
    Connect(#[source] Box<dyn Error + Send + Sync>),
    /// All connections of the pool stayed busy.
    #[error("no database connection came free within {POOL_WAIT_S} s")]
    Busy,
    /// The server is older than what the schema needs.
    #[error("the server is Postgres {found}, and Perennial needs Postgres {needed} or later")]
    TooOld {
        /// Major version of the server.
        found: i32,
        /// The oldest major version that will do.
        needed: i32,
    },
    /// A newer program migrated the database.
    #[error(
        "the database has migrations that Perennial {} does not know ({unknown}): use the version that made them, or a later one",
        env!("CARGO_PKG_VERSION")
    )]
    TooNew {
        /// The migrations' versions.
        unknown: String,
    },
    /// A statement failed.
    #[error("a statement failed")]
    Query(#[from] QueryError),
    /// A migration failed; those before it stay applied.
    #[error("a migration failed")]
    Migration(#[source] Box<dyn Error + Send + Sync>),
}

impl From<PoolError> for DbError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Timeout(_) => Self::Busy,
            PoolError::Backend(SetupError::ConnectionError(error)) => Self::Connect(Box::new(error)),
            PoolError::Backend(SetupError::QueryError(error)) => Self::Query(error),
            error @ (PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_)) => {
                Self::Connect(Box::new(error))
            }
        }
    }
}

impl DbError {
    /// What a caller can do about it.
    pub fn fault(&self) -> Fault<'_> {
        match self {
            Self::Query(error) => fault_of(error),
            Self::Connect(_) => Fault::ConnectionLost,
            Self::Url | Self::Busy | Self::TooOld { .. } | Self::TooNew { .. } | Self::Migration(_) => Fault::Other,
        }
    }

    /// The error and all its causes in one line, for a log or a terminal.
    pub fn chain(&self) -> String {
        chain_of(self)
    }
}

/// An error and its causes in one line; a cause that its parent's text already ends with is left out.
pub(super) fn chain_of(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    text
}

/// The kinds of failure that somebody acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault<'a> {
    /// A unique constraint of this name refused.
    Unique(&'a str),
    /// A CHECK of this name refused.
    Check(&'a str),
    /// A foreign key of this name refused.
    ForeignKey(&'a str),
    /// A lock did not come free within `lock_timeout` (55P03).
    LockTimeout,
    /// Serialization failure or deadlock (40001, 40P01): the transaction may simply run again.
    Conflict,
    /// A number left the range of its column (22003).
    OutOfRange,
    /// The connection is gone, and whether a COMMIT under way took effect is unknown.
    ConnectionLost,
    /// The server is a standby, or read-only.
    ReadOnly,
    /// The server's disk has no room (53100): nothing can be written until somebody makes some.
    DiskFull,
    /// Anything else.
    Other,
}

/// What a caller can do about a failed statement.
pub fn fault_of(error: &QueryError) -> Fault<'_> {
    let (kind, info) = match error {
        QueryError::DatabaseError(kind, info) => (kind, info),
        QueryError::BrokenTransactionManager => return Fault::ConnectionLost,
        _ => return Fault::Other,
    };
    let constraint = info.constraint_name().unwrap_or_default();
    match kind {
        DatabaseErrorKind::UniqueViolation => Fault::Unique(constraint),
        DatabaseErrorKind::CheckViolation => Fault::Check(constraint),
        DatabaseErrorKind::ForeignKeyViolation => Fault::ForeignKey(constraint),
        DatabaseErrorKind::SerializationFailure => Fault::Conflict,
        DatabaseErrorKind::ReadOnlyTransaction => Fault::ReadOnly,
        DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => Fault::ConnectionLost,
        _ => fault_by_message(info.message()),
    }
}

/// The driver keeps no SQLSTATE for these. Connections ask for untranslated messages (`pool.rs`), so the text tells.
fn fault_by_message(message: &str) -> Fault<'static> {
    let told = [
        ("canceling statement due to lock timeout", Fault::LockTimeout),
        ("could not obtain lock on ", Fault::LockTimeout),
        ("deadlock detected", Fault::Conflict),
        ("terminating connection", Fault::ConnectionLost),
        ("the database system is ", Fault::ConnectionLost),
        ("out of range", Fault::OutOfRange),
        ("numeric field overflow", Fault::OutOfRange),
        ("No space left on device", Fault::DiskFull),
    ];
    told.iter().find(|(text, _)| message.contains(text)).map_or(Fault::Other, |(_, fault)| *fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_tells_what_the_driver_does_not() {
        let said = [
            ("could not extend file \"base/16385/16483\": No space left on device", Fault::DiskFull),
            ("canceling statement due to lock timeout", Fault::LockTimeout),
            ("terminating connection because of crash of another server process", Fault::ConnectionLost),
            ("value \"9223372036854775808\" is out of range for type bigint", Fault::OutOfRange),
            ("column \"lane\" does not exist", Fault::Other),
        ];
        for (message, fault) in said {
            let error = QueryError::DatabaseError(DatabaseErrorKind::Unknown, Box::new(message.to_owned()));
            assert_eq!(fault_of(&error), fault, "{message}");
        }
    }
}
