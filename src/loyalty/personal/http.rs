//! `/v1/members/{id}/export`, `DELETE /v1/members/{id}`, and the same of the member who is signed in.

use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::{Bytes, Data, Json, Path};
use actix_web::{HttpResponse, delete, get};
use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::kernel::id::{MemberId, Seq};
use crate::kernel::scope::ProgramScope;
use crate::loyalty::ledger::http::{problem_of, problem_of_post};
use crate::loyalty::ledger::post::Ledger;
use crate::loyalty::membership::http::{MemberView, newest, who_goes_on};
use crate::loyalty::membership::store::with_merged;
use crate::loyalty::personal::export::{Export, ExportedView};
use crate::loyalty::personal::forget::{ForgetError, Forgetful};
use crate::loyalty::statement::http::wallets_of;
use crate::loyalty::statement::language::Language;
use crate::loyalty::statement::reader::AccountReader;
use crate::loyalty::statement::wallet_view::WalletView;
use crate::platform::auth::login::Logins;
use crate::platform::auth::session::{Sessions, SignedIn, session_problem};
use crate::platform::auth::{Caller, needs};
use crate::platform::db::Db;
use crate::platform::web::codes;
use crate::platform::web::problem::Problem;

/// Registers the room's calls.
pub fn configure(config: &mut ServiceConfig) {
    config.service(export_member).service(export_me).service(erase_member).service(erase_me);
}

/// All that is stored of a member.
#[derive(Serialize, ToSchema)]
#[schema(as = MemberExportHead)]
struct ExportView {
    /// The moment of the answer.
    as_of: DateTime<Utc>,
    /// The profile.
    member: MemberView,
    /// Who was merged into the member: their postings are here, too.
    merged: Vec<Uuid>,
    /// What the member has.
    wallets: Vec<WalletView>,
}

/// All that is stored of a member, with what `Export` writes after the rest.
#[derive(ToSchema)]
#[schema(as = MemberExport)]
#[expect(dead_code, reason = "it is described here, and written piece by piece")]
struct WholeView {
    #[serde(flatten)]
    head: ExportView,
    /// Everything that happened, newest first.
    postings: Vec<ExportedView>,
}

/// Who was forgotten.
#[derive(Serialize, ToSchema)]
#[schema(as = Erasure)]
struct ErasureView {
    /// Whose accounts they were: what happened in them stays, as nobody's.
    members: Vec<Uuid>,
}

/// Hand out all that is stored of a member
///
/// Profile, what the member has, and everything that happened with its answers and free texts, also in accounts that were
/// merged into this one: a JSON document, written as it is read. Scope: `members:export`.
#[utoipa::path(
    tag = "members",
    params(("id" = Uuid, Path, description = "The member.")),
    responses((status = 200, description = "All of it.", body = WholeView)),
)]
#[get("/v1/members/{id}/export")]
async fn export_member(
    caller: Caller<needs::MembersExport>,
    id: Path<Uuid>,
    db: Data<Db>,
    ledger: Data<Ledger>,
    accounts: Data<AccountReader>,
) -> Result<HttpResponse, Problem> {
    export((caller.scope(), MemberId(*id)), &db, &ledger, &accounts).await
}

/// Hand out all that is stored of the member who is signed in
///
/// Profile, balances, and everything that happened: a JSON document, written as it is read.
#[utoipa::path(
    tag = "me",
    security(("member_token" = [])),
    responses((status = 200, description = "All of it.", body = WholeView)),
)]
#[get("/v1/me/export")]
async fn export_me(
    caller: SignedIn,
    db: Data<Db>,
    ledger: Data<Ledger>,
    accounts: Data<AccountReader>,
) -> Result<HttpResponse, Problem> {
    export((caller.scope(), caller.member()), &db, &ledger, &accounts).await
}

