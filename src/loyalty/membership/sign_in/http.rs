//! `/v1/members/{id}/tokens`, by which a shop signs its customers in, and `/v1/me`.

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, delete, get, patch, post};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::kernel::id::MemberId;
use crate::loyalty::ledger::post::Ledger;
use crate::loyalty::ledger::posting::RequestHash;
use crate::loyalty::membership::attributes_in::{attributes_schema, pointer};
use crate::loyalty::membership::http::{MemberView, bad_field, change, newest, who_goes_on};
use crate::loyalty::membership::profile_in::{ProfilePatchIn, sent};
use crate::loyalty::membership::store::with_merged;
use crate::platform::auth::session::{Sessions, SignedIn, TokensView, session_problem};
use crate::platform::auth::{Caller, needs};
use crate::platform::db::Db;
use crate::platform::web::body::Body;
use crate::platform::web::codes;
use crate::platform::web::idempotency::{IdempotencyKey, OptionalIdempotencyKey};
use crate::platform::web::problem::Problem;

/// Registers the room's calls.
pub fn configure(config: &mut ServiceConfig) {
    config.service(create_tokens).service(revoke_tokens).service(get_me).service(change_me);
}

/// Sign a member in
///
/// After the shop's own login: tokens for the app, of a session of its own. The answer is the one place where they are.
/// Of a member that was merged: as whom it goes on. Scope: `tokens:write`.
#[utoipa::path(
    tag = "members",
    params(("id" = Uuid, Path, description = "The member.")),
    responses((status = 201, description = "The tokens.", body = TokensView)),
)]
#[post("/v1/members/{id}/tokens")]
async fn create_tokens(
    caller: Caller<needs::TokensWrite>,
    id: Path<Uuid>,
    db: Data<Db>,
    ledger: Data<Ledger>,
    sessions: Data<Sessions>,
) -> Result<HttpResponse, Problem> {
    let member = who_goes_on(&db, &ledger, caller.scope(), MemberId(*id)).await?;
    let tokens = sessions.begin(caller.scope(), member.id).await.map_err(session_problem)?;
    Ok(HttpResponse::Created().json(TokensView::of(&tokens)))
}

/// Sign a member out
///
/// Ends all sessions of the member, and of those merged into it, and with them all tokens: at once in the process that answers, within seconds in
/// others. Scope: `tokens:write`.
#[utoipa::path(
    tag = "members",
    params(("id" = Uuid, Path, description = "The member.")),
    responses((status = 204, description = "No session goes on.")),
)]
#[delete("/v1/members/{id}/tokens")]
async fn revoke_tokens(
    caller: Caller<needs::TokensWrite>,
    id: Path<Uuid>,
    db: Data<Db>,
    ledger: Data<Ledger>,
    sessions: Data<Sessions>,
) -> Result<HttpResponse, Problem> {
    let member = who_goes_on(&db, &ledger, caller.scope(), MemberId(*id)).await?;
    let all = with_merged(&*db.conn().await?, member.id, ledger.lanes()).await?;
    for member in all {
        sessions.end_all(caller.scope(), member).await.map_err(session_problem)?;
    }
    Ok(HttpResponse::NoContent().finish())
}

/// Who is signed in
///
/// The profile, as the shop knows it.
#[utoipa::path(
    tag = "me",
    security(("member_token" = [])),
    responses((status = 200, description = "The member.", body = MemberView)),
)]
#[get("/v1/me")]
async fn get_me(caller: SignedIn, db: Data<Db>, ledger: Data<Ledger>) -> Result<Json<MemberView>, Problem> {
    who_goes_on(&db, &ledger, caller.scope(), caller.member()).await.map(|member| Json(member.into()))
}

/// What members change of themselves: what is absent stays, `null` clears. By what they are known, the shop changes.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = MyChange)]
struct MyPatchIn {
    /// What to call the member.
    #[serde(deserialize_with = "sent")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200, pattern = r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$")]
    name: Option<Option<String>>,
    /// Language tag of BCP 47.
    #[serde(deserialize_with = "sent")]
    #[schema(value_type = Option<String>, max_length = 35, pattern = "^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$")]
    locale: Option<Option<String>>,
    /// Those that the programme lets members say of themselves, by name; `null` clears one.
    #[schema(schema_with = attributes_schema)]
    attributes: Map<String, Value>,
}

/// Change what is known of the member who is signed in
///
/// Name, language, and the attributes that the programme lets members say of themselves: preferences and consents. Sets
/// values, so a repeated call changes nothing more; an `Idempotency-Key` makes it one posting.
#[utoipa::path(
    tag = "me",
    security(("member_token" = [])),
    params(
        ("Idempotency-Key" = inline(Option<IdempotencyKey>), Header, description = "The app's name for this change."),
    ),
    request_body = MyPatchIn,
    responses((status = 200, description = "The member as changed.", body = MemberView)),
)]
#[patch("/v1/me")]
async fn change_me(
    caller: SignedIn,
    key: OptionalIdempotencyKey,
    body: Body<MyPatchIn>,
    db: Data<Db>,
    ledger: Data<Ledger>,
) -> Result<HttpResponse, Problem> {
    let (scope, Body(sent)) = (caller.scope(), body);
    let hash = RequestHash::of(&(caller.member(), &sent));
    let timeline = newest(&db, &ledger, scope).await?;
    let declared = &timeline.newest().declared.member;
    for name in sent.attributes.keys() {
        if !declared.get(name).is_some_and(|attribute| attribute.by_member) {
            let place = pointer("/attributes", name);
            return Err(Problem::of(&codes::INVALID_FIELD)
                .at(place)
                .detail("the programme does not let members say it"));
        }
    }
    let (name, locale, attributes) = (sent.name, sent.locale, sent.attributes);
    let patch = ProfilePatchIn { name, locale, attributes, ..ProfilePatchIn::default() };
    let patch = patch.read().map_err(|bad| bad_field(bad, ""))?;
    change((scope, caller.member()), key, (hash, patch), &db, &ledger).await
}
