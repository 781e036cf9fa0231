//! `/v1/checkout/quotes`, `/v1/orders` and their returns.

use std::sync::Arc;

use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get, post};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::kernel::id::{MemberId, PostingId, Seq};
use crate::kernel::money::{Currency, Money};
use crate::loyalty::checkout::cart::CartError;
use crate::loyalty::checkout::claim_order::ClaimOrder;
use crate::loyalty::checkout::door::{Door, DoorError, HOPS_MAX};
use crate::loyalty::checkout::error::{
    CART_INVALID, CURRENCY_MISMATCH, ClaimRefusal, DISCOUNT_DIFFERS, DISCOUNT_EXCEEDS_LINE, DISCOUNT_STACK_CONFLICT,
    DUPLICATE_LINE, DiscountRefusal, GIFT_CARD_EXCEEDS_ORDER, HoldRefusal, LINES_DO_NOT_SUM, ORDER_CLAIMED,
    ORDER_IN_FUTURE, ORDER_NOT_A_GUESTS, ORDER_TOO_OLD, ORDER_UNKNOWN, OrderRefusal, POINTS_EXCEED_ORDER,
    QUOTE_TOO_OLD, RETURN_EXCEEDS_PURCHASE, RETURN_INVALID, ReturnRefusal, TOO_MANY_LINES,
};
use crate::loyalty::checkout::holds::http::{hold_problem, spend_problem};
use crate::loyalty::checkout::order_in::{BadOrder, OrderIn, REFERENCE_WANTS, is_reference};
use crate::loyalty::checkout::receipt::{OrderReceipt, ReturnReceipt};
use crate::loyalty::checkout::return_in::ReturnIn;
use crate::loyalty::checkout::return_order::ReturnOrder;
use crate::loyalty::checkout::returns::ReturnError;
use crate::loyalty::checkout::settle::OrderedAt;
use crate::loyalty::ledger::error::{LedgerRefusal, MEMBER_UNKNOWN, WALLET_UNKNOWN};
use crate::loyalty::ledger::http::{
    PreviewQuery, problem_of, problem_of_load, problem_of_post, problem_of_timeline, receipt_response, room,
};
use crate::loyalty::ledger::post::Ledger;
use crate::loyalty::ledger::posting::{AccountTime, Reference, RequestHash, Target};
use crate::loyalty::ledger::queue::PostError;
use crate::loyalty::membership::error::MergeRefusal;
use crate::loyalty::membership::http::bad_field;
use crate::loyalty::membership::identities::Identities;
use crate::loyalty::membership::merges::http::{merge_problem, previewed};
use crate::loyalty::membership::merges::receipt::MergeReceipt;
use crate::loyalty::membership::profile_in::{MemberRefIn, Named};
use crate::loyalty::membership::store::{find_owner, find_reference};
use crate::loyalty::statement::store::find_posting;
use crate::platform::auth::{Caller, needs};
use crate::platform::db::Db;
use crate::platform::entropy::uuid_v7;
use crate::platform::web::body::{Body, Unread};
use crate::platform::web::codes;
use crate::platform::web::problem::Problem;
use crate::platform::web::query::Query;

/// Registers the room's calls.
pub fn configure(config: &mut ServiceConfig) {
    config.service(settle_order).service(quote_order).service(get_order).service(return_order).service(claim_order);
}

