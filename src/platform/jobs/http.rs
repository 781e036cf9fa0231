//! `/v1/jobs`.

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, delete, get};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::platform::auth::{Caller, needs};
use crate::platform::db::Db;
use crate::platform::jobs::job::{Job, JobId, JobStatus};
use crate::platform::jobs::store::{cancel_open_job, find_job};
use crate::platform::web::codes;
use crate::platform::web::problem::Problem;

/// Registers the room's calls.
pub fn configure(config: &mut ServiceConfig) {
    config.service(get_job).service(cancel_job);
}

/// How far a job is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = JobStatus)]
enum StatusView {
    Waiting,
    Running,
    Done,
    Failed,
    Cancelled,
}

/// Long work that was asked for.
#[derive(Serialize, ToSchema)]
#[schema(as = Job)]
struct JobView {
    id: Uuid,
    /// What is done, such as `preview`.
    kind: String,
    status: StatusView,
    /// How much of `total` is done, in units of the work's own.
    #[schema(minimum = 0)]
    done: i64,
    /// How much there is to do; 0 while nobody knows.
    #[schema(minimum = 0)]
    total: i64,
    /// What came of it, of one that is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, required = false)]
    result: Option<Box<RawValue>>,
    /// Why there is no result, of one that failed: a code, and a sentence for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, required = false)]
    problem: Option<Box<RawValue>>,
    /// Who asked for it.
    created_by: String,
    created_at: DateTime<Utc>,
    /// When it was begun.
    started_at: Option<DateTime<Utc>>,
    /// When it was over; it can be looked at for 30 days from then on.
    ended_at: Option<DateTime<Utc>>,
}

/// A job as it stands
///
/// With its result when it is done. Scope: `program:read`.
#[utoipa::path(
    tag = "jobs",
    params(("id" = Uuid, Path, description = "The job.")),
    responses((status = 200, description = "The job.", body = JobView)),
)]
#[get("/v1/jobs/{id}")]
async fn get_job(caller: Caller<needs::ProgramRead>, id: Path<String>, db: Data<Db>) -> Result<Json<JobView>, Problem> {
    let job = find_job(&*db.conn().await?, caller.scope(), read_id(&id)?).await?;
    Ok(Json(view(job.ok_or_else(|| Problem::of(&codes::NOT_FOUND))?)?))
}

/// Cancel a job
///
/// It is `cancelled` at once, and whoever works on it stops within seconds. One that has ended stays as it is.
/// Scope: `program:write`.
#[utoipa::path(
    tag = "jobs",
    params(("id" = Uuid, Path, description = "The job.")),
    responses((status = 200, description = "The job as it stands now.", body = JobView)),
)]
#[delete("/v1/jobs/{id}")]
async fn cancel_job(
    caller: Caller<needs::ProgramWrite>,
    id: Path<String>,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    let (conn, id) = (db.conn().await?, read_id(&id)?);
    cancel_open_job(&conn, caller.scope(), id).await?;
    let job = find_job(&conn, caller.scope(), id).await?;
    Ok(HttpResponse::Ok().json(view(job.ok_or_else(|| Problem::of(&codes::NOT_FOUND))?)?))
}

fn read_id(text: &str) -> Result<JobId, Problem> {
    text.parse().map(JobId).map_err(|_| Problem::of(&codes::NOT_FOUND))
}

fn view(job: Job) -> Result<JobView, Problem> {
    let outcome = job.outcome.map(RawValue::from_string).transpose();
    let outcome = outcome.map_err(|e| Problem::of(&codes::INTERNAL).because(e))?;
    let (status, result, problem) = match job.status {
        JobStatus::Waiting => (StatusView::Waiting, None, None),
        JobStatus::Running => (StatusView::Running, None, None),
        JobStatus::Done => (StatusView::Done, outcome, None),
        JobStatus::Failed => (StatusView::Failed, None, outcome),
        JobStatus::Cancelled => (StatusView::Cancelled, None, None),
    };
    Ok(JobView {
        id: job.id.0,
        kind: job.kind,
        status,
        done: job.done,
        total: job.total,
        result,
        problem,
        created_by: job.principal,
        created_at: job.created_at,
        started_at: job.started_at,
        ended_at: job.ended_at,
    })
}
