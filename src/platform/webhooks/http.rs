//! `/v1/webhooks`.
//!
//! Neither a new webhook nor a new secret takes an `Idempotency-Key`: their answers hold a secret that is told once.

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, delete, get, patch, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::platform::auth::{Caller, needs};
use crate::platform::db::Db;
use crate::platform::entropy::secret;
use crate::platform::web::body::Body;
use crate::platform::web::codes;
use crate::platform::web::problem::Problem;
use crate::platform::web::text::Text;
use crate::platform::webhooks::address::Reach;
use crate::platform::webhooks::deliveries;
use crate::platform::webhooks::error::{URL_REFUSED, WEBHOOK_UNKNOWN, WEBHOOKS_TOO_MANY};
use crate::platform::webhooks::hook::{HOOK_EVENTS_MAX, HOOKS_PER_PROGRAM_MAX, Hook, OVERLAP_S_DEFAULT, OVERLAP_S_MAX};
use crate::platform::webhooks::keep::{Changes, KeepError, change, create, discard, rotate};
use crate::platform::webhooks::secret::HookSecret;
use crate::platform::webhooks::store::list_hooks;
use crate::platform::webhooks::url::{HookUrl, URL_CHARS_MAX};

type UrlText = Text<URL_CHARS_MAX>;
/// No type of events has a longer name, in characters.
const EVENT_CHARS_MAX: usize = 64;
type EventText = Text<EVENT_CHARS_MAX>;

/// What webhooks may name: the types of events that there are, and where they may be told.
#[derive(Clone, Debug)]
pub struct HookRules {
    /// The types.
    pub events: Vec<&'static str>,
    /// Where.
    pub reach: Reach,
}

/// Registers the room's calls.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(list_webhooks)
        .service(create_webhook)
        .service(get_webhook)
        .service(change_webhook)
        .service(discard_webhook)
        .service(rotate_webhook_secret);
    deliveries::http::configure(config);
}

/// Who is to be told.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewWebhook, example = json!({ "url": "https://hooks.example.com/loyalty", "events": ["order.settled"] }))]
struct WebhookIn {
    /// Where: a public address over https.
    url: UrlText,
    /// Of which types of events; absent or empty: of all.
    #[serde(default)]
    #[schema(max_items = 100)]
    events: Vec<EventText>,
}

/// What is to be another way; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookChange)]
struct WebhookPatchIn {
    /// Where: a public address over https.
    #[serde(default)]
    url: Option<UrlText>,
    /// Of which types of events; empty: of all.
    #[serde(default)]
    #[schema(max_items = 100)]
    events: Option<Vec<EventText>>,
    /// Whether anything is sent. What happens while nothing is waits, and is forgotten after 30 days.
    #[serde(default)]
    enabled: Option<bool>,
}

/// For how long the old secret signs on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookRotation)]
struct RotationIn {
    /// In seconds: deliveries carry both signatures until then.
    #[serde(default = "overlap_default")]
    #[schema(minimum = 0, maximum = 2_592_000, default = 86_400)]
    overlap_s: u32,
}

fn overlap_default() -> u32 {
    OVERLAP_S_DEFAULT
}

/// Somebody who is told; the secret is told once.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhook)]
struct WebhookView {
    id: Uuid,
    /// Where.
    url: String,
    /// Of which types of events; empty: of all.
    events: Vec<String>,
    /// Whether anything is sent.
    enabled: bool,
    /// Until when deliveries carry the old secret's signature, too.
    old_secret_until: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    /// Who said so.
    created_by: String,
}

impl From<Hook> for WebhookView {
    fn from(hook: Hook) -> Self {
        let Hook { id, url, events, enabled, old_secret, created_at, created_by, .. } = hook;
        Self { id, url, events, enabled, old_secret_until: old_secret.map(|(_, until)| until), created_at, created_by }
    }
}

/// A webhook with a new secret.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookWithSecret)]
struct WithSecretView {
    /// What deliveries are signed with, `whsec_…`: shown now and never again.
    secret: String,
    webhook: WebhookView,
}

/// The webhooks of the programme.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookList)]
struct WebhookListView {
    /// All of them, oldest first.
    items: Vec<WebhookView>,
}

/// Webhooks of the programme
///
/// Scope: `webhooks:manage`.
#[utoipa::path(
    tag = "webhooks",
    responses((status = 200, description = "All of them, without secrets.", body = WebhookListView)),
)]
#[get("/v1/webhooks")]
async fn list_webhooks(caller: Caller<needs::WebhooksManage>, db: Data<Db>) -> Result<Json<WebhookListView>, Problem> {
    let hooks = list_hooks(&*db.conn().await?, caller.scope()).await?;
    Ok(Json(WebhookListView { items: hooks.into_iter().map(Into::into).collect() }))
}

/// Be told of what happens
///
/// From now on each event of these types is sent to the address, at least once, signed by the Standard Webhooks
/// specification with the secret of this answer. An answer other than 2xx, or none within 10 seconds, and it is tried again,
/// ever more rarely, for a day. Scope: `webhooks:manage`.
#[utoipa::path(
    tag = "webhooks",
    request_body = WebhookIn,
    responses((status = 201, description = "The webhook, with its secret.", body = WithSecretView)),
)]
#[post("/v1/webhooks")]
async fn create_webhook(
    caller: Caller<needs::WebhooksManage>,
    body: Body<WebhookIn>,
    db: Data<Db>,
    rules: Data<HookRules>,
) -> Result<HttpResponse, Problem> {
    let (scope, Body(sent)) = (caller.scope(), body);
    let (url, events) = (read_url(&sent.url, &rules)?, read_events(sent.events, &rules)?);
    let made = HookSecret::new(secret().map_err(|error| Problem::of(&codes::INTERNAL).because(error))?);
    let hook = create(&mut *db.conn().await?, scope, (url, events), &made).await.map_err(problem_of)?;
    Ok(HttpResponse::Created().json(WithSecretView { secret: made.reveal(), webhook: hook.into() }))
}

