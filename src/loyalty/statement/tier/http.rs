//! `/v1/members/{id}/tier`.

use actix_web::get;
use actix_web::web::{Data, Json, Path};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::kernel::id::MemberId;
use crate::kernel::points::Points;
use crate::kernel::scope::ProgramScope;
use crate::loyalty::ledger::http::problem_of;
use crate::loyalty::ledger::post::Ledger;
use crate::loyalty::ledger::tier_receipt::{GivenReceipt, HeldReceipt, StandingReceipt};
use crate::loyalty::statement::balance::present;
use crate::loyalty::statement::http::{stored_account, timeline_of};
use crate::loyalty::statement::reader::AccountReader;
use crate::loyalty::statement::tier::stands::{NextTier, Stands, TierFigure};
use crate::platform::auth::session::SignedIn;
use crate::platform::auth::{Caller, needs};
use crate::platform::db::Db;
use crate::platform::web::problem::Problem;

/// Registers the room's calls.
pub fn configure(config: &mut ServiceConfig) {
    config.service(get_tier).service(get_my_tier);
}

/// The tier that a member is in, and what it takes to keep it and to rise.
#[derive(Serialize, ToSchema)]
#[schema(as = MemberTier)]
struct TierView {
    /// The moment of the answer.
    as_of: DateTime<Utc>,
    /// The tier that the member is in: the higher one of the two below; null: none.
    tier: Option<String>,
    /// What was earned.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    earned: Option<HeldReceipt>,
    /// What a person gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    given: Option<GivenReceipt>,
    /// The wallet whose balance earns tiers; null: the programme has none.
    wallet: Option<String>,
    /// What lies in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    balance: Option<TierFigure>,
    /// The next tier; absent: there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next: Option<NextTier>,
    /// What keeps the tier that was earned; absent: nothing has to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    keep: Option<KeepView>,
}

/// What keeps a tier.
#[derive(Serialize, ToSchema)]
#[schema(as = KeepTier)]
struct KeepView {
    /// The last programme-local day on which it counts.
    by: NaiveDate,
    /// What is missing, as the balance is now: what will have left it by then is still in it.
    missing: TierFigure,
}

/// Tier of a member
///
/// The tier, what the next one asks for, and what keeps this one. Right at the moment of the answer, whether or not a job
/// has run. Scope: `members:read`.
#[utoipa::path(
    tag = "members",
    params(("id" = Uuid, Path, description = "The member.")),
    responses((status = 200, description = "Where the member stands.", body = TierView)),
)]
#[get("/v1/members/{id}/tier")]
async fn get_tier(
    caller: Caller<needs::MembersRead>,
    id: Path<Uuid>,
    db: Data<Db>,
    ledger: Data<Ledger>,
    accounts: Data<AccountReader>,
) -> Result<Json<TierView>, Problem> {
    tier_of((caller.scope(), MemberId(*id)), &db, &ledger, &accounts).await
}

/// Tier of the member who is signed in
///
/// The tier, what the next one asks for, and what keeps this one.
#[utoipa::path(
    tag = "me",
    security(("member_token" = [])),
    responses((status = 200, description = "Where the member stands.", body = TierView)),
)]
#[get("/v1/me/tier")]
async fn get_my_tier(
    caller: SignedIn,
    db: Data<Db>,
    ledger: Data<Ledger>,
    accounts: Data<AccountReader>,
) -> Result<Json<TierView>, Problem> {
    tier_of((caller.scope(), caller.member()), &db, &ledger, &accounts).await
}

async fn tier_of(
    (scope, member): (&ProgramScope, MemberId),
    db: &Db,
    ledger: &Ledger,
    accounts: &AccountReader,
) -> Result<Json<TierView>, Problem> {
    let seen = stored_account(accounts, scope, member).await?;
    let timeline = timeline_of(db, ledger, &seen).await?;
    let (now, book) = (seen.at, timeline.at(seen.at));
    let account = present(seen.account, &timeline, now).map_err(problem_of)?;
    let Some(ladder) = &book.tiers else {
        let (tier, earned, given, wallet) = (None, None, None, None);
        return Ok(Json(TierView { as_of: now, tier, earned, given, wallet, balance: None, next: None, keep: None }));
    };
    let stands = Stands::of(&account, ladder);
    let known = StandingReceipt::of(account.member, &account.standing, &timeline);
    let (earned, given) = known.map_or((None, None), |known| (known.earned, known.given));
    let figure = |points: Points| TierFigure::of(points, ladder, book);
    Ok(Json(TierView {
        as_of: now,
        tier: stands.tier.map(|tier| tier.code.clone()),
        earned,
        given,
        wallet: book.wallet_in(ladder.wallet).map(|wallet| wallet.code.clone()),
        balance: Some(figure(stands.balance)),
        next: stands.next_tier(ladder, book),
        keep: stands.keep.map(|(missing, by)| KeepView { by, missing: figure(missing) }),
    }))
}
