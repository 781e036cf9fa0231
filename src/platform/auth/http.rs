//! `/v1/api-keys`.
//!
//! Issuing and rotating take no `Idempotency-Key`: their answer holds a secret that is kept nowhere, so it could not be
//! replayed. Who lost an answer revokes the key that came of it, and asks again.

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, delete, get, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::kernel::clock::Instant;
use crate::kernel::page::Page;
use crate::platform::auth::authenticator::Authenticator;
use crate::platform::auth::caller::{Caller, scope_missing};
use crate::platform::auth::error::{EXPIRY_PASSED, KEY_NOT_ACTIVE, KEYS_TOO_MANY};
use crate::platform::auth::issue::{
    IssueError, Issued, KEYS_PER_PROGRAM_MAX, NewKey, OVERLAP_S_DEFAULT, OVERLAP_S_MAX, Overlap, Rotation, end, issue,
    rotate,
};
use crate::platform::auth::key::{ApiKey, KeyId, KeyName, KeyStatus};
use crate::platform::auth::scopes::{Scope, needs};
use crate::platform::auth::store::{KeyPlace, list_keys};
use crate::platform::db::Db;
use crate::platform::web::body::Body;
use crate::platform::web::codes;
use crate::platform::web::paging::Limit;
use crate::platform::web::problem::Problem;
use crate::platform::web::query::Query;

/// Registers the room's calls.
pub fn configure(config: &mut ServiceConfig) {
    config.service(list_api_keys).service(create_api_key).service(revoke_api_key).service(rotate_api_key);
}

/// Which page of keys.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct KeysQuery {
    /// How many items the page has.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(inline, nullable = false)]
    cursor: Option<KeyPlace>,
}

/// A key to be issued.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewApiKey)]
struct NewKeyIn {
    /// What people call it.
    name: KeyName,
    /// What it may do; the caller must hold each of them.
    #[schema(min_items = 1)]
    scopes: Vec<Scope>,
    /// The first instant at which it is refused; absent: never.
    expires_at: Option<DateTime<Utc>>,
}

/// How a key is rotated.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApiKeyRotation)]
struct RotationIn {
    /// For how long the old key works on, in seconds.
    #[serde(default = "overlap_default")]
    #[schema(minimum = 0, maximum = 2_592_000, default = 86_400)]
    overlap_s: u32,
    /// The first instant at which the successor is refused; absent: never.
    expires_at: Option<DateTime<Utc>>,
}

fn overlap_default() -> u32 {
    OVERLAP_S_DEFAULT
}

/// Whether a key lets anybody in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ApiKeyStatus)]
enum StatusView {
    Active,
    Expired,
    Revoked,
}

/// An API key; its secret is kept nowhere.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
struct KeyView {
    /// The public half of the key.
    #[schema(pattern = "^[0-9a-f]{16}$")]
    id: String,
    name: String,
    scopes: Vec<Scope>,
    status: StatusView,
    created_at: DateTime<Utc>,
    /// Who issued it.
    created_by: String,
    /// The first instant at which it is refused.
    expires_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    /// To the minute.
    last_used_at: Option<DateTime<Utc>>,
    /// The key that a rotation made of it.
    successor_id: Option<String>,
}

/// A new API key, with its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = IssuedApiKey)]
struct IssuedView {
    /// The whole key, `prn_<id>_<secret>`: shown now and never again.
    key: String,
    api_key: KeyView,
}

/// A page of API keys.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKeyPage)]
struct KeyPageView {
    items: Vec<KeyView>,
    /// What to send as `cursor` for the next page; null on the last.
    next_cursor: Option<String>,
}

/// API keys of the programme, newest first
///
/// Expired and revoked ones too. Scope: `keys:manage`.
#[utoipa::path(
    tag = "api-keys",
    params(KeysQuery),
    responses((status = 200, description = "A page of keys, without secrets.", body = KeyPageView)),
)]
#[get("/v1/api-keys")]
async fn list_api_keys(
    caller: Caller<needs::KeysManage>,
    query: Query<KeysQuery>,
    db: Data<Db>,
) -> Result<Json<KeyPageView>, Problem> {
    let Query(KeysQuery { limit, cursor }) = query;
    let mut conn = db.conn().await?;
    let page = list_keys(&mut conn, caller.scope(), limit, cursor).await?;
    let Page { items, next_cursor } = page.map(|(key, at)| view(key, at));
    Ok(Json(KeyPageView { items, next_cursor }))
}

