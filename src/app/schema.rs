//! `perennial schema`: the JSON Schema of a programme's document, for editors.

use super::terminal::say;
use crate::loyalty::program::schema::written;

/// Prints the schema. Needs no database.
pub fn run() {
    say(written().trim_end());
}
