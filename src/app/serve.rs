//! `perennial serve`: answers the API until interrupted.

use std::net::SocketAddr;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::web::Data;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::interval;

use super::database::Database;
use super::engine;
use super::failure::Failure;
use super::http::{Listening, Shared, api, listen};
use super::settings::Settings;
use super::terminal::say;
use super::tokens;
use crate::loyalty::backtest::jobs::Previews;
use crate::loyalty::events::event_view::event_names;
use crate::loyalty::events::jobs::run_events;
use crate::loyalty::ledger::jobs::run_due;
use crate::loyalty::ledger::post::Ledger;
use crate::loyalty::ledger::reviews::jobs::{REVIEW_CHUNK, run_reviews};
use crate::loyalty::membership::days::jobs::run_days;
use crate::loyalty::membership::identities::Identities;
use crate::loyalty::statement::reader::AccountReader;
use crate::platform::auth::Authenticator;
use crate::platform::auth::login::{KnockRules, Logins};
use crate::platform::auth::session::Sessions;
use crate::platform::db::{Db, Fault};
use crate::platform::jobs::run_jobs;
use crate::platform::web::rate::RateSettings;
use crate::platform::web::telemetry::Metrics;
use crate::platform::webhooks::deliveries::deliver::Deliverer;
use crate::platform::webhooks::http::HookRules;

/// How often what is due is looked for, in seconds.
const KEEP_UP_EVERY_S: u64 = 10;
/// How often one member's apps may call.
const MEMBER_RATE: RateSettings = RateSettings { per_second: 20, burst: 100 };

/// Serves, and at SIGINT or SIGTERM answers what was accepted, then leaves the database.
///
/// # Errors
/// `Configuration` when the address is taken or the schema is not up to date.
pub async fn run(settings: &Settings) -> Result<(), Failure> {
    run_with(settings, async |_| Ok(|_: &[SocketAddr]| ())).await
}

/// The same with something before it, which answers what is to be said when the addresses are known.
///
/// # Errors
/// As [`run`], and whatever went wrong before.
pub async fn run_with<S: FnOnce(&[SocketAddr])>(
    settings: &Settings,
    before: impl AsyncFnOnce(&Db) -> Result<S, Failure>,
) -> Result<(), Failure> {
    // From here on a signal is remembered, also while the database starts.
    let interrupts = [listen_for(SignalKind::interrupt())?, listen_for(SignalKind::terminate())?];
    let database = Database::locate(settings).await?;
    let served = serve(settings, &database, interrupts, before).await;
    // The database last: requests under way needed it.
    database.close().await?;
    served
}

async fn serve<S: FnOnce(&[SocketAddr])>(
    settings: &Settings,
    database: &Database,
    interrupts: [Signal; 2],
    before: impl AsyncFnOnce(&Db) -> Result<S, Failure>,
) -> Result<(), Failure> {
    let db = database.open(settings, settings.pool_size).await?;
    let announce = before(&db).await?;
    let ledger = engine::start(settings, &db).await?;
    let metrics = Metrics::start().map_err(|error| Failure::Work(error.to_string()))?;
    let shared = Shared {
        db: Data::new(db.clone()),
        authenticator: Data::new(Authenticator::new(db.clone(), settings.rate)),
        sessions: Data::new(sessions(settings, &db, &ledger).await),
        logins: Data::new(Logins::new(
            db.clone(),
            ledger.lanes(),
            KnockRules { proxies: settings.proxies, ..KnockRules::default() },
        )),
        ledger: Data::new(ledger.clone()),
        accounts: Data::new(AccountReader::start(&db, ledger.lanes())),
        identities: Data::new(Identities::default()),
        metrics: Data::new(metrics.clone()),
        hooks: Data::new(HookRules { events: event_names(), reach: settings.webhooks }),
        api: Data::new(api()),
    };
    let deliverer = Deliverer::new(db.clone(), settings.webhooks);
    let deliverer = deliverer.map_err(|error| Failure::Work(format!("webhooks cannot be sent: {error}")))?;
    let jobs = [
        tokio::spawn(metrics.upkeep()),
        tokio::spawn(keep_up(db.clone(), ledger.clone(), shared.clone())),
        tokio::spawn(run_events(db.clone(), ledger.clone(), deliverer)),
        tokio::spawn(run_jobs(db.clone(), vec![Box::new(Previews::new(&db))])),
    ];
    let (server, addresses) = bind(settings, shared)?;
    for address in &addresses {
        say(&format!("Perennial answers on http://{address}"));
    }
    announce(&addresses);
    tokio::spawn(stop_when_told(server.handle(), interrupts));
    let served = server.await;
    for job in jobs {
        job.abort();
        // Gone before the connections are.
        drop(job.await);
    }
    ledger.close().await;
    db.close();
    served.map_err(|error| Failure::Work(format!("the server failed: {error}")))
}

/// Who is signed in. Without keys the shop goes on, and members wait.
async fn sessions(settings: &Settings, db: &Db, ledger: &Ledger) -> Sessions {
    let keyring = tokens::open(settings, db).await;
    let keyring = keyring.inspect_err(|failure| tracing::warn!(%failure, "members cannot sign in")).ok();
    Sessions::new(db.clone(), ledger.lanes(), keyring, MEMBER_RATE)
}

fn bind(settings: &Settings, shared: Shared) -> Result<(Server, Vec<SocketAddr>), Failure> {
    let listening = Listening { address: settings.listen, shutdown_s: settings.shutdown_s, threads: None };
    listen(listening, shared)
        .map_err(|error| Failure::Configuration(format!("cannot listen on {}: {error}", settings.listen)))
}

/// What runs beside the API. Every process runs it: they leave each other's work alone.
async fn keep_up(db: Db, ledger: Ledger, shared: Shared) {
    let mut ticks = interval(Duration::from_secs(KEEP_UP_EVERY_S));
    loop {
        ticks.tick().await;
        db.sweep();
        if let Err(error) = run_due(&db, &ledger).await {
            if error.fault() == Fault::ReadOnly {
                db.move_on();
            }
            tracing::warn!(error = error.chain(), "who is due was not caught up; balances are right all the same");
        }
        if let Err(error) = run_reviews(&db, &ledger, REVIEW_CHUNK).await {
            tracing::warn!(%error, "members were not reviewed after a version; their tiers are right all the same");
        }
        if let Err(error) = run_days(&db, &ledger).await {
            tracing::warn!(%error, "nobody was awarded for a birthday or an anniversary; the next run catches up");
        }
        shared.authenticator.forget_idle();
        shared.sessions.keep_up();
        shared.logins.forget_idle();
    }
}

fn listen_for(kind: SignalKind) -> Result<Signal, Failure> {
    signal(kind).map_err(|error| Failure::Work(format!("cannot listen for signals: {error}")))
}

/// The first signal ends things in order, the second one at once.
async fn stop_when_told(handle: ServerHandle, [mut interrupt, mut terminate]: [Signal; 2]) {
    for graceful in [true, false] {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!(graceful, "stopping");
        let handle = handle.clone();
        tokio::spawn(async move { handle.stop(graceful).await });
    }
}
