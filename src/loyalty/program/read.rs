//! Reads a document, and names every mistake in it with its place.

use std::fmt;

use indexmap::IndexMap;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Map, Value};
use serde_path_to_error::Segment;

use crate::loyalty::program::compile::check;
use crate::loyalty::program::document::{Document, Earning, Program, Wallet};

/// The most bytes of a document.
pub const DOCUMENT_BYTES_MAX: usize = 256 * 1024;
/// The most mistakes that are named of one part of a document.
const PART_MISTAKES_MAX: usize = 50;

/// Something wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mistake {
    /// Where, as a JSON pointer: `/wallets/points/value`.
    pub pointer: String,
    /// What.
    pub message: String,
}

impl Mistake {
    /// A mistake at a place.
    pub fn at(place: &[&str], message: impl fmt::Display) -> Self {
        let pointer = place.iter().map(|part| format!("/{}", part.replace('~', "~0").replace('/', "~1"))).collect();
        Self { pointer, message: message.to_string() }
    }

    /// Whether this is about a part of what the other is about, or the same.
    fn is_within(&self, other: &Self) -> bool {
        self.pointer.strip_prefix(other.pointer.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pointer.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.pointer, self.message)
        }
    }
}

impl Document {
    /// Reads and checks a document in TOML.
    ///
    /// # Errors
    /// Every mistake; when the text is no TOML, that one with its line and column.
    pub fn from_toml(text: &str) -> Result<Self, Vec<Mistake>> {
        sized(text.len())?;
        checked(toml::from_str(text).map_err(|e| vec![Mistake::at(&[], e.to_string().trim_end())])?)
    }

    /// Reads and checks a document in JSON.
    ///
    /// # Errors
    /// Every mistake; when the text is no JSON, that one with its line and column.
    pub fn from_json(text: &str) -> Result<Self, Vec<Mistake>> {
        sized(text.len())?;
        checked(serde_json::from_str(text).map_err(|e| vec![Mistake::at(&[], e)])?)
    }

    /// Writes the document in TOML; reading that gives the same document.
    ///
    /// # Errors
    /// None that a document that was read can cause.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }

    /// Writes the document in JSON; reading that gives the same document. Keep it as text: the order matters.
    ///
    /// # Errors
    /// None that a document that was read can cause.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

fn sized(bytes: usize) -> Result<(), Vec<Mistake>> {
    if bytes <= DOCUMENT_BYTES_MAX {
        return Ok(());
    }
    Err(vec![Mistake::at(&[], format_args!("a document has at most {DOCUMENT_BYTES_MAX} bytes"))])
}

/// A document whose parts are not read yet; of its tables the order is known.
type Parts = IndexMap<String, Part>;

/// One table of a document, or whatever stands in its place.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Part {
    Table(IndexMap<String, Value>),
    Other(IgnoredAny),
}

fn checked(parts: Parts) -> Result<Document, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let mut wallet_unread = false;
    let mut document =
        Document { program: Program::default(), wallets: IndexMap::new(), earning: IndexMap::new(), tiers: None };
    for (name, part) in parts {
        match (name.as_str(), part) {
            ("program", Part::Table(table)) => {
                let program = Value::Object(table.into_iter().collect());
                document.program = read(&["program"], program, &mut mistakes).unwrap_or_default();
            }
            ("wallets", Part::Table(table)) => {
                let written = table.len();
                let wallet = |(code, value): (String, Value)| {
                    let read = read_wallet(&["wallets", &code], value, &mut mistakes)?;
                    Some((code, read))
                };
                document.wallets = table.into_iter().filter_map(wallet).collect();
                wallet_unread = document.wallets.len() < written;
            }
            ("earning", Part::Table(table)) => {
                let rule = |(code, value): (String, Value)| {
                    let read: Earning = read(&["earning", &code], value, &mut mistakes)?;
                    Some((code, read))
                };
                document.earning = table.into_iter().filter_map(rule).collect();
            }
            ("tiers", Part::Table(table)) => {
                let tiers = Value::Object(table.into_iter().collect());
                document.tiers = read(&["tiers"], tiers, &mut mistakes);
            }
            ("program" | "wallets" | "earning" | "tiers", Part::Other(_)) => {
                mistakes.push(Mistake::at(&[&name], "must be a table"));
            }
            _ => mistakes
                .push(Mistake::at(&[&name], "unknown; a document has `program`, `wallets`, `earning` and `tiers`")),
        }
    }
    // What was not understood is missing in the document: that is no second mistake.
    let misses = |later: &Mistake| match later.pointer.as_str() {
        "/wallets" | "/tiers/wallet" => true,
        pointer => pointer.starts_with("/earning/") && pointer.ends_with("/wallet"),
    };
    let follows = |later: &Mistake| {
        let of_term = later.pointer.ends_with("/expiry");
        wallet_unread && misses(later) || mistakes.iter().any(|m| later.is_within(m) || of_term && m.is_within(later))
    };
    let later: Vec<Mistake> = check(&document).into_iter().filter(|later| !follows(later)).collect();
    mistakes.extend(later);
    if mistakes.is_empty() { Ok(document) } else { Err(mistakes) }
}

/// Reads by the kind first: serde's tagged enums forget where in the table a mistake stands.
fn read_wallet(place: &[&str], mut value: Value, mistakes: &mut Vec<Mistake>) -> Option<Wallet> {
    let kind = value.as_object_mut().and_then(|table| table.remove("kind"));
    match kind.as_ref().map(Value::as_str) {
        Some(Some("redeemable")) => read(place, value, mistakes).map(Wallet::Redeemable),
        Some(Some("qualifying")) => read(place, value, mistakes).map(Wallet::Qualifying),
        _ => {
            let place = [place, &["kind"]].concat();
            mistakes.push(Mistake::at(&place, "must be `redeemable` or `qualifying`"));
            None
        }
    }
}

/// Reads one part: a field that is not understood is named and left out, and the rest read again.
fn read<T: DeserializeOwned>(place: &[&str], mut value: Value, mistakes: &mut Vec<Mistake>) -> Option<T> {
    for _ in 0..PART_MISTAKES_MAX {
        let error = match serde_path_to_error::deserialize::<_, T>(value.clone()) {
            Ok(part) => return Some(part),
            Err(error) => error,
        };
        let path: Vec<String> = error.path().iter().filter_map(segment).collect();
        let whole: Vec<&str> = place.iter().copied().chain(path.iter().map(String::as_str)).collect();
        mistakes.push(Mistake::at(&whole, error.inner()));
        if !leave_out(&mut value, &path) {
            return None;
        }
    }
    None
}

fn segment(segment: &Segment) -> Option<String> {
    match segment {
        Segment::Map { key } => Some(key.clone()),
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Enum { .. } | Segment::Unknown => None,
    }
}

fn leave_out(value: &mut Value, path: &[String]) -> bool {
    let Some((last, parents)) = path.split_last() else { return false };
    let parent = parents.iter().try_fold(value, |value, key| match value {
        Value::Object(table) => table.get_mut(key),
        Value::Array(list) => key.parse().ok().and_then(|i: usize| list.get_mut(i)),
        _ => None,
    });
    match parent {
        Some(Value::Object(table)) => Map::remove(table, last).is_some(),
        Some(Value::Array(list)) => match last.parse() {
            Ok(i) if i < list.len() => {
                list.remove(i);
                true
            }
            _ => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests;
