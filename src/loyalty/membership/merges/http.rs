//! `/v1/members/{id}/merges`.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::kernel::id::MemberId;
use crate::loyalty::ledger::error::{LedgerRefusal, MEMBER_UNKNOWN};
use crate::loyalty::ledger::http::{PreviewQuery, Reason, problem_of, problem_of_post, receipt_response};
use crate::loyalty::ledger::post::Ledger;
use crate::loyalty::ledger::posting::{Reference, RequestHash};
use crate::loyalty::membership::error::{ALREADY_MERGED, HOLDS_OPEN, MergeRefusal, SAME_MEMBER};
use crate::loyalty::membership::http::bad_field;
use crate::loyalty::membership::merges::merge_members::MergeMembers;
use crate::loyalty::membership::merges::receipt::MergeReceipt;
use crate::loyalty::membership::profile_in::MemberRefIn;
use crate::loyalty::membership::store::find_named;
use crate::platform::auth::{Caller, needs};
use crate::platform::db::Db;
use crate::platform::web::body::Body;
use crate::platform::web::idempotency::IdempotencyKey;
use crate::platform::web::problem::Problem;
use crate::platform::web::query::Query;

/// Registers the calls.
pub fn configure(config: &mut ServiceConfig) {
    config.service(create_merge);
}

/// A member that turns out to be the same as another.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewMerge)]
struct MergeIn {
    /// Who is merged.
    source: MemberRefIn,
    /// Why. Kept with the posting, not in the audit log.
    reason: Reason,
}

/// Merge a member into this one
///
/// Needs an `Idempotency-Key`. All that the source has comes over: points with the days on which they come and end, debt,
/// orders; nothing is issued by it. From now on whatever names the source, by id or by what it is known, is this member's,
/// and returns of its orders give and take here. It cannot be undone; with `preview=true` the same answer, and nothing is
/// done. Open holds of the source refuse it. Scope: `merges:write`.
#[utoipa::path(
    tag = "members",
    params(
        ("id" = Uuid, Path, description = "Who goes on."),
        ("Idempotency-Key" = inline(IdempotencyKey), Header, description = "The caller's name for this merge."),
        PreviewQuery,
    ),
    request_body = MergeIn,
    responses(
        (status = 201, description = "The receipt.", body = MergeReceipt),
        (status = 200, description = "A preview, or the receipt of the first time with Idempotency-Replayed.",
            body = MergeReceipt),
    ),
)]
#[post("/v1/members/{id}/merges")]
async fn create_merge(
    caller: Caller<needs::MergesWrite>,
    id: Path<Uuid>,
    key: IdempotencyKey,
    query: Query<PreviewQuery>,
    body: Body<MergeIn>,
    db: Data<Db>,
    ledger: Data<Ledger>,
) -> Result<HttpResponse, Problem> {
    let (Body(sent), scope) = (body, caller.scope());
    let named = sent.source.clone().read(scope.program()).map_err(|bad| bad_field(bad, "/source"))?;
    let reference = Reference::keyed("merge", key.as_str());
    let found = find_named(&*db.conn().await?, scope, named, &reference).await?;
    let (identity, source) = found.ok_or_else(|| Problem::of(&MEMBER_UNKNOWN).at("/source"))?;
    let hash = RequestHash::of(&(&*id, &sent));
    let (into, reason) = (MemberId(*id), sent.reason.into_string());
    let merge = MergeMembers { reference, hash, source, identity, into, reason };
    if query.0.preview {
        let seen =
            ledger.preview(scope, merge).await.map_err(|e| problem_of_post(e, |r| merge_problem(r, "/source")))?;
        return Ok(HttpResponse::Ok().json(previewed(seen.receipt, seen.replayed)));
    }
    let posted = ledger.post(scope, merge).await.map_err(|e| problem_of_post(e, |r| merge_problem(r, "/source")))?;
    Ok(receipt_response(&posted))
}

/// What a preview answers: of what has not been done there are no postings.
pub fn previewed(receipt: MergeReceipt, done: bool) -> MergeReceipt {
    if done { receipt } else { MergeReceipt { posting: None, merged_in: None, ..receipt } }
}

/// What a refusal of a merge is over HTTP; `source` is where the body names who is merged.
pub fn merge_problem(refusal: MergeRefusal, source: &'static str) -> Problem {
    match refusal {
        MergeRefusal::Same => Problem::of(&SAME_MEMBER).at(source),
        MergeRefusal::AlreadyMerged(into) => {
            Problem::of(&ALREADY_MERGED).at(source).with("merged_into", into.to_string())
        }
        MergeRefusal::HoldsOpen => Problem::of(&HOLDS_OPEN).at(source),
        MergeRefusal::Ledger(refusal @ LedgerRefusal::MemberUnknown) => problem_of(refusal).at(source),
        MergeRefusal::Ledger(refusal) => problem_of(refusal),
    }
}
