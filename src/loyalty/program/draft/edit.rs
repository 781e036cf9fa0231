//! Reads and changes a draft, under the lock of its programme.

use diesel::result::Error as QueryError;
use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::json;

use crate::kernel::id::Version;
use crate::kernel::scope::ProgramScope;
use crate::loyalty::program::draft::store::{DraftRow, find_draft, save_draft};
use crate::loyalty::program::store::{VersionRow, find_version, lock_program, newest_version};
use crate::platform::audit::{Action, record};
use crate::platform::web::etag::{IfMatch, Tag};

/// What an editor finds.
#[derive(Clone, Debug)]
pub enum Standing {
    /// A draft.
    Draft(DraftRow),
    /// None: it would begin from the newest version.
    Newest(VersionRow),
}

impl Standing {
    /// What tells this state from others.
    pub fn tag(&self) -> Tag {
        Tag(match self {
            Self::Draft(draft) => format!("d{}", draft.revision),
            Self::Newest(version) => format!("v{}", version.version),
        })
    }

    /// The document, in JSON.
    pub fn document(&self) -> &str {
        match self {
            Self::Draft(draft) => &draft.document,
            Self::Newest(version) => &version.document,
        }
    }

    /// The version that the draft changes, or would change.
    pub fn based_on(&self) -> Version {
        Version(match self {
            Self::Draft(draft) => draft.based_on,
            Self::Newest(version) => version.version,
        })
    }
}

/// Why a draft was not changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// It is not as the editor saw it.
    #[error("it was changed meanwhile")]
    Changed(Box<Standing>),
    /// It would be larger than a document may be.
    #[error("the document would be too large")]
    TooLarge,
    /// What is stored is no JSON.
    #[error("the draft cannot be read")]
    Unreadable(#[from] serde_json::Error),
    /// The database failed.
    #[error("the database failed")]
    Query(#[from] QueryError),
}

/// What stands.
///
/// # Errors
/// When the database fails.
pub async fn standing(conn: &AsyncPgConnection, scope: &ProgramScope) -> Result<Standing, QueryError> {
    standing_on(conn, scope, newest_version(conn, scope).await?).await
}

async fn standing_on(conn: &AsyncPgConnection, scope: &ProgramScope, newest: Version) -> Result<Standing, QueryError> {
    if let Some(draft) = find_draft(conn, scope).await? {
        return Ok(Standing::Draft(draft));
    }
    find_version(conn, scope, newest).await?.map(Standing::Newest).ok_or(QueryError::NotFound)
}

/// Changes a draft, or begins one; without a document it is discarded.
///
/// # Errors
/// It is not as the editor saw it, or the database failed; nothing has changed then.
pub async fn edit(
    conn: &mut AsyncPgConnection,
    scope: &ProgramScope,
    seen: &IfMatch,
    change: impl FnOnce(&Standing) -> Result<Option<String>, EditError> + Send,
) -> Result<Standing, EditError> {
    conn.transaction(async |conn| {
        let newest = lock_program(conn, scope).await?;
        let before = standing_on(conn, scope, newest).await?;
        if !seen.has(&before.tag()) {
            return Err(EditError::Changed(Box::new(before)));
        }
        let document = change(&before)?;
        if document.is_none() && matches!(before, Standing::Newest(_)) {
            return Ok(before);
        }
        let discarded = document.is_none();
        let saved = save_draft(conn, scope, before.based_on(), document).await?;
        let action = if discarded { "program.draft_discarded" } else { "program.draft_changed" };
        let detail = json!({ "based_on": before.based_on().0, "revision": saved.as_ref().map(|draft| draft.revision) });
        record(conn, scope, Action(action), "draft", &detail).await?;
        match saved {
            Some(draft) => Ok(Standing::Draft(draft)),
            None => Ok(standing_on(conn, scope, newest).await?),
        }
    })
    .await
}
