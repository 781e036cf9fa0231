//! `/v1/members/{id}/balances` and `/statement`.

use std::sync::Arc;

use actix_web::get;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use actix_web::web::{Data, Json, Path};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::kernel::id::{MemberId, Seq};
use crate::kernel::page::Page;
use crate::kernel::scope::ProgramScope;
use crate::loyalty::ledger::account::Account;
use crate::loyalty::ledger::error::{MEMBER_UNKNOWN, QUEUE_FULL};
use crate::loyalty::ledger::http::{problem_of, problem_of_load, problem_of_timeline};
use crate::loyalty::ledger::post::Ledger;
use crate::loyalty::program::model::{Rulebook, Timeline};
use crate::loyalty::statement::balance::{balances, present};
use crate::loyalty::statement::language::{Asked, Language, tag_of};
use crate::loyalty::statement::line::{StatementLineView, line_view};
use crate::loyalty::statement::reader::{AccountReader, ReadError, Seen};
use crate::loyalty::statement::store::{Found, find_account, list_postings};
use crate::loyalty::statement::wallet_view::{WalletView, wallet_view};
use crate::platform::auth::session::SignedIn;
use crate::platform::auth::{Caller, needs};
use crate::platform::db::{Conn, Db};
use crate::platform::web::codes;
use crate::platform::web::paging::{Cursor, Limit};
use crate::platform::web::problem::Problem;
use crate::platform::web::query::Query;

/// Registers the room's calls.
pub fn configure(config: &mut ServiceConfig) {
    config.service(get_balances).service(list_statement).service(get_my_balances).service(list_my_statement);
}

/// What a member has.
#[derive(Serialize, ToSchema)]
#[schema(as = Balances)]
struct BalancesView {
    /// When this was true.
    as_of: DateTime<Utc>,
    /// What all money is in.
    currency: String,
    /// The tier that the member is in; absent: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    tier: Option<String>,
    wallets: Vec<WalletView>,
}

/// Balances of a member
///
/// Right at the moment of the answer, whether or not a job has run. Of a member that was merged: those of who goes on.
/// Scope: `members:read`.
#[utoipa::path(
    tag = "members",
    params(("id" = Uuid, Path, description = "The member.")),
    responses((status = 200, description = "What the member has in each wallet.", body = BalancesView)),
)]
#[get("/v1/members/{id}/balances")]
async fn get_balances(
    caller: Caller<needs::MembersRead>,
    id: Path<Uuid>,
    db: Data<Db>,
    ledger: Data<Ledger>,
    accounts: Data<AccountReader>,
) -> Result<Json<BalancesView>, Problem> {
    balances_of((caller.scope(), MemberId(*id)), &db, &ledger, &accounts).await
}

/// Balances of the member who is signed in
///
/// What can be spent, what waits, is held and expires on which day. Right at the moment of the answer.
#[utoipa::path(
    tag = "me",
    security(("member_token" = [])),
    responses((status = 200, description = "What the member has in each wallet.", body = BalancesView)),
)]
#[get("/v1/me/balances")]
async fn get_my_balances(
    caller: SignedIn,
    db: Data<Db>,
    ledger: Data<Ledger>,
    accounts: Data<AccountReader>,
) -> Result<Json<BalancesView>, Problem> {
    balances_of((caller.scope(), caller.member()), &db, &ledger, &accounts).await
}

async fn balances_of(
    (scope, member): (&ProgramScope, MemberId),
    db: &Db,
    ledger: &Ledger,
    accounts: &AccountReader,
) -> Result<Json<BalancesView>, Problem> {
    let Present { at, timeline, account } = present_of((scope, member), db, ledger, accounts).await?;
    let book = timeline.at(at);
    let tier = account.tier(book).and_then(|slot| timeline.tier_code(slot)).map(str::to_owned);
    let wallets = balances(&account, book).into_iter().map(|b| wallet_view(b, book)).collect();
    Ok(Json(BalancesView { as_of: at, currency: book.currency.code().to_owned(), tier, wallets }))
}

/// What a member has in each wallet, and when that was true.
///
/// # Errors
/// The programme has no such member, or the database fails.
pub async fn wallets_of(
    whose: (&ProgramScope, MemberId),
    db: &Db,
    ledger: &Ledger,
    accounts: &AccountReader,
) -> Result<(DateTime<Utc>, Vec<WalletView>), Problem> {
    let Present { at, timeline, account } = present_of(whose, db, ledger, accounts).await?;
    let book = timeline.at(at);
    Ok((at, balances(&account, book).into_iter().map(|b| wallet_view(b, book)).collect()))
}

/// An account as it is at a moment.
struct Present {
    at: DateTime<Utc>,
    timeline: Arc<Timeline>,
    account: Account,
}

async fn present_of(
    (scope, member): (&ProgramScope, MemberId),
    db: &Db,
    ledger: &Ledger,
    accounts: &AccountReader,
) -> Result<Present, Problem> {
    let seen = stored_account(accounts, scope, member).await?;
    let timeline = timeline_of(db, ledger, &seen).await?;
    let account = present(seen.account, &timeline, seen.at).map_err(problem_of)?;
    Ok(Present { at: seen.at, timeline, account })
}

