//! `/v1/program/draft`.

use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, delete, get, patch, post, put};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::loyalty::program::document::Document;
use crate::loyalty::program::draft::edit::{EditError, Standing, edit, standing};
use crate::loyalty::program::draft::merge_patch::patched;
use crate::loyalty::program::position::{Written, place};
use crate::loyalty::program::publish::mistakes_of;
use crate::loyalty::program::read::{DOCUMENT_BYTES_MAX, Mistake};
use crate::loyalty::program::store::{find_version, newest_version};
use crate::platform::auth::{Caller, needs};
use crate::platform::db::Db;
use crate::platform::web::body::Body;
use crate::platform::web::codes;
use crate::platform::web::etag::IfMatch;
use crate::platform::web::problem::Problem;

/// Registers the room's calls.
pub fn configure(config: &mut ServiceConfig) {
    config.service(get_draft).service(write_draft).service(change_draft).service(discard_draft);
    config.service(validate_draft);
}

/// What the next version is to be, or the newest one, from which a draft would begin.
#[derive(Serialize, ToSchema)]
#[schema(as = ProgramDraft)]
pub struct DraftView {
    /// Whether there is a draft.
    draft: bool,
    /// The version that it changes, or would change.
    based_on: i32,
    /// Who changed it last; null without a draft.
    author: Option<String>,
    /// When; null without a draft.
    changed_at: Option<DateTime<Utc>>,
    /// Everything that a marketer configures, mistakes and all. The order in it is kept, and is meaning.
    #[schema(value_type = Object)]
    document: Box<RawValue>,
}

/// What is to be looked at: a document, in JSON or in TOML, or the draft.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = NewValidation)]
struct ValidationIn {
    /// The document, in JSON. The order in it is meaning.
    #[schema(value_type = Object, nullable)]
    document: Option<Box<RawValue>>,
    /// The document, in TOML.
    #[schema(nullable)]
    toml: Option<String>,
}

/// What is wrong with a document.
#[derive(Serialize, ToSchema)]
#[schema(as = ProgramValidation)]
struct ValidationView {
    /// Every mistake; none: it can be published as it is, unless more of a budget is spent than it would allow.
    mistakes: Vec<Mistake>,
}

/// The draft
///
/// What the next version is to be; where nobody writes one, the newest version. Its ETag is what a change wants in
/// `If-Match`. Scope: `program:read`.
#[utoipa::path(tag = "program", responses((status = 200, description = "The draft.", body = DraftView)))]
#[get("/v1/program/draft")]
async fn get_draft(caller: Caller<needs::ProgramRead>, db: Data<Db>) -> Result<HttpResponse, Problem> {
    answer(&standing(&*db.conn().await?, caller.scope()).await?)
}

/// Write the draft
///
/// Keeps the document as it is sent, also with mistakes in it. Scope: `program:write`.
#[utoipa::path(
    tag = "program",
    request_body(content = Object, description = "The document. The order in it is kept, and is meaning."),
    params(("If-Match" = String, Header, description = "The ETag of what it replaces.")),
    responses((status = 200, description = "The draft as it is now.", body = DraftView)),
)]
#[put("/v1/program/draft")]
async fn write_draft(
    caller: Caller<needs::ProgramWrite>,
    seen: IfMatch,
    body: Body<Box<RawValue>, DOCUMENT_BYTES_MAX>,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    let document = object(body.0, "")?.get().to_owned();
    let changed = edit(&mut *db.conn().await?, caller.scope(), &seen, |_| Ok(Some(document))).await;
    answer(&changed.map_err(edit_problem)?)
}

/// Change the draft
///
/// By a merge patch (RFC 7396): what is named changes, `null` takes it away, and what is new comes last.
/// Scope: `program:write`.
#[utoipa::path(
    tag = "program",
    request_body(content = Object, description = "The merge patch."),
    params(("If-Match" = String, Header, description = "The ETag of what it changes.")),
    responses((status = 200, description = "The draft as it is now.", body = DraftView)),
)]
#[patch("/v1/program/draft")]
async fn change_draft(
    caller: Caller<needs::ProgramWrite>,
    seen: IfMatch,
    body: Body<Box<RawValue>, DOCUMENT_BYTES_MAX>,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    let patch = object(body.0, "")?;
    let change = |before: &Standing| {
        let document = patched(&raw(before.document())?, &patch)?.get().to_owned();
        if document.len() > DOCUMENT_BYTES_MAX { Err(EditError::TooLarge) } else { Ok(Some(document)) }
    };
    let changed = edit(&mut *db.conn().await?, caller.scope(), &seen, change).await;
    answer(&changed.map_err(edit_problem)?)
}