async fn export(
    (scope, member): (&ProgramScope, MemberId),
    db: &Db,
    ledger: &Ledger,
    accounts: &AccountReader,
) -> Result<HttpResponse, Problem> {
    let found = who_goes_on(db, ledger, scope, member).await?;
    let (member, lanes) = (found.id, ledger.lanes());
    let (at, wallets) = wallets_of((scope, member), db, ledger, accounts).await?;
    let mut members = with_merged(&*db.conn().await?, member, lanes).await?;
    let timeline = newest(db, ledger, scope).await?;
    let own = &timeline.newest().language;
    let language = Language::of(found.profile.locale.as_deref().unwrap_or(own));
    let merged = members.iter().filter(|other| **other != member).map(|other| other.0).collect();
    let head = ExportView { as_of: at, member: found.into(), merged, wallets };
    let head = serde_json::to_string(&head).map_err(|error| Problem::of(&codes::INTERNAL).because(error))?;
    let head = head.strip_suffix('}').map(str::to_owned);
    members.reverse();
    let (db, scope, before) = (db.clone(), scope.clone(), Seq(i64::MAX));
    let export = Export { db, scope, lanes, timeline, language, members, head, before, first: true };
    let pieces = export.pieces().map(|piece| {
        piece.map(Bytes::from).inspect_err(|error| tracing::error!(%error, "an export was not written to its end"))
    });
    let name = format!("attachment; filename=\"member-{member}.json\"");
    let mut response = HttpResponse::Ok();
    response.insert_header((CONTENT_TYPE, "application/json")).insert_header((CONTENT_DISPOSITION, name));
    Ok(response.streaming(Box::pin(pieces)))
}

/// Forget a member
///
/// The profile goes, with all by which the member was known, free texts, password, sessions and what webhooks kept; of who
/// was merged into the member, too. What happened to points stays, as nobody's, and the ledger stays sound; the account takes
/// no part any more. For good; repeating the call does what is left to do. Scope: `members:erase`.
#[utoipa::path(
    tag = "members",
    params(("id" = Uuid, Path, description = "The member.")),
    responses((status = 200, description = "Nothing is known of who it was.", body = ErasureView)),
)]
#[delete("/v1/members/{id}")]
async fn erase_member(
    caller: Caller<needs::MembersErase>,
    id: Path<Uuid>,
    db: Data<Db>,
    ledger: Data<Ledger>,
    sessions: Data<Sessions>,
    logins: Data<Logins>,
) -> Result<Json<ErasureView>, Problem> {
    let forgetful = Forgetful { db: &db, ledger: &ledger, sessions: &sessions, logins: &logins };
    erase(forgetful, (caller.scope(), MemberId(*id))).await
}

/// Forget the member who is signed in
///
/// The profile goes, with all by which the member was known, and every session. What happened to points stays, as nobody's.
/// For good.
#[utoipa::path(
    tag = "me",
    security(("member_token" = [])),
    responses((status = 200, description = "Nothing is known of who it was.", body = ErasureView)),
)]
#[delete("/v1/me")]
async fn erase_me(
    caller: SignedIn,
    db: Data<Db>,
    ledger: Data<Ledger>,
    sessions: Data<Sessions>,
    logins: Data<Logins>,
) -> Result<Json<ErasureView>, Problem> {
    let forgetful = Forgetful { db: &db, ledger: &ledger, sessions: &sessions, logins: &logins };
    erase(forgetful, (caller.scope(), caller.member())).await
}

async fn erase(
    forgetful: Forgetful<'_>,
    (scope, member): (&ProgramScope, MemberId),
) -> Result<Json<ErasureView>, Problem> {
    let found = who_goes_on(forgetful.db, forgetful.ledger, scope, member).await?;
    let all = forgetful.forget(scope, found.id).await.map_err(forget_problem)?;
    Ok(Json(ErasureView { members: all.into_iter().map(|member| member.0).collect() }))
}

fn forget_problem(error: ForgetError) -> Problem {
    match error {
        ForgetError::Session(error) => session_problem(error),
        ForgetError::Login(error) => Problem::of(&codes::UNAVAILABLE).because(error),
        ForgetError::Post(error) => problem_of_post(error, problem_of),
        ForgetError::Db(error) => error.into(),
    }
}
