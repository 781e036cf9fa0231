//! Reads a document, and names every mistake in it with its place.

mod left_out;

use std::fmt;

use indexmap::IndexMap;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Map, Value};
use serde_path_to_error::Segment;
use utoipa::ToSchema;

use crate::loyalty::program::compile::check;
use crate::loyalty::program::document::{Document, Wallet};
use crate::loyalty::program::position::{Lines, Position, Written, place};
use crate::loyalty::program::read::left_out::LeftOut;

/// The most bytes of a document.
pub const DOCUMENT_BYTES_MAX: usize = 256 * 1024;
/// The most mistakes that are named of one part of a document.
const PART_MISTAKES_MAX: usize = 50;

/// Something wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Mistake {
    /// Where, as a JSON pointer: `/wallets/points/value`.
    pub pointer: String,
    /// Where in the text; `None` when it is about no text.
    pub position: Option<Position>,
    /// What.
    pub message: String,
    /// The byte of the text at the pointer that it is about; `None`: all of it.
    #[serde(skip)]
    pub within: Option<usize>,
}

impl Mistake {
    /// A mistake at a place.
    pub fn at(place: &[&str], message: impl fmt::Display) -> Self {
        let pointer = place.iter().map(|part| format!("/{}", part.replace('~', "~0").replace('/', "~1"))).collect();
        Self { pointer, position: None, message: message.to_string(), within: None }
    }

    /// The same, about what begins at a byte of the text that stands there: a word of a condition.
    pub fn within(self, byte: usize) -> Self {
        Self { within: Some(byte), ..self }
    }

