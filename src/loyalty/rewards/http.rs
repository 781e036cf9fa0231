//! `/v1/members/{id}/rewards` and `/redemptions`, and the same of the member who is signed in.

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, get, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::kernel::id::MemberId;
use crate::kernel::scope::ProgramScope;
use crate::loyalty::ledger::error::INSUFFICIENT_POINTS;
use crate::loyalty::ledger::http::{problem_of, problem_of_post, receipt_response, room};
use crate::loyalty::ledger::post::Ledger;
use crate::loyalty::ledger::posting::{Reference, RequestHash};
use crate::loyalty::program::reason::Reason;
use crate::loyalty::rewards::code::VoucherCode;
use crate::loyalty::rewards::error::{OUT_OF_STOCK, REWARD_LIMIT, REWARD_UNAVAILABLE, REWARD_UNKNOWN, RewardRefusal};
use crate::loyalty::rewards::look::LookAtRewards;
use crate::loyalty::rewards::receipt::{RedemptionReceipt, RewardsView};
use crate::loyalty::rewards::redeem::RedeemReward;
use crate::loyalty::rewards::vouchers;
use crate::loyalty::rewards::vouchers::story::redemption_reference;
use crate::loyalty::statement::language::Asked;
use crate::platform::auth::session::SignedIn;
use crate::platform::auth::{Caller, needs};
use crate::platform::entropy::{random, uuid_v7};
use crate::platform::web::body::Unread;
use crate::platform::web::codes;
use crate::platform::web::idempotency::IdempotencyKey;
use crate::platform::web::problem::Problem;
use crate::platform::web::query::Query;

/// Registers the room's calls.
pub fn configure(config: &mut ServiceConfig) {
    vouchers::http::configure(config);
    config.service(list_rewards).service(list_my_rewards).service(create_redemption).service(create_my_redemption);
}

/// In which language rewards are called.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LanguageQuery {
    /// A language tag; absent: the member's, or the programme's.
    #[param(inline, nullable = false)]
    pub language: Option<Asked>,
}

/// A reward to redeem.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRedemption, example = json!({ "reward": "five_off" }))]
struct RedemptionIn {
    /// The reward's code.
    #[schema(pattern = "^[a-z][a-z0-9_]{0,39}$")]
    reward: String,
}

/// Rewards for a member
///
/// Each reward of the programme: what it costs the member, whether the member can have it now, and if not why, and what is
/// missing. Right at the moment of the answer. Scope: `rewards:read`.
#[utoipa::path(
    tag = "rewards",
    params(("id" = Uuid, Path, description = "The member."), LanguageQuery),
    responses((status = 200, description = "Reward by reward.", body = RewardsView)),
)]
#[get("/v1/members/{id}/rewards")]
async fn list_rewards(
    caller: Caller<needs::RewardsRead>,
    id: Path<Uuid>,
    query: Query<LanguageQuery>,
    ledger: Data<Ledger>,
) -> Result<Json<RewardsView>, Problem> {
    rewards_for((caller.scope(), MemberId(*id)), query.0, &ledger).await
}

/// Rewards for the member who is signed in
///
/// Each reward of the programme: what it costs, whether it can be had now, and if not why, and what is missing.
#[utoipa::path(
    tag = "me",
    security(("member_token" = [])),
    params(LanguageQuery),
    responses((status = 200, description = "Reward by reward.", body = RewardsView)),
)]
#[get("/v1/me/rewards")]
async fn list_my_rewards(
    caller: SignedIn,
    query: Query<LanguageQuery>,
    ledger: Data<Ledger>,
) -> Result<Json<RewardsView>, Problem> {
    rewards_for((caller.scope(), caller.member()), query.0, &ledger).await
}

async fn rewards_for(
    (scope, member): (&ProgramScope, MemberId),
    LanguageQuery { language }: LanguageQuery,
    ledger: &Ledger,
) -> Result<Json<RewardsView>, Problem> {
    let named = Reference::keyed("look", &uuid_v7().to_string());
    let looked = ledger.preview(scope, LookAtRewards { named, member, language }).await;
    Ok(Json(looked.map_err(|error| problem_of_post(error, reward_problem))?.receipt))
}

