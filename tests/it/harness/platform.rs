//! The platform's own calls, served in this process.

use actix_web::App;
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::middleware::from_fn;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::web::{self, Data};
use perennial::kernel::id::ProgramId;
use perennial::kernel::scope::{Principal, ProgramScope};
use perennial::platform::auth::{Authenticator, KeyName, NewKey, issue};
use perennial::platform::db::Db;
use perennial::platform::entropy::uuid_v7;
use perennial::platform::web::edge::edge;
use perennial::platform::web::fallback::{Routes, fallback};
use perennial::platform::web::openapi::document;
use perennial::platform::web::rate::RateSettings;
use perennial::platform::web::trace::RequestSpan;
use perennial::platform::{audit, auth};
use serde_json::Value;
use tracing_actix_web::TracingLogger;
use utoipa_actix_web::AppExt;
use utoipa_actix_web::service_config::ServiceConfig;

use super::TestDb;

/// A process that serves keys and audit log on a database of its own.
pub struct Platform {
    pub test: TestDb,
    authenticator: Data<Authenticator>,
}

/// What a call answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub json: Value,
}

impl Answer {
    /// The code of a problem.
    pub fn code(&self) -> &str {
        self.json.get("code").and_then(Value::as_str).unwrap_or_default()
    }
}

impl Platform {
    /// Starts one.
    pub async fn new(rate: RateSettings) -> Self {
        let test = TestDb::new().await;
        let authenticator = Data::new(Authenticator::new(test.db.clone(), rate));
        Self { test, authenticator }
    }

    /// Forgets what is cached, as time would.
    pub fn later(&mut self) {
        self.authenticator = Data::new(Authenticator::new(self.db().clone(), RateSettings::default()));
    }

    /// Its database.
    pub fn db(&self) -> &Db {
        &self.test.db
    }

    /// Issues a key, as the operator does, and answers it as it is presented.
    pub async fn key(&self, program: &ProgramScope, scopes: &str) -> String {
        let name = KeyName::parse("test").unwrap();
        let new = NewKey { name, scopes: scopes.parse().unwrap(), expires_at: None };
        let mut conn = self.db().conn().await.unwrap();
        issue(&mut conn, program, &new).await.unwrap().token.reveal()
    }

    /// Calls it; a JSON null is no body.
    pub async fn call(&self, key: &str, method: Method, uri: &str, body: Value) -> Answer {
        let app = App::new()
            .into_utoipa_app()
            .configure(calls)
            .into_app()
            .app_data(Data::new(self.db().clone()))
            .app_data(self.authenticator.clone())
            .app_data(Data::new(Routes::of(&document(calls))))
            .default_service(web::to(fallback))
            .wrap(from_fn(edge))
            .wrap(TracingLogger::<RequestSpan>::new());
        let app = init_service(app).await;
        let mut request = TestRequest::default().method(method).uri(uri);
        if !key.is_empty() {
            request = request.insert_header((AUTHORIZATION, format!("Bearer {key}")));
        }
        if !body.is_null() {
            request = request.set_json(body);
        }
        let response = call_service(&app, request.to_request()).await;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let json = serde_json::from_slice(&read_body(response).await).unwrap_or(Value::Null);
        Answer { status, headers, json }
    }

    /// Reads from it.
    pub async fn get(&self, key: &str, uri: &str) -> Answer {
        self.call(key, Method::GET, uri, Value::Null).await
    }

    /// Writes to it.
    pub async fn post(&self, key: &str, uri: &str, body: Value) -> Answer {
        self.call(key, Method::POST, uri, body).await
    }
}

/// A programme that nobody else has, in the operator's name.
pub fn program() -> ProgramScope {
    ProgramScope::new(ProgramId(uuid_v7()), Principal::Operator)
}

fn calls(config: &mut ServiceConfig) {
    auth::http::configure(config);
    audit::http::configure(config);
}
