//! Jobs in Postgres. Its clock says who is alive.

use diesel::sql_types::{Array, BigInt, Int4, Nullable, SmallInt, Text, Timestamptz, Uuid};
use diesel::{OptionalExtension, QueryResult, Queryable};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid as Id;

use crate::kernel::clock::Instant;
use crate::kernel::id::ProgramId;
use crate::kernel::scope::ProgramScope;
use crate::platform::entropy::uuid_v7;
use crate::platform::jobs::job::{JOB_KEPT_D, JOBS_OPEN_MAX, Job, JobId, JobStatus, NewJob};
use crate::statement;

statement! {
    /// Takes in a job, if the programme may have one more.
    InsertJob {
        program: Id => Uuid, job: Id => Uuid, kind: String => Text, request: String => Text, principal: String => Text,
        of: Id => Uuid, open_max: i64 => BigInt,
    } -> Timestamptz,
    "INSERT INTO jobs (program_id, job_id, kind, request, status, tries, done, total, principal, created_at) \
     SELECT ?, ?, ?, ?, 1, 0, 0, 0, ?, clock_timestamp() \
     WHERE (SELECT count(*) FROM jobs WHERE program_id = ? AND ended_at IS NULL) < ? RETURNING created_at"
}

statement! {
    /// A job as it stands.
    FindJob { program: Id => Uuid, job: Id => Uuid } -> (
        Uuid, Text, SmallInt, BigInt, BigInt, Nullable<Text>, Text, Timestamptz, Nullable<Timestamptz>, Nullable<Timestamptz>
    ),
    "SELECT job_id, kind, status, done, total, outcome, principal, created_at, started_at, ended_at FROM jobs \
     WHERE program_id = ? AND job_id = ?"
}

statement! {
    /// Ends a job that has not ended.
    CancelJob { program: Id => Uuid, job: Id => Uuid } -> BigInt,
    "UPDATE jobs SET status = 5, ended_at = clock_timestamp() WHERE program_id = ? AND job_id = ? AND ended_at IS NULL"
}

statement! {
    /// Takes the oldest job that waits, or whose process is gone. Jobs that others take at this moment are left to them.
    TakeJob { kinds: Vec<String> => Array<Text>, dead_s: i32 => Int4 } -> (Uuid, Uuid, Text, Text, SmallInt),
    "UPDATE jobs AS j SET status = 2, tries = j.tries + 1, done = 0, total = 0, beat_at = clock_timestamp(), \
        started_at = coalesce(j.started_at, clock_timestamp()) \
     FROM (SELECT program_id, job_id FROM jobs WHERE ended_at IS NULL AND kind = ANY (?) \
        AND (status = 1 OR beat_at < clock_timestamp() - ? * interval '1 second') \
        ORDER BY created_at, job_id LIMIT 1 FOR UPDATE SKIP LOCKED) AS next \
     WHERE j.program_id = next.program_id AND j.job_id = next.job_id \
     RETURNING j.program_id, j.job_id, j.kind, j.request, j.tries"
}

statement! {
    /// Says that a job is still worked on, and how far it is.
    BeatJob { done: i64 => BigInt, total: i64 => BigInt, program: Id => Uuid, job: Id => Uuid, tries: i16 => SmallInt } -> BigInt,
    "UPDATE jobs SET beat_at = clock_timestamp(), done = ?, total = ? \
     WHERE program_id = ? AND job_id = ? AND tries = ? AND status = 2"
}

statement! {
    /// Gives a job back: it waits again.
    PutBackJob { program: Id => Uuid, job: Id => Uuid, tries: i16 => SmallInt } -> BigInt,
    "UPDATE jobs SET status = 1, beat_at = NULL WHERE program_id = ? AND job_id = ? AND tries = ? AND status = 2"
}

statement! {
    /// Ends a job with its outcome.
    EndJob {
        status: i16 => SmallInt, done: i64 => BigInt, total: i64 => BigInt, outcome: String => Text,
        program: Id => Uuid, job: Id => Uuid, tries: i16 => SmallInt,
    } -> BigInt,
    "UPDATE jobs SET status = ?, done = ?, total = ?, outcome = ?, ended_at = clock_timestamp() \
     WHERE program_id = ? AND job_id = ? AND tries = ? AND status = 2"
}

statement! {
    /// Deletes what ended long ago.
    ForgetJobs { kept_d: i32 => Int4 } -> BigInt,
    "DELETE FROM jobs WHERE ended_at < clock_timestamp() - ? * interval '1 day'"
}

