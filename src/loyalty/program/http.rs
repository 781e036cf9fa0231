//! `/v1/program`: the programme as it is, and its versions.

use actix_web::http::header::{ETAG, EntityTag, LOCATION};
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, get, post};
use chrono::{DateTime, SubsecRound, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::kernel::id::Version;
use crate::kernel::page::Page;
use crate::loyalty::program::diff::{Change, diff};
use crate::loyalty::program::document::Document;
use crate::loyalty::program::draft::edit::{EditError, Standing, standing};
use crate::loyalty::program::draft::http::edit_problem;
use crate::loyalty::program::error::{DRAFT_MISSING, PROGRAM_INVALID, PROGRAM_OUTDATED};
use crate::loyalty::program::position::{Written, place};
use crate::loyalty::program::publish::{Publication, PublishError, publish};
use crate::loyalty::program::read::Mistake;
use crate::loyalty::program::store::{VersionRow, find_version, find_version_in_force, list_versions, newest_version};
use crate::platform::auth::{Caller, needs};
use crate::platform::db::Db;
use crate::platform::web::body::Body;
use crate::platform::web::codes;
use crate::platform::web::etag::IfMatch;
use crate::platform::web::paging::{Cursor, Limit};
use crate::platform::web::problem::Problem;
use crate::platform::web::query::Query;
use crate::platform::web::text::Text;

/// Registers the room's calls.
pub fn configure(config: &mut ServiceConfig) {
    config.service(get_program).service(list_program_versions);
    config.service(get_program_version).service(get_program_changes).service(publish_program);
}

/// A programme.
#[derive(Serialize, ToSchema)]
#[schema(as = Program)]
struct ProgramView {
    /// The version in force.
    version: i32,
    /// From when it decides.
    starts: DateTime<Utc>,
    /// Everything that a marketer configures. The order in it is kept, and is meaning.
    #[schema(value_type = Object)]
    document: Box<RawValue>,
}

/// A version, without its document.
#[derive(Serialize, ToSchema)]
#[schema(as = ProgramVersion)]
struct VersionView {
    version: i32,
    /// From when it decides.
    starts: DateTime<Utc>,
    /// Who published it.
    author: String,
    note: String,
    created_at: DateTime<Utc>,
}

/// A version with its document.
#[derive(Serialize, ToSchema)]
#[schema(as = ProgramVersionDocument)]
struct VersionDocumentView {
    version: i32,
    /// From when it decides.
    starts: DateTime<Utc>,
    /// Who published it.
    author: String,
    note: String,
    created_at: DateTime<Utc>,
    /// Everything that a marketer configures. The order in it is kept, and is meaning.
    #[schema(value_type = Object)]
    document: Box<RawValue>,
}

/// What one version changes in another.
#[derive(Serialize, ToSchema)]
#[schema(as = ProgramChanges)]
struct ChangesView {
    /// The version that is changed.
    before: i32,
    /// The version with the changes.
    after: i32,
    /// In the order of the documents.
    changes: Vec<Change>,
}

/// What is to be published: the draft, or again what an earlier version said.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPublication)]
struct PublicationIn {
    /// Why: for those who read the versions later.
    #[schema(nullable)]
    note: Option<Text<500>>,
    /// From when it decides; absent: at once.
    #[schema(nullable)]
    starts_at: Option<DateTime<Utc>>,
    /// The version that is to decide again; absent: the draft.
    #[schema(nullable)]
    version: Option<i32>,
}

/// With what a version is compared.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ChangesQuery {
    /// The version that is changed.
    with: i32,
}

/// A page of versions.
#[derive(Serialize, ToSchema)]
#[schema(as = ProgramVersionPage)]
struct VersionPageView {
    items: Vec<VersionView>,
    /// What to send as `cursor` for the next page; null on the last.
    next_cursor: Option<String>,
}

/// Which page of versions.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct VersionsQuery {
    /// How many items the page has.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(inline, nullable = false)]
    cursor: Option<VersionPlace>,
}

