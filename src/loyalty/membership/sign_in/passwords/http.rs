//! `/v1/auth/sign-in`, `/v1/auth/password`, `/v1/me/password`, and the token by which a password is set anew.
//!
//! None of them takes an `Idempotency-Key`: tokens are kept nowhere, so an answer with them could not be given again.

use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, post, put};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::kernel::id::{MemberId, ProgramId};
use crate::loyalty::ledger::post::Ledger;
use crate::loyalty::membership::http::who_goes_on;
use crate::loyalty::membership::profile_in::{MemberRefIn, Named};
use crate::loyalty::membership::store::find_owner;
use crate::loyalty::program::store::find_program;
use crate::platform::auth::login::{Knock, LoginError, Logins, Password, ResetToken};
use crate::platform::auth::session::{Sessions, SignedIn, TokensView, session_problem};
use crate::platform::auth::{Caller, PASSWORD_WRONG, RESET_TOKEN_INVALID, SIGN_IN_BUSY, SIGN_IN_FAILED, needs};
use crate::platform::db::{Db, DbError};
use crate::platform::web::body::Body;
use crate::platform::web::codes;
use crate::platform::web::problem::{Problem, ProblemView};
use crate::platform::web::text::Text;

/// No reset token is longer, in characters.
const TOKEN_CHARS_MAX: usize = 200;
type TokenText = Text<TOKEN_CHARS_MAX>;
/// No code of a programme, and no e-mail, is longer, in characters.
const NAME_CHARS_MAX: usize = 254;
/// Such a code, or an e-mail.
pub type NameText = Text<NAME_CHARS_MAX>;

/// Registers the room's calls.
pub fn configure(config: &mut ServiceConfig) {
    config.service(sign_in).service(reset_password).service(create_password_reset).service(change_my_password);
}

/// With what somebody signs in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSignIn)]
struct SignInIn {
    /// The programme's code.
    program: NameText,
    /// The member's e-mail address.
    email: NameText,
    password: Password,
}

/// Sign in
///
/// With e-mail and password. What of them is wrong, or whether there is such a member at all, is not told; after some wrong
/// passwords nobody comes in as this member for a while, which grows.
#[utoipa::path(
    tag = "sign-in",
    security(()),
    request_body = SignInIn,
    responses(
        (status = 200, description = "The tokens.", body = TokensView),
        (status = 401, description = "Nobody is signed in by these.", body = ProblemView,
            content_type = "application/problem+json"),
    ),
)]
#[post("/v1/auth/sign-in")]
async fn sign_in(
    _knock: Knock,
    body: Body<SignInIn>,
    db: Data<Db>,
    logins: Data<Logins>,
    sessions: Data<Sessions>,
) -> Result<Json<TokensView>, Problem> {
    let Body(SignInIn { program, email, password }) = body;
    let (program, member) = owner_of(&db, program.as_str(), email.into_string()).await?;
    let scope = Logins::visitor(program);
    let member = logins.check(&scope, member, &password).await.map_err(login_problem)?;
    let tokens = sessions.begin(&scope, member).await.map_err(session_problem)?;
    Ok(Json(TokensView::of(&tokens)))
}

/// Whose an e-mail is in a programme; nobody's is told as nobody's password.
pub async fn owner_of(db: &Db, code: &str, email: String) -> Result<(ProgramId, Option<MemberId>), DbError> {
    let nobody = (ProgramId(Uuid::nil()), None);
    let conn = db.conn().await?;
    let Some(program) = find_program(&conn, code).await? else { return Ok(nobody) };
    let program = ProgramId(program.program_id);
    let named = MemberRefIn { email: Some(email), ..MemberRefIn::default() };
    let Ok(Named::By(identity)) = named.read(program) else { return Ok((program, None)) };
    Ok((program, find_owner(&conn, &Logins::visitor(program), &identity).await?))
}

/// A token by which a password can be set.
#[derive(Serialize, ToSchema)]
#[schema(as = PasswordReset)]
struct ResetView {
    /// For `POST /v1/auth/password`; good once.
    reset_token: String,
    /// The first instant at which it is not good.
    expires_at: DateTime<Utc>,
}

