//! `/v1/members/{id}/tokens`, by which a shop signs its customers in, and `/v1/me`.

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, delete, get, post};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::kernel::id::MemberId;
use crate::loyalty::ledger::post::Ledger;
use crate::loyalty::membership::http::{MemberView, who_goes_on};
use crate::platform::auth::session::{Sessions, SignedIn, TokensView, session_problem};
use crate::platform::auth::{Caller, needs};
use crate::platform::db::Db;
use crate::platform::web::problem::Problem;

/// Registers the room's calls.
pub fn configure(config: &mut ServiceConfig) {
    config.service(create_tokens).service(revoke_tokens).service(get_me);
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
/// Ends all sessions of the member, and with them all tokens: at once in the process that answers, within seconds in
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
    for member in [MemberId(*id), member.id] {
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
