//! `/v1/postings/{id}/why`.

use actix_web::get;
use actix_web::web::{Data, Json, Path};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::kernel::id::PostingId;
use crate::loyalty::ledger::error::{MEMBER_UNKNOWN, POSTING_UNKNOWN};
use crate::loyalty::ledger::http::problem_of_load;
use crate::loyalty::ledger::post::Ledger;
use crate::loyalty::statement::http::account_of;
use crate::loyalty::statement::language::{Asked, Language, tag_of};
use crate::loyalty::statement::line::{StatementLineView, line_view};
use crate::loyalty::statement::store::find_posting;
use crate::loyalty::statement::why::told::{DiscountWhy, RuleWhy, Told, Tongue, told};
use crate::platform::auth::{Caller, needs};
use crate::platform::db::Db;
use crate::platform::web::codes;
use crate::platform::web::problem::Problem;
use crate::platform::web::query::Query;

/// Registers the room's calls.
pub fn configure(config: &mut ServiceConfig) {
    config.service(get_why);
}

/// All that is known of a posting.
#[derive(Serialize, ToSchema)]
#[schema(as = Why)]
struct WhyView {
    #[serde(flatten)]
    line: StatementLineView,
    /// In which language it is told.
    language: &'static str,
    member: Uuid,
    /// The version of the programme that decided.
    program_version: i32,
    /// In whose name.
    cause: String,
    /// Whether it is imported history.
    imported: bool,
    /// Of an order, an event or an enrolment: each rule of that version that is about such a thing, what it brought and out of
    /// what, or why it did not apply; then the tier.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rules: Vec<RuleWhy>,
    /// Of an order: what came off, then the version's other discounts and why they did not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    discounts: Vec<DiscountWhy>,
    /// What the command was answered.
    #[schema(value_type = Object)]
    receipt: Value,
    /// Free text that came with it, such as the reason of an adjustment.
    #[schema(value_type = Object, nullable)]
    texts: Option<Value>,
}

/// How a why is told.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct WhyQuery {
    /// In which language: sentences are in `en`, `nl` or `de`, titles in those of the document; absent: in the member's, or
    /// the programme's.
    #[param(inline, nullable = false)]
    language: Option<Asked>,
}

/// Why a posting is as it is
///
/// Rule by rule: the version that decided, what it came to before and after rounding, caps and budgets, and of what did not
/// apply the first reason. Scope: `members:read`.
#[utoipa::path(
    tag = "members",
    params(("id" = String, Path, description = "The posting."), WhyQuery),
    responses((status = 200, description = "All that is known of the posting.", body = WhyView)),
)]
#[get("/v1/postings/{id}/why")]
async fn get_why(
    caller: Caller<needs::MembersRead>,
    id: Path<String>,
    query: Query<WhyQuery>,
    db: Data<Db>,
    ledger: Data<Ledger>,
) -> Result<Json<WhyView>, Problem> {
    let Query(WhyQuery { language }) = query;
    let unknown = || Problem::of(&POSTING_UNKNOWN);
    let posting: PostingId = id.parse().map_err(|_| unknown())?;
    let conn = db.conn().await?;
    let known = account_of(&conn, caller.scope(), &ledger, posting.member).await;
    let (found, timeline) =
        known.map_err(|problem| if problem.kind() == &MEMBER_UNKNOWN { unknown() } else { problem })?;
    let newest = timeline.newest();
    let tag = tag_of(language, found.locale.as_deref(), &newest.language);
    let language = Language::of(&tag);
    let stored = find_posting(&conn, caller.scope(), posting, ledger.lanes()).await.map_err(problem_of_load)?;
    let row = stored.ok_or_else(unknown)?;
    let tongue = Tongue { tag: &tag, own: &timeline.version(row.version).language };
    let unreadable = |error| Problem::of(&codes::INTERNAL).because(error);
    let Told { rules, discounts } = told(&row, &timeline, tongue).map_err(unreadable)?;
    Ok(Json(WhyView {
        line: line_view(&row, newest, language),
        language: language.tag(),
        member: row.member.0,
        program_version: row.version.0,
        cause: row.cause.clone(),
        imported: row.imported,
        rules,
        discounts,
        receipt: serde_json::from_str(&row.document).map_err(unreadable)?,
        texts: row.texts.as_deref().and_then(|t| serde_json::from_str(t).ok()),
    }))
}