/// Discard the draft
///
/// Scope: `program:write`.
#[utoipa::path(
    tag = "program",
    params(("If-Match" = String, Header, description = "The ETag of what is discarded.")),
    responses((status = 204, description = "There is none any more.")),
)]
#[delete("/v1/program/draft")]
async fn discard_draft(
    caller: Caller<needs::ProgramWrite>,
    seen: IfMatch,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    let left = edit(&mut *db.conn().await?, caller.scope(), &seen, |_| Ok(None)).await.map_err(edit_problem)?;
    Ok(left.tag().alone())
}

/// Look for mistakes
///
/// Names every one in the draft, or in the document that is sent, as the next version: where it stands and what is
/// wrong. Nothing is changed. Scope: `program:read`.
#[utoipa::path(
    tag = "program",
    request_body = ValidationIn,
    responses((status = 200, description = "The mistakes.", body = ValidationView)),
)]
#[post("/v1/program/draft/validations")]
async fn validate_draft(
    caller: Caller<needs::ProgramRead>,
    body: Body<ValidationIn>,
    db: Data<Db>,
) -> Result<Json<ValidationView>, Problem> {
    let ValidationIn { document, toml } = body.0;
    let document = document.map(|document| object(document, "/document")).transpose()?;
    let conn = db.conn().await?;
    let draft = match (&document, &toml) {
        (Some(_), Some(_)) => {
            let detail = "either a `document` or a `toml`, or none for the draft";
            return Err(Problem::of(&codes::INVALID_FIELD).at("/toml").detail(detail));
        }
        (None, None) => Some(standing(&conn, caller.scope()).await?),
        _ => None,
    };
    let written = match (&document, &toml, &draft) {
        (Some(json), ..) => Written::Json(json.get()),
        (_, Some(toml), _) => Written::Toml(toml),
        (.., draft) => Written::Json(draft.as_ref().map_or("", Standing::document)),
    };
    let newest = newest_version(&conn, caller.scope()).await?;
    let newest = find_version(&conn, caller.scope(), newest).await?;
    let newest = newest.and_then(|row| serde_json::from_str::<Document>(&row.document).ok());
    let newest = newest.ok_or_else(|| Problem::of(&codes::INTERNAL).detail("the newest version cannot be read"))?;
    let mut mistakes = Document::read(written).map_or_else(|mistakes| mistakes, |read| mistakes_of(&newest, &read));
    place(written, &mut mistakes);
    Ok(Json(ValidationView { mistakes }))
}

fn object(sent: Box<RawValue>, place: &str) -> Result<Box<RawValue>, Problem> {
    if sent.get().starts_with('{') {
        return Ok(sent);
    }
    Err(Problem::of(&codes::INVALID_FIELD).at(place).detail("a document is an object"))
}

fn raw(text: &str) -> Result<Box<RawValue>, serde_json::Error> {
    serde_json::from_str(text)
}

fn answer(standing: &Standing) -> Result<HttpResponse, Problem> {
    let draft = if let Standing::Draft(draft) = standing { Some(draft) } else { None };
    let view = DraftView {
        draft: draft.is_some(),
        based_on: standing.based_on().0,
        author: draft.map(|draft| draft.author.clone()),
        changed_at: draft.map(|draft| draft.changed_at),
        document: raw(standing.document()).map_err(|e| Problem::of(&codes::INTERNAL).because(e))?,
    };
    Ok(standing.tag().on(HttpResponse::Ok()).json(view))
}

/// Why a draft was not changed.
pub fn edit_problem(error: EditError) -> Problem {
    match error {
        EditError::Changed(now) => {
            let problem = Problem::of(&codes::PRECONDITION_FAILED).with("etag", now.tag().quoted());
            match *now {
                Standing::Draft(draft) => {
                    problem.with("author", draft.author).with("changed_at", json!(draft.changed_at))
                }
                Standing::Newest(version) => {
                    problem.with("author", version.author).with("changed_at", json!(version.created_at))
                }
            }
        }
        error @ EditError::TooLarge => {
            let problem = Problem::of(&codes::BODY_TOO_LARGE).detail(error.to_string());
            problem.with("bytes_max", DOCUMENT_BYTES_MAX)
        }
        error @ EditError::Unreadable(_) => Problem::of(&codes::INTERNAL).because(error),
        EditError::Query(error) => error.into(),
    }
}