/// Let a member set a password
///
/// For a shop that knows who its customer is, by an e-mail that it sends or its own login: the token is in this answer and
/// nowhere else, is good once and for an hour, and ends the one before. Scope: `tokens:write`.
#[utoipa::path(
    tag = "members",
    params(("id" = Uuid, Path, description = "The member.")),
    responses((status = 201, description = "The token.", body = ResetView)),
)]
#[post("/v1/members/{id}/password-resets")]
async fn create_password_reset(
    caller: Caller<needs::TokensWrite>,
    id: Path<Uuid>,
    db: Data<Db>,
    ledger: Data<Ledger>,
    logins: Data<Logins>,
) -> Result<HttpResponse, Problem> {
    let member = who_goes_on(&db, &ledger, caller.scope(), MemberId(*id)).await?;
    let reset = logins.offer_reset(caller.scope(), member.id).await.map_err(login_problem)?;
    let view = ResetView { reset_token: reset.token.reveal(), expires_at: reset.expires_at };
    Ok(HttpResponse::Created().json(view))
}

/// A password, and what gives the right to set it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPassword)]
struct NewPasswordIn {
    /// The one that the shop handed out.
    reset_token: TokenText,
    password: Password,
}

/// Set a password
///
/// Uses up the token, ends all sessions of the member, and begins one.
#[utoipa::path(
    tag = "sign-in",
    security(()),
    request_body = NewPasswordIn,
    responses(
        (status = 200, description = "The tokens of the new session.", body = TokensView),
        (status = 401, description = "The reset token is not valid.", body = ProblemView,
            content_type = "application/problem+json"),
    ),
)]
#[post("/v1/auth/password")]
async fn reset_password(
    _knock: Knock,
    body: Body<NewPasswordIn>,
    logins: Data<Logins>,
    sessions: Data<Sessions>,
) -> Result<Json<TokensView>, Problem> {
    let Body(NewPasswordIn { reset_token, password }) = body;
    let presented = ResetToken::parse(reset_token.as_str()).ok_or_else(|| login_problem(LoginError::NotValid))?;
    let scope = logins.reset(&presented, &password).await.map_err(login_problem)?;
    sessions.end_all(&scope, presented.member).await.map_err(session_problem)?;
    let tokens = sessions.begin(&scope, presented.member).await.map_err(session_problem)?;
    Ok(Json(TokensView::of(&tokens)))
}

/// Another password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasswordChange)]
struct PasswordChangeIn {
    /// The one so far.
    current: Password,
    /// The one from now on.
    password: Password,
}

/// Change the password of the member who is signed in
///
/// Ends all sessions of the member, and begins one.
#[utoipa::path(
    tag = "me",
    security(("member_token" = [])),
    request_body = PasswordChangeIn,
    responses((status = 200, description = "The tokens of the new session.", body = TokensView)),
)]
#[put("/v1/me/password")]
async fn change_my_password(
    caller: SignedIn,
    body: Body<PasswordChangeIn>,
    logins: Data<Logins>,
    sessions: Data<Sessions>,
) -> Result<Json<TokensView>, Problem> {
    let (scope, Body(PasswordChangeIn { current, password })) = (caller.scope(), body);
    let member = logins.check(scope, Some(caller.member()), &current).await;
    let member = member.map_err(|error| match error {
        LoginError::Wrong => Problem::of(&PASSWORD_WRONG).at("/current"),
        error => login_problem(error),
    })?;
    logins.set(scope, member, &password).await.map_err(login_problem)?;
    sessions.end_all(scope, member).await.map_err(session_problem)?;
    let tokens = sessions.begin(scope, member).await.map_err(session_problem)?;
    Ok(Json(TokensView::of(&tokens)))
}

/// What a password that is not taken is over HTTP.
pub fn login_problem(error: LoginError) -> Problem {
    match error {
        LoginError::Wrong => Problem::of(&SIGN_IN_FAILED),
        LoginError::NotValid => Problem::of(&RESET_TOKEN_INVALID),
        LoginError::Busy => Problem::of(&SIGN_IN_BUSY).header(RETRY_AFTER, HeaderValue::from_static("1")),
        LoginError::Entropy(error) => Problem::of(&codes::INTERNAL).because(error),
        LoginError::Db(error) => error.into(),
    }
}