/// What an order would earn
///
/// The same decision as `POST /v1/orders`, on the balances of this moment; nothing is stored. It also says with how many
/// points the order could be paid. Scope: `orders:write`.
#[utoipa::path(
    tag = "orders",
    request_body = OrderIn,
    responses((status = 200, description = "What settling it now would answer, without a posting.", body = OrderReceipt)),
)]
#[post("/v1/checkout/quotes")]
async fn quote_order(
    caller: Caller<needs::OrdersWrite>,
    body: Body<OrderIn>,
    db: Data<Db>,
    ledger: Data<Ledger>,
    identities: Data<Identities>,
) -> Result<HttpResponse, Problem> {
    let Body(sent) = body;
    let door = Door { scope: caller.scope(), db: &db, ledger: &ledger, identities: &identities };
    let mut order = door.read(&sent).await.map_err(door_problem)?;
    // A quote of an order that was settled is a quote, not its receipt.
    order.named = Reference::keyed("quote", &uuid_v7().to_string());
    order.quoted = true;
    let (known, ordered) = (matches!(order.target, Target::Member(_)), order.ordered);
    let quoted = ledger.preview(caller.scope(), order).await;
    let quoted = quoted.map_err(|e| problem_of_post(e, |refusal| order_problem(refusal, ordered)))?;
    Ok(HttpResponse::Ok().json(OrderReceipt {
        posting: None,
        member: quoted.receipt.member.filter(|_| known),
        ..quoted.receipt
    }))
}

/// Settle an order
///
/// Points paid, points earned and orders counted, in one durable commit. Repeating the call answers the same receipt.
/// Scope: `orders:write`.
#[utoipa::path(
    tag = "orders",
    request_body = OrderIn,
    responses(
        (status = 201, description = "The receipt.", body = OrderReceipt, links(
            ("order" = (operation_id = "get_order", parameters(("reference" = "$response.body#/reference")))),
            ("returns" = (operation_id = "return_order", parameters(("reference" = "$response.body#/reference")))),
            ("why" = (operation_id = "get_why", parameters(("id" = "$response.body#/posting")))),
            ("balances" = (operation_id = "get_balances", parameters(("id" = "$response.body#/member")))),
        )),
        (status = 200, description = "The receipt of the first time; with Idempotency-Replayed.", body = OrderReceipt),
    ),
)]
#[post("/v1/orders")]
async fn settle_order(
    caller: Caller<needs::OrdersWrite>,
    body: Unread<OrderIn>,
    db: Data<Db>,
    ledger: Data<Ledger>,
    identities: Data<Identities>,
) -> Result<HttpResponse, Problem> {
    room(&ledger)?;
    let sent = body.read()?;
    let door = Door { scope: caller.scope(), db: &db, ledger: &ledger, identities: &identities };
    let mut order = door.read(&sent).await.map_err(door_problem)?;
    for _ in 0..HOPS_MAX {
        // Only who was named by an identity can have moved.
        let (retry, ordered) = (order.identity.is_some().then(|| order.clone()), order.ordered);
        match ledger.post(caller.scope(), order).await {
            Ok(posted) => return Ok(receipt_response(&posted)),
            Err(PostError::Refused(OrderRefusal::Ledger(LedgerRefusal::MemberMoved))) => {
                let retry = retry.ok_or_else(|| problem_of(LedgerRefusal::MemberMoved))?;
                order = door.aim_again(retry).await.map_err(door_problem)?;
            }
            Err(error) => return Err(problem_of_post(error, |refusal| order_problem(refusal, ordered))),
        }
    }
    Err(problem_of(LedgerRefusal::MemberMoved))
}

/// The receipt of an order
///
/// Scope: `orders:read`.
#[utoipa::path(
    tag = "orders",
    params(("reference" = String, Path, description = "The order's reference.")),
    responses((status = 200, description = "The receipt.", body = OrderReceipt)),
)]
#[get("/v1/orders/{reference}")]
async fn get_order(
    caller: Caller<needs::OrdersRead>,
    reference: Path<String>,
    db: Data<Db>,
    ledger: Data<Ledger>,
) -> Result<HttpResponse, Problem> {
    let unknown = || Problem::of(&ORDER_UNKNOWN);
    if !is_reference(&reference) {
        return Err(unknown());
    }
    let (conn, scope) = (db.conn().await?, caller.scope());
    let found = find_reference(&conn, scope, Reference::order(&reference).as_str()).await?;
    let (member, seq) = found.ok_or_else(unknown)?;
    let posting = PostingId { member, seq: Seq(seq) };
    let row = find_posting(&conn, scope, posting, ledger.lanes()).await.map_err(problem_of_load)?;
    let row = row.ok_or_else(unknown)?;
    Ok(HttpResponse::Ok().insert_header((CONTENT_TYPE, "application/json")).body(row.document))
}

