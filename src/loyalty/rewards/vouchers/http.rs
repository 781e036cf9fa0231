//! `/v1/vouchers/{code}`, by which a storefront uses vouchers, and the vouchers of a member.

use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, delete, get, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::kernel::id::MemberId;
use crate::kernel::page::Page;
use crate::kernel::scope::ProgramScope;
use crate::loyalty::ledger::http::{REPLAYED, problem_of, problem_of_load, problem_of_post, receipt_response};
use crate::loyalty::ledger::post::Ledger;
use crate::loyalty::ledger::posting::{PostingRow, Reference};
use crate::loyalty::membership::store::with_merged;
use crate::loyalty::rewards::code::VoucherCode;
use crate::loyalty::rewards::error::{
    VOUCHER_CANCELLED, VOUCHER_EXPIRED, VOUCHER_NOT_USED, VOUCHER_UNKNOWN, VOUCHER_USED, VoucherRefusal,
};
use crate::loyalty::rewards::store::{Place, find_voucher, list_vouchers};
use crate::loyalty::rewards::vouchers::cancel::CancelVoucher;
use crate::loyalty::rewards::vouchers::look::LookAtVoucher;
use crate::loyalty::rewards::vouchers::receipt::{CancellationReceipt, ReversalReceipt, UseReceipt, VoucherView};
use crate::loyalty::rewards::vouchers::reverse_use::ReverseUse;
use crate::loyalty::rewards::vouchers::story::VoucherStory;
use crate::loyalty::rewards::vouchers::use_voucher::UseVoucher;
use crate::loyalty::statement::http::account_of;
use crate::loyalty::statement::language::{Asked, tag_of};
use crate::platform::auth::session::SignedIn;
use crate::platform::auth::{Caller, needs};
use crate::platform::db::Db;
use crate::platform::entropy::uuid_v7;
use crate::platform::web::body::Body;
use crate::platform::web::codes;
use crate::platform::web::idempotency::IdempotencyKey;
use crate::platform::web::paging::{Cursor, Limit};
use crate::platform::web::problem::Problem;
use crate::platform::web::query::Query;

/// Registers the room's calls.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(list_member_vouchers)
        .service(list_my_vouchers)
        .service(get_voucher)
        .service(use_voucher)
        .service(reverse_use)
        .service(cancel_voucher);
}

/// Which page of a list of vouchers.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct VouchersQuery {
    /// How many items the page has.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(inline, nullable = false)]
    cursor: Option<VouchersPlace>,
    /// In which language rewards are called, a tag; absent: the member's, or the programme's.
    #[param(inline, nullable = false)]
    language: Option<Asked>,
}

type VouchersPlace = Cursor<Place>;

/// In which language a reward is called.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct VoucherQuery {
    /// A language tag; absent: the programme's.
    #[param(inline, nullable = false)]
    language: Option<Asked>,
}

/// A page of a member's vouchers.
#[derive(Serialize, ToSchema)]
#[schema(as = VoucherPage)]
struct VoucherPageView {
    /// The vouchers, newest first.
    items: Vec<VoucherView>,
    /// What to send as `cursor` for the next page; null on the last.
    next_cursor: Option<String>,
}

/// What a voucher is used for.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewVoucherUse, example = json!({ "used_for": "1001" }))]
struct UseIn {
    /// The storefront's name for it: the order's reference, or that of what was handed out.
    #[schema(pattern = "^[A-Za-z0-9._:~-]{1,64}$")]
    used_for: String,
}

/// Vouchers of a member
///
/// Newest first, with those of members who were merged into this one. Scope: `rewards:read`.
#[utoipa::path(
    tag = "rewards",
    params(("id" = Uuid, Path, description = "The member."), VouchersQuery),
    responses((status = 200, description = "A page of vouchers.", body = VoucherPageView)),
)]
#[get("/v1/members/{id}/vouchers")]
async fn list_member_vouchers(
    caller: Caller<needs::RewardsRead>,
    id: Path<Uuid>,
    query: Query<VouchersQuery>,
    db: Data<Db>,
    ledger: Data<Ledger>,
) -> Result<Json<VoucherPageView>, Problem> {
    vouchers_of((caller.scope(), MemberId(*id)), query.0, &db, &ledger).await
}

