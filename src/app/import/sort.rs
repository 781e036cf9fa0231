//! Rows in the order in which they are posted: by member, then time, then line; with flat memory.
//!
//! A file that fits stays in memory. A larger one is cut into sorted runs in temporary files, which are merged.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::fs::{File, OpenOptions, remove_file};
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use chrono::DateTime;
use csv::StringRecord;

use crate::kernel::clock::Instant;
use crate::platform::entropy::uuid_v7;

/// How much of a file is held in memory, in bytes, about.
pub const RUN_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How many runs are open at a time.
const RUNS_MAX: usize = 64;
/// What a row takes beside its text, in bytes, about.
const ROW_BYTES: usize = 160;
/// No stored length is larger: more is a file that somebody damaged.
const LENGTH_MAX: u32 = 1 << 30;

/// A row with its place in the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// By what its member is known.
    pub member: String,
    /// Business time.
    pub at: Instant,
    /// The line in the file, from 1.
    pub line: u64,
    /// The row.
    pub row: StringRecord,
}

impl Item {
    fn key(&self) -> (&str, Instant, u64) {
        (&self.member, self.at, self.line)
    }

    fn bytes(&self) -> usize {
        self.member.len() + self.row.as_slice().len() + self.row.len() * 8 + ROW_BYTES
    }
}

/// Takes rows, and gives them back in order.
pub struct Sorter {
    place: PathBuf,
    bytes_max: usize,
    bytes: usize,
    rows: Vec<Item>,
    runs: Vec<File>,
}

impl Sorter {
    /// A sorter whose temporary files lie in a directory.
    pub fn new(place: &Path, bytes_max: usize) -> Self {
        Self { place: place.to_owned(), bytes_max, bytes: 0, rows: Vec::new(), runs: Vec::new() }
    }

    /// Takes a row.
    ///
    /// # Errors
    /// When a temporary file cannot be written.
    pub fn add(&mut self, item: Item) -> io::Result<()> {
        self.bytes += item.bytes();
        self.rows.push(item);
        if self.bytes < self.bytes_max {
            return Ok(());
        }
        let rows = self.sorted();
        let run = self.write(rows.into_iter().map(Ok))?;
        self.runs.push(run);
        if self.runs.len() >= RUNS_MAX {
            let runs = std::mem::take(&mut self.runs);
            let one = self.write(Sorted::of(Vec::new(), runs)?)?;
            self.runs.push(one);
        }
        Ok(())
    }

    /// The rows in order.
    ///
    /// # Errors
    /// When a temporary file cannot be read.
    pub fn finish(mut self) -> io::Result<Sorted> {
        let rows = self.sorted();
        Sorted::of(rows, self.runs)
    }

    fn sorted(&mut self) -> Vec<Item> {
        self.bytes = 0;
        let mut rows = std::mem::take(&mut self.rows);
        rows.sort_unstable_by(|a, b| a.key().cmp(&b.key()));
        rows
    }

    fn write(&self, rows: impl Iterator<Item = io::Result<Item>>) -> io::Result<File> {
        let path = self.place.join(format!("perennial-import-{}", uuid_v7()));
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        // Nameless from now on: it goes with this process, however that ends.
        remove_file(&path)?;
        let mut out = BufWriter::new(file);
        for row in rows {
            write_item(&mut out, &row?)?;
        }
        let mut file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(file)
    }
}

/// Rows in order, as long as they can be read.
pub struct Sorted {
    rows: std::vec::IntoIter<Item>,
    runs: Vec<BufReader<File>>,
    heads: BinaryHeap<Head>,
    failed: Option<io::Error>,
}

/// The next row of a run; the one that comes first is the greatest, as a heap wants it.
struct Head {
    item: Item,
    run: Option<usize>,
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.item.key() == other.item.key()
    }
}

impl Eq for Head {}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        other.item.key().cmp(&self.item.key())
    }
}

