//! What a job is.

use std::fmt;

use uuid::Uuid;

use crate::kernel::clock::Instant;

/// The most jobs of one programme that wait or run.
pub const JOBS_OPEN_MAX: i64 = 4;
/// How long a job that has ended can be looked at, in days.
pub const JOB_KEPT_D: i32 = 30;

/// The name of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct JobId(pub Uuid);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How far a job is. The numbers are stored: never change one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobStatus {
    /// Nobody has taken it yet.
    Waiting,
    /// A process works on it.
    Running,
    /// It has a result.
    Done,
    /// It has none, and a problem says why.
    Failed,
    /// Somebody wanted no result any more.
    Cancelled,
}

impl JobStatus {
    /// The status of a stored number.
    pub(super) fn of(number: i16) -> Self {
        match number {
            1 => Self::Waiting,
            2 => Self::Running,
            3 => Self::Done,
            4 => Self::Failed,
            _ => Self::Cancelled,
        }
    }
}

/// Work to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    /// Of which kind, `snake_case`, at most 64 characters.
    pub kind: &'static str,
    /// On what: JSON, as the work reads it.
    pub request: String,
}

/// A job as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its name.
    pub id: JobId,
    /// What is done.
    pub kind: String,
    /// How far it is.
    pub status: JobStatus,
    /// How much of `total` is done, in units of the work's own.
    pub done: i64,
    /// How much there is to do; 0 while nobody knows.
    pub total: i64,
    /// JSON: the result of what is done, the problem of what failed.
    pub outcome: Option<String>,
    /// Who asked for it.
    pub principal: String,
    /// When it was asked for.
    pub created_at: Instant,
    /// When a process took it first.
    pub started_at: Option<Instant>,
    /// When it was over.
    pub ended_at: Option<Instant>,
}