/// Redeem a reward for a member
///
/// Needs an `Idempotency-Key`. Takes what the reward costs, soonest-expiring points first, and answers the code of a voucher
/// that can be used once. Repeating the call answers the same voucher. Scope: `rewards:write`.
#[utoipa::path(
    tag = "rewards",
    params(
        ("id" = Uuid, Path, description = "The member."),
        ("Idempotency-Key" = inline(IdempotencyKey), Header, description = "The caller's name for this redemption."),
    ),
    request_body = RedemptionIn,
    responses(
        (status = 201, description = "The redemption, with the voucher's code.", body = RedemptionReceipt),
        (status = 200, description = "It had been redeemed before; with Idempotency-Replayed.", body = RedemptionReceipt),
    ),
)]
#[post("/v1/members/{id}/redemptions")]
async fn create_redemption(
    caller: Caller<needs::RewardsWrite>,
    id: Path<Uuid>,
    key: IdempotencyKey,
    body: Unread<RedemptionIn>,
    ledger: Data<Ledger>,
) -> Result<HttpResponse, Problem> {
    redeem((caller.scope(), MemberId(*id)), &key, body, &ledger).await
}

/// Redeem a reward
///
/// Needs an `Idempotency-Key`. Takes what the reward costs, soonest-expiring points first, and answers the code of a voucher
/// that can be used once. Repeating the call answers the same voucher.
#[utoipa::path(
    tag = "me",
    security(("member_token" = [])),
    params(("Idempotency-Key" = inline(IdempotencyKey), Header, description = "The app's name for this redemption.")),
    request_body = RedemptionIn,
    responses(
        (status = 201, description = "The redemption, with the voucher's code.", body = RedemptionReceipt),
        (status = 200, description = "It had been redeemed before; with Idempotency-Replayed.", body = RedemptionReceipt),
    ),
)]
#[post("/v1/me/redemptions")]
async fn create_my_redemption(
    caller: SignedIn,
    key: IdempotencyKey,
    body: Unread<RedemptionIn>,
    ledger: Data<Ledger>,
) -> Result<HttpResponse, Problem> {
    redeem((caller.scope(), caller.member()), &key, body, &ledger).await
}

async fn redeem(
    (scope, member): (&ProgramScope, MemberId),
    key: &IdempotencyKey,
    body: Unread<RedemptionIn>,
    ledger: &Ledger,
) -> Result<HttpResponse, Problem> {
    room(ledger)?;
    let sent = body.read()?;
    let code = random().map_err(|error| Problem::of(&codes::INTERNAL).because(error))?;
    let redeem = RedeemReward {
        reference: redemption_reference(key.as_str()),
        hash: RequestHash::of(&(member, &sent)),
        member,
        reward: sent.reward,
        code: VoucherCode::made_of(code),
    };
    let posted = ledger.post(scope, redeem).await.map_err(|error| problem_of_post(error, reward_problem))?;
    Ok(receipt_response(&posted))
}

fn reward_problem(refusal: RewardRefusal) -> Problem {
    let says = refusal.to_string();
    match refusal {
        RewardRefusal::Unknown => Problem::of(&REWARD_UNKNOWN).at("/reward"),
        RewardRefusal::Unavailable(Reason::OutOfStock) => Problem::of(&OUT_OF_STOCK),
        RewardRefusal::Unavailable(Reason::LimitReached) => Problem::of(&REWARD_LIMIT),
        RewardRefusal::Unavailable(reason) => {
            Problem::of(&REWARD_UNAVAILABLE).detail(says).with("reason", reason.name())
        }
        RewardRefusal::Points { cost, missing } => {
            let problem = Problem::of(&INSUFFICIENT_POINTS).detail(says).with("asked", cost.get());
            problem.with("spendable", cost.minus_or_zero(missing).get()).with("missing", missing.get())
        }
        RewardRefusal::CodeTaken => Problem::of(&codes::UNAVAILABLE).because("a code that was made is taken"),
        RewardRefusal::Ledger(refusal) => problem_of(refusal),
    }
}
