//! `/v1/members/{id}/tier-grants`.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, post};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::kernel::id::MemberId;
use crate::loyalty::ledger::http::{Reason, problem_of, problem_of_post, receipt_response};
use crate::loyalty::ledger::post::Ledger;
use crate::loyalty::ledger::posting::{Reference, RequestHash};
use crate::loyalty::membership::error::{NO_GRANT, TIER_UNKNOWN};
use crate::loyalty::membership::grants::grant_tier::{GrantRefusal, GrantTier, TierGranted};
use crate::platform::auth::{Caller, needs};
use crate::platform::web::body::Body;
use crate::platform::web::codes;
use crate::platform::web::idempotency::IdempotencyKey;
use crate::platform::web::problem::Problem;

/// Registers the room's calls.
pub fn configure(config: &mut ServiceConfig) {
    config.service(create_tier_grant);
}

/// A tier that a person gives.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewTierGrant, example = json!({ "tier": "gold", "until": "2027-12-31", "reason": "a founder" }))]
struct GrantIn {
    /// Its code; null: what was given ends.
    #[schema(nullable, pattern = "^[a-z][a-z0-9_]{0,39}$")]
    tier: Option<String>,
    /// Its last programme-local day; absent: until a person ends it.
    #[serde(default)]
    until: Option<NaiveDate>,
    /// Why. Kept with the posting, not in the audit log.
    reason: Reason,
}

/// Give a tier
///
/// Needs an `Idempotency-Key`. The member is in the higher one of what is given and what is earned, which goes on beside
/// it. What was given before ends; with `null` nothing is given from now on. Scope: `tiers:write`.
#[utoipa::path(
    tag = "members",
    params(
        ("id" = Uuid, Path, description = "The member."),
        ("Idempotency-Key" = inline(IdempotencyKey), Header, description = "The caller's name for this grant."),
    ),
    request_body = GrantIn,
    responses(
        (status = 201, description = "The grant.", body = TierGranted),
        (status = 200, description = "It had been made before; with Idempotency-Replayed.", body = TierGranted),
    ),
)]
#[post("/v1/members/{id}/tier-grants")]
async fn create_tier_grant(
    caller: Caller<needs::TiersWrite>,
    id: Path<Uuid>,
    key: IdempotencyKey,
    body: Body<GrantIn>,
    ledger: Data<Ledger>,
) -> Result<HttpResponse, Problem> {
    let Body(sent) = body;
    let grant = GrantTier {
        reference: Reference::keyed("grant", key.as_str()),
        hash: RequestHash::of(&(&*id, &sent)),
        member: MemberId(*id),
        tier: sent.tier,
        until: sent.until,
        reason: sent.reason.into_string(),
    };
    let posted = ledger.post(caller.scope(), grant).await.map_err(|e| problem_of_post(e, grant_problem))?;
    Ok(receipt_response(&posted))
}

fn grant_problem(refusal: GrantRefusal) -> Problem {
    let says = refusal.to_string();
    match refusal {
        GrantRefusal::Ledger(refusal) => problem_of(refusal),
        GrantRefusal::TierUnknown => Problem::of(&TIER_UNKNOWN).at("/tier"),
        GrantRefusal::Over(today) => {
            Problem::of(&codes::INVALID_FIELD).at("/until").detail(says).with("today", today.to_string())
        }
        GrantRefusal::NothingGiven => Problem::of(&NO_GRANT).at("/tier"),
    }
}
