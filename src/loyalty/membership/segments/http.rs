//! `/v1/segments/{code}/members`.

use actix_web::web::{Data, Json, Path};
use actix_web::{get, post};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::kernel::page::Page;
use crate::kernel::scope::ProgramScope;
use crate::loyalty::ledger::error::MEMBER_UNKNOWN;
use crate::loyalty::ledger::http::{problem_of, problem_of_post};
use crate::loyalty::ledger::post::Ledger;
use crate::loyalty::ledger::posting::{Reference, RequestHash};
use crate::loyalty::ledger::queue::PostError;
use crate::loyalty::membership::error::SEGMENT_UNKNOWN;
use crate::loyalty::membership::http::bad_field;
use crate::loyalty::membership::profile_in::MemberRefIn;
use crate::loyalty::membership::segments::change_segment::{ChangeSegment, SegmentRefusal};
use crate::loyalty::membership::segments::store::{Place, find_segment, list_members};
use crate::loyalty::membership::store::find_named;
use crate::platform::auth::{Caller, needs};
use crate::platform::db::Db;
use crate::platform::web::body::Body;
use crate::platform::web::codes;
use crate::platform::web::idempotency::IdempotencyKey;
use crate::platform::web::paging::Limit;
use crate::platform::web::problem::{Problem, ProblemView};
use crate::platform::web::query::Query;

/// The most members that a list is changed by at once.
pub const SEGMENT_CHANGES_MAX: usize = 1_000;
/// How many of them are under way at once.
const UNDER_WAY: usize = 32;

/// Registers the room's calls.
pub fn configure(config: &mut ServiceConfig) {
    config.service(change_segment).service(list_segment);
}

/// Members to put into a list, and to take out of it: 1,000 together at most.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
#[schema(as = SegmentChange, example = json!({ "add": [{ "external_id": "c-17" }], "remove": [{ "email": "a@b.example" }] }))]
struct ChangesIn {
    /// Who is in it from now on.
    #[schema(max_items = 1000)]
    add: Vec<MemberRefIn>,
    /// Who is in it no more.
    #[schema(max_items = 1000)]
    remove: Vec<MemberRefIn>,
}

/// What became of a list.
#[derive(Serialize, ToSchema)]
#[schema(as = SegmentChanges)]
struct ChangesView {
    /// The list's code.
    segment: String,
    /// How many were put into it,
    added: usize,
    /// and taken out of it.
    removed: usize,
    /// For how many it was so already.
    unchanged: usize,
    /// How many were refused.
    refused: usize,
    /// One by one: first those to add, then those to remove.
    results: Vec<ResultView>,
}

/// What became of one member.
#[derive(Serialize, ToSchema)]
#[schema(as = SegmentResult)]
struct ResultView {
    /// Where the member stands in the request.
    pointer: String,
    /// The member, where it is known who that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    member: Option<Uuid>,
    /// What became of it.
    result: ResultName,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = ProblemView, required = false)]
    problem: Option<Value>,
}

/// What became of one member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ResultName {
    /// In the list from now on.
    Added,
    /// In the list no more.
    Removed,
    /// It was so already.
    Unchanged,
    /// Nothing was changed.
    Refused,
}

/// One member's change.
struct Change {
    pointer: String,
    named: MemberRefIn,
    listed: bool,
}

/// Put members into a list and take members out
///
/// Needs an `Idempotency-Key`. Each member is changed on its own: what is refused of one leaves the others, and the call can
/// be sent again. Scope: `segments:write`.
#[utoipa::path(
    tag = "members",
    params(
        ("code" = String, Path, description = "The list's code in the programme."),
        ("Idempotency-Key" = inline(IdempotencyKey), Header, description = "The caller's name for this change."),
    ),
    request_body = ChangesIn,
    responses((status = 200, description = "What became of each.", body = ChangesView)),
)]
#[post("/v1/segments/{code}/members")]
async fn change_segment(
    caller: Caller<needs::SegmentsWrite>,
    code: Path<String>,
    key: IdempotencyKey,
    body: Body<ChangesIn>,
    db: Data<Db>,
    ledger: Data<Ledger>,
) -> Result<Json<ChangesView>, Problem> {
    let (Body(sent), segment) = (body, code.into_inner());
    let all = sent.add.len().saturating_add(sent.remove.len());
    if !(1..=SEGMENT_CHANGES_MAX).contains(&all) {
        let wants = "1 to 1000 members to add and to remove together";
        return Err(Problem::of(&codes::INVALID_FIELD).at("").detail(wants));
    }
    let of = |list: Vec<MemberRefIn>, name: &'static str| {
        let change = move |(i, named)| Change { pointer: format!("/{name}/{i}"), named, listed: name == "add" };
        list.into_iter().enumerate().map(change)
    };
    // Asked before anybody is looked up: of a list that is nobody's nothing is told.
    let known = find_segment(&*db.conn().await?, caller.scope(), &segment).await?;
    known.ok_or_else(|| Problem::of(&SEGMENT_UNKNOWN))?;
    let changes: Vec<Change> = of(sent.add, "add").chain(of(sent.remove, "remove")).collect();
    let room = Room { scope: caller.scope(), db: &db, ledger: &ledger, segment: &segment, key: key.as_str() };
    let mut results = Vec::with_capacity(all);
    for some in changes.chunks(UNDER_WAY) {
        for result in join_all(some.iter().map(|change| room.change(change))).await {
            results.push(result?);
        }
    }
    let count = |name| results.iter().filter(|result| result.result == name).count();
    let [added, removed] = [ResultName::Added, ResultName::Removed].map(count);
    let [unchanged, refused] = [ResultName::Unchanged, ResultName::Refused].map(count);
    Ok(Json(ChangesView { segment, added, removed, unchanged, refused, results }))
}

