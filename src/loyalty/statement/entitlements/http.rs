//! `/v1/members/{id}/entitlements`.

use actix_web::get;
use actix_web::web::{Data, Json, Path};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::kernel::id::MemberId;
use crate::kernel::scope::ProgramScope;
use crate::loyalty::ledger::facts::member_facts;
use crate::loyalty::ledger::http::problem_of;
use crate::loyalty::ledger::post::Ledger;
use crate::loyalty::program::facts::Facts;
use crate::loyalty::program::model::audience::Perk;
use crate::loyalty::program::reason::Reason;
use crate::loyalty::statement::balance::present;
use crate::loyalty::statement::entitlements::entitled::{Through, entitled};
use crate::loyalty::statement::http::account_of;
use crate::loyalty::statement::language::{Asked, tag_of};
use crate::loyalty::statement::tier::stands::Stands;
use crate::platform::auth::session::SignedIn;
use crate::platform::auth::{Caller, needs};
use crate::platform::db::Db;
use crate::platform::web::problem::Problem;
use crate::platform::web::query::Query;

/// Registers the room's calls.
pub fn configure(config: &mut ServiceConfig) {
    config.service(list_entitlements).service(list_my_entitlements);
}

/// In which language perks are called.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EntitlementsQuery {
    /// A language tag; absent: the member's, or the programme's.
    #[param(inline, nullable = false)]
    language: Option<Asked>,
}

/// What a member is entitled to.
#[derive(Serialize, ToSchema)]
#[schema(as = Entitlements)]
struct EntitlementsView {
    /// The moment of the answer.
    as_of: DateTime<Utc>,
    /// The tier that the member is in; null: none.
    tier: Option<String>,
    /// Every perk of the programme, in document order.
    items: Vec<EntitlementView>,
}

/// A perk, and whether the member is entitled to it.
#[derive(Serialize, ToSchema)]
#[schema(as = Entitlement)]
struct EntitlementView {
    /// The perk's code.
    perk: String,
    /// Whether the member is entitled to it now.
    entitled: bool,
    /// Through what: `tier:gold`, or `audience`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    through: Option<String>,
    /// Until just before then, where the perk itself ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    until: Option<DateTime<Utc>>,
    /// The first reason why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<&'static str>,
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    title: Option<String>,
    /// On which terms it is to be had.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    terms: Option<String>,
    /// What is said to a member who is not entitled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    says: Option<String>,
}

impl EntitlementView {
    fn of(perk: &Perk, found: Result<Through<'_>, Reason>, (tag, own): (&str, &str)) -> Self {
        let text = perk.text.of(tag, own).cloned().unwrap_or_default();
        Self {
            perk: perk.code.clone(),
            entitled: found.is_ok(),
            through: found.ok().map(|through| match through {
                Through::Tier(tier) => format!("tier:{}", tier.code),
                Through::Audience => "audience".to_owned(),
            }),
            until: perk.schedule.until.filter(|_| found.is_ok()),
            reason: found.err().map(Reason::name),
            title: text.title,
            terms: text.terms,
            says: text.says.filter(|_| found.is_err()),
        }
    }
}

/// Entitlements of a member
///
/// Each perk of the programme: whether the member is entitled to it now and through what, or why not. Right at the moment of
/// the answer, whether or not a job has run. Scope: `members:read`.
#[utoipa::path(
    tag = "members",
    params(("id" = Uuid, Path, description = "The member."), EntitlementsQuery),
    responses((status = 200, description = "Perk by perk.", body = EntitlementsView)),
)]
#[get("/v1/members/{id}/entitlements")]
async fn list_entitlements(
    caller: Caller<needs::MembersRead>,
    id: Path<Uuid>,
    query: Query<EntitlementsQuery>,
    db: Data<Db>,
    ledger: Data<Ledger>,
) -> Result<Json<EntitlementsView>, Problem> {
    entitlements_of((caller.scope(), MemberId(*id)), query.0, &db, &ledger).await
}

/// Entitlements of the member who is signed in
///
/// Each perk of the programme: whether the member is entitled to it now and through what, or why not.
#[utoipa::path(
    tag = "me",
    security(("member_token" = [])),
    params(EntitlementsQuery),
    responses((status = 200, description = "Perk by perk.", body = EntitlementsView)),
)]
#[get("/v1/me/entitlements")]
async fn list_my_entitlements(
    caller: SignedIn,
    query: Query<EntitlementsQuery>,
    db: Data<Db>,
    ledger: Data<Ledger>,
) -> Result<Json<EntitlementsView>, Problem> {
    entitlements_of((caller.scope(), caller.member()), query.0, &db, &ledger).await
}

async fn entitlements_of(
    (scope, mut member): (&ProgramScope, MemberId),
    EntitlementsQuery { language }: EntitlementsQuery,
    db: &Db,
    ledger: &Ledger,
) -> Result<Json<EntitlementsView>, Problem> {
    let conn = db.conn().await?;
    let (found, timeline) = loop {
        let (found, timeline) = account_of(&conn, scope, ledger, member).await?;
        // A chain of merges ends: nothing is merged into one that was merged.
        let Some(alias) = found.account.alias else { break (found, timeline) };
        member = alias.into;
    };
    let (now, book) = (found.at, timeline.at(found.at));
    let account = present(found.account, &timeline, now).map_err(problem_of)?;
    let tag = tag_of(language, found.locale.as_deref(), &book.language);
    let day = book.zone.day_of(now);
    let facts = Facts {
        book,
        at: now,
        local: book.zone.time_of(now),
        member: member_facts(&account, book, (now, day), Some(&found.attributes)),
        order: None,
        event: None,
    };
    let tier = book.tiers.as_ref().and_then(|ladder| Stands::of(&account, ladder).tier);
    let view = |perk: &Perk| EntitlementView::of(perk, entitled(perk, &account, tier, &facts), (&tag, &book.language));
    Ok(Json(EntitlementsView {
        as_of: now,
        tier: tier.map(|tier| tier.code.clone()),
        items: book.perks.iter().map(view).collect(),
    }))
}
