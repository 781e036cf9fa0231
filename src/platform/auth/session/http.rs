//! `/v1/auth/refresh` and `/v1/auth/sign-out`, `/v1/me/sessions`, and the keys that others check tokens with.
//!
//! None of them takes an `Idempotency-Key`: tokens are kept nowhere, so an answer with them could not be given again. Who
//! lost one signs in again.

use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, delete, get, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::platform::auth::error::{REFRESH_TOKEN_INVALID, TOKENS_NOT_SET_UP};
use crate::platform::auth::session::claims::ACCESS_S;
use crate::platform::auth::session::keyring::KeySet;
use crate::platform::auth::session::refresh::RefreshToken;
use crate::platform::auth::session::signed_in::SignedIn;
use crate::platform::auth::session::tokens::{SessionError, Sessions, Tokens};
use crate::platform::web::body::Body;
use crate::platform::web::codes;
use crate::platform::web::problem::{Problem, ProblemView};
use crate::platform::web::text::Text;

/// No refresh token is longer, in characters.
const TOKEN_CHARS_MAX: usize = 200;
type TokenText = Text<TOKEN_CHARS_MAX>;

/// Registers the room's calls.
pub fn configure(config: &mut ServiceConfig) {
    config.service(refresh_tokens).service(sign_out).service(sign_out_everywhere).service(get_jwks);
}

/// What somebody who is signed in has.
#[derive(Serialize, ToSchema)]
#[schema(as = Tokens)]
pub struct TokensView {
    /// The member.
    member: Uuid,
    /// For `Authorization: Bearer …` of the calls of `/v1/me`: a JWT (EdDSA), which `/.well-known/jwks.json` checks.
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// For how long the access token is good, in seconds.
    expires_in: i64,
    /// For the next tokens; good once.
    refresh_token: String,
    /// When the session is over unless it is refreshed before.
    session_expires_at: DateTime<Utc>,
}

impl TokensView {
    /// The only moment at which they are seen.
    pub fn of(tokens: &Tokens) -> Self {
        Self {
            member: tokens.member.0,
            access_token: tokens.access.clone(),
            token_type: "Bearer",
            expires_in: ACCESS_S,
            refresh_token: tokens.refresh.reveal(),
            session_expires_at: tokens.expires_at,
        }
    }
}

/// A refresh token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RefreshToken)]
struct RefreshIn {
    /// The one of the last answer.
    refresh_token: TokenText,
}

impl RefreshIn {
    fn read(&self) -> Option<RefreshToken> {
        RefreshToken::parse(self.refresh_token.as_str())
    }
}

/// The next tokens of a session
///
/// A refresh token is good once. One that was used before ends the session, since somebody else has it, too.
#[utoipa::path(
    tag = "sign-in",
    security(()),
    request_body = RefreshIn,
    responses(
        (status = 200, description = "The next tokens.", body = TokensView),
        (status = 401, description = "The refresh token is not valid.", body = ProblemView,
            content_type = "application/problem+json"),
    ),
)]
#[post("/v1/auth/refresh")]
async fn refresh_tokens(body: Body<RefreshIn>, sessions: Data<Sessions>) -> Result<Json<TokensView>, Problem> {
    let presented = body.0.read().ok_or_else(|| Problem::of(&REFRESH_TOKEN_INVALID))?;
    let tokens = sessions.refresh(&presented).await.map_err(session_problem)?;
    Ok(Json(TokensView::of(&tokens)))
}

/// Sign out
///
/// Ends the session of a refresh token, and with it the session's access tokens. Of a session that is over already the
/// answer is the same.
#[utoipa::path(
    tag = "sign-in",
    security(()),
    request_body = RefreshIn,
    responses((status = 204, description = "The session is over.")),
)]
#[post("/v1/auth/sign-out")]
async fn sign_out(body: Body<RefreshIn>, sessions: Data<Sessions>) -> Result<HttpResponse, Problem> {
    if let Some(presented) = body.0.read() {
        sessions.end(&presented).await.map_err(session_problem)?;
    }
    Ok(HttpResponse::NoContent().finish())
}

/// Sign out everywhere
///
/// Ends all sessions of the member, this one included.
#[utoipa::path(
    tag = "me",
    security(("member_token" = [])),
    responses((status = 204, description = "No session goes on.")),
)]
#[delete("/v1/me/sessions")]
async fn sign_out_everywhere(member: SignedIn, sessions: Data<Sessions>) -> Result<HttpResponse, Problem> {
    sessions.end_all(member.scope(), member.member()).await.map_err(session_problem)?;
    Ok(HttpResponse::NoContent().finish())
}

/// The keys that sign access tokens
///
/// The public halves, for whoever wants to check a token without asking (RFC 7517): of the algorithm EdDSA, the issuer
/// `perennial` and the audience `perennial:member`. It does not tell whether the session goes on.
#[utoipa::path(
    tag = "sign-in",
    security(()),
    responses((status = 200, description = "The keys.", body = KeySet)),
)]
#[get("/.well-known/jwks.json")]
async fn get_jwks(sessions: Data<Sessions>) -> Json<KeySet> {
    Json(sessions.public_keys())
}

/// What a session that could not begin, go on or end is over HTTP.
pub fn session_problem(error: SessionError) -> Problem {
    match error {
        SessionError::NotValid => Problem::of(&REFRESH_TOKEN_INVALID),
        SessionError::NoKeys => Problem::of(&TOKENS_NOT_SET_UP).header(RETRY_AFTER, HeaderValue::from_static("60")),
        SessionError::Entropy(error) => Problem::of(&codes::INTERNAL).because(error),
        SessionError::Db(error) => error.into(),
    }
}
