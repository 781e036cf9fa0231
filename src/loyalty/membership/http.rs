//! `/v1/members`: enrol, look up, change.

use std::sync::Arc;

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, get, patch, post};
use chrono::NaiveDate;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::kernel::id::MemberId;
use crate::kernel::scope::ProgramScope;
use crate::loyalty::ledger::error::MEMBER_UNKNOWN;
use crate::loyalty::ledger::http::{REPLAYED, problem_of, problem_of_post, problem_of_timeline};
use crate::loyalty::ledger::post::Ledger;
use crate::loyalty::ledger::posting::{AccountTime, Reference, RequestHash};
use crate::loyalty::members::model::ProfilePatch;
use crate::loyalty::membership::attributes_in::kept;
use crate::loyalty::membership::change::ChangeProfile;
use crate::loyalty::membership::enrol::Enrol;
use crate::loyalty::membership::error::{ENROLLED_AHEAD, MembershipRefusal};
use crate::loyalty::membership::profile_in::{BadField, MemberRefIn, Named, ProfileIn, ProfilePatchIn};
use crate::loyalty::membership::store::{Member, find_member, find_owner};
use crate::loyalty::membership::{merges, transfers};
use crate::loyalty::program::model::Timeline;
use crate::platform::auth::{Caller, needs};
use crate::platform::db::Db;
use crate::platform::entropy::uuid_v7;
use crate::platform::web::body::Body;
use crate::platform::web::codes;
use crate::platform::web::idempotency::{IdempotencyKey, OptionalIdempotencyKey};
use crate::platform::web::problem::Problem;

/// Registers the room's calls.
pub fn configure(config: &mut ServiceConfig) {
    merges::http::configure(config);
    transfers::http::configure(config);
    config.service(enrol_member).service(get_member).service(look_up_member).service(change_member);
}

/// A member.
#[derive(Serialize, ToSchema)]
#[schema(as = Member)]
pub struct MemberView {
    /// The member's id.
    id: Uuid,
    external_id: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    card: Option<String>,
    name: Option<String>,
    birthday: Option<NaiveDate>,
    locale: Option<String>,
    attributes: Map<String, Value>,
    /// The lists that the member is in, by their codes.
    segments: Vec<String>,
    /// `active`, `suspended` or `merged`.
    status: &'static str,
    /// As whom the member goes on, of one that was merged.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    merged_into: Option<Uuid>,
    /// The day of the enrolment, in the programme's time zone.
    enrolled_on: NaiveDate,
}

impl From<Member> for MemberView {
    fn from(member: Member) -> Self {
        let profile = member.profile;
        Self {
            id: member.id.0,
            external_id: profile.external_id,
            email: profile.email,
            phone: profile.phone,
            card: profile.card,
            name: profile.name,
            birthday: profile.birthday,
            locale: profile.locale,
            attributes: profile.attributes,
            segments: member.segments,
            status: match (member.merged_into, member.suspended) {
                (Some(_), _) => "merged",
                (None, true) => "suspended",
                (None, false) => "active",
            },
            merged_into: member.merged_into.map(|into| into.0),
            enrolled_on: member.enrolled_on,
        }
    }
}

/// Enrol a member
///
/// Needs an `Idempotency-Key`. External id, e-mail, phone and card are each unique in the programme.
/// Scope: `members:write`.
#[utoipa::path(
    tag = "members",
    params(("Idempotency-Key" = inline(IdempotencyKey), Header, description = "The caller's name for this enrolment.")),
    request_body = ProfileIn,
    responses(
        (status = 201, description = "The member.", body = MemberView),
        (status = 200, description = "The member had been enrolled before, and is like this now; with \
            Idempotency-Replayed.", body = MemberView),
    ),
)]
#[post("/v1/members")]
async fn enrol_member(
    caller: Caller<needs::MembersWrite>,
    key: IdempotencyKey,
    body: Body<ProfileIn>,
    db: Data<Db>,
    ledger: Data<Ledger>,
) -> Result<HttpResponse, Problem> {
    let Body(sent) = body;
    let hash = RequestHash::of(&sent);
    let profile = sent.read().map_err(|bad| bad_field(bad, ""))?;
    check_attributes(&db, &ledger, caller.scope(), &profile.attributes).await?;
    let posted = ledger.post(
        caller.scope(),
        Enrol {
            program: caller.scope().program(),
            reference: Reference::keyed("enrol", key.as_str()),
            hash,
            member: MemberId(uuid_v7()),
            profile,
            enrolled_on: None,
            welcomes: true,
            time: AccountTime::Live,
        },
    );
    let posted = posted.await.map_err(|e| problem_of_post(e, refused))?;
    let member = read(&db, &ledger, caller.scope(), MemberId(posted.receipt.member)).await?;
    let mut response = if posted.replayed { HttpResponse::Ok() } else { HttpResponse::Created() };
    if posted.replayed {
        response.insert_header((REPLAYED, "true"));
    }
    Ok(response.json(MemberView::from(member)))
}

/// A member by id
///
/// Scope: `members:read`.
#[utoipa::path(
    tag = "members",
    params(("id" = Uuid, Path, description = "The member.")),
    responses((status = 200, description = "The member.", body = MemberView)),
)]
#[get("/v1/members/{id}")]
async fn get_member(
    caller: Caller<needs::MembersRead>,
    id: Path<Uuid>,
    db: Data<Db>,
    ledger: Data<Ledger>,
) -> Result<Json<MemberView>, Problem> {
    read(&db, &ledger, caller.scope(), MemberId(*id)).await.map(|member| Json(member.into()))
}

