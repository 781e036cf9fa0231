//! `/v1/program/previews`.

use actix_web::http::header::LOCATION;
use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::loyalty::backtest::jobs::{KIND, PreviewError, check};
use crate::loyalty::backtest::replay::Span;
use crate::loyalty::backtest::stream::StreamError;
use crate::loyalty::program::document::Document;
use crate::loyalty::program::draft::edit::standing;
use crate::loyalty::program::http::invalid;
use crate::loyalty::program::position::{Written, place};
use crate::platform::auth::{Caller, needs};
use crate::platform::db::Db;
use crate::platform::jobs::error::JOBS_TOO_MANY;
use crate::platform::jobs::{JOBS_OPEN_MAX, NewJob, queue_job};
use crate::platform::web::body::Body;
use crate::platform::web::codes;
use crate::platform::web::problem::Problem;

/// Registers the room's calls.
pub fn configure(config: &mut ServiceConfig) {
    config.service(create_preview);
}

/// A preview that is wanted: of a document in JSON or in TOML, or of the draft.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPreview)]
struct PreviewIn {
    /// From when on things are counted,
    from: DateTime<Utc>,
    /// until just before this. What came before `from` is replayed all the same.
    to: DateTime<Utc>,
    /// The document, in JSON. The order in it is meaning.
    #[schema(value_type = Object, nullable)]
    document: Option<Box<RawValue>>,
    /// The document, in TOML.
    #[schema(nullable)]
    toml: Option<String>,
}

/// Where a preview is made.
#[derive(Serialize, ToSchema)]
#[schema(as = PreviewQueued)]
struct QueuedView {
    /// The job; its `result` is the preview.
    job: Uuid,
}

/// Preview a document
///
/// Replays the programme's own past under the document and under the version in force, and says how they differ: points,
/// their cost and what is left of them, by wallet and rule, and who gains and who loses. A job makes it: `result` of
/// `GET /v1/jobs/{id}` is the `PreviewReport`. Nothing of the programme or its members is changed. Scope: `program:write`.
#[utoipa::path(
    tag = "program",
    request_body = PreviewIn,
    responses((status = 202, description = "It is being made; Location is its job.", body = QueuedView)),
)]
#[post("/v1/program/previews")]
async fn create_preview(
    caller: Caller<needs::ProgramWrite>,
    body: Body<PreviewIn>,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    let PreviewIn { from, to, document, toml } = body.0;
    let conn = db.conn().await?;
    let draft;
    let written = match (&document, &toml) {
        (Some(json), None) => Written::Json(json.get()),
        (None, Some(toml)) => Written::Toml(toml),
        (None, None) => {
            draft = standing(&conn, caller.scope()).await?;
            Written::Json(draft.document())
        }
        (Some(_), Some(_)) => {
            let detail = "either a `document` or a `toml`, or none for the draft";
            return Err(Problem::of(&codes::INVALID_FIELD).at("/toml").detail(detail));
        }
    };
    let read = Document::read(written).map_err(invalid)?;
    let request = check(&conn, caller.scope(), &read, Span { from, to }).await;
    let request = request.map_err(|error| match error {
        PreviewError::NoWindow => {
            Problem::of(&codes::INVALID_FIELD).at("/to").detail("the window ends before it starts")
        }
        PreviewError::Mistakes(mut mistakes) => {
            place(written, &mut mistakes);
            invalid(mistakes)
        }
        PreviewError::Stream(StreamError::Db(error)) => error.into(),
        error @ (PreviewError::Stream(_) | PreviewError::Unreadable(_)) => Problem::of(&codes::INTERNAL).because(error),
    })?;
    let request = serde_json::to_string(&request).map_err(|e| Problem::of(&codes::INTERNAL).because(e))?;
    let queued = queue_job(&conn, caller.scope(), NewJob { kind: KIND, request }).await?;
    let job = queued.ok_or_else(|| Problem::of(&JOBS_TOO_MANY).with("jobs_max", JOBS_OPEN_MAX))?;
    Ok(HttpResponse::Accepted().insert_header((LOCATION, format!("/v1/jobs/{job}"))).json(QueuedView { job: job.0 }))
}