/// Vouchers of the member who is signed in
///
/// Newest first: what was redeemed, and whether it can still be used.
#[utoipa::path(
    tag = "me",
    security(("member_token" = [])),
    params(VouchersQuery),
    responses((status = 200, description = "A page of vouchers.", body = VoucherPageView)),
)]
#[get("/v1/me/vouchers")]
async fn list_my_vouchers(
    caller: SignedIn,
    query: Query<VouchersQuery>,
    db: Data<Db>,
    ledger: Data<Ledger>,
) -> Result<Json<VoucherPageView>, Problem> {
    vouchers_of((caller.scope(), caller.member()), query.0, &db, &ledger).await
}

async fn vouchers_of(
    (scope, mut member): (&ProgramScope, MemberId),
    VouchersQuery { limit, cursor, language }: VouchersQuery,
    db: &Db,
    ledger: &Ledger,
) -> Result<Json<VoucherPageView>, Problem> {
    let conn = db.conn().await?;
    let (found, timeline) = loop {
        let (found, timeline) = account_of(&conn, scope, ledger, member).await?;
        // A chain of merges ends: nothing is merged into one that was merged.
        let Some(alias) = found.account.alias else { break (found, timeline) };
        member = alias.into;
    };
    let lanes = ledger.lanes();
    let members = if found.account.branches.0 > 1 { with_merged(&conn, member, lanes).await? } else { vec![member] };
    let before = cursor.map(|Cursor(place)| place);
    let listed = list_vouchers(&conn, scope, (&members, before), limit.and_one(), lanes).await;
    let (redeemed, after) = listed.map_err(problem_of_load)?;
    let place = |row: &PostingRow| Cursor((row.recorded_at, row.member.0, row.seq.0)).to_string();
    let Page { items, next_cursor } = Page::of(redeemed, limit.get(), place);
    let tag = tag_of(language, found.locale.as_deref(), &timeline.at(found.at).language);
    let rows: Vec<&PostingRow> = items.iter().chain(&after).collect();
    let stories = items.iter().filter_map(|row| VoucherStory::read(&row.reference, &rows));
    Ok(Json(VoucherPageView { items: stories.map(|s| s.view(&timeline, found.at, &tag)).collect(), next_cursor }))
}

/// A voucher by its code
///
/// In capitals or not, with or without blanks and dashes. Scope: `rewards:read`.
#[utoipa::path(
    tag = "rewards",
    params(("code" = String, Path, description = "The voucher's code."), VoucherQuery),
    responses((status = 200, description = "The voucher.", body = VoucherView)),
)]
#[get("/v1/vouchers/{code}")]
async fn get_voucher(
    caller: Caller<needs::RewardsRead>,
    code: Path<String>,
    query: Query<VoucherQuery>,
    db: Data<Db>,
    ledger: Data<Ledger>,
) -> Result<Json<VoucherView>, Problem> {
    let scope = caller.scope();
    let (member, redemption) = known(&db, scope, &code).await?;
    let named = Reference::keyed("look", &uuid_v7().to_string());
    let language = query.0.language.map(|Asked(tag)| tag);
    let looked = ledger.preview(scope, LookAtVoucher { named, redemption, member, language }).await;
    Ok(Json(looked.map_err(|error| problem_of_post(error, voucher_problem))?.receipt))
}

/// Use a voucher
///
/// For an order, or for something that is handed out. It can be used once; repeating the call with the same `used_for`
/// answers the same receipt. Scope: `rewards:write`.
#[utoipa::path(
    tag = "rewards",
    params(("code" = String, Path, description = "The voucher's code.")),
    request_body = UseIn,
    responses(
        (status = 201, description = "The use.", body = UseReceipt),
        (status = 200, description = "It was used for that before; with Idempotency-Replayed.", body = UseReceipt),
    ),
)]
#[post("/v1/vouchers/{code}/uses")]
async fn use_voucher(
    caller: Caller<needs::RewardsWrite>,
    code: Path<String>,
    body: Body<UseIn>,
    db: Data<Db>,
    ledger: Data<Ledger>,
) -> Result<HttpResponse, Problem> {
    let wants = "1 to 64 of A-Z a-z 0-9 . _ : ~ -";
    let named = IdempotencyKey::parse(&body.0.used_for);
    let used_for = named.ok_or_else(|| Problem::of(&codes::INVALID_FIELD).at("/used_for").detail(wants))?.to_string();
    let (member, redemption) = known(&db, caller.scope(), &code).await?;
    let posted = ledger.post(caller.scope(), UseVoucher { redemption, member, used_for }).await;
    Ok(receipt_response(&posted.map_err(|error| problem_of_post(error, voucher_problem))?))
}

