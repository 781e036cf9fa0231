//! `/v1/webhooks/{id}/deliveries` and `/replays`.

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, get, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::kernel::page::Page;
use crate::platform::auth::{Caller, needs};
use crate::platform::db::Db;
use crate::platform::web::body::Body;
use crate::platform::web::codes;
use crate::platform::web::paging::{Cursor, Limit};
use crate::platform::web::problem::Problem;
use crate::platform::web::query::Query;
use crate::platform::webhooks::deliveries::store::{Place, list_deliveries};
use crate::platform::webhooks::deliveries::{Delivery, DeliveryStatus};
use crate::platform::webhooks::error::WEBHOOK_UNKNOWN;
use crate::platform::webhooks::http::problem_of;
use crate::platform::webhooks::keep::replay;
use crate::platform::webhooks::store::list_hooks;

/// Registers the room's calls.
pub fn configure(config: &mut ServiceConfig) {
    config.service(list_webhook_deliveries).service(create_webhook_replay);
}

/// Which deliveries, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DeliveriesQuery {
    /// How many items the page has.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(inline, nullable = false)]
    cursor: Option<DeliveryPlace>,
    /// Only those that stand so.
    #[param(inline, nullable = false)]
    status: Option<StatusName>,
}

type DeliveryPlace = Cursor<Place>;

/// How a delivery stands.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WebhookDeliveryStatus)]
enum StatusName {
    /// It waits for its first try, or the next.
    Waiting,
    /// The receiver took it.
    Delivered,
    /// It was tried for a day, in vain.
    GivenUp,
}

impl From<StatusName> for DeliveryStatus {
    fn from(name: StatusName) -> Self {
        match name {
            StatusName::Waiting => Self::Waiting,
            StatusName::Delivered => Self::Delivered,
            StatusName::GivenUp => Self::GivenUp,
        }
    }
}

impl From<DeliveryStatus> for StatusName {
    fn from(status: DeliveryStatus) -> Self {
        match status {
            DeliveryStatus::Waiting => Self::Waiting,
            DeliveryStatus::Delivered => Self::Delivered,
            DeliveryStatus::GivenUp => Self::GivenUp,
        }
    }
}

/// A time whose deliveries are to be told again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewWebhookReplay)]
struct ReplayIn {
    /// Those that were noted from then on,
    from: DateTime<Utc>,
    /// and before then.
    until: DateTime<Utc>,
}

/// What was told, or is to be.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookDelivery)]
struct DeliveryView {
    /// The `webhook-id` that it is sent with, each time.
    id: String,
    /// What kind of thing is told.
    r#type: String,
    created_at: DateTime<Utc>,
    status: StatusName,
    /// How often it was tried.
    tries: i32,
    /// When it is tried next; of one that is over, when that was.
    next_at: DateTime<Utc>,
    /// The last HTTP status, if there was an answer.
    answered: Option<i16>,
    /// What was wrong, if anything was.
    trouble: Option<String>,
    /// What is sent.
    #[schema(value_type = Object)]
    payload: serde_json::Value,
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        Self {
            id: delivery.name.id(),
            r#type: delivery.event,
            created_at: delivery.created_at,
            status: delivery.status.into(),
            tries: delivery.tries,
            next_at: delivery.next_at,
            answered: delivery.answered,
            trouble: delivery.trouble,
            payload: serde_json::from_str(&delivery.payload).unwrap_or_default(),
        }
    }
}

/// A page of deliveries.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookDeliveryPage)]
struct DeliveryPageView {
    items: Vec<DeliveryView>,
    /// What to send as `cursor` for the next page; null on the last.
    next_cursor: Option<String>,
}

/// What will be told again.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookReplay)]
struct ReplayView {
    /// How many deliveries.
    deliveries: usize,
}

/// Deliveries of a webhook, newest first
///
/// Those of the last 30 days: what was sent or is to be, how often it was tried, and what was wrong.
/// Scope: `webhooks:manage`.
#[utoipa::path(
    tag = "webhooks",
    params(("id" = Uuid, Path, description = "The webhook."), DeliveriesQuery),
    responses((status = 200, description = "A page of deliveries.", body = DeliveryPageView)),
)]
#[get("/v1/webhooks/{id}/deliveries")]
async fn list_webhook_deliveries(
    caller: Caller<needs::WebhooksManage>,
    id: Path<Uuid>,
    query: Query<DeliveriesQuery>,
    db: Data<Db>,
) -> Result<Json<DeliveryPageView>, Problem> {
    let Query(DeliveriesQuery { limit, cursor, status }) = query;
    let conn = db.conn().await?;
    let known = list_hooks(&conn, caller.scope()).await?.iter().any(|hook| hook.id == *id);
    if !known {
        return Err(Problem::of(&WEBHOOK_UNKNOWN));
    }
    let before = cursor.map(|Cursor(place)| place);
    let status = status.map(DeliveryStatus::from);
    let rows = list_deliveries(&conn, (caller.scope(), *id), status, before, limit.and_one()).await?;
    let place = |d: &Delivery| Cursor((d.created_at, d.name.member.0, d.name.seq.0, d.name.number)).to_string();
    let Page { items, next_cursor } = Page::of(rows, limit.get(), place).map(Into::into);
    Ok(Json(DeliveryPageView { items, next_cursor }))
}

/// Have deliveries of a time told again
///
/// All that were noted then, whether they were delivered or given up; each with the id that it had.
/// Scope: `webhooks:manage`.
#[utoipa::path(
    tag = "webhooks",
    params(("id" = Uuid, Path, description = "The webhook.")),
    request_body = ReplayIn,
    responses((status = 202, description = "How many will be told again.", body = ReplayView)),
)]
#[post("/v1/webhooks/{id}/replays")]
async fn create_webhook_replay(
    caller: Caller<needs::WebhooksManage>,
    id: Path<Uuid>,
    body: Body<ReplayIn>,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    let (scope, Body(ReplayIn { from, until })) = (caller.scope(), body);
    if until <= from {
        return Err(Problem::of(&codes::INVALID_FIELD).at("/until").detail("after `from`"));
    }
    let replayed = replay(&mut *db.conn().await?, scope, *id, (from, until)).await;
    let deliveries = replayed.map_err(problem_of)?;
    Ok(HttpResponse::Accepted().json(ReplayView { deliveries }))
}
