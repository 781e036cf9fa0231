//! `/v1/checkout/holds`: put points and discounts aside, look, release.

use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, delete, get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::kernel::id::MemberId;
use crate::kernel::points::Points;
use crate::kernel::scope::ProgramScope;
use crate::loyalty::checkout::door::{Door, HOPS_MAX};
use crate::loyalty::checkout::error::{
    HOLD_CAPTURED, HOLD_EMPTY, HOLD_ENDED, HOLD_RELEASED, HOLD_UNKNOWN, HoldRefusal, POINTS_BELOW_MINIMUM,
    POINTS_NOT_IN_STEPS, POINTS_SHARE_EXCEEDED,
};
use crate::loyalty::checkout::holds::held_order_in::HeldOrderIn;
use crate::loyalty::checkout::holds::look::LookAtHold;
use crate::loyalty::checkout::holds::open_hold::{HOLD_MAX_S, HOLD_S, OpenHold};
use crate::loyalty::checkout::holds::receipt::{HeldReceipt, HoldView, ReleaseReceipt};
use crate::loyalty::checkout::holds::release::ReleaseHold;
use crate::loyalty::checkout::holds::story::hold_reference;
use crate::loyalty::checkout::http::{cart_problem, discount_problem, door_problem, order_in_problem};
use crate::loyalty::checkout::order_in::{REFERENCE_WANTS, is_reference};
use crate::loyalty::checkout::spend::SpendError;
use crate::loyalty::ledger::error::{LedgerRefusal, MEMBER_UNKNOWN, WALLET_UNKNOWN};
use crate::loyalty::ledger::http::{REPLAYED, problem_of, problem_of_post, receipt_response, room};
use crate::loyalty::ledger::post::Ledger;
use crate::loyalty::ledger::posting::{Reference, RequestHash};
use crate::loyalty::ledger::queue::PostError;
use crate::loyalty::membership::http::bad_field;
use crate::loyalty::membership::identities::Identities;
use crate::loyalty::membership::profile_in::{MemberRefIn, Named};
use crate::loyalty::membership::store::find_reference;
use crate::platform::auth::{Caller, needs};
use crate::platform::db::Db;
use crate::platform::entropy::uuid_v7;
use crate::platform::web::body::Unread;
use crate::platform::web::codes;
use crate::platform::web::problem::Problem;

/// Registers the calls.
pub fn configure(config: &mut ServiceConfig) {
    config.service(create_hold).service(get_hold).service(release_hold);
}

/// Points and discounts to put aside: either, or both.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewHold, example = json!({
    "reference": "cart-77", "member": { "external_id": "c-17" }, "points": { "spend": 2000 }, "lasts_s": 900
}))]
struct HoldIn {
    /// The storefront's name for the hold; unique in the programme.
    #[schema(pattern = r"^[A-Za-z0-9][A-Za-z0-9._:#@+=-]{0,63}$", max_length = 64)]
    reference: String,
    /// Whose points.
    member: MemberRefIn,
    /// Which and how many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable)]
    points: Option<PointsToHoldIn>,
    /// The order whose discounts are kept for it, as a quote took them off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable)]
    order: Option<HeldOrderIn>,
    /// For how long, in seconds.
    #[serde(default = "hold_s")]
    #[schema(minimum = 1, maximum = 86_400, default = 900)]
    lasts_s: i64,
}

/// Points to put aside.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PointsToHold)]
struct PointsToHoldIn {
    /// The wallet; absent: the programme's first.
    #[serde(default)]
    #[schema(pattern = "^[a-z][a-z0-9_]{0,39}$")]
    wallet: Option<String>,
    /// How many.
    #[schema(minimum = 1, maximum = 1_000_000_000_000_000_i64)]
    spend: i64,
}

fn hold_s() -> i64 {
    HOLD_S
}

impl HoldIn {
    /// Its points; none where it is about discounts alone.
    fn check(&self) -> Result<Points, Problem> {
        let bad = |pointer: &'static str, wants: &str| Problem::of(&codes::INVALID_FIELD).at(pointer).detail(wants);
        if !is_reference(&self.reference) {
            return Err(bad("/reference", REFERENCE_WANTS));
        }
        if !(1..=HOLD_MAX_S).contains(&self.lasts_s) {
            return Err(bad("/lasts_s", "1 to 86400 seconds"));
        }
        let Some(sent) = &self.points else { return Ok(Points::ZERO) };
        let points = Points::try_from(sent.spend).ok().filter(|points| !points.is_zero());
        points.ok_or_else(|| bad("/points/spend", "1 to 10^15 points"))
    }
}