/// Return an order, in part or in full
///
/// Points paid go back to the lots they came from, what was earned is taken back as the programme's policy says. With
/// `preview=true` the same answer, and nothing is done. Repeating the call answers the same receipt.
/// Scope: `orders:write`.
#[utoipa::path(
    tag = "orders",
    params(("reference" = String, Path, description = "The order's reference."), PreviewQuery),
    request_body = ReturnIn,
    responses(
        (status = 201, description = "The receipt.", body = ReturnReceipt),
        (status = 200, description = "A preview, or the receipt of the first time with Idempotency-Replayed.",
            body = ReturnReceipt),
    ),
)]
#[post("/v1/orders/{reference}/returns")]
async fn return_order(
    caller: Caller<needs::OrdersWrite>,
    order: Path<String>,
    query: Query<PreviewQuery>,
    body: Body<ReturnIn>,
    db: Data<Db>,
    ledger: Data<Ledger>,
) -> Result<HttpResponse, Problem> {
    let (Body(sent), scope) = (body, caller.scope());
    let unknown = || Problem::of(&ORDER_UNKNOWN);
    if !is_reference(&sent.reference) {
        return Err(Problem::of(&codes::INVALID_FIELD).at("/reference").detail(REFERENCE_WANTS));
    }
    if !is_reference(&order) {
        return Err(unknown());
    }
    let (found, book) = {
        let conn = db.conn().await?;
        let found = find_reference(&conn, scope, Reference::order(&order).as_str()).await?;
        let timeline = ledger.timelines().at_least(&conn, scope.program(), 0).await.map_err(problem_of_timeline)?;
        (found, Arc::clone(timeline.newest()))
    };
    let (member, _) = found.ok_or_else(unknown)?;
    let request = sent.request(book.currency).map_err(|bad| bad_field(bad, ""))?;
    let hash = RequestHash::of(&(&*order, &sent));
    let (order, time) = (order.into_inner(), AccountTime::Live);
    let posting = ReturnOrder { reference: sent.reference, order, hash, member, request, time };
    let problem = |refusal| return_problem(refusal, book.currency);
    if query.0.preview {
        let quoted = ledger.preview(scope, posting).await.map_err(|e| problem_of_post(e, problem))?;
        let posting = quoted.receipt.posting.filter(|_| quoted.replayed);
        return Ok(HttpResponse::Ok().json(ReturnReceipt { posting, ..quoted.receipt }));
    }
    let posted = ledger.post(scope, posting).await.map_err(|e| problem_of_post(e, problem))?;
    Ok(receipt_response(&posted))
}

/// Whose a guest's order is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewClaim)]
struct ClaimIn {
    /// Who placed it.
    member: MemberRefIn,
}

/// Claim a guest's order for a member
///
/// What the order earned comes over to the member, and the order counts as the member's: a merge of the guest's account.
/// With `preview=true` the same answer, and nothing is done. Repeating the call answers the same receipt.
/// Scope: `orders:write`.
#[utoipa::path(
    tag = "orders",
    params(("reference" = String, Path, description = "The order's reference."), PreviewQuery),
    request_body = ClaimIn,
    responses(
        (status = 201, description = "The receipt.", body = MergeReceipt),
        (status = 200, description = "A preview, or the receipt of the first time with Idempotency-Replayed.",
            body = MergeReceipt),
    ),
)]
#[post("/v1/orders/{reference}/claims")]
async fn claim_order(
    caller: Caller<needs::OrdersWrite>,
    order: Path<String>,
    query: Query<PreviewQuery>,
    body: Body<ClaimIn>,
    db: Data<Db>,
    ledger: Data<Ledger>,
) -> Result<HttpResponse, Problem> {
    let (Body(sent), scope) = (body, caller.scope());
    let named = sent.member.read(scope.program()).map_err(|bad| bad_field(bad, "/member"))?;
    if !is_reference(&order) {
        return Err(Problem::of(&ORDER_UNKNOWN));
    }
    let conn = db.conn().await?;
    let guest = find_reference(&conn, scope, Reference::order(&order).as_str()).await?;
    let (guest, _) = guest.ok_or_else(|| Problem::of(&ORDER_UNKNOWN))?;
    let (identity, member) = match named {
        Named::Id(member) => (None, Some(MemberId(member))),
        Named::By(identity) => {
            let owner = find_owner(&conn, scope, &identity).await?;
            (Some(identity), owner)
        }
    };
    drop(conn);
    let member = member.ok_or_else(|| Problem::of(&MEMBER_UNKNOWN).at("/member"))?;
    // By whatever name: the same member's claim is the same claim.
    let hash = RequestHash::of(&(&*order, member));
    let claim = ClaimOrder { order: order.into_inner(), hash, guest, member, identity };
    if query.0.preview {
        let seen = ledger.preview(scope, claim).await.map_err(claim_failed)?;
        return Ok(HttpResponse::Ok().json(previewed(seen.receipt, seen.replayed)));
    }
    Ok(receipt_response(&ledger.post(scope, claim).await.map_err(claim_failed)?))
}