/// Take a use of a voucher back
///
/// The order was not placed after all, or came back: the voucher can be used again, for something else, until its last day.
/// Repeating the call answers the same receipt. Scope: `rewards:write`.
#[utoipa::path(
    tag = "rewards",
    params(
        ("code" = String, Path, description = "The voucher's code."),
        ("used_for" = String, Path, description = "For what it was used."),
    ),
    responses((status = 200, description = "The receipt; with Idempotency-Replayed when it was taken back before.",
        body = ReversalReceipt)),
)]
#[delete("/v1/vouchers/{code}/uses/{used_for}")]
async fn reverse_use(
    caller: Caller<needs::RewardsWrite>,
    path: Path<(String, String)>,
    db: Data<Db>,
    ledger: Data<Ledger>,
) -> Result<HttpResponse, Problem> {
    let (code, used_for) = path.into_inner();
    let (member, redemption) = known(&db, caller.scope(), &code).await?;
    if IdempotencyKey::parse(&used_for).is_none() {
        return Err(voucher_problem(VoucherRefusal::NotUsed));
    }
    let posted = ledger.post(caller.scope(), ReverseUse { redemption, member, used_for }).await;
    let posted = posted.map_err(|error| problem_of_post(error, voucher_problem))?;
    let mut response = HttpResponse::Ok();
    if posted.replayed {
        response.insert_header((REPLAYED, "true"));
    }
    Ok(response.insert_header((CONTENT_TYPE, "application/json")).body(posted.document))
}

/// Cancel a voucher
///
/// Gives the reward back, as long as it was not used and is not over: the points go back to where they came from, with the
/// days on which they end, and stock and limit are as if it had not been redeemed. Repeating the call answers the same
/// receipt. Scope: `rewards:write`.
#[utoipa::path(
    tag = "rewards",
    params(("code" = String, Path, description = "The voucher's code.")),
    responses(
        (status = 201, description = "The cancellation.", body = CancellationReceipt),
        (status = 200, description = "It had been cancelled before; with Idempotency-Replayed.",
            body = CancellationReceipt),
    ),
)]
#[post("/v1/vouchers/{code}/cancellations")]
async fn cancel_voucher(
    caller: Caller<needs::RewardsWrite>,
    code: Path<String>,
    db: Data<Db>,
    ledger: Data<Ledger>,
) -> Result<HttpResponse, Problem> {
    let (member, redemption) = known(&db, caller.scope(), &code).await?;
    let posted = ledger.post(caller.scope(), CancelVoucher { redemption, member }).await;
    Ok(receipt_response(&posted.map_err(|error| problem_of_post(error, voucher_problem))?))
}

async fn known(db: &Db, scope: &ProgramScope, entered: &str) -> Result<(MemberId, Reference), Problem> {
    let unknown = || voucher_problem(VoucherRefusal::Unknown);
    let code = VoucherCode::read(entered).ok_or_else(unknown)?;
    let found = find_voucher(&*db.conn().await?, scope, &code).await?;
    found.ok_or_else(|| if code.is_misspelt() { unknown().detail("the code is misspelt") } else { unknown() })
}

fn voucher_problem(refusal: VoucherRefusal) -> Problem {
    let says = refusal.to_string();
    match refusal {
        VoucherRefusal::Unknown => Problem::of(&VOUCHER_UNKNOWN),
        VoucherRefusal::Used(used_for) => Problem::of(&VOUCHER_USED).detail(says).with("used_for", used_for),
        VoucherRefusal::NotUsed => Problem::of(&VOUCHER_NOT_USED),
        VoucherRefusal::Cancelled => Problem::of(&VOUCHER_CANCELLED),
        VoucherRefusal::Expired(last) => {
            Problem::of(&VOUCHER_EXPIRED).detail(says).with("expires_on", last.to_string())
        }
        VoucherRefusal::Ledger(refusal) => problem_of(refusal),
    }
}
