//! Drafts as rows.

use diesel::QueryResult;
use diesel::sql_types::{Int4, Nullable, Text, Timestamptz, Uuid};
use diesel::{OptionalExtension, Queryable};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid as Id;

use crate::kernel::clock::Instant;
use crate::kernel::id::Version;
use crate::kernel::scope::ProgramScope;
use crate::statement;

statement! {
    /// The draft of a programme.
    FindDraft { program: Id => Uuid } -> (Int4, Int4, Text, Text, Timestamptz),
    "SELECT revision, based_on, document, author, changed_at FROM program_drafts \
     WHERE program_id = ? AND document IS NOT NULL"
}

statement! {
    /// A draft as it is from now on; none where it has no document.
    SaveDraft {
        program: Id => Uuid, based_on: i32 => Int4, document: Option<String> => Nullable<Text>, author: String => Text,
    } -> (Int4, Timestamptz),
    "INSERT INTO program_drafts AS d (program_id, revision, based_on, document, author, changed_at) \
     VALUES (?, 1, ?, ?, ?, clock_timestamp()) \
     ON CONFLICT ON CONSTRAINT program_drafts_pk DO UPDATE SET revision = d.revision + 1, based_on = excluded.based_on, \
     document = excluded.document, author = excluded.author, changed_at = excluded.changed_at \
     RETURNING revision, changed_at"
}

statement! {
    /// Ends the draft of a revision.
    ClearDraft { program: Id => Uuid, revision: i32 => Int4 } -> Int4,
    "UPDATE program_drafts SET document = NULL, revision = revision + 1 \
     WHERE program_id = ? AND revision = ? AND document IS NOT NULL"
}

/// A draft.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct DraftRow {
    /// Grows with each change.
    pub revision: i32,
    /// The version that it changes.
    pub based_on: i32,
    /// The document, in JSON, as it was sent.
    pub document: String,
    /// Who changed it last.
    pub author: String,
    /// When.
    pub changed_at: Instant,
}

/// The draft of a programme, if there is one.
///
/// # Errors
/// When the database fails.
pub async fn find_draft(conn: &AsyncPgConnection, scope: &ProgramScope) -> QueryResult<Option<DraftRow>> {
    FindDraft { program: scope.program().0 }.get_result(&mut &*conn).await.optional()
}

/// Writes the draft of a programme, or ends it.
///
/// # Errors
/// When the database fails.
pub async fn save_draft(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
    based_on: Version,
    document: Option<String>,
) -> QueryResult<Option<DraftRow>> {
    let (program, author) = (scope.program().0, scope.principal().to_string());
    let save = SaveDraft { program, based_on: based_on.0, document: document.clone(), author: author.clone() };
    let (revision, changed_at): (i32, Instant) = save.get_result(&mut &*conn).await?;
    Ok(document.map(|document| DraftRow { revision, based_on: based_on.0, document, author, changed_at }))
}

/// Ends a draft that is published; whether it was still of that revision.
///
/// # Errors
/// When the database fails.
pub async fn clear_draft(conn: &AsyncPgConnection, scope: &ProgramScope, revision: i32) -> QueryResult<bool> {
    let clear = ClearDraft { program: scope.program().0, revision };
    clear.execute(&mut &*conn).await.map(|cleared| cleared > 0)
}