type VersionPlace = Cursor<i32>;

/// The programme in force
///
/// Its ETag changes with the version. Scope: `program:read`.
#[utoipa::path(tag = "program", responses((status = 200, description = "The version in force.", body = ProgramView)))]
#[get("/v1/program")]
async fn get_program(caller: Caller<needs::ProgramRead>, db: Data<Db>) -> Result<HttpResponse, Problem> {
    let row = find_version_in_force(&*db.conn().await?, caller.scope()).await?;
    let row = row.ok_or_else(|| Problem::of(&codes::NOT_FOUND))?;
    let document = read(&row)?;
    let tag = EntityTag::new_strong(format!("v{}", row.version));
    let view = ProgramView { version: row.version, starts: row.starts, document };
    Ok(HttpResponse::Ok().insert_header((ETAG, tag.to_string())).json(view))
}

/// Versions of the programme, newest first
///
/// Scope: `program:read`.
#[utoipa::path(
    tag = "program",
    params(VersionsQuery),
    responses((status = 200, description = "A page of versions.", body = VersionPageView)),
)]
#[get("/v1/program/versions")]
async fn list_program_versions(
    caller: Caller<needs::ProgramRead>,
    query: Query<VersionsQuery>,
    db: Data<Db>,
) -> Result<Json<VersionPageView>, Problem> {
    let Query(VersionsQuery { limit, cursor }) = query;
    let before = cursor.map_or(i32::MAX, |Cursor(version)| version);
    let rows = list_versions(&*db.conn().await?, caller.scope().program()).await?;
    let newest = rows.into_iter().rev().filter(|row| row.version < before);
    let rows: Vec<VersionRow> = newest.take(usize::from(limit.get()).saturating_add(1)).collect();
    let page = Page::of(rows, limit.get(), |row| Cursor(row.version).to_string());
    let Page { items, next_cursor } = page.map(version_view);
    Ok(Json(VersionPageView { items, next_cursor }))
}

/// A version of the programme
///
/// Scope: `program:read`.
#[utoipa::path(
    tag = "program",
    params(("version" = i32, Path, description = "Its number.")),
    responses((status = 200, description = "The version.", body = VersionDocumentView)),
)]
#[get("/v1/program/versions/{version}")]
async fn get_program_version(
    caller: Caller<needs::ProgramRead>,
    version: Path<i32>,
    db: Data<Db>,
) -> Result<Json<VersionDocumentView>, Problem> {
    let row = find_version(&*db.conn().await?, caller.scope(), Version(*version)).await?;
    let row = row.ok_or_else(|| Problem::of(&codes::NOT_FOUND))?;
    let document = read(&row)?;
    let VersionRow { version, starts, document: _, author, note, created_at } = row;
    Ok(Json(VersionDocumentView { version, starts, author, note, created_at, document }))
}

/// What a version changes
///
/// In another one, mostly the one before it. Scope: `program:read`.
#[utoipa::path(
    tag = "program",
    params(("version" = i32, Path, description = "The version with the changes."), ChangesQuery),
    responses((status = 200, description = "The changes.", body = ChangesView)),
)]
#[get("/v1/program/versions/{version}/diff")]
async fn get_program_changes(
    caller: Caller<needs::ProgramRead>,
    version: Path<i32>,
    query: Query<ChangesQuery>,
    db: Data<Db>,
) -> Result<Json<ChangesView>, Problem> {
    let (before, after) = (query.0.with, *version);
    let conn = db.conn().await?;
    let (old, new) = (
        find_version(&conn, caller.scope(), Version(before)).await?,
        find_version(&conn, caller.scope(), Version(after)).await?,
    );
    let (old, new) = old.zip(new).ok_or_else(|| Problem::of(&codes::NOT_FOUND))?;
    let (old, new): (Document, Document) = (read(&old)?, read(&new)?);
    Ok(Json(ChangesView { before, after, changes: diff(&old, &new) }))
}