fn claim_failed(error: PostError<ClaimRefusal>) -> Problem {
    match error {
        // An order is claimed once, so another claim of it is another member's.
        PostError::Conflict => Problem::of(&ORDER_CLAIMED),
        error => problem_of_post(error, |refusal| match refusal {
            ClaimRefusal::OrderUnknown => Problem::of(&ORDER_UNKNOWN),
            ClaimRefusal::NotAGuests => Problem::of(&ORDER_NOT_A_GUESTS),
            ClaimRefusal::Claimed(into) => Problem::of(&ORDER_CLAIMED).with("merged_into", into.to_string()),
            ClaimRefusal::Merge(MergeRefusal::Ledger(refusal @ LedgerRefusal::OtherUnknown)) => {
                problem_of(refusal).at("/member")
            }
            ClaimRefusal::Merge(refusal) => merge_problem(refusal, "/member"),
        }),
    }
}

/// What an order that did not become a command is over HTTP.
pub fn door_problem(error: DoorError) -> Problem {
    match error {
        DoorError::Bad(bad) => order_in_problem(bad),
        DoorError::Db(error) => error.into(),
        DoorError::Timeline(error) => problem_of_timeline(error),
    }
}

/// What an order is over HTTP that cannot be read.
pub fn order_in_problem(bad: BadOrder) -> Problem {
    match bad {
        BadOrder::Field(bad) => bad_field(bad, ""),
        BadOrder::Currency(currency) => {
            Problem::of(&CURRENCY_MISMATCH).at("/currency").with("currency", currency.code())
        }
    }
}

/// What a refused order is over HTTP.
pub fn order_problem(refusal: OrderRefusal, ordered: OrderedAt) -> Problem {
    let says = refusal.to_string();
    let when = if matches!(ordered, OrderedAt::On(_)) { "/ordered_on" } else { "/ordered_at" };
    match refusal {
        OrderRefusal::Cart(error) => cart_problem(error).detail(says).at(error.pointer()),
        OrderRefusal::WalletUnknown => Problem::of(&WALLET_UNKNOWN).at("/points/wallet"),
        OrderRefusal::Spend(error) => spend_problem(error).at("/points/spend"),
        OrderRefusal::TooOld => Problem::of(&ORDER_TOO_OLD).at(when),
        OrderRefusal::TooFarAhead => Problem::of(&ORDER_IN_FUTURE).at(when),
        OrderRefusal::Hold(HoldRefusal::PointsUnsaid) => hold_problem(HoldRefusal::PointsUnsaid).at("/points"),
        OrderRefusal::Hold(refusal) => hold_problem(refusal).at("/hold"),
        OrderRefusal::Discount(refusal) => discount_problem(*refusal).detail(says),
        OrderRefusal::Ledger(
            refusal @ (LedgerRefusal::InsufficientPoints { .. } | LedgerRefusal::HoldExceeded { .. }),
        ) => problem_of(refusal).at("/points/spend"),
        OrderRefusal::Ledger(LedgerRefusal::MemberUnknown) => problem_of(LedgerRefusal::MemberUnknown).at("/member"),
        OrderRefusal::Ledger(refusal) => problem_of(refusal),
    }
}