/// Put points and discounts aside for a checkout
///
/// The points cannot be spent otherwise, nor expire, until an order takes them (`hold` in the order), they are released, or
/// the time is over. An order may still take them after that, as long as they are where they went back to. Each discount of
/// the programme that `order` names is verified as an order's is, counts as used, and comes off the order that takes the
/// hold while it is open, by the same lines and amounts, whatever has changed meanwhile. Repeating the call answers the
/// same receipt. Scope: `orders:write`.
#[utoipa::path(
    tag = "orders",
    request_body = HoldIn,
    responses(
        (status = 201, description = "The receipt.", body = HeldReceipt, links(
            ("hold" = (operation_id = "get_hold", parameters(("reference" = "$response.body#/reference")))),
            ("release" = (operation_id = "release_hold", parameters(("reference" = "$response.body#/reference")))),
        )),
        (status = 200, description = "The receipt of the first time; with Idempotency-Replayed.", body = HeldReceipt),
    ),
)]
#[post("/v1/checkout/holds")]
async fn create_hold(
    caller: Caller<needs::OrdersWrite>,
    body: Unread<HoldIn>,
    db: Data<Db>,
    ledger: Data<Ledger>,
    identities: Data<Identities>,
) -> Result<HttpResponse, Problem> {
    room(&ledger)?;
    let (sent, scope) = (body.read()?, caller.scope());
    let points = sent.check()?;
    let order = match &sent.order {
        Some(order) => {
            let book = Door { scope, db: &db, ledger: &ledger, identities: &identities }.book().await;
            let book = book.map_err(door_problem)?;
            Some(order.read(&book).map_err(|bad| order_in_problem(bad).within("/order"))?)
        }
        None => None,
    };
    let named = sent.member.clone().read(scope.program()).map_err(|bad| bad_field(bad, "/member"))?;
    let hash = RequestHash::of(&sent);
    for hop in 0..HOPS_MAX {
        let (identity, member) = match &named {
            Named::Id(id) => (None, MemberId(*id)),
            Named::By(identity) => {
                let again = hop > 0;
                let found = if again {
                    identities.find_again(&db, scope, identity).await?
                } else {
                    identities.find(&db, scope, identity).await?
                };
                match found {
                    Some(member) => (Some(identity.clone()), member),
                    // What was held before is answered, whoever owns the name now.
                    None => match find_hold(&db, scope, &sent.reference).await? {
                        Some(member) => (None, member),
                        None => return Err(Problem::of(&MEMBER_UNKNOWN).at("/member")),
                    },
                }
            }
        };
        let hold = OpenHold {
            reference: sent.reference.clone(),
            hash,
            member,
            identity,
            wallet: sent.points.as_ref().and_then(|points| points.wallet.clone()),
            points,
            order: order.clone(),
            lasts_s: sent.lasts_s,
        };
        match ledger.post(scope, hold).await {
            Ok(posted) => return Ok(receipt_response(&posted)),
            Err(PostError::Refused(HoldRefusal::Ledger(LedgerRefusal::MemberMoved))) => {}
            Err(error) => return Err(problem_of_post(error, new_hold_problem)),
        }
    }
    Err(problem_of(LedgerRefusal::MemberMoved))
}

/// How a hold stands
///
/// Scope: `orders:read`.
#[utoipa::path(
    tag = "orders",
    params(("reference" = String, Path, description = "The hold's reference.")),
    responses((status = 200, description = "The hold.", body = HoldView)),
)]
#[get("/v1/checkout/holds/{reference}")]
async fn get_hold(
    caller: Caller<needs::OrdersRead>,
    reference: Path<String>,
    db: Data<Db>,
    ledger: Data<Ledger>,
) -> Result<Json<HoldView>, Problem> {
    let scope = caller.scope();
    let (reference, member) = known_hold(&db, scope, reference.into_inner()).await?;
    let named = Reference::keyed("look", &uuid_v7().to_string());
    let looked = ledger.preview(scope, LookAtHold { named, reference, member }).await;
    Ok(Json(looked.map_err(|e| problem_of_post(e, hold_problem))?.receipt))
}

