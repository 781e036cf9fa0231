//! `/v1/members/{id}/transfers`, and the same of the member who is signed in.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::kernel::id::MemberId;
use crate::kernel::points::Points;
use crate::kernel::scope::ProgramScope;
use crate::loyalty::ledger::error::{LedgerRefusal, MEMBER_UNKNOWN};
use crate::loyalty::ledger::http::{problem_of, problem_of_post, receipt_response};
use crate::loyalty::ledger::post::Ledger;
use crate::loyalty::ledger::posting::{Reference, RequestHash};
use crate::loyalty::membership::error::{
    MEMBER_IN_DEBT, SAME_MEMBER, TRANSFER_LIMIT, TRANSFER_NOT_ALLOWED, TransferRefusal,
};
use crate::loyalty::membership::http::bad_field;
use crate::loyalty::membership::profile_in::MemberRefIn;
use crate::loyalty::membership::store::find_named;
use crate::loyalty::membership::transfer::{TransferPoints, TransferReceipt};
use crate::platform::auth::session::SignedIn;
use crate::platform::auth::{Caller, needs};
use crate::platform::db::Db;
use crate::platform::web::body::Body;
use crate::platform::web::codes;
use crate::platform::web::idempotency::IdempotencyKey;
use crate::platform::web::problem::Problem;

/// Registers the calls.
pub fn configure(config: &mut ServiceConfig) {
    config.service(create_transfer).service(create_my_transfer);
}

/// Points to give to another member.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewTransfer)]
struct TransferIn {
    /// Who gets them.
    to: MemberRefIn,
    /// The wallet's code.
    #[schema(pattern = "^[a-z][a-z0-9_]{0,39}$")]
    wallet: String,
    /// How many.
    #[schema(minimum = 1, maximum = 1_000_000_000_000_000_i64)]
    points: i64,
}

/// Give points to another member
///
/// Needs an `Idempotency-Key`. As far as the wallet's `transfer` in the programme lets members give; soonest-expiring
/// points go first, and keep the days on which they end. Scope: `transfers:write`.
#[utoipa::path(
    tag = "members",
    params(
        ("id" = Uuid, Path, description = "Who gives."),
        ("Idempotency-Key" = inline(IdempotencyKey), Header, description = "The caller's name for this transfer."),
    ),
    request_body = TransferIn,
    responses(
        (status = 201, description = "The receipt.", body = TransferReceipt),
        (status = 200, description = "The receipt of the first time; with Idempotency-Replayed.", body = TransferReceipt),
    ),
)]
#[post("/v1/members/{id}/transfers")]
async fn create_transfer(
    caller: Caller<needs::TransfersWrite>,
    id: Path<Uuid>,
    key: IdempotencyKey,
    body: Body<TransferIn>,
    db: Data<Db>,
    ledger: Data<Ledger>,
) -> Result<HttpResponse, Problem> {
    transfer((caller.scope(), MemberId(*id)), &key, body.0, (&db, &ledger)).await
}

/// Give points to another member, as who is signed in
///
/// Needs an `Idempotency-Key`. As far as the wallet's `transfer` in the programme lets members give; soonest-expiring
/// points go first, and keep the days on which they end.
#[utoipa::path(
    tag = "me",
    security(("member_token" = [])),
    params(("Idempotency-Key" = inline(IdempotencyKey), Header, description = "The app's name for this transfer.")),
    request_body = TransferIn,
    responses(
        (status = 201, description = "The receipt.", body = TransferReceipt),
        (status = 200, description = "The receipt of the first time; with Idempotency-Replayed.", body = TransferReceipt),
    ),
)]
#[post("/v1/me/transfers")]
async fn create_my_transfer(
    caller: SignedIn,
    key: IdempotencyKey,
    body: Body<TransferIn>,
    db: Data<Db>,
    ledger: Data<Ledger>,
) -> Result<HttpResponse, Problem> {
    transfer((caller.scope(), caller.member()), &key, body.0, (&db, &ledger)).await
}

async fn transfer(
    (scope, from): (&ProgramScope, MemberId),
    key: &IdempotencyKey,
    sent: TransferIn,
    (db, ledger): (&Db, &Ledger),
) -> Result<HttpResponse, Problem> {
    let points = Points::try_from(sent.points).ok().filter(|points| !points.is_zero());
    let wants = || Problem::of(&codes::INVALID_FIELD).at("/points").detail("1 to 10^15 points");
    let points = points.ok_or_else(wants)?;
    let named = sent.to.clone().read(scope.program()).map_err(|bad| bad_field(bad, "/to"))?;
    let reference = Reference::keyed("transfer", key.as_str());
    let found = find_named(&*db.conn().await?, scope, named, &reference.other_side()).await?;
    let (identity, to) = found.ok_or_else(|| Problem::of(&MEMBER_UNKNOWN).at("/to"))?;
    let hash = RequestHash::of(&(from, &sent));
    let posted =
        ledger.post(scope, TransferPoints { reference, hash, from, to, identity, wallet: sent.wallet, points });
    let posted = posted.await.map_err(|e| problem_of_post(e, transfer_refused))?;
    Ok(receipt_response(&posted))
}

fn transfer_refused(refusal: TransferRefusal) -> Problem {
    let says = refusal.to_string();
    match refusal {
        TransferRefusal::NotAllowed => Problem::of(&TRANSFER_NOT_ALLOWED).at("/wallet"),
        TransferRefusal::Limit { asked, left } => {
            let problem = Problem::of(&TRANSFER_LIMIT).at("/points").detail(says);
            problem.with("asked", asked.get()).with("left", left.get())
        }
        TransferRefusal::Same => Problem::of(&SAME_MEMBER).at("/to"),
        TransferRefusal::InDebt => Problem::of(&MEMBER_IN_DEBT),
        TransferRefusal::Ledger(refusal) => {
            let pointer = match &refusal {
                LedgerRefusal::OtherUnknown => Some("/to"),
                LedgerRefusal::WalletUnknown => Some("/wallet"),
                LedgerRefusal::InsufficientPoints { .. } => Some("/points"),
                LedgerRefusal::MemberUnknown
                | LedgerRefusal::MemberMoved
                | LedgerRefusal::IdentityTaken(_)
                | LedgerRefusal::HoldExceeded { .. }
                | LedgerRefusal::TooManyHolds
                | LedgerRefusal::Suspended
                | LedgerRefusal::AlreadySuspended
                | LedgerRefusal::NotSuspended
                | LedgerRefusal::TooManyPoints
                | LedgerRefusal::TooManyLots
                | LedgerRefusal::TooManyMerges
                | LedgerRefusal::OutOfOrder
                | LedgerRefusal::CounterExhausted => None,
            };
            let problem = problem_of(refusal);
            if let Some(pointer) = pointer { problem.at(pointer) } else { problem }
        }
    }
}