/// Issue an API key
///
/// The answer holds the key's secret, once. A repeated call issues another key: after a lost answer revoke the key
/// that came of it. Scope: `keys:manage`.
#[utoipa::path(
    tag = "api-keys",
    request_body = NewKeyIn,
    responses((status = 201, description = "The key, with its secret.", body = IssuedView)),
)]
#[post("/v1/api-keys")]
async fn create_api_key(
    caller: Caller<needs::KeysManage>,
    body: Body<NewKeyIn>,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    let Body(NewKeyIn { name, scopes, expires_at }) = body;
    if scopes.is_empty() {
        return Err(Problem::of(&codes::INVALID_FIELD).at("/scopes").detail("a key has at least one scope"));
    }
    if let Some(scope) = caller.scopes().lacks(scopes.iter().copied()) {
        return Err(scope_missing(scope).at("/scopes"));
    }
    let new = NewKey { name, scopes: scopes.into_iter().collect(), expires_at };
    let issued = issue(&mut *db.conn().await?, caller.scope(), &new).await.map_err(problem_of)?;
    Ok(HttpResponse::Created().json(issued_view(issued)))
}

/// Rotate an API key
///
/// Issues a successor with the same name and scopes; the old key works on for `overlap_s`. A key is rotated once: after
/// a lost answer rotate the successor, which the list names. Scope: `keys:manage`, and every scope of the key itself.
#[utoipa::path(
    tag = "api-keys",
    params(("id" = String, Path, description = "The public half of the key.")),
    request_body = RotationIn,
    responses((status = 201, description = "The successor, with its secret.", body = IssuedView)),
)]
#[post("/v1/api-keys/{id}/rotations")]
async fn rotate_api_key(
    caller: Caller<needs::KeysManage>,
    id: Path<String>,
    body: Body<RotationIn>,
    db: Data<Db>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse, Problem> {
    let id = read_id(&id)?;
    let Body(RotationIn { overlap_s, expires_at }) = body;
    if overlap_s > OVERLAP_S_MAX {
        let detail = format!("at most {OVERLAP_S_MAX} seconds");
        return Err(Problem::of(&codes::INVALID_FIELD).at("/overlap_s").detail(detail));
    }
    let rotation = Rotation { overlap: Overlap(overlap_s), expires_at };
    let rotated = rotate(&mut *db.conn().await?, caller.scope(), id, rotation, caller.scopes()).await;
    let issued = rotated.map_err(problem_of)?;
    authenticator.forget(id).await;
    Ok(HttpResponse::Created().json(issued_view(issued)))
}

/// Revoke an API key
///
/// At once in this process, within seconds in others. Revoking a revoked key changes nothing. Scope: `keys:manage`.
#[utoipa::path(
    tag = "api-keys",
    params(("id" = String, Path, description = "The public half of the key.")),
    responses((status = 204, description = "The key lets nobody in any more.")),
)]
#[delete("/v1/api-keys/{id}")]
async fn revoke_api_key(
    caller: Caller<needs::KeysManage>,
    id: Path<String>,
    db: Data<Db>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse, Problem> {
    let id = read_id(&id)?;
    end(&mut *db.conn().await?, caller.scope(), id).await.map_err(problem_of)?;
    authenticator.forget(id).await;
    Ok(HttpResponse::NoContent().finish())
}

fn read_id(text: &str) -> Result<KeyId, Problem> {
    KeyId::parse(text).ok_or_else(|| Problem::of(&codes::NOT_FOUND))
}

fn problem_of(error: IssueError) -> Problem {
    match error {
        IssueError::Unknown => Problem::of(&codes::NOT_FOUND),
        IssueError::NotActive => Problem::of(&KEY_NOT_ACTIVE),
        IssueError::TooMany => Problem::of(&KEYS_TOO_MANY).with("keys_max", KEYS_PER_PROGRAM_MAX),
        IssueError::ExpiryPassed => Problem::of(&EXPIRY_PASSED).at("/expires_at"),
        IssueError::Exceeds(scope) => scope_missing(scope),
        IssueError::Entropy(error) => Problem::of(&codes::INTERNAL).because(error),
        IssueError::Db(error) => error.into(),
    }
}

fn issued_view(issued: Issued) -> IssuedView {
    let created_at = issued.key.created_at;
    IssuedView { key: issued.token.reveal(), api_key: view(issued.key, created_at) }
}

fn view(key: ApiKey, at: Instant) -> KeyView {
    let status = match key.status(at) {
        KeyStatus::Active => StatusView::Active,
        KeyStatus::Expired => StatusView::Expired,
        KeyStatus::Revoked => StatusView::Revoked,
    };
    KeyView {
        id: key.id.to_string(),
        name: key.name,
        scopes: key.scopes.iter().collect(),
        status,
        created_at: key.created_at,
        created_by: key.created_by,
        expires_at: key.expires_at,
        revoked_at: key.revoked_at,
        last_used_at: key.last_used_at,
        successor_id: key.successor.map(|id| id.to_string()),
    }
}