/// Release a hold
///
/// Its points go back to where they came from; what is over by then expires. Repeating the call answers the same receipt.
/// Scope: `orders:write`.
#[utoipa::path(
    tag = "orders",
    params(("reference" = String, Path, description = "The hold's reference.")),
    responses((status = 200, description = "The receipt; with Idempotency-Replayed when it was released before.",
        body = ReleaseReceipt)),
)]
#[delete("/v1/checkout/holds/{reference}")]
async fn release_hold(
    caller: Caller<needs::OrdersWrite>,
    reference: Path<String>,
    db: Data<Db>,
    ledger: Data<Ledger>,
) -> Result<HttpResponse, Problem> {
    let scope = caller.scope();
    let (reference, member) = known_hold(&db, scope, reference.into_inner()).await?;
    let posted = ledger.post(scope, ReleaseHold { reference, member }).await;
    let posted = posted.map_err(|e| problem_of_post(e, hold_problem))?;
    let mut response = HttpResponse::Ok();
    if posted.replayed {
        response.insert_header((REPLAYED, "true"));
    }
    Ok(response.insert_header((CONTENT_TYPE, "application/json")).body(posted.document))
}

async fn known_hold(db: &Db, scope: &ProgramScope, reference: String) -> Result<(String, MemberId), Problem> {
    let unknown = || Problem::of(&HOLD_UNKNOWN);
    if !is_reference(&reference) {
        return Err(unknown());
    }
    let member = find_hold(db, scope, &reference).await?.ok_or_else(unknown)?;
    Ok((reference, member))
}

async fn find_hold(db: &Db, scope: &ProgramScope, reference: &str) -> Result<Option<MemberId>, Problem> {
    let found = find_reference(&*db.conn().await?, scope, hold_reference(reference).as_str()).await?;
    Ok(found.map(|(member, _)| member))
}

/// What a refusal about a hold is over HTTP.
pub fn hold_problem(refusal: HoldRefusal) -> Problem {
    let says = refusal.to_string();
    match refusal {
        HoldRefusal::Unknown => Problem::of(&HOLD_UNKNOWN),
        HoldRefusal::Captured(order) => Problem::of(&HOLD_CAPTURED).detail(says).with("order", order),
        HoldRefusal::Released => Problem::of(&HOLD_RELEASED),
        HoldRefusal::Ended(at) => Problem::of(&HOLD_ENDED).detail(says).with("ended_at", at.to_rfc3339()),
        HoldRefusal::PointsUnsaid => Problem::of(&codes::INVALID_FIELD).detail("how many points the hold pays"),
        HoldRefusal::Nothing => Problem::of(&HOLD_EMPTY),
        HoldRefusal::Cart(error) => cart_problem(error).detail(says).at(error.pointer()).within("/order"),
        HoldRefusal::Discount(refusal) => discount_problem(*refusal).detail(says).within("/order"),
        HoldRefusal::WalletUnknown => Problem::of(&WALLET_UNKNOWN),
        HoldRefusal::Spend(error) => spend_problem(error),
        HoldRefusal::Ledger(refusal) => problem_of(refusal),
    }
}

/// What points are over HTTP with which an order is not paid.
pub fn spend_problem(error: SpendError) -> Problem {
    let problem = match error {
        SpendError::BelowMinimum { min } => Problem::of(&POINTS_BELOW_MINIMUM).with("min", min.get()),
        SpendError::NotInSteps { step, below, above } => {
            let problem = Problem::of(&POINTS_NOT_IN_STEPS).with("step", step.get());
            problem.with("below", below.get()).with("above", above.get())
        }
        SpendError::ShareExceeded { most } => Problem::of(&POINTS_SHARE_EXCEEDED).with("most", most.get()),
    };
    problem.detail(error.to_string())
}

fn new_hold_problem(refusal: HoldRefusal) -> Problem {
    let pointer = match &refusal {
        HoldRefusal::WalletUnknown => Some("/points/wallet"),
        HoldRefusal::Nothing => Some("/points"),
        HoldRefusal::Spend(_) | HoldRefusal::Ledger(LedgerRefusal::InsufficientPoints { .. }) => Some("/points/spend"),
        HoldRefusal::Ledger(LedgerRefusal::MemberUnknown) => Some("/member"),
        HoldRefusal::Ledger(_)
        | HoldRefusal::Cart(_)
        | HoldRefusal::Discount(_)
        | HoldRefusal::PointsUnsaid
        | HoldRefusal::Unknown
        | HoldRefusal::Captured(_)
        | HoldRefusal::Released
        | HoldRefusal::Ended(_) => None,
    };
    let problem = hold_problem(refusal);
    if let Some(pointer) = pointer { problem.at(pointer) } else { problem }
}
