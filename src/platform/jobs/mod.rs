//! Long work: asked for by a call, done beside the calls by whichever process is free, and looked at again later.

pub mod error;
pub mod http;
mod job;
mod runner;
mod store;

pub use error::PROBLEMS;
pub use job::{JOB_KEPT_D, JOBS_OPEN_MAX, Job, JobId, JobStatus, NewJob};
pub use runner::{JOB_DEAD_S, POLL_S, Task, Work, WorkError, run_jobs, run_next};
pub use store::{find_job, queue_job};
