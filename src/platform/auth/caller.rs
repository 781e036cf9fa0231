//! The extractor that handlers take: who calls, proven to have the scope that the handler's type names.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use tracing::Span;
use tracing::field::display;

use crate::kernel::scope::ProgramScope;
use crate::platform::auth::authenticator::{Admitted, Authenticator};
use crate::platform::auth::error::SCOPE_MISSING;
use crate::platform::auth::key::KeyId;
use crate::platform::auth::scopes::{Needs, Scope, Scopes};
use crate::platform::web::codes;
use crate::platform::web::problem::Problem;

/// A caller with the scopes of `N`: `Caller<needs::OrdersWrite>`.
#[derive(Debug)]
pub struct Caller<N: Needs> {
    admitted: Admitted,
    needs: PhantomData<fn() -> N>,
}

impl<N: Needs> Caller<N> {
    /// The programme, and in whose name.
    pub fn scope(&self) -> &ProgramScope {
        &self.admitted.scope
    }

    /// Everything that the credential may do.
    pub fn scopes(&self) -> Scopes {
        self.admitted.scopes
    }

    /// The key that was presented.
    pub fn key(&self) -> KeyId {
        self.admitted.id
    }
}

impl<N: Needs> FromRequest for Caller<N> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let admitted = admit(&request).await?;
            match admitted.scopes.lacks(N::SCOPES.iter().copied()) {
                None => Ok(Self { admitted, needs: PhantomData }),
                Some(scope) => Err(scope_missing(scope)),
            }
        })
    }
}

/// 403, naming the scope.
pub(super) fn scope_missing(scope: Scope) -> Problem {
    Problem::of(&SCOPE_MISSING).detail(format!("the key lacks the scope {scope}")).with("scope", scope.name())
}

async fn admit(request: &HttpRequest) -> Result<Admitted, Problem> {
    let authenticator = request
        .app_data::<Data<Authenticator>>()
        .ok_or_else(|| Problem::of(&codes::INTERNAL).because("the application has no Data<Authenticator>"))?;
    // Bytes that are no text are no key either.
    let header = request.headers().get(AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
    let admitted = authenticator.admit(header).await?;
    let span = Span::current();
    if !span.is_disabled() {
        span.record("principal", display(admitted.scope.principal()));
        span.record("program.id", display(admitted.scope.program()));
    }
    match authenticator.count(admitted.id) {
        None => Ok(admitted),
        Some(Ok(state)) => {
            request.extensions_mut().insert(state);
            Ok(admitted)
        }
        Some(Err((state, problem))) => {
            request.extensions_mut().insert(state);
            Err(problem)
        }
    }
}
