//! `/v1/events`.

use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use chrono::{DateTime, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::loyalty::ledger::error::MEMBER_UNKNOWN;
use crate::loyalty::ledger::http::{problem_of, problem_of_post, receipt_response, room};
use crate::loyalty::ledger::post::Ledger;
use crate::loyalty::ledger::posting::{AccountTime, Reference, RequestHash};
use crate::loyalty::membership::attributes_in::{stated, stated_schema};
use crate::loyalty::membership::error::EVENT_UNKNOWN;
use crate::loyalty::membership::events::send_event::{EventReceipt, EventRefusal, SendEvent};
use crate::loyalty::membership::http::{bad_field, newest};
use crate::loyalty::membership::profile_in::MemberRefIn;
use crate::loyalty::membership::store::find_named;
use crate::platform::auth::{Caller, needs};
use crate::platform::db::Db;
use crate::platform::web::body::Unread;
use crate::platform::web::codes;
use crate::platform::web::idempotency::IdempotencyKey;
use crate::platform::web::problem::Problem;
use crate::platform::web::text::Text;

/// Registers the room's calls.
pub fn configure(config: &mut ServiceConfig) {
    config.service(create_event);
}

/// Something that happened outside of a checkout.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewEvent, example = json!({
    "member": { "external_id": "c-17" }, "event": "review_written", "attributes": { "stars": 5 }
}))]
struct EventIn {
    /// Whose it is.
    member: MemberRefIn,
    /// What happened: a name that the programme has a rule for, or declares attributes of.
    event: Text<100>,
    /// When; absent: now.
    occurred_at: Option<DateTime<Utc>>,
    /// What the storefront says of it besides.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schema(schema_with = stated_schema)]
    attributes: Map<String, Value>,
}

/// Tell of an event
///
/// Needs an `Idempotency-Key`. What the rules of the programme award for it, in one durable commit. Repeating the call
/// answers the same receipt. Scope: `events:write`.
#[utoipa::path(
    tag = "members",
    params(("Idempotency-Key" = inline(IdempotencyKey), Header, description = "The caller's name for this event.")),
    request_body = EventIn,
    responses(
        (status = 201, description = "The receipt.", body = EventReceipt),
        (status = 200, description = "The receipt of the first time; with Idempotency-Replayed.", body = EventReceipt),
    ),
)]
#[post("/v1/events")]
async fn create_event(
    caller: Caller<needs::EventsWrite>,
    key: IdempotencyKey,
    body: Unread<EventIn>,
    db: Data<Db>,
    ledger: Data<Ledger>,
) -> Result<HttpResponse, Problem> {
    room(&ledger)?;
    let (sent, scope) = (body.read()?, caller.scope());
    let hash = RequestHash::of(&sent);
    let timeline = newest(&db, &ledger, scope).await?;
    let (book, name) = (timeline.newest(), sent.event.as_str());
    let nothing = Default::default();
    let declared = book.declared.event.get(name).unwrap_or(&nothing);
    let attributes = stated(&sent.attributes, declared, "/attributes").map_err(|bad| bad_field(bad, ""))?;
    let named = sent.member.clone().read(scope.program()).map_err(|bad| bad_field(bad, "/member"))?;
    let reference = Reference::keyed("event", key.as_str());
    let found = find_named(&*db.conn().await?, scope, named, &reference).await?;
    let (identity, member) = found.ok_or_else(|| Problem::of(&MEMBER_UNKNOWN).at("/member"))?;
    let event = SendEvent {
        reference,
        hash,
        member,
        identity,
        name: name.to_owned(),
        // Postgres keeps microseconds.
        occurred_at: sent.occurred_at.map(|at| at.trunc_subsecs(6)),
        attributes,
        time: AccountTime::Live,
        by_itself: false,
    };
    let posted = ledger.post(scope, event).await.map_err(|e| problem_of_post(e, event_problem))?;
    Ok(receipt_response(&posted))
}

fn event_problem(refusal: EventRefusal) -> Problem {
    let says = refusal.to_string();
    match refusal {
        EventRefusal::Ledger(refusal) => problem_of(refusal),
        EventRefusal::Unknown => Problem::of(&EVENT_UNKNOWN).at("/event"),
        EventRefusal::TooFarAhead | EventRefusal::TooOld => {
            Problem::of(&codes::INVALID_FIELD).at("/occurred_at").detail(says)
        }
    }
}
