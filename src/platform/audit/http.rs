//! `/v1/audit`.

use actix_web::get;
use actix_web::web::{Data, Json};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::kernel::page::Page;
use crate::platform::audit::Entry;
use crate::platform::audit::store::{Filter, Place, list_entries};
use crate::platform::auth::{Caller, needs};
use crate::platform::db::Db;
use crate::platform::web::paging::Limit;
use crate::platform::web::problem::Problem;
use crate::platform::web::query::Query;
use crate::platform::web::text::Text;

/// Registers the room's calls.
pub fn configure(config: &mut ServiceConfig) {
    config.service(list_audit);
}

/// Which entries, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AuditQuery {
    /// How many items the page has.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(inline, nullable = false)]
    cursor: Option<Place>,
    /// Only this action, such as `api_key.issued`.
    #[param(inline, nullable = false)]
    action: Option<Text<64>>,
    /// Only what was done by this principal, such as `key:0123456789abcdef`.
    #[param(inline, nullable = false)]
    principal: Option<Text<100>>,
    /// Only from this instant on.
    #[param(nullable = false)]
    from: Option<DateTime<Utc>>,
    /// Only before this instant.
    #[param(nullable = false)]
    until: Option<DateTime<Utc>>,
}

/// One line of the audit log.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
struct AuditEntryView {
    id: Uuid,
    /// When, by the database's clock.
    at: DateTime<Utc>,
    /// Who, such as `key:0123456789abcdef`, `operator`, or `job:` and a name.
    principal: String,
    /// What was done, such as `api_key.issued`.
    action: String,
    /// To what: an id or code.
    subject: String,
    /// What is worth knowing of it.
    #[schema(value_type = Object)]
    detail: serde_json::Value,
}

/// A page of the audit log.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditPage)]
struct AuditPageView {
    items: Vec<AuditEntryView>,
    /// What to send as `cursor` for the next page; null on the last.
    next_cursor: Option<String>,
}

impl From<Entry> for AuditEntryView {
    fn from(entry: Entry) -> Self {
        let Entry { id, at, principal, action, subject, detail } = entry;
        Self { id, at, principal, action, subject, detail }
    }
}

/// The audit log, newest first
///
/// Every change of configuration and every manual posting. Scope: `audit:read`.
#[utoipa::path(
    tag = "audit",
    params(AuditQuery),
    responses((status = 200, description = "A page of entries.", body = AuditPageView)),
)]
#[get("/v1/audit")]
async fn list_audit(
    caller: Caller<needs::AuditRead>,
    query: Query<AuditQuery>,
    db: Data<Db>,
) -> Result<Json<AuditPageView>, Problem> {
    let Query(AuditQuery { limit, cursor, action, principal, from, until }) = query;
    let (action, principal) = (action.map(Text::into_string), principal.map(Text::into_string));
    let filter = Filter { action, principal, from, until };
    let mut conn = db.conn().await?;
    let page = list_entries(&mut conn, caller.scope(), filter, limit, cursor).await?;
    let Page { items, next_cursor } = page.map(AuditEntryView::from);
    Ok(Json(AuditPageView { items, next_cursor }))
}
