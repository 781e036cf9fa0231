//! All that is stored of a member, as one JSON document: written as it is read, so that a long life costs no memory.

use std::sync::Arc;

use futures_util::stream::{self, Stream};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::id::{LaneCount, MemberId, Seq};
use crate::kernel::scope::ProgramScope;
use crate::loyalty::ledger::load::LoadError;
use crate::loyalty::ledger::posting::PostingRow;
use crate::loyalty::program::model::Timeline;
use crate::loyalty::statement::language::Language;
use crate::loyalty::statement::line::{StatementLineView, line_view};
use crate::loyalty::statement::store::list_postings;
use crate::platform::db::{Db, DbError};

/// Postings read at a time.
const PAGE_ROWS: i64 = 200;

/// Why the rest of an export does not come.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A row could not be read.
    #[error("a posting could not be read")]
    Load(#[from] LoadError),
}

/// A member whose export is under way.
pub struct Export {
    /// The database.
    pub db: Db,
    /// In whose name.
    pub scope: ProgramScope,
    /// How many lanes it has.
    pub lanes: LaneCount,
    /// The versions of the programme.
    pub timeline: Arc<Timeline>,
    /// The language in which postings are told.
    pub language: Language,
    /// Whose postings are still to be written: the last first.
    pub members: Vec<MemberId>,
    /// What stands before them, without its closing brace.
    pub head: Option<String>,
    /// Before which posting of the last of the members.
    pub before: Seq,
    /// Whether none was written yet.
    pub first: bool,
}

/// Something that happened, with what was answered and what was written beside it.
#[derive(Serialize, ToSchema)]
#[schema(as = ExportedPosting)]
pub struct ExportedView {
    /// In whose account.
    member: Uuid,
    #[serde(flatten)]
    line: StatementLineView,
    /// What was answered to who asked for it; null where nobody did.
    #[schema(value_type = Option<Object>)]
    receipt: Option<Box<RawValue>>,
    /// What was written beside it: reasons, where an order was placed, what it was of.
    #[schema(value_type = Option<Object>)]
    texts: Option<Box<RawValue>>,
}

impl Export {
    /// The document, piece by piece.
    pub fn pieces(self) -> impl Stream<Item = Result<String, ExportError>> {
        stream::try_unfold(Some(self), async |state| match state {
            Some(state) => state.next().await.map(Some),
            None => Ok(None),
        })
    }

    /// The next piece, and what is left.
    async fn next(mut self) -> Result<(String, Option<Self>), ExportError> {
        if let Some(head) = self.head.take() {
            return Ok((format!("{head},\"postings\":["), Some(self)));
        }
        let Some(member) = self.members.last().copied() else { return Ok(("]}\n".to_owned(), None)) };
        let conn = self.db.conn().await?;
        let rows = list_postings(&conn, &self.scope, (member, self.before), PAGE_ROWS, self.lanes).await?;
        drop(conn);
        match rows.last() {
            Some(last) => self.before = last.seq,
            None => {
                self.members.pop();
                self.before = Seq(i64::MAX);
            }
        }
        let mut piece = String::new();
        for row in &rows {
            if !std::mem::take(&mut self.first) {
                piece.push(',');
            }
            piece.push_str(&self.posting(row));
        }
        Ok((piece, Some(self)))
    }

    fn posting(&self, row: &PostingRow) -> String {
        let raw = |text: &str| RawValue::from_string(text.to_owned()).ok();
        let exported = ExportedView {
            member: row.member.0,
            line: line_view(row, self.timeline.newest(), self.language),
            receipt: raw(&row.document),
            texts: row.texts.as_deref().and_then(raw),
        };
        // Our own types with string keys: serialising them cannot fail.
        serde_json::to_string(&exported).unwrap_or_default()
    }
}
