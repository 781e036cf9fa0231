//! `perennial serve`: answers the API until interrupted.

use std::net::SocketAddr;

use actix_web::dev::{Server, ServerHandle};
use actix_web::{App, HttpServer, web};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::database::Database;
use super::failure::Failure;
use super::http::configure;
use super::settings::Settings;
use super::terminal::say;
use crate::platform::db::Db;

/// Serves, and at SIGINT or SIGTERM answers what was accepted, then leaves the database.
///
/// # Errors
/// `Configuration` when the address is taken or the schema is not up to date.
pub async fn run(settings: &Settings) -> Result<(), Failure> {
    // From here on a signal is remembered, also while the database starts.
    let interrupts = [listen_for(SignalKind::interrupt())?, listen_for(SignalKind::terminate())?];
    let database = Database::locate(settings).await?;
    let served = serve(settings, &database, interrupts).await;
    // The database last: requests under way needed it.
    database.close().await?;
    served
}

async fn serve(settings: &Settings, database: &Database, interrupts: [Signal; 2]) -> Result<(), Failure> {
    let db = database.open(settings, settings.pool_size).await?;
    let (server, addresses) = bind(settings, &db)?;
    for address in addresses {
        say(&format!("Perennial answers on http://{address}"));
    }
    tokio::spawn(stop_when_told(server.handle(), interrupts));
    let served = server.await;
    db.close();
    served.map_err(|error| Failure::Work(format!("the server failed: {error}")))
}

fn bind(settings: &Settings, db: &Db) -> Result<(Server, Vec<SocketAddr>), Failure> {
    let data = web::Data::new(db.clone());
    let server = HttpServer::new(move || App::new().app_data(data.clone()).configure(configure))
        .disable_signals()
        .shutdown_timeout(settings.shutdown_s)
        .bind(settings.listen)
        .map_err(|error| Failure::Configuration(format!("cannot listen on {}: {error}", settings.listen)))?;
    let addresses = server.addrs();
    Ok((server.run(), addresses))
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
