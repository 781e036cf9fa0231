//! `/v1/auth/sign-up`.
//!
//! Takes no `Idempotency-Key`: tokens are kept nowhere, so an answer with them could not be given again. Whoever lost it signs
//! in.

use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::kernel::id::{MemberId, ProgramId};
use crate::loyalty::ledger::http::problem_of_post;
use crate::loyalty::ledger::post::Ledger;
use crate::loyalty::ledger::posting::{AccountTime, Reference, RequestHash};
use crate::loyalty::membership::enrol::Enrol;
use crate::loyalty::membership::error::SIGN_UP_CLOSED;
use crate::loyalty::membership::http::{bad_field, newest, refused};
use crate::loyalty::membership::profile_in::ProfileIn;
use crate::loyalty::membership::sign_in::passwords::http::{NameText, login_problem};
use crate::loyalty::program::store::find_program;
use crate::platform::auth::login::{Knock, Logins, Password};
use crate::platform::auth::session::{Sessions, TokensView, session_problem};
use crate::platform::db::Db;
use crate::platform::entropy::uuid_v7;
use crate::platform::web::body::Body;
use crate::platform::web::problem::Problem;

/// Registers the call.
pub fn configure(config: &mut ServiceConfig) {
    config.service(sign_up);
}

/// Somebody who wants to be a member.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSignUp)]
struct SignUpIn {
    /// The programme's code.
    program: NameText,
    /// E-mail address, which no member has.
    email: NameText,
    password: Password,
    /// What to call the member.
    #[serde(default)]
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$"
    )]
    name: Option<String>,
    /// Language tag of BCP 47.
    #[serde(default)]
    #[schema(max_length = 35, pattern = "^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$")]
    locale: Option<String>,
}

/// Become a member
///
/// Where the programme lets anybody (`sign_up` in its document). Of an e-mail that a member has already nothing is taken over:
/// that member sets a password with a token from the shop, which knows who reads that e-mail.
#[utoipa::path(
    tag = "sign-in",
    security(()),
    request_body = SignUpIn,
    responses((status = 201, description = "The tokens of the new member.", body = TokensView)),
)]
#[post("/v1/auth/sign-up")]
async fn sign_up(
    _knock: Knock,
    body: Body<SignUpIn>,
    db: Data<Db>,
    ledger: Data<Ledger>,
    logins: Data<Logins>,
    sessions: Data<Sessions>,
) -> Result<HttpResponse, Problem> {
    let Body(SignUpIn { program, email, password, name, locale }) = body;
    // A programme that there is not lets nobody sign up either.
    let closed = || Problem::of(&SIGN_UP_CLOSED);
    let found = find_program(&*db.conn().await?, program.as_str()).await?.ok_or_else(closed)?;
    let scope = Logins::visitor(ProgramId(found.program_id));
    if !newest(&db, &ledger, &scope).await?.newest().sign_up {
        return Err(closed());
    }
    let profile = ProfileIn { email: Some(email.into_string()), name, locale, ..ProfileIn::default() };
    let profile = profile.read().map_err(|bad| bad_field(bad, ""))?;
    let member = MemberId(uuid_v7());
    let enrol = Enrol {
        program: scope.program(),
        reference: Reference::keyed("sign-up", &member.to_string()),
        hash: RequestHash::of(&member),
        member,
        profile,
        enrolled_on: None,
        welcomes: true,
        time: AccountTime::Live,
    };
    ledger.post(&scope, enrol).await.map_err(|error| problem_of_post(error, refused))?;
    logins.set(&scope, member, &password).await.map_err(login_problem)?;
    let tokens = sessions.begin(&scope, member).await.map_err(session_problem)?;
    Ok(HttpResponse::Created().json(TokensView::of(&tokens)))
}