#[derive(Queryable)]
struct JobRow {
    job_id: Id,
    kind: String,
    status: i16,
    done: i64,
    total: i64,
    outcome: Option<String>,
    principal: String,
    created_at: Instant,
    started_at: Option<Instant>,
    ended_at: Option<Instant>,
}

/// A job in the hands of this process.
#[derive(Clone, Debug, Queryable)]
pub(super) struct Taken {
    program_id: Id,
    job_id: Id,
    pub(super) kind: String,
    pub(super) request: String,
    pub(super) tries: i16,
}

impl Taken {
    pub(super) fn program(&self) -> ProgramId {
        ProgramId(self.program_id)
    }

    pub(super) fn id(&self) -> JobId {
        JobId(self.job_id)
    }
}

/// How far a job is: so much done, of so much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reached {
    pub(super) done: i64,
    pub(super) total: i64,
}

/// Takes in a job; `None` when the programme has [`JOBS_OPEN_MAX`] that wait or run.
///
/// # Errors
/// When the database fails.
pub async fn queue_job(conn: &AsyncPgConnection, scope: &ProgramScope, new: NewJob) -> QueryResult<Option<JobId>> {
    let (program, job) = (scope.program().0, uuid_v7());
    let principal = scope.principal().to_string();
    let NewJob { kind, request } = new;
    let insert =
        InsertJob { program, job, kind: kind.to_owned(), request, principal, of: program, open_max: JOBS_OPEN_MAX };
    let created: Option<Instant> = insert.get_result(&mut &*conn).await.optional()?;
    Ok(created.map(|_| JobId(job)))
}

/// A job of the programme.
///
/// # Errors
/// When the database fails.
pub async fn find_job(conn: &AsyncPgConnection, scope: &ProgramScope, job: JobId) -> QueryResult<Option<Job>> {
    let find = FindJob { program: scope.program().0, job: job.0 };
    let row: Option<JobRow> = find.get_result(&mut &*conn).await.optional()?;
    Ok(row.map(|row| Job {
        id: JobId(row.job_id),
        kind: row.kind,
        status: JobStatus::of(row.status),
        done: row.done,
        total: row.total,
        outcome: row.outcome,
        principal: row.principal,
        created_at: row.created_at,
        started_at: row.started_at,
        ended_at: row.ended_at,
    }))
}

/// Ends a job that has not ended; one that has stays as it is.
pub(super) async fn cancel_open_job(conn: &AsyncPgConnection, scope: &ProgramScope, job: JobId) -> QueryResult<()> {
    CancelJob { program: scope.program().0, job: job.0 }.execute(&mut &*conn).await.map(drop)
}

/// Takes the oldest job of these kinds that waits, or whose process has said nothing for so many seconds.
pub(super) async fn take_job(conn: &AsyncPgConnection, kinds: Vec<String>, dead_s: i32) -> QueryResult<Option<Taken>> {
    TakeJob { kinds, dead_s }.get_result(&mut &*conn).await.optional()
}

/// Says that a job is still worked on; false when it is no longer this process's.
pub(super) async fn beat(conn: &AsyncPgConnection, job: &Taken, reached: Reached) -> QueryResult<bool> {
    let Reached { done, total } = reached;
    let beat = BeatJob { done, total, program: job.program_id, job: job.job_id, tries: job.tries };
    Ok(beat.execute(&mut &*conn).await? > 0)
}

/// Gives a job back, for this process or another to take it again.
pub(super) async fn put_back(conn: &AsyncPgConnection, job: &Taken) -> QueryResult<()> {
    PutBackJob { program: job.program_id, job: job.job_id, tries: job.tries }.execute(&mut &*conn).await.map(drop)
}

/// Ends a job: with its result, as JSON, or the problem that there is none for. Nothing happens to one that is no longer
/// this process's.
pub(super) async fn end_job(
    conn: &AsyncPgConnection,
    job: &Taken,
    reached: Reached,
    outcome: Result<String, String>,
) -> QueryResult<()> {
    let Reached { done, total } = reached;
    let (status, outcome) = match outcome {
        Ok(result) => (3, result),
        Err(problem) => (4, problem),
    };
    let Taken { program_id: program, job_id: job, tries, .. } = *job;
    EndJob { status, done, total, outcome, program, job, tries }.execute(&mut &*conn).await.map(drop)
}

/// Deletes what ended more than [`JOB_KEPT_D`] days ago.
pub(super) async fn forget_jobs(conn: &AsyncPgConnection) -> QueryResult<()> {
    ForgetJobs { kept_d: JOB_KEPT_D }.execute(&mut &*conn).await.map(drop)
}
