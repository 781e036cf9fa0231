//! Why a command ends without having done its work.

use std::process::ExitCode;

use diesel::result::Error as QueryError;

use super::settings::Mistakes;
use crate::platform::db::DbError;
use crate::platform::db::embedded::ClusterError;

/// A command failed; the text is for people, with all causes in it.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The operator has to change the configuration or this system: exit code 2.
    #[error("{0}")]
    Configuration(String),
    /// Something else went wrong, or a check found something: exit code 1.
    #[error("{0}")]
    Work(String),
}

impl Failure {
    /// 1 or 2.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Configuration(_) => ExitCode::from(2),
            Self::Work(_) => ExitCode::from(1),
        }
    }
}

impl From<Mistakes> for Failure {
    fn from(mistakes: Mistakes) -> Self {
        Self::Configuration(mistakes.to_string())
    }
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Url | DbError::TooOld { .. } | DbError::TooNew { .. } => Self::Configuration(error.chain()),
            DbError::Connect(_) | DbError::Busy | DbError::Query(_) | DbError::Migration(_) => {
                Self::Work(error.chain())
            }
        }
    }
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Self {
        DbError::from(error).into()
    }
}

impl From<ClusterError> for Failure {
    fn from(error: ClusterError) -> Self {
        let configuration = error.is_configuration();
        let text = error.chain();
        if configuration { Self::Configuration(text) } else { Self::Work(text) }
    }
}