    /// Whether this is about a part of what the other is about, or the same.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        self.pointer.strip_prefix(other.pointer.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(position) = self.position {
            write!(f, "{position}: ")?;
        }
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
    /// Every mistake with its line and column; when the text is no TOML, that one.
    pub fn from_toml(text: &str) -> Result<Self, Vec<Mistake>> {
        Self::read(Written::Toml(text))
    }

    /// Reads and checks a document in JSON.
    ///
    /// # Errors
    /// Every mistake with its line and column; when the text is no JSON, that one.
    pub fn from_json(text: &str) -> Result<Self, Vec<Mistake>> {
        Self::read(Written::Json(text))
    }

    /// Reads and checks a document.
    ///
    /// # Errors
    /// Every mistake, with its line and column.
    pub fn read(written: Written<'_>) -> Result<Self, Vec<Mistake>> {
        sized(written.text().len())?;
        checked(parts(written).map_err(|mistake| vec![mistake])?).map_err(|mut mistakes| {
            place(written, &mut mistakes);
            mistakes
        })
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

fn parts(written: Written<'_>) -> Result<Parts, Mistake> {
    let lines = || Lines::of(written.text());
    match written {
        Written::Toml(text) => toml::from_str(text).map_err(|error| {
            let position = error.span().and_then(|span| lines().at(span.start));
            Mistake { position, ..Mistake::at(&[], error.message()) }
        }),
        Written::Json(text) => serde_json::from_str(text).map_err(|error| {
            let position = lines().byte_of_line(error.line(), error.column());
            let message = error.to_string();
            let told = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
            Mistake { position, ..Mistake::at(&[], told) }
        }),
    }
}

fn checked(parts: Parts) -> Result<Document, Vec<Mistake>> {
    let mut reading = Reading::default();
    let mut document = Document::default();
    for (name, part) in parts {
        let Some(part_of) = PARTS.iter().find(|(part, _)| *part == name).map(|(_, read)| read) else {
            let there: Vec<String> = PARTS.iter().map(|(name, _)| format!("`{name}`")).collect();
            let message = format_args!("unknown; a document has {}", there.join(", "));
            reading.mistakes.push(Mistake::at(&[&name], message));
            continue;
        };
        match part {
            Part::Table(table) => part_of(&mut document, table, &mut reading),
            Part::Other(_) => reading.mistakes.push(Mistake::at(&[&name], "must be a table")),
        }
    }
    let later: Vec<Mistake> = check(&document).into_iter().map(|later| reading.in_the_text(later)).collect();
    let later: Vec<Mistake> = later.into_iter().filter(|later| !reading.explains(later)).collect();
    let mut mistakes = reading.mistakes;
    mistakes.extend(later);
    if mistakes.is_empty() { Ok(document) } else { Err(mistakes) }
}

/// One table of a document.
type Table = IndexMap<String, Value>;

/// How a part of a document is read into it.
type ReadPart = fn(&mut Document, Table, &mut Reading);

/// The parts of a document, and how each is read.
const PARTS: [(&str, ReadPart); 12] = [
    ("program", |document, table, reading| document.program = reading.whole("program", table).unwrap_or_default()),
    ("wallets", |document, table, reading| document.wallets = reading.wallets(table)),
    ("earning", |document, table, reading| document.earning = reading.each("earning", table)),
    ("tiers", |document, table, reading| document.tiers = reading.whole("tiers", table)),
    ("perks", |document, table, reading| document.perks = reading.each("perks", table)),
    ("discounts", |document, table, reading| document.discounts = reading.each("discounts", table)),
    ("rewards", |document, table, reading| document.rewards = reading.each("rewards", table)),
    ("attributes", |document, table, reading| {
        document.attributes = reading.whole("attributes", table).unwrap_or_default();
    }),
    ("segments", |document, table, reading| document.segments = reading.each("segments", table)),
    ("experiments", |document, table, reading| document.experiments = reading.each("experiments", table)),
    ("goals", |document, table, reading| document.goals = reading.each("goals", table)),
    ("mapping", |document, table, reading| document.mapping = reading.whole("mapping", table).unwrap_or_default()),
];

/// What audiences and conditions name: what was not understood in them is missing there, which is no second mistake.
const NAMED: [&str; 4] = ["/tiers", "/attributes", "/segments", "/experiments"];

/// A document that is read.
#[derive(Default)]
struct Reading {
    mistakes: Vec<Mistake>,
    left_out: LeftOut,
    wallet_unread: bool,
}

impl Reading {
    fn whole<T: DeserializeOwned>(&mut self, part: &str, table: Table) -> Option<T> {
        read(&[part], Value::Object(table.into_iter().collect()), &mut self.mistakes, &mut self.left_out)
    }

    /// Each of its kind by its code: one that was not understood is there, too, as others may name it.
    fn each<T: DeserializeOwned + Default>(&mut self, part: &str, table: Table) -> IndexMap<String, T> {
        let mut item = |(code, value): (String, Value)| {
            let item = read(&[part, &code], value, &mut self.mistakes, &mut self.left_out);
            (code, item.unwrap_or_default())
        };
        table.into_iter().map(&mut item).collect()
    }

    fn wallets(&mut self, table: Table) -> IndexMap<String, Wallet> {
        let written = table.len();
        let wallet = |(code, value): (String, Value)| {
            let read = read_wallet(&["wallets", &code], value, &mut self.mistakes, &mut self.left_out)?;
            Some((code, read))
        };
        let wallets: IndexMap<String, Wallet> = table.into_iter().filter_map(wallet).collect();
        self.wallet_unread = wallets.len() < written;
        wallets
    }

    fn in_the_text(&self, later: Mistake) -> Mistake {
        Mistake { pointer: self.left_out.in_the_text(&later.pointer), ..later }
    }

    /// Whether a mistake follows from one in what was read: what was not understood is missing in the document.
    fn explains(&self, later: &Mistake) -> bool {
        let pointer = later.pointer.as_str();
        let of_term = pointer.ends_with("/expiry");
        let fills = match pointer {
            "/wallets" | "/tiers/wallet" => true,
            _ => {
                ["/earning/", "/rewards/"].iter().any(|part| pointer.starts_with(part)) && pointer.ends_with("/wallet")
            }
        };
        let condition = ["/lines", "/when", "/benefit/of"].iter().any(|field| pointer.ends_with(field));
        let names = condition || pointer.contains("/audience/");
        let of_ladder = pointer.starts_with("/tiers/ladder/") && pointer.contains("/perks/");
        let of_reward = pointer.starts_with("/rewards/") && pointer.contains("/cost/tiers/");
        let of_mapping = pointer.starts_with("/mapping/tiers/");
        let gives_perk = pointer.starts_with("/rewards/") && pointer.ends_with("/gives/perk");
        let unread = |part: &str| self.mistakes.iter().any(|mistake| mistake.pointer.starts_with(part));
        self.wallet_unread && fills
            || names && NAMED.into_iter().any(unread)
            || (of_ladder || gives_perk) && unread("/perks")
            || (of_reward || of_mapping) && unread("/tiers")
            || self.mistakes.iter().any(|m| later.is_within(m) || of_term && m.is_within(later))
    }
}

/// Reads by the kind first: serde's tagged enums forget where in the table a mistake stands.
fn read_wallet(
    place: &[&str],
    mut value: Value,
    mistakes: &mut Vec<Mistake>,
    left_out: &mut LeftOut,
) -> Option<Wallet> {
    let kind = value.as_object_mut().and_then(|table| table.remove("kind"));
    match kind.as_ref().map(Value::as_str) {
        Some(Some("redeemable")) => read(place, value, mistakes, left_out).map(Wallet::Redeemable),
        Some(Some("qualifying")) => read(place, value, mistakes, left_out).map(Wallet::Qualifying),
        _ => {
            let place = [place, &["kind"]].concat();
            mistakes.push(Mistake::at(&place, "must be `redeemable` or `qualifying`"));
            None
        }
    }
}

/// Reads one part: a field that is not understood is named and left out, and the rest read again.
fn read<T: DeserializeOwned>(
    place: &[&str],
    mut value: Value,
    mistakes: &mut Vec<Mistake>,
    left_out: &mut LeftOut,
) -> Option<T> {
    for _ in 0..PART_MISTAKES_MAX {
        let error = match serde_path_to_error::deserialize::<_, T>(value.clone()) {
            Ok(part) => return Some(part),
            Err(error) => error,
        };
        let path: Vec<String> = error.path().iter().filter_map(segment).collect();
        let whole: Vec<&str> = place.iter().copied().chain(path.iter().map(String::as_str)).collect();
        let mistake = Mistake::at(&whole, error.inner());
        let pointer = left_out.in_the_text(&mistake.pointer);
        let gone = leave_out(&mut value, &path);
        if let Some(Gone::Item) = gone {
            left_out.note(&pointer);
        }
        mistakes.push(Mistake { pointer, ..mistake });
        gone?;
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

/// What was left out.
enum Gone {
    Field,
    Item,
}

fn leave_out(value: &mut Value, path: &[String]) -> Option<Gone> {
    let (last, parents) = path.split_last()?;
    let parent = parents.iter().try_fold(value, |value, key| match value {
        Value::Object(table) => table.get_mut(key),
        Value::Array(list) => key.parse().ok().and_then(|i: usize| list.get_mut(i)),
        _ => None,
    });
    match parent? {
        Value::Object(table) => Map::remove(table, last).map(|_| Gone::Field),
        Value::Array(list) => {
            let item = last.parse().ok().filter(|item| *item < list.len())?;
            list.remove(item);
            Some(Gone::Item)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
