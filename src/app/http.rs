//! The API's assembly: every room, every layer, in one place.

use std::io;
use std::net::SocketAddr;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig as ActixConfig};
use actix_web::{App, HttpResponse, HttpServer};
use tracing_actix_web::TracingLogger;
use utoipa::openapi::{OpenApi, Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use utoipa_actix_web::AppExt;
use utoipa_actix_web::service_config::ServiceConfig;

use super::health;
use super::told::told;
use crate::loyalty::backtest::report::PreviewReport;
use crate::loyalty::ledger::post::Ledger;
use crate::loyalty::membership::identities::Identities;
use crate::loyalty::statement::reader::AccountReader;
use crate::loyalty::{backtest, checkout, ledger, membership, personal, program, rewards, statement};
use crate::platform::auth::Authenticator;
use crate::platform::auth::login::Logins;
use crate::platform::auth::session::Sessions;
use crate::platform::db::Db;
use crate::platform::web::codes;
use crate::platform::web::edge::edge;
use crate::platform::web::fallback::{ProblemCatalogue, Routes, describe_problem, fallback, path_config};
use crate::platform::web::openapi::{browsable, document};
use crate::platform::web::problem::ProblemType;
use crate::platform::web::telemetry::{METRICS_TYPE, Metrics};
use crate::platform::web::trace::RequestSpan;
use crate::platform::webhooks::http::HookRules;
use crate::platform::{audit, auth, jobs, webhooks};

/// Every kind of problem, by room.
pub const PROBLEMS: &[&[ProblemType]] = &[
    codes::PROBLEMS,
    auth::PROBLEMS,
    jobs::PROBLEMS,
    webhooks::error::PROBLEMS,
    ledger::error::PROBLEMS,
    membership::error::PROBLEMS,
    rewards::error::PROBLEMS,
    checkout::error::PROBLEMS,
    program::error::PROBLEMS,
];

/// Registers the calls of every room.
pub fn rooms(config: &mut ServiceConfig) {
    // Routes are tried in this order, and a pattern before it costs an order more than anything else on its way.
    checkout::http::configure(config);
    checkout::holds::http::configure(config);
    checkout::batch::http::configure(config);
    statement::http::configure(config);
    statement::tier::http::configure(config);
    statement::entitlements::http::configure(config);
    statement::why::http::configure(config);
    rewards::http::configure(config);
    personal::http::configure(config);
    membership::http::configure(config);
    membership::grants::http::configure(config);
    membership::segments::http::configure(config);
    membership::events::http::configure(config);
    membership::sign_in::http::configure(config);
    membership::sign_in::passwords::http::configure(config);
    membership::sign_in::sign_up::http::configure(config);
    ledger::http::configure(config);
    program::http::configure(config);
    program::draft::http::configure(config);
    backtest::http::configure(config);
    auth::http::configure(config);
    auth::session::configure(config);
    webhooks::http::configure(config);
    audit::http::configure(config);
    jobs::http::configure(config);
}

/// The OpenAPI document of all calls.
pub fn api() -> OpenApi {
    let mut api = document(rooms);
    // What a job answers is a matter of its kind, which the queue does not know.
    let mut results = vec![(PreviewReport::name().into_owned(), PreviewReport::schema())];
    PreviewReport::schemas(&mut results);
    if let Some(components) = &mut api.components {
        components.schemas.extend(results);
        if let Some(RefOr::T(Schema::Object(job))) = components.schemas.get_mut("Job") {
            let result = Ref::from_schema_name(PreviewReport::name());
            job.properties.insert("result".to_owned(), RefOr::Ref(result));
        }
    }
    api.webhooks = Some(told(&mut api.components));
    api
}

/// What the handlers take.
#[derive(Clone)]
pub struct Shared {
    /// The database, for readers.
    pub db: Data<Db>,
    /// Who lets callers in.
    pub authenticator: Data<Authenticator>,
    /// Who is signed in.
    pub sessions: Data<Sessions>,
    /// By what members sign in.
    pub logins: Data<Logins>,
    /// The posting engine.
    pub ledger: Data<Ledger>,
    /// Who reads accounts.
    pub accounts: Data<AccountReader>,
    /// Who is known by what.
    pub identities: Data<Identities>,
    /// What is measured.
    pub metrics: Data<Metrics>,
    /// What webhooks may name.
    pub hooks: Data<HookRules>,
    /// The document of the API.
    pub api: Data<OpenApi>,
}

impl Shared {
    /// Adds the data, and what is not in the document: health, metrics, problems, the document itself.
    fn configure(self) -> impl FnOnce(&mut ActixConfig) {
        move |config: &mut ActixConfig| {
            browsable(&self.api)(config);
            config
                .app_data(self.db)
                .app_data(self.authenticator)
                .app_data(self.sessions)
                .app_data(self.logins)
                .app_data(self.ledger)
                .app_data(self.accounts)
                .app_data(self.identities)
                .app_data(self.metrics)
                .app_data(self.hooks)
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

/// How the server is run.
#[derive(Clone, Copy, Debug)]
pub struct Listening {
    /// Where it answers; port 0 is any that is free.
    pub address: SocketAddr,
    /// How long accepted requests may take after it was told to stop, in seconds.
    pub shutdown_s: u64,
    /// Threads that answer; absent: one a core.
    pub threads: Option<usize>,
}

/// The server of the API, and where it answers. It handles no signals: its handle stops it.
///
/// # Errors
/// When the address is taken.
pub fn listen(listening: Listening, shared: Shared) -> io::Result<(Server, Vec<SocketAddr>)> {
    let app = move || {
        App::new()
            .into_utoipa_app()
            .configure(rooms)
            .into_app()
            .configure(shared.clone().configure())
            .default_service(web::to(fallback))
            .wrap(from_fn(edge))
            .wrap(TracingLogger::<RequestSpan>::new())
    };
    let server = HttpServer::new(app).disable_signals().shutdown_timeout(listening.shutdown_s);
    let server = match listening.threads {
        Some(threads) => server.workers(threads),
        None => server,
    };
    let server = server.bind(listening.address)?;
    let addresses = server.addrs();
    Ok((server.run(), addresses))
}

async fn metrics(metrics: Data<Metrics>) -> HttpResponse {
    HttpResponse::Ok().content_type(METRICS_TYPE).body(metrics.render())
}
