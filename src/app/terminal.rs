//! What people read: one line at a time. Logs are elsewhere (`log.rs`).

use std::io::{Write, stderr, stdout};

/// Says a line on standard output.
pub fn say(line: &str) {
    // Whoever closed the pipe does not want to know.
    let _ = writeln!(stdout(), "{line}");
}

/// Says on standard error why a command failed.
pub fn complain(text: &str) {
    let _ = writeln!(stderr(), "perennial: {text}");
}

/// Says on standard error how things stand.
pub fn note(text: &str) {
    let _ = writeln!(stderr(), "{text}");
}
