//! A posting as events: what kind of thing it was, and all that is told of it. No personal data: a document never has any.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::loyalty::ledger::entry::EntryKind;
use crate::loyalty::ledger::posting::{PostingKind, PostingRow};
use crate::loyalty::program::model::Rulebook;
use crate::loyalty::statement::language::Language;
use crate::loyalty::statement::line::{StatementLineView, line_view};

/// Every type of events, with when there is one.
pub const EVENT_TYPES: [(&str, &str); 28] = [
    ("event.recorded", "Something that the member did outside of a checkout was recorded."),
    ("member.absorbed", "Another member was merged into this one."),
    ("member.changed", "The profile was changed."),
    ("member.enrolled", "Somebody became a member."),
    ("member.erased", "The member was forgotten; whoever is told forgets it, too."),
    ("member.merged", "The member was merged into another."),
    ("member.reinstated", "A suspension was ended."),
    ("member.suspended", "The member was suspended."),
    ("order.returned", "An order came back, in part or in full."),
    ("order.settled", "An order was settled."),
    ("points.adjusted", "A person added points, or took some."),
    ("points.available", "Points that waited can be spent."),
    ("points.brought_along", "Points came along from another system."),
    ("points.earned", "Points came in, of an order, an event or an enrolment."),
    ("points.expired", "Points are over."),
    ("points.given", "Points went to another member."),
    ("points.held", "Points or discounts were put aside for a checkout."),
    ("points.received", "Points came from another member."),
    ("points.released", "What was put aside came back, before its time or by itself."),
    ("points.spent", "Points paid for an order or a reward."),
    ("points.taken_back", "Points were taken back for a return."),
    ("reward.redeemed", "Points were given for a reward."),
    ("segment.changed", "The member was put into a list, or taken out of it."),
    ("tier.changed", "The member is in another tier."),
    ("tier.granted", "A person gave the member a tier, or ended what was given."),
    ("voucher.cancelled", "A reward was given back."),
    ("voucher.usable_again", "A voucher was not used after all."),
    ("voucher.used", "A voucher was used."),
];

/// Their names alone.
pub fn event_names() -> Vec<&'static str> {
    EVENT_TYPES.iter().map(|(name, _)| *name).collect()
}

/// What is sent.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookEvent)]
pub struct EventView<'a> {
    /// What kind of thing happened.
    #[schema(example = "order.settled")]
    r#type: &'a str,
    /// When it was written down.
    timestamp: DateTime<Utc>,
    /// What happened.
    data: EventDataView<'a>,
}

/// What happened to a member: `seq` counts, so that what arrives in another order can be put into that.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookEventData)]
pub struct EventDataView<'a> {
    /// To whom.
    member: Uuid,
    /// The posting.
    #[serde(flatten)]
    line: &'a StatementLineView,
    /// What was answered to who asked for it; null where nobody did.
    #[schema(value_type = Option<Object>)]
    receipt: Option<&'a RawValue>,
}

/// The events of a posting, each with its name and as it is sent.
pub fn events_of(row: &PostingRow, book: &Rulebook) -> Vec<(&'static str, String)> {
    let line = line_view(row, book, Language::of(&book.language));
    let receipt = RawValue::from_string(row.document.clone()).ok();
    let told = |name: &'static str| {
        let data = EventDataView { member: row.member.0, line: &line, receipt: receipt.as_deref() };
        let event = EventView { r#type: name, timestamp: row.recorded_at, data };
        // Our own types with string keys: serialising them cannot fail.
        (name, serde_json::to_string(&event).unwrap_or_default())
    };
    names(row).into_iter().map(told).collect()
}

/// What kinds of things a posting was: what somebody did first, then what came of it.
fn names(row: &PostingRow) -> Vec<&'static str> {
    let did = match row.kind {
        PostingKind::Enrol => Some("member.enrolled"),
        PostingKind::Order => Some("order.settled"),
        PostingKind::Return => Some("order.returned"),
        PostingKind::Adjust => Some("points.adjusted"),
        PostingKind::Opening => Some("points.brought_along"),
        PostingKind::Change => Some("member.changed"),
        PostingKind::Hold => Some("points.held"),
        PostingKind::Release => Some("points.released"),
        PostingKind::Transfer => Some("points.given"),
        PostingKind::Received => Some("points.received"),
        PostingKind::Suspend => Some("member.suspended"),
        PostingKind::Reinstate => Some("member.reinstated"),
        PostingKind::MergeOut => Some("member.merged"),
        PostingKind::MergeIn => Some("member.absorbed"),
        PostingKind::Event => Some("event.recorded"),
        PostingKind::GrantTier => Some("tier.granted"),
        PostingKind::ChangeSegment => Some("segment.changed"),
        PostingKind::Redeem => Some("reward.redeemed"),
        PostingKind::UseVoucher => Some("voucher.used"),
        PostingKind::ReverseUse => Some("voucher.usable_again"),
        PostingKind::CancelVoucher => Some("voucher.cancelled"),
        PostingKind::Erase => Some("member.erased"),
        PostingKind::CatchUp => None,
    };
    let enrolled = (row.seq.0 == 1 && row.kind == PostingKind::Order).then_some("member.enrolled");
    let has = |kinds: &[EntryKind]| row.entries.iter().any(|entry| kinds.contains(&entry.kind));
    let came = [
        ("points.earned", has(&[EntryKind::Award])),
        ("points.spent", has(&[EntryKind::Spend, EntryKind::Capture])),
        ("points.taken_back", has(&[EntryKind::ClawBack, EntryKind::Owe])),
        ("points.available", has(&[EntryKind::Available])),
        ("points.released", row.kind == PostingKind::CatchUp && has(&[EntryKind::Release])),
        ("points.expired", has(&[EntryKind::Expire])),
        ("tier.changed", changes_tier(row)),
    ];
    let came = came.into_iter().filter(|(_, so)| *so).map(|(name, _)| name);
    enrolled.into_iter().chain(did).chain(came).collect()
}

#[derive(Deserialize)]
struct OfTier {
    #[serde(default)]
    tier: Option<Steps>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Steps {
    One(Step),
    Many(Vec<Step>),
}

#[derive(Deserialize)]
struct Step {
    #[serde(default)]
    before: Option<String>,
    #[serde(default)]
    after: Option<String>,
}

fn changes_tier(row: &PostingRow) -> bool {
    let told: Option<OfTier> = serde_json::from_str(&row.document).ok();
    let steps = match told.and_then(|told| told.tier) {
        None => Vec::new(),
        Some(Steps::One(step)) => vec![step],
        Some(Steps::Many(steps)) => steps,
    };
    steps.iter().any(|step| step.before != step.after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_told_once_and_are_a_noun_and_a_verb() {
        let names = event_names();
        assert!(names.is_sorted_by(|one, next| one < next), "{names:?}");
        assert!(names.iter().all(|name| name.split('.').count() == 2));
    }
}
