//! The extractor that handlers for members take: who is signed in.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use tracing::Span;
use tracing::field::display;

use crate::kernel::id::MemberId;
use crate::kernel::scope::ProgramScope;
use crate::platform::auth::authenticator::bearer;
use crate::platform::auth::error::{TOKEN_INVALID, TOKEN_MISSING};
use crate::platform::auth::session::tokens::Sessions;
use crate::platform::web::codes;
use crate::platform::web::problem::Problem;

const CHALLENGE: &str = "Bearer realm=\"perennial member\"";
const CHALLENGE_INVALID: &str = "Bearer realm=\"perennial member\", error=\"invalid_token\"";

/// A member who is signed in; what the handler does is about nobody else.
#[derive(Debug)]
pub struct SignedIn {
    scope: ProgramScope,
    member: MemberId,
}

impl SignedIn {
    /// The programme, in the member's name.
    pub fn scope(&self) -> &ProgramScope {
        &self.scope
    }

    /// Who.
    pub fn member(&self) -> MemberId {
        self.member
    }
}

impl FromRequest for SignedIn {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { admit(&request).await })
    }
}

async fn admit(request: &HttpRequest) -> Result<SignedIn, Problem> {
    let sessions = request
        .app_data::<Data<Sessions>>()
        .ok_or_else(|| Problem::of(&codes::INTERNAL).because("the application has no Data<Sessions>"))?;
    let challenge = |problem, says| Problem::of(problem).header(WWW_AUTHENTICATE, HeaderValue::from_static(says));
    let header = request.headers().get(AUTHORIZATION).ok_or_else(|| challenge(&TOKEN_MISSING, CHALLENGE))?;
    let token = header.to_str().ok().and_then(bearer);
    let found = match token {
        Some(token) => sessions.find(token).await?,
        None => None,
    };
    let (scope, member) = found.ok_or_else(|| challenge(&TOKEN_INVALID, CHALLENGE_INVALID))?;
    let span = Span::current();
    if !span.is_disabled() {
        span.record("principal", display(scope.principal()));
        span.record("program.id", display(scope.program()));
    }
    match sessions.count(member) {
        None => {}
        Some(Ok(state)) => drop(request.extensions_mut().insert(state)),
        Some(Err((state, problem))) => {
            request.extensions_mut().insert(state);
            return Err(problem);
        }
    }
    Ok(SignedIn { scope, member })
}
