//! Why there is no private cluster.

use std::io;
use std::path::{Path, PathBuf};

use crate::platform::db::error::{DbError, chain_of};

/// The private cluster could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// No usable server binaries on this system.
    #[error("{found}; {advice}, or set DATABASE_URL to a server of your own")]
    NoBinaries {
        /// What was looked for, and found instead.
        found: String,
        /// What to install, in this system's words.
        advice: String,
    },
    /// Postgres refuses to run as root, and there is nobody to run it as.
    #[error(
        "running as root, and there is no user `postgres` to run the server as: create one, or run as another user"
    )]
    NoUser,
    /// A directory that others could write to, or reach, or that the server's user could not.
    #[error("{path} cannot hold the cluster: {reason}")]
    Place {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file or directory of the cluster failed.
    #[error("{what} {path}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A program of Postgres failed.
    #[error("{program} failed: {said}")]
    Program {
        /// Which one.
        program: &'static str,
        /// The end of what it said.
        said: String,
    },
    /// The server, or another process that starts it, took too long.
    #[error("{what} took more than {limit_s} s")]
    Slow {
        /// What was waited for.
        what: &'static str,
        /// For how long, in seconds.
        limit_s: u64,
    },
    /// Somebody else uses the cluster.
    #[error("the private Postgres is in use, by `perennial serve` perhaps: stop whoever uses it")]
    InUse,
    /// There is a cluster already where one was to be made.
    #[error(
        "{} has a database already: move it away (mv {} {}.before), or choose another PERENNIAL_HOME",
        data.display(), data.display(), data.display()
    )]
    Occupied {
        /// Its directory.
        data: PathBuf,
    },
    /// A program of Postgres is not installed.
    #[error("{} has no {program}: install Postgres' client programs of the same version", directory.display())]
    Missing {
        /// Which one.
        program: &'static str,
        /// Where the others are.
        directory: PathBuf,
    },
    /// Somebody stopped it in the middle.
    #[error("interrupted")]
    Interrupted,
    /// The server runs, and refused the first statements.
    #[error("the private cluster does not answer")]
    Db(#[from] DbError),
}

impl ClusterError {
    /// Whether the operator has to change this system or the configuration: exit code 2.
    pub fn is_configuration(&self) -> bool {
        match self {
            Self::NoBinaries { .. } | Self::NoUser | Self::Place { .. } => true,
            Self::InUse | Self::Occupied { .. } | Self::Missing { .. } => true,
            Self::Io { .. } | Self::Program { .. } | Self::Slow { .. } | Self::Interrupted | Self::Db(_) => false,
        }
    }

    /// The error and all its causes in one line.
    pub fn chain(&self) -> String {
        chain_of(self)
    }

    /// For `map_err`: what was tried with which file.
    pub(super) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { what, path, source }
    }
}
