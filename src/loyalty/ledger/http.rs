//! `/v1/members/{id}/adjustments`, `/suspensions` and `/reinstatements`, `/v1/integrity`, and what the ledger's refusals are over HTTP.

use actix_web::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, get, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::kernel::id::MemberId;
use crate::kernel::points::Points;
use crate::loyalty::ledger::account::Status;
use crate::loyalty::ledger::adjust::{Adjust, Adjusted, Direction};
use crate::loyalty::ledger::error::{
    ALREADY_SUSPENDED, EXHAUSTED, HOLD_EXCEEDED, IDEMPOTENCY_CONFLICT, IDENTITY_TAKEN, INSUFFICIENT_POINTS,
    LedgerRefusal, MEMBER_MOVED, MEMBER_SUSPENDED, MEMBER_UNKNOWN, NOT_SUSPENDED, OUT_OF_ORDER, POINTS_OUT_OF_RANGE,
    QUEUE_FULL, TOO_MANY_HOLDS, TOO_MANY_LOTS, TOO_MANY_MERGES, WALLET_UNKNOWN,
};
use crate::loyalty::ledger::load::LoadError;
use crate::loyalty::ledger::post::Ledger;
use crate::loyalty::ledger::posting::{Reference, RequestHash};
use crate::loyalty::ledger::queue::{PostError, Posted};
use crate::loyalty::ledger::store::list_heads;
use crate::loyalty::ledger::suspend::{StatusChanged, Suspend};
use crate::loyalty::program::timelines::TimelineError;
use crate::platform::auth::{Caller, needs};
use crate::platform::db::Db;
use crate::platform::web::body::Body;
use crate::platform::web::codes;
use crate::platform::web::idempotency::IdempotencyKey;
use crate::platform::web::problem::Problem;
use crate::platform::web::text::Text;

/// The header of an answer that had been given before.
pub const REPLAYED: &str = "Idempotency-Replayed";
/// The longest reason of what a person does to a member, in characters.
const REASON_CHARS_MAX: usize = 500;
/// Why a person does something to a member.
pub type Reason = Text<REASON_CHARS_MAX>;

/// Registers the room's calls.
pub fn configure(config: &mut ServiceConfig) {
    config.service(create_adjustment).service(create_suspension).service(create_reinstatement).service(get_integrity);
}

/// Whether a writer has room. Asked before a body is read: under a load that is more than the writers can do, who is refused
/// costs next to nothing.
///
/// # Errors
/// 503 where none has.
pub fn room(ledger: &Ledger) -> Result<(), Problem> {
    if ledger.lets_in() { Ok(()) } else { Err(queue_full()) }
}

fn queue_full() -> Problem {
    Problem::of(&QUEUE_FULL).header(RETRY_AFTER, HeaderValue::from_static("1"))
}

/// Whether only to look.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PreviewQuery {
    /// Answers what it would do, and does nothing.
    #[serde(default)]
    pub preview: bool,
}

/// An adjustment.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAdjustment)]
struct AdjustmentIn {
    /// The wallet's code.
    #[schema(pattern = "^[a-z][a-z0-9_]{0,39}$")]
    wallet: String,
    /// How many points to add, or, negative, to take; not 0.
    #[schema(minimum = -1_000_000_000_000_000_i64, maximum = 1_000_000_000_000_000_i64)]
    points: i64,
    /// Why. Kept with the posting, not in the audit log.
    reason: Reason,
}

/// Adjust a wallet by hand
///
/// Needs an `Idempotency-Key`. Added points can be spent at once and end as the wallet's points of today do; taken ones
/// go soonest-expiring first. Scope: `adjustments:write`.
#[utoipa::path(
    tag = "members",
    params(
        ("id" = Uuid, Path, description = "The member."),
        ("Idempotency-Key" = inline(IdempotencyKey), Header, description = "The caller's name for this adjustment."),
    ),
    request_body = AdjustmentIn,
    responses(
        (status = 201, description = "The adjustment.", body = Adjusted),
        (status = 200, description = "It had been made before; with Idempotency-Replayed.", body = Adjusted),
    ),
)]
#[post("/v1/members/{id}/adjustments")]
async fn create_adjustment(
    caller: Caller<needs::AdjustmentsWrite>,
    id: Path<Uuid>,
    key: IdempotencyKey,
    body: Body<AdjustmentIn>,
    ledger: Data<Ledger>,
) -> Result<HttpResponse, Problem> {
    let Body(sent) = body;
    let size = sent.points.checked_abs().and_then(|n| Points::try_from(n).ok()).filter(|n| !n.is_zero());
    let points = size.ok_or_else(|| Problem::of(&codes::INVALID_FIELD).at("/points").detail("not 0, at most 10^15"))?;
    let posted = ledger.post(
        caller.scope(),
        Adjust {
            reference: Reference::keyed("adjust", key.as_str()),
            hash: RequestHash::of(&(&*id, &sent)),
            member: MemberId(*id),
            wallet: sent.wallet,
            direction: if sent.points > 0 { Direction::Up } else { Direction::Down },
            points,
            reason: sent.reason.into_string(),
        },
    );
    let posted = posted.await.map_err(|e| problem_of_post(e, adjustment_problem))?;
    Ok(receipt_response(&posted))
}

