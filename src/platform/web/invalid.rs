//! What serde found wrong, as the field's JSON pointer and a sentence for a caller who has never seen Rust.

use serde_path_to_error::{Path, Segment};

/// What is wrong with a value that could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// A field or parameter that the call does not know.
    Unknown,
    /// One that it wants and that is not there.
    Missing,
    /// One that is there twice.
    Duplicate,
    /// A value or type that is never valid.
    Invalid,
}

/// A message of serde, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) wrong: Wrong,
    pub(crate) pointer: String,
    pub(crate) says: String,
}

/// Reads serde's path and message.
pub(crate) fn finding(path: &Path, message: &str) -> Finding {
    let message = without_position(message);
    let mut pointer = pointer(path);
    let (wrong, names_field) = if message.starts_with("unknown field") {
        (Wrong::Unknown, true)
    } else if message.starts_with("missing field") {
        (Wrong::Missing, true)
    } else if message.starts_with("duplicate field") {
        (Wrong::Duplicate, true)
    } else {
        (Wrong::Invalid, false)
    };
    // serde's path of an absent or unknown field ends at its parent.
    if let Some(field) = message.split('`').nth(1).filter(|_| names_field) {
        let last = format!("/{}", escaped(field));
        if !pointer.ends_with(&last) || wrong == Wrong::Missing {
            pointer.push_str(&last);
        }
    }
    Finding { wrong, pointer, says: in_json_words(message) }
}

fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => pointer.push_str(&format!("/{}", escaped(key))),
            // A variant is a JSON key only in externally tagged enums, which our documents do not use.
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn without_position(message: &str) -> &str {
    message.rfind(" at line ").and_then(|end| message.get(..end)).unwrap_or(message)
}

fn in_json_words(message: &str) -> String {
    let Some((found, expected)) = message.rsplit_once(", expected ") else { return message.to_owned() };
    let expected = match expected {
        "i8" | "i16" | "i32" | "i64" | "i128" => "a whole number",
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => "a whole number of 0 or more",
        "f32" | "f64" => "a number",
        "a sequence" => "an array",
        "a map" => "an object",
        "str" => "a string",
        other if other.starts_with("struct ") || other.starts_with("internally tagged enum ") => "an object",
        other => other,
    };
    let found = found.replace("sequence", "array").replace("map,", "object,");
    format!("{found}, expected {expected}")
}
