//! The API's assembly: every room, every layer, in one place.

use actix_web::web::{self, Data, ServiceConfig as ActixConfig};
use actix_web::{HttpResponse, web::ServiceConfig as Plain};
use utoipa::openapi::OpenApi;
use utoipa_actix_web::service_config::ServiceConfig;

use super::health;
use crate::loyalty::ledger::post::Ledger;
use crate::loyalty::membership::identities::Identities;
use crate::loyalty::{checkout, ledger, membership, program, statement};
use crate::platform::auth::Authenticator;
use crate::platform::db::Db;
use crate::platform::web::codes;
use crate::platform::web::fallback::{ProblemCatalogue, Routes, describe_problem, path_config};
use crate::platform::web::openapi::{browsable, document};
use crate::platform::web::problem::ProblemType;
use crate::platform::web::telemetry::{METRICS_TYPE, Metrics};
use crate::platform::{audit, auth};

/// Every kind of problem, by room.
pub const PROBLEMS: &[&[ProblemType]] =
    &[codes::PROBLEMS, auth::PROBLEMS, ledger::error::PROBLEMS, membership::error::PROBLEMS, checkout::error::PROBLEMS];

/// Registers the calls of every room.
pub fn rooms(config: &mut ServiceConfig) {
    membership::http::configure(config);
    statement::http::configure(config);
    ledger::http::configure(config);
    checkout::http::configure(config);
    program::http::configure(config);
    auth::http::configure(config);
    audit::http::configure(config);
}

/// The OpenAPI document of all calls.
pub fn api() -> OpenApi {
    document(rooms)
}

/// What the handlers take.
#[derive(Clone)]
pub struct Shared {
    /// The database, for readers.
    pub db: Data<Db>,
    /// Who lets callers in.
    pub authenticator: Data<Authenticator>,
    /// The posting engine.
    pub ledger: Data<Ledger>,
    /// Who is known by what.
    pub identities: Data<Identities>,
    /// What is measured.
    pub metrics: Data<Metrics>,
    /// The document of the API.
    pub api: Data<OpenApi>,
}

impl Shared {
    /// Adds the data, and what is not in the document: health, metrics, problems, the document itself.
    pub fn configure(self) -> impl FnOnce(&mut ActixConfig) {
        move |config: &mut Plain| {
            browsable(&self.api)(config);
            config
                .app_data(self.db)
                .app_data(self.authenticator)
                .app_data(self.ledger)
                .app_data(self.identities)
                .app_data(self.metrics)
                .app_data(Data::new(Routes::of(&self.api)))
                .app_data(Data::new(ProblemCatalogue::new(PROBLEMS)))
                .app_data(path_config())
                .service(health::livez)
                .service(health::readyz)
                .route("/metrics", web::get().to(metrics))
                .route("/problems/{code}", web::get().to(describe_problem));
        }
    }
}

async fn metrics(metrics: Data<Metrics>) -> HttpResponse {
    HttpResponse::Ok().content_type(METRICS_TYPE).body(metrics.render())
}