/// A member by external id, e-mail, phone or card
///
/// In the body, so that personal data stays out of logged addresses. Of a member that was merged: as whom it goes on.
/// Scope: `members:read`.
#[utoipa::path(
    tag = "members",
    request_body = MemberRefIn,
    responses((status = 200, description = "The member.", body = MemberView)),
)]
#[post("/v1/members/lookups")]
async fn look_up_member(
    caller: Caller<needs::MembersRead>,
    body: Body<MemberRefIn>,
    db: Data<Db>,
    ledger: Data<Ledger>,
) -> Result<Json<MemberView>, Problem> {
    let Body(sent) = body;
    let named = sent.read(caller.scope().program()).map_err(|bad| bad_field(bad, ""))?;
    let member = match named {
        Named::Id(id) => Some(MemberId(id)),
        Named::By(identity) => find_owner(&*db.conn().await?, caller.scope(), &identity).await?,
    };
    let member = member.ok_or_else(|| Problem::of(&MEMBER_UNKNOWN))?;
    who_goes_on(&db, &ledger, caller.scope(), member).await.map(|member| Json(member.into()))
}

/// Change a member
///
/// What is absent stays, `null` clears; attributes are merged by name. Sets values, so a repeated call changes nothing
/// more; an `Idempotency-Key` makes it one posting. Scope: `members:write`.
#[utoipa::path(
    tag = "members",
    params(
        ("id" = Uuid, Path, description = "The member."),
        ("Idempotency-Key" = inline(Option<IdempotencyKey>), Header, description = "The caller's name for this change."),
    ),
    request_body = ProfilePatchIn,
    responses((status = 200, description = "The member as changed.", body = MemberView)),
)]
#[patch("/v1/members/{id}")]
async fn change_member(
    caller: Caller<needs::MembersWrite>,
    id: Path<Uuid>,
    key: OptionalIdempotencyKey,
    body: Body<ProfilePatchIn>,
    db: Data<Db>,
    ledger: Data<Ledger>,
) -> Result<HttpResponse, Problem> {
    let Body(sent) = body;
    let hash = RequestHash::of(&(&*id, &sent));
    let patch = sent.read().map_err(|bad| bad_field(bad, ""))?;
    change((caller.scope(), MemberId(*id)), key, (hash, patch), &db, &ledger).await
}

/// Changes a profile, and answers the member as it is then.
///
/// # Errors
/// What the programme does not declare, what is somebody else's, or no database.
pub async fn change(
    (scope, member): (&ProgramScope, MemberId),
    key: OptionalIdempotencyKey,
    (hash, patch): (RequestHash, ProfilePatch),
    db: &Db,
    ledger: &Ledger,
) -> Result<HttpResponse, Problem> {
    check_attributes(db, ledger, scope, &patch.attributes).await?;
    let name = key.0.map_or_else(|| uuid_v7().to_string(), |key| key.as_str().to_owned());
    let reference = Reference::keyed("change", &name);
    let posted = ledger.post(scope, ChangeProfile { program: scope.program(), reference, hash, member, patch });
    let posted = posted.await.map_err(|e| problem_of_post(e, refused))?;
    let member = read(db, ledger, scope, MemberId(posted.receipt.member)).await?;
    let mut response = HttpResponse::Ok();
    if posted.replayed {
        response.insert_header((REPLAYED, "true"));
    }
    Ok(response.json(MemberView::from(member)))
}

/// Whether a member's attributes are what the newest version declares, as far as this process knows it.
async fn check_attributes(
    db: &Db,
    ledger: &Ledger,
    scope: &ProgramScope,
    attributes: &Map<String, Value>,
) -> Result<(), Problem> {
    if attributes.is_empty() {
        return Ok(());
    }
    let timeline = newest(db, ledger, scope).await?;
    kept(attributes, &timeline.newest().declared.member, "/attributes").map_err(|bad| bad_field(bad, ""))
}

/// The versions of a programme, as far as this process knows them.
pub async fn newest(db: &Db, ledger: &Ledger, scope: &ProgramScope) -> Result<Arc<Timeline>, Problem> {
    if let Some(known) = ledger.timelines().known(scope.program()) {
        return Ok(known);
    }
    let read = ledger.timelines().at_least(&*db.conn().await?, scope.program(), 0).await;
    read.map_err(problem_of_timeline)
}

async fn read(db: &Db, ledger: &Ledger, scope: &ProgramScope, member: MemberId) -> Result<Member, Problem> {
    let found = find_member(&*db.conn().await?, scope, member, ledger.lanes()).await?;
    found.ok_or_else(|| Problem::of(&MEMBER_UNKNOWN))
}

/// A member; of one that was merged, as whom it goes on.
///
/// # Errors
/// The programme has no such member, or the database fails.
pub async fn who_goes_on(
    db: &Db,
    ledger: &Ledger,
    scope: &ProgramScope,
    mut member: MemberId,
) -> Result<Member, Problem> {
    loop {
        let found = read(db, ledger, scope, member).await?;
        // A chain of merges ends: nothing is merged into one that was merged.
        let Some(into) = found.merged_into else { return Ok(found) };
        member = into;
    }
}

/// What a refusal of the room is over HTTP.
pub fn refused(refusal: MembershipRefusal) -> Problem {
    let says = refusal.to_string();
    match refusal {
        MembershipRefusal::Ledger(refusal) => problem_of(refusal),
        MembershipRefusal::EnrolledAhead => Problem::of(&ENROLLED_AHEAD),
        MembershipRefusal::BirthdayAhead => Problem::of(&codes::INVALID_FIELD).detail(says).at("/birthday"),
    }
}

/// What a field that is not as it has to be is over HTTP; `within` is where the document stands in the body.
pub fn bad_field(bad: BadField, within: &str) -> Problem {
    Problem::of(&codes::INVALID_FIELD).detail(bad.wants).at(format!("{within}{}", bad.pointer))
}
