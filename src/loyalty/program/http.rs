//! `/v1/program`: the programme as it is, and its versions.

use actix_web::http::header::{ETAG, EntityTag};
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, get};
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::kernel::id::Version;
use crate::kernel::page::Page;
use crate::loyalty::program::diff::{Change, diff};
use crate::loyalty::program::document::Document;
use crate::loyalty::program::store::{VersionRow, find_version, find_version_in_force, list_versions};
use crate::platform::auth::{Caller, needs};
use crate::platform::db::Db;
use crate::platform::web::codes;
use crate::platform::web::paging::{Cursor, Limit};
use crate::platform::web::problem::Problem;
use crate::platform::web::query::Query;

/// Registers the room's calls.
pub fn configure(config: &mut ServiceConfig) {
    config.service(get_program).service(list_program_versions);
    config.service(get_program_version).service(get_program_changes);
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
