//! A document in a file: JSON when the name says so, else TOML.

use std::fs;
use std::path::Path;

use crate::app::failure::Failure;
use crate::loyalty::program::document::Document;
use crate::loyalty::program::position::Written;
use crate::loyalty::program::read::Mistake;

/// What is in a file.
pub struct DocumentFile {
    text: String,
    json: bool,
}

impl DocumentFile {
    /// Reads a file.
    ///
    /// # Errors
    /// `Configuration` when it cannot be read.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let unreadable = |e| Failure::Configuration(format!("{} cannot be read: {e}", path.display()));
        let json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        Ok(Self { text: fs::read_to_string(path).map_err(unreadable)?, json })
    }

    /// The text.
    pub fn written(&self) -> Written<'_> {
        if self.json { Written::Json(&self.text) } else { Written::Toml(&self.text) }
    }

    /// The document.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn document(&self) -> Result<Document, Vec<Mistake>> {
        Document::read(self.written())
    }
}
