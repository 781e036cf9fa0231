//! Who does jobs: takes one at a time, says while it works that it still does, and lets go of what was cancelled.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::json;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::kernel::scope::{Principal, ProgramScope};
use crate::platform::db::{Db, DbError, Fault};
use crate::platform::jobs::store::{Reached, Taken, beat, end_job, forget_jobs, put_back, take_job};

/// How often a process looks for a job, in seconds.
pub const POLL_S: u64 = 1;
/// How often it says that it still works on one, in seconds: also how late it hears that nobody wants it any more.
const BEAT_S: u64 = 2;
/// How long a process may say nothing before its job is taken by another, in seconds.
pub const JOB_DEAD_S: i32 = 30;
/// How often a job is taken before it is given up: it may be what ends the processes that take it.
const TRIES_MAX: i16 = 5;

/// Long work of one kind.
pub trait Work: Send + Sync {
    /// The kind.
    fn kind(&self) -> &'static str;

    /// Does it, and answers its result as JSON. Dropped in the middle where the job is cancelled: so it awaits often, and
    /// leaves nothing behind that would have to be undone.
    fn run(&self, task: Task) -> BoxFuture<'_, Result<String, WorkError>>;
}

/// Why work has no result.
#[derive(Debug)]
pub enum WorkError {
    /// It cannot be done, and will not be when it is tried again: a code and a sentence.
    Refused(&'static str, String),
    /// The database failed: it is tried again, a few times.
    Db(DbError),
}

impl<E: Into<DbError>> From<E> for WorkError {
    fn from(error: E) -> Self {
        Self::Db(error.into())
    }
}

/// What is to be done, and where to say how far it is.
#[derive(Clone, Debug)]
pub struct Task {
    /// The programme.
    pub scope: ProgramScope,
    /// On what: JSON.
    pub request: String,
    progress: Arc<Progress>,
}

#[derive(Debug, Default)]
struct Progress {
    done: AtomicI64,
    total: AtomicI64,
}

impl Progress {
    fn reached(&self) -> Reached {
        Reached { done: self.done.load(Ordering::Relaxed), total: self.total.load(Ordering::Relaxed) }
    }
}

impl Task {
    /// A task of one's own, in nobody's queue: for the command line.
    pub fn new(scope: ProgramScope, request: String) -> Self {
        Self { scope, request, progress: Arc::default() }
    }

    /// Says how much there is to do, in units of the work's own.
    pub fn expect(&self, total: i64) {
        self.progress.total.store(total, Ordering::Relaxed);
    }

    /// Says that so much more is done.
    pub fn advance(&self, by: i64) {
        self.progress.done.fetch_add(by, Ordering::Relaxed);
    }

    /// How much is done, and of how much.
    pub fn reached(&self) -> (i64, i64) {
        let Reached { done, total } = self.progress.reached();
        (done, total)
    }
}

/// Does jobs until it is aborted; what it was working on then is taken again by another process, or by the next one.
pub async fn run_jobs(db: Db, works: Vec<Box<dyn Work>>) {
    let mut away = false;
    loop {
        match run_next(&db, &works).await {
            Ok(true) => continue,
            Ok(false) => away = false,
            Err(error) => {
                if error.fault() == Fault::ReadOnly {
                    db.move_on();
                }
                if !away {
                    tracing::warn!(error = error.chain(), "jobs wait until the database answers");
                }
                away = true;
            }
        }
        sleep(Duration::from_secs(POLL_S)).await;
    }
}

/// Takes the next job that one of these works does, and does it; false when there is none.
///
/// # Errors
/// When the database fails; a job that was taken is taken again.
pub async fn run_next(db: &Db, works: &[Box<dyn Work>]) -> Result<bool, DbError> {
    let kinds = works.iter().map(|work| work.kind().to_owned()).collect();
    let Some(job) = take_job(&*db.conn().await?, kinds, JOB_DEAD_S).await? else { return Ok(false) };
    let Some(work) = works.iter().find(|work| work.kind() == job.kind) else { return Ok(false) };
    let id = job.id();
    if job.tries > TRIES_MAX {
        let detail = format!("it was interrupted {TRIES_MAX} times");
        finish(db, &job, Reached::default(), Err(problem("job_interrupted", &detail))).await?;
        return Ok(true);
    }
    tracing::info!(job.id = %id, job.kind, "a job begins");
    let scope = ProgramScope::new(job.program(), Principal::Job(work.kind()));
    let task = Task::new(scope, job.request.clone());
    let progress = Arc::clone(&task.progress);
    let outcome = tokio::select! {
        outcome = work.run(task) => outcome,
        () = overtaken(db, &job, &progress) => {
            tracing::info!(job.id = %id, "a job was cancelled");
            return Ok(true);
        }
    };
    let ended = match outcome {
        Ok(result) => finish(db, &job, progress.reached(), Ok(result)).await,
        Err(WorkError::Refused(code, detail)) => {
            finish(db, &job, progress.reached(), Err(problem(code, &detail))).await
        }
        Err(WorkError::Db(error)) => {
            put_back(&*db.conn().await?, &job).await?;
            Err(error)
        }
    };
    tracing::info!(job.id = %id, done = ended.is_ok(), "a job ends");
    ended.map(|()| true)
}

async fn finish(db: &Db, job: &Taken, reached: Reached, outcome: Result<String, String>) -> Result<(), DbError> {
    let conn = db.conn().await?;
    end_job(&conn, job, reached, outcome).await?;
    forget_jobs(&conn).await?;
    Ok(())
}

fn problem(code: &str, detail: &str) -> String {
    json!({ "code": code, "detail": detail }).to_string()
}

/// Says every now and then that the job is worked on, until it is no longer this process's.
async fn overtaken(db: &Db, job: &Taken, progress: &Progress) {
    let mut ticks = interval(Duration::from_secs(BEAT_S));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // A database that is away for a moment takes nobody's job.
        let Ok(conn) = db.conn().await else { continue };
        if matches!(beat(&conn, job, progress.reached()).await, Ok(false)) {
            return;
        }
    }
}
