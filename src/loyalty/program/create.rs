//! A new programme: its first version, the wallets' slots and the line in the audit log, in one transaction.

use std::fmt;

use chrono::DateTime;
use diesel::result::Error as QueryError;
use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::json;

use crate::kernel::id::Version;
use crate::kernel::scope::ProgramScope;
use crate::loyalty::program::compile::{CODE_CHARS_MAX, check};
use crate::loyalty::program::document::Document;
use crate::loyalty::program::read::Mistake;
use crate::loyalty::program::slots::{Slots, assign_slots};
use crate::loyalty::program::store::{insert_program, insert_slots, insert_version};
use crate::platform::audit::{Action, record};

/// A programme's name on the command line: a to z, 0 to 9 and _, a letter first, at most [`CODE_CHARS_MAX`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramCode(String);

impl ProgramCode {
    /// Reads a code; `None` when the text is none.
    pub fn parse(text: &str) -> Option<Self> {
        let first = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
        let rest = text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        (first && rest && text.len() <= CODE_CHARS_MAX).then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProgramCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why no programme was created.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// Another programme has the code.
    #[error("another programme has this code")]
    CodeTaken,
    /// The document is wrong.
    #[error("the document is wrong")]
    Mistakes(Vec<Mistake>),
    /// The database failed.
    #[error("the database failed")]
    Query(#[from] QueryError),
}

/// Creates the programme of the scope, whose id nobody has yet.
///
/// # Errors
/// A code that is taken, mistakes in the document, or the database.
pub async fn create(
    conn: &mut AsyncPgConnection,
    scope: &ProgramScope,
    code: &ProgramCode,
    document: &Document,
) -> Result<(), CreateError> {
    let mistakes: Vec<Mistake> = check(document);
    if !mistakes.is_empty() {
        return Err(CreateError::Mistakes(mistakes));
    }
    let wrong = |pointer: &str, what: &dyn fmt::Display| CreateError::Mistakes(vec![Mistake::at(&[pointer], what)]);
    let slots = assign_slots(&Slots::default(), document).map_err(|e| wrong(e.part(), &e))?;
    let text = document.to_json().map_err(|e| wrong("program", &e))?;
    let program = &document.program;
    conn.transaction(async |conn| {
        if !insert_program(conn, scope, code.as_str(), &program.currency, &program.timezone).await? {
            return Err(CreateError::CodeTaken);
        }
        // The first version decides for all time before it, too: its start says nothing.
        insert_version(conn, scope, Version(1), DateTime::UNIX_EPOCH, text, "created").await?;
        insert_slots(conn, scope, &slots).await?;
        let detail = json!({ "name": program.name, "currency": program.currency, "timezone": program.timezone });
        record(conn, scope, Action("program.created"), code.as_str(), &detail).await?;
        Ok(())
    })
    .await
}
