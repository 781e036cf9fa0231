//! Where in the text of a document something stands: from a JSON pointer to a line and a column.

mod escapes;
mod json;
mod toml_text;

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use serde::Serialize;
use utoipa::ToSchema;

use crate::loyalty::program::position::escapes::within_text;
use crate::loyalty::program::read::Mistake;

/// The text of a document as somebody wrote it.
#[derive(Clone, Copy, Debug)]
pub enum Written<'t> {
    /// TOML.
    Toml(&'t str),
    /// JSON.
    Json(&'t str),
}

impl<'t> Written<'t> {
    /// The text.
    pub fn text(self) -> &'t str {
        match self {
            Self::Toml(text) | Self::Json(text) => text,
        }
    }
}

/// A place in a text, counted from 1 as editors do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The character in the line.
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Where one thing stands. Of many things of one text, ask [`Places`].
pub fn position(written: Written<'_>, pointer: &str, within: Option<usize>) -> Option<Position> {
    Places::of(written)?.find(pointer, within)
}

/// Gives mistakes their places in the text that they were made in. One that has a place already, or is about no part of
/// the document, keeps what it has.
pub fn place(written: Written<'_>, mistakes: &mut [Mistake]) {
    let Some(places) = Places::of(written) else { return };
    for mistake in mistakes.iter_mut().filter(|m| m.position.is_none() && !m.pointer.is_empty()) {
        mistake.position = places.find(&mistake.pointer, mistake.within);
    }
}

/// Where everything in a text stands; the text is read once.
#[derive(Debug)]
pub struct Places<'t> {
    lines: Lines<'t>,
    root: Node,
}

/// Something that is written.
#[derive(Debug, Default)]
struct Node {
    /// Where it begins: a field with its name, an item of a list with itself.
    begins: usize,
    /// The value.
    value: Range<usize>,
    inside: Inside,
}

/// What is in a value.
#[derive(Debug, Default)]
enum Inside {
    /// Nothing that a pointer leads to.
    #[default]
    Plain,
    /// Fields.
    Table(HashMap<String, Node>),
    /// Items.
    List(Vec<Node>),
}

impl<'t> Places<'t> {
    /// Reads a text; `None` when it cannot be read.
    pub fn of(written: Written<'t>) -> Option<Self> {
        let root = match written {
            Written::Toml(text) => toml_text::nodes(text)?,
            Written::Json(text) => json::nodes(text)?,
        };
        Some(Self { lines: Lines::of(written.text()), root })
    }

    /// Where a pointer leads, or would lead: of what is not there, the nearest table around it. A field begins with its
    /// name. `within` is a byte of the text that stands there, and leads into it.
    pub fn find(&self, pointer: &str, within: Option<usize>) -> Option<Position> {
        let mut node = &self.root;
        let mut whole = true;
        for step in pointer.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            let next = match &node.inside {
                Inside::Plain => None,
                Inside::Table(fields) => fields.get(&step),
                Inside::List(items) => step.parse().ok().and_then(|at: usize| items.get(at)),
            };
            let Some(next) = next else {
                whole = false;
                break;
            };
            node = next;
        }
        let written = self.lines.text.get(node.value.clone());
        let inside = within.zip(written).filter(|_| whole).and_then(|(byte, written)| within_text(written, byte));
        let at = inside.map_or(node.begins, |offset| node.value.start.saturating_add(offset));
        self.lines.at(at)
    }
}

/// A text by lines.
#[derive(Debug)]
pub struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    /// Finds the lines of a text.
    pub fn of(text: &'t str) -> Self {
        let after = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at.saturating_add(1));
        Self { text, starts: std::iter::once(0).chain(after).collect() }
    }

    /// The line and column of a byte; of one behind the end, the end. `None` when there are more than can be counted.
    pub fn at(&self, byte: usize) -> Option<Position> {
        let byte = byte.min(self.text.len());
        let line = self.starts.partition_point(|start| *start <= byte);
        let start = line.checked_sub(1).and_then(|line| self.starts.get(line))?;
        let before = self.text.as_bytes().get(*start..byte)?;
        // A character has one byte that does not go on with the one before.
        let column = before.iter().filter(|byte| **byte & 0xC0 != 0x80).count().checked_add(1)?;
        Some(Position { line: u32::try_from(line).ok()?, column: u32::try_from(column).ok()? })
    }

    /// The place at a byte of a line, both counted from 1, as parsers of JSON tell it.
    pub fn byte_of_line(&self, line: usize, byte: usize) -> Option<Position> {
        let start = line.checked_sub(1).and_then(|line| self.starts.get(line))?;
        self.at(start.checked_add(byte.saturating_sub(1))?)
    }
}

#[cfg(test)]
mod tests;