/// A member's account as it is stored; of a member that was merged, that of who goes on.
pub async fn stored_account(
    accounts: &AccountReader,
    scope: &ProgramScope,
    mut member: MemberId,
) -> Result<Seen, Problem> {
    loop {
        let found = accounts.find_account(scope, member).await.map_err(problem_of_read)?;
        let seen = found.ok_or_else(|| Problem::of(&MEMBER_UNKNOWN))?;
        // A chain of merges ends: nothing is merged into one that was merged.
        let Some(alias) = seen.account.alias else { return Ok(seen) };
        member = alias.into;
    }
}

/// The versions that an account is read by.
pub async fn timeline_of(db: &Db, ledger: &Ledger, seen: &Seen) -> Result<Arc<Timeline>, Problem> {
    let (program, version) = (seen.account.program, seen.version);
    if let Some(known) = ledger.timelines().known(program).filter(|known| known.newest().version >= version) {
        return Ok(known);
    }
    let read = ledger.timelines().at_least(&*db.conn().await?, program, version.0).await;
    read.map_err(problem_of_timeline)
}

fn problem_of_read(error: ReadError) -> Problem {
    let again = |problem: Problem| problem.header(RETRY_AFTER, HeaderValue::from_static("1"));
    match error {
        ReadError::Busy => again(Problem::of(&QUEUE_FULL)),
        ReadError::Unavailable => again(Problem::of(&codes::UNAVAILABLE)),
        ReadError::Row(bad) => problem_of_load(bad.into()),
    }
}

/// Which page of a statement.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct StatementQuery {
    /// How many items the page has.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(inline, nullable = false)]
    cursor: Option<StatementPlace>,
    /// In which language it is told: `en`, `nl` or `de`; absent: in the member's, or the programme's.
    #[param(inline, nullable = false)]
    language: Option<Asked>,
}

type StatementPlace = Cursor<i64>;

/// A page of a statement.
#[derive(Serialize, ToSchema)]
#[schema(as = StatementPage)]
struct StatementPageView {
    items: Vec<StatementLineView>,
    /// In which language it is told.
    language: &'static str,
    /// What to send as `cursor` for the next page; null on the last.
    next_cursor: Option<String>,
}

/// Statement of a member
///
/// Every posting, newest first. What is due by itself but not posted yet shows in the balances already.
/// Scope: `members:read`.
#[utoipa::path(
    tag = "members",
    params(("id" = Uuid, Path, description = "The member."), StatementQuery),
    responses((status = 200, description = "A page of postings.", body = StatementPageView)),
)]
#[get("/v1/members/{id}/statement")]
async fn list_statement(
    caller: Caller<needs::MembersRead>,
    id: Path<Uuid>,
    query: Query<StatementQuery>,
    db: Data<Db>,
    ledger: Data<Ledger>,
) -> Result<Json<StatementPageView>, Problem> {
    statement_of((caller.scope(), MemberId(*id)), query.0, &db, &ledger).await
}

/// Statement of the member who is signed in
///
/// Everything that happened to the points, newest first, each in a sentence.
#[utoipa::path(
    tag = "me",
    security(("member_token" = [])),
    params(StatementQuery),
    responses((status = 200, description = "A page of postings.", body = StatementPageView)),
)]
#[get("/v1/me/statement")]
async fn list_my_statement(
    caller: SignedIn,
    query: Query<StatementQuery>,
    db: Data<Db>,
    accounts: Data<AccountReader>,
    ledger: Data<Ledger>,
) -> Result<Json<StatementPageView>, Problem> {
    let member = stored_account(&accounts, caller.scope(), caller.member()).await?.account.member;
    statement_of((caller.scope(), member), query.0, &db, &ledger).await
}

async fn statement_of(
    (scope, member): (&ProgramScope, MemberId),
    StatementQuery { limit, cursor, language }: StatementQuery,
    db: &Db,
    ledger: &Ledger,
) -> Result<Json<StatementPageView>, Problem> {
    let conn = db.conn().await?;
    let (found, timeline) = account_of(&conn, scope, ledger, member).await?;
    let language = spoken(language, &found, timeline.newest());
    let before = cursor.map_or(i64::MAX, |Cursor(seq)| seq);
    let rows = list_postings(&conn, scope, (member, Seq(before)), limit.and_one(), ledger.lanes()).await;
    let page = Page::of(rows.map_err(problem_of_load)?, limit.get(), |row| Cursor(row.seq.0).to_string());
    let Page { items, next_cursor } = page.map(|row| line_view(&row, timeline.newest(), language));
    Ok(Json(StatementPageView { items, language: language.tag(), next_cursor }))
}

/// The language that is asked for, the member's, or the programme's.
fn spoken(asked: Option<Asked>, found: &Found, book: &Rulebook) -> Language {
    Language::of(&tag_of(asked, found.locale.as_deref(), &book.language))
}

/// The member's account, and the versions that it is read by.
///
/// # Errors
/// The programme has no such member, or the database fails.
pub async fn account_of(
    conn: &Conn,
    scope: &ProgramScope,
    ledger: &Ledger,
    member: MemberId,
) -> Result<(Found, Arc<Timeline>), Problem> {
    let found = find_account(conn, scope, member, ledger.lanes()).await.map_err(problem_of_load)?;
    let found = found.ok_or_else(|| Problem::of(&MEMBER_UNKNOWN))?;
    let timeline = ledger.timelines().at_least(conn, scope.program(), found.version.0).await;
    Ok((found, timeline.map_err(problem_of_timeline)?))
}
