//! The audit log in Postgres.

use diesel::prelude::*;
use diesel::result::Error as QueryError;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use uuid::Uuid;

use crate::kernel::clock::Instant;
use crate::kernel::page::Page;
use crate::kernel::scope::ProgramScope;
use crate::platform::audit::{Action, Entry};
use crate::platform::web::paging::{Cursor, Limit};
use crate::schema::audit_log;

/// Where a page starts: after the entry of this time and id.
pub(super) type Place = Cursor<(Instant, Uuid)>;

/// Which entries are wanted.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    pub(super) action: Option<String>,
    pub(super) principal: Option<String>,
    pub(super) from: Option<Instant>,
    pub(super) until: Option<Instant>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = audit_log)]
struct EntryRow {
    audit_id: Uuid,
    at: Instant,
    principal: String,
    action: String,
    subject: String,
    detail: String,
}

impl EntryRow {
    fn into_entry(self) -> Result<Entry, QueryError> {
        let detail = serde_json::from_str(&self.detail).map_err(|e| QueryError::DeserializationError(Box::new(e)))?;
        let Self { audit_id, at, principal, action, subject, .. } = self;
        Ok(Entry { id: audit_id, at, principal, action, subject, detail })
    }
}

/// Adds an entry.
pub(super) async fn insert_entry(
    conn: &mut AsyncPgConnection,
    scope: &ProgramScope,
    id: Uuid,
    action: Action,
    subject: &str,
    detail: &Value,
) -> Result<(), QueryError> {
    let entry = (
        audit_log::program_id.eq(scope.program().0),
        audit_log::audit_id.eq(id),
        audit_log::principal.eq(scope.principal().to_string()),
        audit_log::action.eq(action.0),
        audit_log::subject.eq(subject),
        audit_log::detail.eq(detail.to_string()),
    );
    diesel::insert_into(audit_log::table).values(entry).execute(conn).await?;
    Ok(())
}

/// A page of entries, newest first.
pub(super) async fn list_entries(
    conn: &mut AsyncPgConnection,
    scope: &ProgramScope,
    filter: Filter,
    limit: Limit,
    after: Option<Place>,
) -> Result<Page<Entry>, QueryError> {
    let mut entries = audit_log::table
        .filter(audit_log::program_id.eq(scope.program().0))
        .order((audit_log::at.desc(), audit_log::audit_id.desc()))
        .select(EntryRow::as_select())
        .limit(limit.and_one())
        .into_boxed();
    if let Some(action) = filter.action {
        entries = entries.filter(audit_log::action.eq(action));
    }
    if let Some(principal) = filter.principal {
        entries = entries.filter(audit_log::principal.eq(principal));
    }
    if let Some(from) = filter.from {
        entries = entries.filter(audit_log::at.ge(from));
    }
    if let Some(until) = filter.until {
        entries = entries.filter(audit_log::at.lt(until));
    }
    if let Some(Cursor((at, id))) = after {
        entries = entries.filter(audit_log::at.lt(at).or(audit_log::at.eq(at).and(audit_log::audit_id.lt(id))));
    }
    let rows: Vec<EntryRow> = entries.load(conn).await?;
    let entries = rows.into_iter().map(EntryRow::into_entry).collect::<Result<_, _>>()?;
    Ok(Page::of(entries, limit.get(), |entry: &Entry| Cursor((entry.at, entry.id)).to_string()))
}