/// Publish a version
///
/// Of the draft, which is a draft no more then; or, as a new version, of what an earlier one said. Every mistake is named,
/// and nothing is changed then. What was decided stays decided. Scope: `program:write`.
#[utoipa::path(
    tag = "program",
    request_body = PublicationIn,
    params(("If-Match" = String, Header, description = "The ETag of `GET /v1/program/draft`.")),
    responses((status = 201, description = "The version.", body = VersionView)),
)]
#[post("/v1/program/publications")]
async fn publish_program(
    caller: Caller<needs::ProgramWrite>,
    seen: IfMatch,
    body: Body<PublicationIn>,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    let PublicationIn { note, starts_at, version } = body.0;
    let note = note.as_ref().map_or("", Text::as_str);
    let mut conn = db.conn().await?;
    // First: what is published after it was not seen, and refuses.
    let newest = newest_version(&conn, caller.scope()).await?;
    let found = standing(&conn, caller.scope()).await?;
    if !seen.has(&found.tag()) {
        return Err(edit_problem(EditError::Changed(Box::new(found))));
    }
    let (written, based_on, draft) = match (version, &found) {
        (Some(version), _) => {
            let row = find_version(&conn, caller.scope(), Version(version)).await?;
            let row = row.ok_or_else(|| Problem::of(&codes::NOT_FOUND).at("/version"))?;
            (row.document, newest, None)
        }
        (None, Standing::Draft(draft)) => (draft.document.clone(), Version(draft.based_on), Some(draft.revision)),
        (None, Standing::Newest(_)) => return Err(Problem::of(&DRAFT_MISSING)),
    };
    let document = Document::from_json(&written).map_err(invalid)?;
    let starts = starts_at.map(|at| at.trunc_subsecs(6));
    let wanted = Publication { document: &document, based_on, starts, note, draft };
    let published = publish(&mut conn, caller.scope(), &wanted).await;
    if matches!(published, Err(PublishError::DraftChanged)) {
        let now = standing(&conn, caller.scope()).await?;
        return Err(edit_problem(EditError::Changed(Box::new(now))));
    }
    let published = published.map_err(|error| match error {
        PublishError::Mistakes(mut mistakes) => {
            place(Written::Json(&written), &mut mistakes);
            invalid(mistakes)
        }
        PublishError::Outdated(version) => Problem::of(&PROGRAM_OUTDATED).with("version", version.0),
        PublishError::Past => Problem::of(&codes::INVALID_FIELD).at("/starts_at").detail(error.to_string()),
        PublishError::Query(error) => error.into(),
        error @ (PublishError::DraftChanged | PublishError::Unreadable { .. }) => {
            Problem::of(&codes::INTERNAL).because(error)
        }
    })?;
    let row = find_version(&conn, caller.scope(), published.version).await?;
    let row = row.ok_or_else(|| Problem::of(&codes::INTERNAL).detail("the version is gone"))?;
    let place = format!("/v1/program/versions/{}", row.version);
    Ok(HttpResponse::Created().insert_header((LOCATION, place)).json(version_view(row)))
}

fn version_view(row: VersionRow) -> VersionView {
    VersionView {
        version: row.version,
        starts: row.starts,
        author: row.author,
        note: row.note,
        created_at: row.created_at,
    }
}

fn read<T: DeserializeOwned>(row: &VersionRow) -> Result<T, Problem> {
    serde_json::from_str(&row.document).map_err(|e| Problem::of(&codes::INTERNAL).because(e))
}

/// Every mistake in a document.
pub fn invalid(mistakes: Vec<Mistake>) -> Problem {
    let many = mistakes.len();
    let detail = mistakes.first().map(|mistake| match many {
        1 => mistake.to_string(),
        _ => format!("{mistake}; {many} mistakes in all"),
    });
    let problem = Problem::of(&PROGRAM_INVALID).detail(detail.unwrap_or_default());
    problem.with("mistakes", serde_json::json!(mistakes))
}
