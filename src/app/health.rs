//! Whether the process lives, and whether it can work.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, get, web};
use diesel::sql_types::Bool;
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use tokio::time::timeout;

use crate::loyalty::ledger::post::Ledger;
use crate::platform::db::{Conn, Db, DbError};

/// Longest wait for the database before the answer is "not ready", in milliseconds.
const READY_TIMEOUT_MS: u64 = 2_000;

/// A group that is under way for longer than this will not end by itself, in seconds: a commit waits for a standby that
/// is gone, or the server is stuck.
const GROUP_STUCK_S: u64 = 10;

#[derive(Serialize)]
struct HealthView {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// The process answers: restart it if it does not.
#[get("/livez")]
pub async fn livez() -> HttpResponse {
    HttpResponse::Ok().json(HealthView { status: "alive", reason: None })
}

/// The process can do its work: send it no requests while it cannot.
#[get("/readyz")]
pub async fn readyz(db: web::Data<Db>, ledger: web::Data<Ledger>) -> HttpResponse {
    let asked = timeout(Duration::from_millis(READY_TIMEOUT_MS), look(&db)).await;
    let stuck = ledger.oldest_group().is_some_and(|age| age > Duration::from_secs(GROUP_STUCK_S));
    let reason = match asked {
        Ok(Ok(ServerRow { standby: true, .. })) => Some("the database is a standby"),
        Ok(Ok(ServerRow { read_only: true, .. })) => Some("the database is read-only"),
        Ok(Ok(_)) if stuck => Some("the database does not commit"),
        Ok(Ok(_)) => None,
        Ok(Err(error)) => {
            tracing::warn!(error = error.chain(), "not ready");
            Some("the database cannot be reached")
        }
        Err(_) => Some("the database does not answer in time"),
    };
    let code = if reason.is_none() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let status = if reason.is_none() { "ready" } else { "unavailable" };
    HttpResponse::build(code).json(HealthView { status, reason })
}

#[derive(QueryableByName)]
struct ServerRow {
    #[diesel(sql_type = Bool)]
    standby: bool,
    #[diesel(sql_type = Bool)]
    read_only: bool,
}

/// What the server takes part in. A connection to one that takes no writes is not given back: the next may lead to the
/// one that does, where a name or a proxy stands for both.
async fn look(db: &Db) -> Result<ServerRow, DbError> {
    let mut conn = db.conn().await?;
    let asked = "SELECT pg_is_in_recovery() AS standby, current_setting('transaction_read_only')::bool AS read_only";
    let row: ServerRow = sql_query(asked).get_result(&mut conn).await?;
    if row.standby || row.read_only {
        drop(Conn::take(conn));
    }
    Ok(row)
}
