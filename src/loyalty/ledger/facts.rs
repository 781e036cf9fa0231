//! What the rules see of a member.

use chrono::NaiveDate;

use crate::kernel::clock::Instant;
use crate::loyalty::ledger::account::Account;
use crate::loyalty::program::facts::{MemberFacts, Values};
use crate::loyalty::program::model::Rulebook;

/// What the rules see of a member on a day, as the account was before an order.
pub fn member_facts<'f>(
    account: &Account,
    book: &Rulebook,
    (ordered, today): (Instant, NaiveDate),
    attributes: Option<&'f Values>,
) -> MemberFacts<'f> {
    // A late order may be older than the last one, or than the enrolment.
    let days_since = |day: NaiveDate| today.signed_duration_since(day).num_days().max(0);
    MemberFacts {
        member: account.member,
        tier: account.tier_at(book, ordered),
        segments: account.segments,
        order_count: account.order_count,
        // A return takes no day of activity back.
        days_since_last_order: account.last_order_on.filter(|_| account.order_count > 0).map(days_since),
        days_enrolled: days_since(account.enrolled_on),
        attributes,
    }
}
