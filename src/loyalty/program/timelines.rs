//! The timelines of all programmes that this process has met; read again when a newer version is out.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use diesel_async::AsyncPgConnection;

use crate::kernel::id::{ProgramId, Version};
use crate::loyalty::program::compile::compile;
use crate::loyalty::program::document::Document;
use crate::loyalty::program::model::{Rulebook, Timeline};
use crate::loyalty::program::store::{list_slots, list_versions_after};

/// A programme's versions cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TimelineError {
    /// The database failed.
    #[error("the database failed")]
    Query(#[from] diesel::result::Error),
    /// There is no such programme.
    #[error("no such program")]
    Unknown,
    /// A stored version is no document of this program's version.
    #[error("version {0} cannot be read: {1}")]
    Unreadable(i32, String),
}

/// The versions of the programmes, shared by writers and readers.
#[derive(Clone, Default)]
pub struct Timelines {
    known: Arc<ArcSwap<HashMap<ProgramId, Arc<Timeline>>>>,
}

impl Timelines {
    /// The timeline of a programme as far as this process has met it: for what never changes, such as its currency.
    pub fn known(&self, program: ProgramId) -> Option<Arc<Timeline>> {
        self.known.load().get(&program).map(Arc::clone)
    }

    /// The timeline of a programme with at least the given version in it; read once, then remembered.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn at_least(
        &self,
        conn: &AsyncPgConnection,
        program: ProgramId,
        version: i32,
    ) -> Result<Arc<Timeline>, TimelineError> {
        let known = self.known(program);
        self.at_least_from(read(conn, program, known.as_deref()), program, version).await
    }

    /// The same, read by whoever knows how: nothing is asked when the version is known.
    ///
    /// # Errors
    /// As [`Timelines::at_least`].
    pub async fn at_least_from(
        &self,
        reading: impl Future<Output = Result<Timeline, TimelineError>>,
        program: ProgramId,
        version: i32,
    ) -> Result<Arc<Timeline>, TimelineError> {
        if let Some(known) = self.known.load().get(&program)
            && known.newest().version.0 >= version
        {
            return Ok(Arc::clone(known));
        }
        let read = Arc::new(reading.await?);
        self.known.rcu(|known| {
            let mut next = HashMap::clone(known);
            let older = |there: &Arc<Timeline>| there.newest().version < read.newest().version;
            if next.get(&program).is_none_or(older) {
                next.insert(program, Arc::clone(&read));
            }
            next
        });
        Ok(read)
    }
}

/// Reads the versions of a programme, or, where some are known, those that came after.
///
/// # Errors
/// When there is none, or one cannot be read.
pub async fn read(
    conn: &AsyncPgConnection,
    program: ProgramId,
    known: Option<&Timeline>,
) -> Result<Timeline, TimelineError> {
    let newest = known.map_or(Version(0), |known| known.newest().version);
    let slots = list_slots(conn, program).await?;
    let mut versions = Vec::new();
    for row in list_versions_after(conn, program, newest).await? {
        let unreadable = |why: String| TimelineError::Unreadable(row.version, why);
        let document: Document = serde_json::from_str(&row.document).map_err(|e| unreadable(e.to_string()))?;
        let rulebook: Rulebook = compile(&document, Version(row.version), row.starts, &slots)
            .map_err(|mistakes| unreadable(mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")))?;
        versions.push(Arc::new(rulebook));
    }
    if let Some(known) = known {
        return Ok(known.with(versions));
    }
    let mut versions = versions.into_iter();
    let first = versions.next().ok_or(TimelineError::Unknown)?;
    Ok(Timeline::new(first, versions.collect()))
}
