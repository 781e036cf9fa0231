//! Previews: a document is checked against the version in force, and both are replayed over the programme's past.

use chrono::{DateTime, Utc};
use diesel::result::Error as QueryError;
use diesel_async::AsyncPgConnection;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::kernel::clock::Instant;
use crate::kernel::id::Version;
use crate::kernel::scope::ProgramScope;
use crate::loyalty::backtest::replay::Span;
use crate::loyalty::backtest::report::{PreviewReport, report};
use crate::loyalty::backtest::stream::{Pace, Progress, Side, Sides, StreamError, compare};
use crate::loyalty::program::compile::{check_fixed, compile};
use crate::loyalty::program::document::Document;
use crate::loyalty::program::read::Mistake;
use crate::loyalty::program::slots::{Slots, assign_slots};
use crate::loyalty::program::store::{find_version, find_version_in_force, list_slots};
use crate::platform::db::Db;
use crate::platform::jobs::{Task, Work, WorkError};

/// The kind of job that a preview is.
pub const KIND: &str = "preview";

/// A preview that can be made: its document has no mistakes.
#[derive(Debug, Serialize, Deserialize)]
pub struct Request {
    /// The version that it is compared with.
    version: i32,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    /// As text: the order in it is meaning.
    document: Box<RawValue>,
}

/// Why there is no preview.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    /// The window ends before it starts.
    #[error("the window ends before it starts")]
    NoWindow,
    /// The document has mistakes.
    #[error("the document is wrong")]
    Mistakes(Vec<Mistake>),
    /// No version is in force, or it cannot be read.
    #[error("the version in force cannot be read: {0}")]
    Unreadable(String),
    /// The past could not be gone through.
    #[error(transparent)]
    Stream(#[from] StreamError),
}

impl From<QueryError> for PreviewError {
    fn from(error: QueryError) -> Self {
        Self::Stream(error.into())
    }
}

/// Checks a document as a publish would.
///
/// # Errors
/// Every mistake in it, a window that is none, or the database.
pub async fn check(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
    document: &Document,
    span: Span,
) -> Result<Request, PreviewError> {
    let Span { from, to } = span;
    if from >= to {
        return Err(PreviewError::NoWindow);
    }
    let row = find_version_in_force(conn, scope).await?;
    let row = row.ok_or_else(|| PreviewError::Unreadable("there is none".to_owned()))?;
    let before = read(&row.document)?;
    let mistakes: Vec<Mistake> = check_fixed(&before, document);
    if !mistakes.is_empty() {
        return Err(PreviewError::Mistakes(mistakes));
    }
    sides(&list_slots(conn, scope.program()).await?, Version(row.version), &before, document)?;
    let text = document.to_json().and_then(RawValue::from_string);
    let document = text.map_err(|e| PreviewError::Mistakes(vec![Mistake::at(&[], e)]))?;
    Ok(Request { version: row.version, from, to, document })
}

/// Replays the past under both versions, and says how they differ. Writes nothing.
///
/// # Errors
/// When the database fails.
pub async fn preview(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
    request: &Request,
    pace: Pace,
    progress: &mut (impl Progress + Send),
) -> Result<PreviewReport, PreviewError> {
    let version = Version(request.version);
    let row = find_version(conn, scope, version).await?;
    let row = row.ok_or_else(|| PreviewError::Unreadable("there is none".to_owned()))?;
    let (before, after) = (read(&row.document)?, read(request.document.get())?);
    let sides = sides(&list_slots(conn, scope.program()).await?, version, &before, &after)?;
    let span = Span { from: request.from, to: request.to };
    let tally = compare(conn, scope, &sides, span, pace, progress).await?;
    Ok(report(&tally, [sides.before.program.newest(), sides.after.program.newest()], span))
}

fn read(document: &str) -> Result<Document, PreviewError> {
    serde_json::from_str(document).map_err(|e| PreviewError::Unreadable(e.to_string()))
}

/// Both versions, each as if it had always been in force. What only the document has gets the slots that a publish would
/// give it now.
fn sides(known: &Slots, version: Version, before: &Document, after: &Document) -> Result<Sides, PreviewError> {
    let slots = assign_slots(known, after).map_err(|e| PreviewError::Mistakes(vec![Mistake::at(&[e.part()], e)]))?;
    let always = |document: &Document, version: Version| {
        compile(document, version, Instant::MIN_UTC, &slots).map(Side::new).map_err(PreviewError::Mistakes)
    };
    Ok(Sides { before: always(before, version)?, after: always(after, version.next())? })
}

/// Who makes previews that stand in the queue of jobs.
pub struct Previews {
    db: Db,
}

impl Previews {
    /// On a database.
    pub fn new(db: &Db) -> Self {
        Self { db: db.clone() }
    }

    async fn make(&self, mut task: Task) -> Result<String, WorkError> {
        let refused = |error: &dyn std::fmt::Display| WorkError::Refused("preview_impossible", error.to_string());
        let request: Request = serde_json::from_str(&task.request).map_err(|e| refused(&e))?;
        // One of its own: it is held for long, and callers wait for those of the pool.
        let conn = self.db.dedicated().await?;
        let scope = task.scope.clone();
        match preview(&conn, &scope, &request, Pace::Aside, &mut task).await {
            Ok(report) => serde_json::to_string(&report).map_err(|e| refused(&e)),
            Err(PreviewError::Stream(StreamError::Db(error))) => Err(error.into()),
            Err(error) => Err(refused(&error)),
        }
    }
}

impl Work for Previews {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn run(&self, task: Task) -> BoxFuture<'_, Result<String, WorkError>> {
        self.make(task).boxed()
    }
}

impl Progress for Task {
    fn expect(&mut self, members: i64) {
        Task::expect(self, members);
    }

    fn advance(&mut self, members: i64) {
        Task::advance(self, members);
    }
}