fn adjustment_problem(refusal: LedgerRefusal) -> Problem {
    let pointer = match &refusal {
        LedgerRefusal::WalletUnknown => Some("/wallet"),
        LedgerRefusal::InsufficientPoints { .. } | LedgerRefusal::TooManyPoints => Some("/points"),
        LedgerRefusal::MemberUnknown
        | LedgerRefusal::OtherUnknown
        | LedgerRefusal::MemberMoved
        | LedgerRefusal::IdentityTaken(_)
        | LedgerRefusal::HoldExceeded { .. }
        | LedgerRefusal::TooManyHolds
        | LedgerRefusal::Suspended
        | LedgerRefusal::AlreadySuspended
        | LedgerRefusal::NotSuspended
        | LedgerRefusal::TooManyLots
        | LedgerRefusal::TooManyMerges
        | LedgerRefusal::OutOfOrder
        | LedgerRefusal::CounterExhausted => None,
    };
    let problem = problem_of(refusal);
    if let Some(pointer) = pointer { problem.at(pointer) } else { problem }
}

/// Why a member is suspended, or reinstated.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSuspension)]
struct SuspensionIn {
    /// Why. Kept with the posting, not in the audit log.
    reason: Reason,
}

/// Suspend a member
///
/// Needs an `Idempotency-Key`. From now on the member earns and spends nothing: orders are settled and say so, points
/// expire as ever, and returns give back. Of somebody who is suspended already it is a 409. Scope: `suspensions:write`.
#[utoipa::path(
    tag = "members",
    params(
        ("id" = Uuid, Path, description = "The member."),
        ("Idempotency-Key" = inline(IdempotencyKey), Header, description = "The caller's name for this suspension."),
    ),
    request_body = SuspensionIn,
    responses(
        (status = 201, description = "The suspension.", body = StatusChanged),
        (status = 200, description = "It had been done before; with Idempotency-Replayed.", body = StatusChanged),
    ),
)]
#[post("/v1/members/{id}/suspensions")]
async fn create_suspension(
    caller: Caller<needs::SuspensionsWrite>,
    id: Path<Uuid>,
    key: IdempotencyKey,
    body: Body<SuspensionIn>,
    ledger: Data<Ledger>,
) -> Result<HttpResponse, Problem> {
    let suspend = suspend(("suspend", Status::Suspended), *id, &key, body.0);
    let posted = ledger.post(caller.scope(), suspend).await.map_err(|e| problem_of_post(e, problem_of))?;
    Ok(receipt_response(&posted))
}

/// Reinstate a member
///
/// Needs an `Idempotency-Key`. Ends a suspension; what was not earned meanwhile stays so. Of somebody who is not
/// suspended it is a 409. Scope: `suspensions:write`.
#[utoipa::path(
    tag = "members",
    params(
        ("id" = Uuid, Path, description = "The member."),
        ("Idempotency-Key" = inline(IdempotencyKey), Header, description = "The caller's name for this reinstatement."),
    ),
    request_body = SuspensionIn,
    responses(
        (status = 201, description = "The reinstatement.", body = StatusChanged),
        (status = 200, description = "It had been done before; with Idempotency-Replayed.", body = StatusChanged),
    ),
)]
#[post("/v1/members/{id}/reinstatements")]
async fn create_reinstatement(
    caller: Caller<needs::SuspensionsWrite>,
    id: Path<Uuid>,
    key: IdempotencyKey,
    body: Body<SuspensionIn>,
    ledger: Data<Ledger>,
) -> Result<HttpResponse, Problem> {
    let reinstate = suspend(("reinstate", Status::Active), *id, &key, body.0);
    let posted = ledger.post(caller.scope(), reinstate).await.map_err(|e| problem_of_post(e, problem_of))?;
    Ok(receipt_response(&posted))
}

fn suspend((name, status): (&str, Status), id: Uuid, key: &IdempotencyKey, sent: SuspensionIn) -> Suspend {
    Suspend {
        reference: Reference::keyed(name, key.as_str()),
        hash: RequestHash::of(&(id, &sent)),
        member: MemberId(id),
        status,
        reason: sent.reason.into_string(),
    }
}

/// How the ledger proves that it is sound.
#[derive(Serialize, ToSchema)]
#[schema(as = Integrity)]
struct IntegrityView {
    /// Whether the process works under a role that cannot rewrite postings and journal. False where the provider of
    /// the database forbids that role.
    append_only_enforced: bool,
    /// The head of each lane's journal. Keep them elsewhere: `perennial verify --heads` compares.
    lanes: Vec<HeadView>,
}