/// Whose list is changed, and in whose name.
struct Room<'a> {
    scope: &'a ProgramScope,
    db: &'a Db,
    ledger: &'a Ledger,
    segment: &'a str,
    key: &'a str,
}

impl Room<'_> {
    /// Changes the list by one member.
    ///
    /// # Errors
    /// There is no such list.
    async fn change(&self, change: &Change) -> Result<ResultView, Problem> {
        let view = |member, result, problem: Option<Problem>| ResultView {
            pointer: change.pointer.clone(),
            member,
            result,
            problem: problem.map(|problem| serde_json::from_slice(&problem.document(None)).unwrap_or_default()),
        };
        let command = match self.command(change).await {
            Ok(command) => command,
            Err(problem) => return Ok(view(None, ResultName::Refused, Some(problem))),
        };
        let member = Some(command.member.0);
        match self.ledger.post(self.scope, command).await {
            Ok(posted) => {
                let result = if change.listed { ResultName::Added } else { ResultName::Removed };
                Ok(view(Some(posted.receipt.member), result, None))
            }
            Err(PostError::Refused(SegmentRefusal::Already)) => Ok(view(member, ResultName::Unchanged, None)),
            Err(PostError::Refused(SegmentRefusal::Unknown)) => Err(Problem::of(&SEGMENT_UNKNOWN)),
            Err(error) => {
                let problem = problem_of_post(error, |refusal| match refusal {
                    SegmentRefusal::Ledger(refusal) => problem_of(refusal),
                    SegmentRefusal::Unknown | SegmentRefusal::Already => Problem::of(&SEGMENT_UNKNOWN),
                });
                Ok(view(None, ResultName::Refused, Some(problem)))
            }
        }
    }

    async fn command(&self, change: &Change) -> Result<ChangeSegment, Problem> {
        let named = change.named.clone().read(self.scope.program());
        let named = named.map_err(|bad| bad_field(bad, &change.pointer))?;
        // One reference a place: the same call again finds what it did.
        let reference = Reference::keyed("segment", &format!("{}{}", self.key, change.pointer));
        let found = find_named(&*self.db.conn().await?, self.scope, named, &reference).await?;
        let (identity, member) = found.ok_or_else(|| Problem::of(&MEMBER_UNKNOWN).at(change.pointer.clone()))?;
        let hash = RequestHash::of(&(self.segment, &change.named, change.listed));
        Ok(ChangeSegment { reference, hash, member, identity, segment: self.segment.to_owned(), listed: change.listed })
    }
}

/// Where in the list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// How many members the page has.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(inline, nullable = false)]
    cursor: Option<Place>,
}

/// A page of a list.
#[derive(Serialize, ToSchema)]
#[schema(as = SegmentPage)]
struct PageView {
    /// Ids of members, in no order that means anything.
    items: Vec<Uuid>,
    /// What to send as `cursor` for the next page; null on the last.
    next_cursor: Option<String>,
}

/// Who is in a list
///
/// Scope: `members:read`.
#[utoipa::path(
    tag = "members",
    params(("code" = String, Path, description = "The list's code."), ListQuery),
    responses((status = 200, description = "A page of the list.", body = PageView)),
)]
#[get("/v1/segments/{code}/members")]
async fn list_segment(
    caller: Caller<needs::MembersRead>,
    code: Path<String>,
    query: Query<ListQuery>,
    db: Data<Db>,
) -> Result<Json<PageView>, Problem> {
    let Query(ListQuery { limit, cursor }) = query;
    let page = list_members(&*db.conn().await?, caller.scope(), &code, limit, cursor).await?;
    let Page { items, next_cursor } = page.ok_or_else(|| Problem::of(&SEGMENT_UNKNOWN))?.map(|(_, member)| member);
    Ok(Json(PageView { items, next_cursor }))
}