/// A webhook
///
/// Scope: `webhooks:manage`.
#[utoipa::path(
    tag = "webhooks",
    params(("id" = Uuid, Path, description = "The webhook.")),
    responses((status = 200, description = "The webhook, without its secret.", body = WebhookView)),
)]
#[get("/v1/webhooks/{id}")]
async fn get_webhook(
    caller: Caller<needs::WebhooksManage>,
    id: Path<Uuid>,
    db: Data<Db>,
) -> Result<Json<WebhookView>, Problem> {
    let hooks = list_hooks(&*db.conn().await?, caller.scope()).await?;
    let hook = hooks.into_iter().find(|hook| hook.id == *id);
    hook.map(|hook| Json(hook.into())).ok_or_else(|| Problem::of(&WEBHOOK_UNKNOWN))
}

/// Change a webhook
///
/// Scope: `webhooks:manage`.
#[utoipa::path(
    tag = "webhooks",
    params(("id" = Uuid, Path, description = "The webhook.")),
    request_body = WebhookPatchIn,
    responses((status = 200, description = "The webhook as it is now.", body = WebhookView)),
)]
#[patch("/v1/webhooks/{id}")]
async fn change_webhook(
    caller: Caller<needs::WebhooksManage>,
    id: Path<Uuid>,
    body: Body<WebhookPatchIn>,
    db: Data<Db>,
    rules: Data<HookRules>,
) -> Result<Json<WebhookView>, Problem> {
    let (scope, Body(sent)) = (caller.scope(), body);
    let url = sent.url.map(|url| read_url(&url, &rules)).transpose()?;
    let events = sent.events.map(|events| read_events(events, &rules)).transpose()?;
    let changes = Changes { url, events, enabled: sent.enabled };
    let hook = change(&mut *db.conn().await?, scope, *id, changes).await.map_err(problem_of)?;
    Ok(Json(hook.into()))
}

/// Forget a webhook
///
/// Nothing is sent any more, and what was is forgotten. Scope: `webhooks:manage`.
#[utoipa::path(
    tag = "webhooks",
    params(("id" = Uuid, Path, description = "The webhook.")),
    responses((status = 204, description = "It is gone.")),
)]
#[delete("/v1/webhooks/{id}")]
async fn discard_webhook(
    caller: Caller<needs::WebhooksManage>,
    id: Path<Uuid>,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    discard(&mut *db.conn().await?, caller.scope(), *id).await.map_err(problem_of)?;
    Ok(HttpResponse::NoContent().finish())
}

/// Give a webhook a new secret
///
/// For a while deliveries carry both signatures, so that a receiver can change over. Scope: `webhooks:manage`.
#[utoipa::path(
    tag = "webhooks",
    params(("id" = Uuid, Path, description = "The webhook.")),
    request_body = RotationIn,
    responses((status = 201, description = "The webhook, with its new secret.", body = WithSecretView)),
)]
#[post("/v1/webhooks/{id}/secrets")]
async fn rotate_webhook_secret(
    caller: Caller<needs::WebhooksManage>,
    id: Path<Uuid>,
    body: Body<RotationIn>,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    let (scope, Body(RotationIn { overlap_s })) = (caller.scope(), body);
    if overlap_s > OVERLAP_S_MAX {
        return Err(Problem::of(&codes::INVALID_FIELD).at("/overlap_s").detail("0 to 2592000 seconds"));
    }
    let made = HookSecret::new(secret().map_err(|error| Problem::of(&codes::INTERNAL).because(error))?);
    let hook = rotate(&mut *db.conn().await?, scope, *id, (&made, overlap_s)).await.map_err(problem_of)?;
    Ok(HttpResponse::Created().json(WithSecretView { secret: made.reveal(), webhook: hook.into() }))
}

/// What a change that was not made is over HTTP.
pub(super) fn problem_of(error: KeepError) -> Problem {
    match error {
        KeepError::Unknown => Problem::of(&WEBHOOK_UNKNOWN),
        KeepError::TooMany => Problem::of(&WEBHOOKS_TOO_MANY).with("max", HOOKS_PER_PROGRAM_MAX),
        KeepError::Db(error) => error.into(),
    }
}

fn read_url(url: &UrlText, rules: &HookRules) -> Result<String, Problem> {
    let wants = |wants: &str| Problem::of(&URL_REFUSED).at("/url").detail(format!("it has to be {wants}"));
    HookUrl::parse(url.as_str(), rules.reach).map(|url| url.to_string()).map_err(wants)
}

fn read_events(events: Vec<EventText>, rules: &HookRules) -> Result<Vec<String>, Problem> {
    let bad = |place: String, wants: &str| Err(Problem::of(&codes::INVALID_FIELD).at(place).detail(wants));
    if events.len() > HOOK_EVENTS_MAX {
        return bad("/events".to_owned(), "at most 100 types of events");
    }
    for (place, event) in events.iter().enumerate() {
        if !rules.events.contains(&event.as_str()) {
            return bad(
                format!("/events/{place}"),
                "one of the types of events under `webhooks` in the API's document",
            );
        }
    }
    Ok(events.into_iter().map(Text::into_string).collect())
}