impl Sorted {
    fn of(rows: Vec<Item>, runs: Vec<File>) -> io::Result<Self> {
        let runs: Vec<BufReader<File>> = runs.into_iter().map(BufReader::new).collect();
        let mut sorted = Self { rows: rows.into_iter(), runs, heads: BinaryHeap::new(), failed: None };
        for run in std::iter::once(None).chain((0..sorted.runs.len()).map(Some)) {
            sorted.pull(run)?;
        }
        Ok(sorted)
    }

    fn pull(&mut self, run: Option<usize>) -> io::Result<()> {
        let item = match run.map(|run| self.runs.get_mut(run)) {
            None => self.rows.next(),
            Some(Some(file)) => read_item(file)?,
            Some(None) => None,
        };
        self.heads.extend(item.map(|item| Head { item, run }));
        Ok(())
    }
}

impl Iterator for Sorted {
    type Item = io::Result<Item>;

    fn next(&mut self) -> Option<io::Result<Item>> {
        if let Some(error) = self.failed.take() {
            self.heads.clear();
            return Some(Err(error));
        }
        let Head { item, run } = self.heads.pop()?;
        self.failed = self.pull(run).err();
        Some(Ok(item))
    }
}

fn write_item(out: &mut impl Write, item: &Item) -> io::Result<()> {
    write_text(out, &item.member)?;
    out.write_all(&item.at.timestamp_micros().to_le_bytes())?;
    out.write_all(&item.line.to_le_bytes())?;
    out.write_all(&length(item.row.len())?.to_le_bytes())?;
    item.row.iter().try_for_each(|field| write_text(out, field))
}

fn write_text(out: &mut impl Write, text: &str) -> io::Result<()> {
    out.write_all(&length(text.len())?.to_le_bytes())?;
    out.write_all(text.as_bytes())
}

fn length(n: usize) -> io::Result<u32> {
    u32::try_from(n).ok().filter(|n| *n <= LENGTH_MAX).ok_or_else(damaged)
}

/// The next row, or `None` at the end of the run.
fn read_item(file: &mut impl Read) -> io::Result<Option<Item>> {
    let mut first = [0; 4];
    match file.read_exact(&mut first) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let member = text_of(file, u32::from_le_bytes(first))?;
    let at = i64::from_le_bytes(read(file)?);
    let at = DateTime::from_timestamp_micros(at).ok_or_else(damaged)?;
    let line = u64::from_le_bytes(read(file)?);
    let fields = u32::from_le_bytes(read(file)?);
    let mut row = StringRecord::new();
    for _ in 0..fields {
        let length = u32::from_le_bytes(read(file)?);
        row.push_field(&text_of(file, length)?);
    }
    Ok(Some(Item { member, at, line, row }))
}

fn read<const N: usize>(file: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn text_of(file: &mut impl Read, length: u32) -> io::Result<String> {
    let length = usize::try_from(length.min(LENGTH_MAX)).map_err(|_| damaged())?;
    let mut bytes = vec![0; length];
    file.read_exact(&mut bytes)?;
    String::from_utf8(bytes).map_err(|_| damaged())
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a temporary file is damaged")
}

#[cfg(test)]
mod tests {
    use std::env::temp_dir;

    use proptest::prelude::*;

    use super::*;

    fn item(member: &str, at: i64, line: u64) -> Item {
        let row = [member, "", "ü\"\n"].iter().collect();
        Item { member: member.to_owned(), at: DateTime::from_timestamp_micros(at).unwrap(), line, row }
    }

    proptest! {
        #[test]
        fn any_rows_come_back_by_member_time_and_line_whatever_fits_in_memory(
            rows in prop::collection::vec(("[a-c]{0,2}", 0_i64..5), 0..400), fits in 1_usize..50_000,
        ) {
            let items: Vec<Item> = rows.iter().zip(1..).map(|((member, at), line)| item(member, *at, line)).collect();
            let mut sorter = Sorter::new(&temp_dir(), fits);
            for item in &items {
                sorter.add(item.clone()).unwrap();
            }
            let sorted: Vec<Item> = sorter.finish().unwrap().map(Result::unwrap).collect();
            let mut expected = items;
            expected.sort_by(|a, b| a.key().cmp(&b.key()));
            prop_assert_eq!(sorted, expected);
        }
    }
}