/// The head of a lane's journal.
#[derive(Serialize, ToSchema)]
#[schema(as = LaneHead)]
struct HeadView {
    lane: i16,
    /// Rows in the lane's journal, numbered from 1 without a gap.
    number: i64,
    /// The digest of the last row, over it and all before it: SHA-256 in hex, empty before the first.
    digest: String,
    /// When the last row was written.
    moment: DateTime<Utc>,
}

/// The ledger's proof of soundness
///
/// Heads are the deployment's, over all of its programmes; they tell nothing of anybody. Scope: `integrity:read`.
#[utoipa::path(tag = "operations", responses((status = 200, description = "The heads.", body = IntegrityView)))]
#[get("/v1/integrity")]
async fn get_integrity(_caller: Caller<needs::IntegrityRead>, db: Data<Db>) -> Result<Json<IntegrityView>, Problem> {
    let heads = list_heads(&*db.conn().await?).await?;
    let view = |(lane, number, digest, moment): (i16, i64, Vec<u8>, DateTime<Utc>)| HeadView {
        lane,
        number,
        digest: hex::encode(digest),
        moment,
    };
    let lanes = heads.into_iter().map(view).collect();
    Ok(Json(IntegrityView { append_only_enforced: db.role_enforced(), lanes }))
}

/// A receipt as it is stored: 201, or 200 when it had been given before.
pub fn receipt_response<R>(posted: &Posted<R>) -> HttpResponse {
    let mut response = if posted.replayed { HttpResponse::Ok() } else { HttpResponse::Created() };
    if posted.replayed {
        response.insert_header((REPLAYED, "true"));
    }
    response.insert_header((CONTENT_TYPE, "application/json")).body(posted.document.clone())
}

/// What a command that was not posted is over HTTP; `refused` says what a refusal of the room is.
pub fn problem_of_post<R>(error: PostError<R>, refused: impl FnOnce(R) -> Problem) -> Problem {
    match error {
        PostError::Refused(refusal) => refused(refusal),
        PostError::Conflict => Problem::of(&IDEMPOTENCY_CONFLICT),
        PostError::Busy => queue_full(),
        PostError::Unavailable => Problem::of(&codes::UNAVAILABLE).header(RETRY_AFTER, HeaderValue::from_static("1")),
        PostError::Unreadable(error) => Problem::of(&codes::INTERNAL).because(error),
    }
}

/// What a refusal of the ledger is over HTTP.
pub fn problem_of(refusal: LedgerRefusal) -> Problem {
    let says = refusal.to_string();
    match refusal {
        LedgerRefusal::MemberUnknown | LedgerRefusal::OtherUnknown => Problem::of(&MEMBER_UNKNOWN),
        LedgerRefusal::MemberMoved => Problem::of(&MEMBER_MOVED),
        LedgerRefusal::IdentityTaken(kind) => Problem::of(&IDENTITY_TAKEN).detail(says).at(format!("/{kind}")),
        LedgerRefusal::InsufficientPoints { asked, spendable } => {
            Problem::of(&INSUFFICIENT_POINTS).detail(says).with("asked", asked.get()).with("spendable", spendable.get())
        }
        LedgerRefusal::HoldExceeded { asked, held } => {
            Problem::of(&HOLD_EXCEEDED).detail(says).with("asked", asked.get()).with("held", held.get())
        }
        LedgerRefusal::TooManyHolds => Problem::of(&TOO_MANY_HOLDS),
        LedgerRefusal::Suspended => Problem::of(&MEMBER_SUSPENDED),
        LedgerRefusal::AlreadySuspended => Problem::of(&ALREADY_SUSPENDED),
        LedgerRefusal::NotSuspended => Problem::of(&NOT_SUSPENDED),
        LedgerRefusal::TooManyPoints => Problem::of(&POINTS_OUT_OF_RANGE),
        LedgerRefusal::TooManyLots => Problem::of(&TOO_MANY_LOTS),
        LedgerRefusal::TooManyMerges => Problem::of(&TOO_MANY_MERGES),
        LedgerRefusal::WalletUnknown => Problem::of(&WALLET_UNKNOWN),
        LedgerRefusal::OutOfOrder => Problem::of(&OUT_OF_ORDER),
        LedgerRefusal::CounterExhausted => Problem::of(&EXHAUSTED),
    }
}

/// What a failed read of the ledger is over HTTP.
pub fn problem_of_load(error: LoadError) -> Problem {
    match error {
        LoadError::Query(error) => error.into(),
        LoadError::Row(error) => Problem::of(&codes::INTERNAL).because(error),
    }
}

/// What an unreadable programme is over HTTP.
pub fn problem_of_timeline(error: TimelineError) -> Problem {
    match error {
        TimelineError::Query(error) => error.into(),
        error @ (TimelineError::Unknown | TimelineError::Unreadable(..)) => {
            Problem::of(&codes::INTERNAL).because(error)
        }
    }
}
