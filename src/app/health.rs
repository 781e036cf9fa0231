//! Whether the process lives, and whether it can work.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, get, web};
use diesel::sql_types::Bool;
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use tokio::time::timeout;

use crate::platform::db::{Db, DbError};

/// Longest wait for the database before the answer is "not ready", in milliseconds.
const READY_TIMEOUT_MS: u64 = 2_000;

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
pub async fn readyz(db: web::Data<Db>) -> HttpResponse {
    let asked = timeout(Duration::from_millis(READY_TIMEOUT_MS), is_standby(&db)).await;
    let reason = match asked {
        Ok(Ok(false)) => None,
        Ok(Ok(true)) => Some("the database is a standby"),
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
struct StandbyRow {
    #[diesel(sql_type = Bool)]
    standby: bool,
}

async fn is_standby(db: &Db) -> Result<bool, DbError> {
    let mut conn = db.conn().await?;
    let row: StandbyRow = sql_query("SELECT pg_is_in_recovery() AS standby").get_result(&mut conn).await?;
    Ok(row.standby)
}
