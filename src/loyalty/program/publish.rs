//! A publish: one more version of a programme's document, which decides from an instant on.
//!
//! It locks all lanes, as a posting transaction locks its own, so that the version starts between two groups: whatever was
//! decided before it started was decided by the version before.

use std::fmt;

use chrono::Duration;
use diesel::result::Error as QueryError;
use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::json;

use crate::kernel::clock::{Instant, later};
use crate::kernel::id::Version;
use crate::kernel::scope::ProgramScope;
use crate::loyalty::program::compile::{check, check_fixed, compile};
use crate::loyalty::program::document::Document;
use crate::loyalty::program::draft::store::clear_draft;
use crate::loyalty::program::model::Rulebook;
use crate::loyalty::program::read::Mistake;
use crate::loyalty::program::slots::{assign_slots, uses_of};
use crate::loyalty::program::store::{
    find_version, insert_slots, insert_version, list_slots, list_used, lock_lanes, lock_program, read_clock,
    set_version,
};
use crate::platform::audit::{Action, record};

/// What is to be published.
#[derive(Clone, Copy, Debug)]
pub struct Publication<'a> {
    /// The document.
    pub document: &'a Document,
    /// The newest version that whoever publishes has seen.
    pub based_on: Version,
    /// From when it decides; absent: at once.
    pub starts: Option<Instant>,
    /// Why.
    pub note: &'a str,
    /// The revision of the draft that it is, which is a draft no more then.
    pub draft: Option<i32>,
}

/// What was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// The number of the version.
    pub version: Version,
    /// From when it decides.
    pub starts: Instant,
}

/// Why nothing was published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// Somebody else has published since.
    #[error("version {} has been published since", .0.0)]
    Outdated(Version),
    /// The draft was changed meanwhile.
    #[error("the draft has been changed since")]
    DraftChanged,
    /// It was to start in the past: what was decided since is decided.
    #[error("a version cannot start in the past")]
    Past,
    /// The document is wrong.
    #[error("the document is wrong")]
    Mistakes(Vec<Mistake>),
    /// The document of the newest version cannot be read.
    #[error("version {} cannot be read: {why}", version.0)]
    Unreadable {
        /// Which.
        version: Version,
        /// Why.
        why: String,
    },
    /// The database failed.
    #[error("the database failed")]
    Query(#[from] QueryError),
}

/// Publishes a version.
///
/// # Errors
/// Somebody was faster, mistakes in the document, a start in the past, or the database; nothing has changed then.
pub async fn publish(
    conn: &mut AsyncPgConnection,
    scope: &ProgramScope,
    wanted: &Publication<'_>,
) -> Result<Published, PublishError> {
    let newest = read_version(conn, scope, wanted.based_on).await?;
    let mistakes = mistakes_of(&newest, wanted.document);
    if !mistakes.is_empty() {
        return Err(PublishError::Mistakes(mistakes));
    }
    let wrong = |pointer: &str, what: &dyn fmt::Display| PublishError::Mistakes(vec![Mistake::at(&[pointer], what)]);
    let known = list_slots(conn, scope.program()).await?;
    let slots = assign_slots(&known, wanted.document).map_err(|e| wrong(e.part(), &e))?;
    let book = compile(wanted.document, wanted.based_on.next(), Instant::MIN_UTC, &slots);
    let book = book.map_err(PublishError::Mistakes)?;
    let text = wanted.document.to_json().map_err(|e| wrong("program", &e))?;
    // Everything slow is done: from here on nobody settles.
    conn.transaction(async |conn| {
        let settled_until = lock_lanes(conn).await?;
        let there = lock_program(conn, scope).await?;
        if there != wanted.based_on {
            return Err(PublishError::Outdated(there));
        }
        let earliest = later(read_clock(conn).await?.max(settled_until), Duration::microseconds(1));
        let starts = wanted.starts.unwrap_or(earliest);
        if starts < earliest {
            return Err(PublishError::Past);
        }
        let overspent = overspent(conn, scope, &book, starts).await?;
        if !overspent.is_empty() {
            return Err(PublishError::Mistakes(overspent));
        }
        let version = there.next();
        insert_version(conn, scope, version, starts, text, wanted.note).await?;
        insert_slots(conn, scope, &slots.without(&known)).await?;
        set_version(conn, scope, version).await?;
        if let Some(revision) = wanted.draft
            && !clear_draft(conn, scope, revision).await?
        {
            return Err(PublishError::DraftChanged);
        }
        let detail = json!({ "version": version.0, "starts": starts, "note": wanted.note });
        record(conn, scope, Action("program.published"), &version.0.to_string(), &detail).await?;
        Ok(Published { version, starts })
    })
    .await
}

/// Every mistake in a document that is to come after another.
pub fn mistakes_of(newest: &Document, document: &Document) -> Vec<Mistake> {
    check(document).into_iter().chain(check_fixed(newest, document)).collect()
}

/// Budgets of which more is spent than they would allow, in the period in which the version starts or in the next, into
/// which an order may be ahead of us.
async fn overspent(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
    book: &Rulebook,
    starts: Instant,
) -> Result<Vec<Mistake>, PublishError> {
    let of_rules = book.earning.iter().filter_map(|rule| {
        let place = vec!["earning", &rule.code, "budget"];
        Some((rule.code.clone(), place, "points", rule.budget.as_ref()?))
    });
    let of_discounts = book.discounts.iter().filter_map(|discount| {
        let place = vec!["discounts", &discount.code, "limits", "total"];
        Some((uses_of(&discount.code), place, "uses", discount.total.as_ref()?))
    });
    let budgets: Vec<_> = of_rules.chain(of_discounts).collect();
    if budgets.is_empty() {
        return Ok(Vec::new());
    }
    let rules = budgets.iter().map(|(name, ..)| name.clone()).collect();
    let day = book.zone.day_of(starts);
    let days = [Some(day), day.succ_opt()];
    let used = list_used(conn, scope, rules).await?;
    let mut mistakes = Vec::new();
    for (name, place, what, budget) in budgets {
        let is_due = |period: &str| days.iter().flatten().any(|day| budget.cycle.name(*day) == period);
        let most =
            used.iter().filter(|(rule, period, _)| *rule == name && is_due(period)).map(|(.., used)| *used).max();
        if let Some(most) = most.filter(|most| *most > budget.points.get()) {
            mistakes.push(Mistake::at(&place, format_args!("{most} {what} of it are spent already")));
        }
    }
    Ok(mistakes)
}

async fn read_version(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
    version: Version,
) -> Result<Document, PublishError> {
    let unreadable = |why: String| PublishError::Unreadable { version, why };
    let row = find_version(conn, scope, version).await?.ok_or_else(|| unreadable("there is none".to_owned()))?;
    serde_json::from_str(&row.document).map_err(|e| unreadable(e.to_string()))
}