/// What a discount is over HTTP that a quote would not give.
pub fn discount_problem(refusal: DiscountRefusal) -> Problem {
    match refusal {
        DiscountRefusal::QuoteTooOld { valid_with, decides } => {
            let problem = Problem::of(&QUOTE_TOO_OLD).at("/valid_with");
            problem.with("valid_with", valid_with.0).with("program_version", decides.0)
        }
        DiscountRefusal::Twice { at, other, .. } => {
            let other = format!("/discounts/{other}");
            Problem::of(&DISCOUNT_STACK_CONFLICT).at(format!("/discounts/{at}")).with("other", other)
        }
        DiscountRefusal::Differs { at, stated, ours, reason, detail, better, .. } => {
            let problem = Problem::of(&DISCOUNT_DIFFERS).at(format!("/discounts/{at}"));
            let problem = problem.with("stated", stated.0.to_string()).with("ours", ours.0.to_string());
            let words = [("reason", reason.map(str::to_owned)), ("condition", detail), ("better", better)];
            words.into_iter().fold(problem, |problem, (name, word)| match word {
                Some(word) => problem.with(name, word),
                None => problem,
            })
        }
    }
}

/// What a cart is over HTTP that is wrong.
pub fn cart_problem(error: CartError) -> Problem {
    match error {
        CartError::DuplicateLine { .. } => Problem::of(&DUPLICATE_LINE),
        CartError::TooManyLines | CartError::TooManyDiscounts => Problem::of(&TOO_MANY_LINES),
        CartError::DiscountExceedsLine { .. } => Problem::of(&DISCOUNT_EXCEEDS_LINE),
        CartError::PointsExceedProducts { .. } => Problem::of(&POINTS_EXCEED_ORDER),
        CartError::GiftCardExceedsOrder { .. } => Problem::of(&GIFT_CARD_EXCEEDS_ORDER),
        CartError::LinesDoNotSum { .. } => Problem::of(&LINES_DO_NOT_SUM),
        CartError::NoLines
        | CartError::Quantity { .. }
        | CartError::TaxRate { .. }
        | CartError::TaxExceedsLine { .. }
        | CartError::TaxUnexpected { .. }
        | CartError::DiscountOnUnknownLine { .. }
        | CartError::SumTooLarge => Problem::of(&CART_INVALID),
    }
}

fn return_problem(refusal: ReturnRefusal, currency: Currency) -> Problem {
    let says = refusal.to_string();
    match refusal {
        ReturnRefusal::OrderUnknown => Problem::of(&ORDER_UNKNOWN),
        ReturnRefusal::Ledger(refusal) => problem_of(refusal),
        ReturnRefusal::Return(error) => {
            let problem = match error {
                ReturnError::MoreThanLeft { asked, left, .. } => {
                    Problem::of(&RETURN_EXCEEDS_PURCHASE).with("asked", asked).with("left", left)
                }
                ReturnError::AmountBeyondLine { asked, left, .. } | ReturnError::AmountBeyondOrder { asked, left } => {
                    let text = |money: Money| money.to_decimal(currency).to_string();
                    Problem::of(&RETURN_EXCEEDS_PURCHASE).with("asked", text(asked)).with("left", text(left))
                }
                ReturnError::Nothing { .. } => Problem::of(&RETURN_EXCEEDS_PURCHASE),
                ReturnError::NotOneOfThree
                | ReturnError::NotOneOfTwo { .. }
                | ReturnError::UnknownLine { .. }
                | ReturnError::LineTwice { .. }
                | ReturnError::AmountOfFreeLine { .. } => Problem::of(&RETURN_INVALID),
            };
            problem.detail(says).at(error.pointer())
        }
    }
}
