//! What a backup says of itself: enough to know whether it is whole, and what a restored ledger has to look like.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::failure::Failure;
use crate::kernel::clock::Instant;
use crate::loyalty::ledger::verify::heads::Head;

/// The file of a backup that says what is in it; written last.
pub const MANIFEST: &str = "manifest.json";
/// Where a dump is in a backup.
pub const DUMP: &str = "perennial.dump";
/// Where copied files are in a backup.
pub const DATA: &str = "data";
/// The shape of this document; a program reads its own and older ones.
const FORMAT: u32 = 1;

/// How a backup was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// By pg_dump, also while `serve` runs
    Dump,
    /// By a copy of the cluster's files, while nobody uses it
    Files,
}

/// What a backup says of itself.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    format: u32,
    /// The version of the program that made it.
    pub perennial: String,
    /// The major version of the server.
    pub postgres: u32,
    /// The facts of the moment that it shows.
    pub facts: Facts,
    /// How it was made.
    pub way: Way,
    directories: BTreeSet<String>,
    files: BTreeMap<String, Contents>,
}

/// What was so in the database at the moment that a backup shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// That moment, by Postgres's clock.
    pub made_at: Instant,
    /// The newest migration.
    pub migration: String,
    /// The roles that may have been granted something.
    pub roles: BTreeSet<String>,
    /// Where each lane's journal stood.
    pub heads: Vec<Head>,
}

/// What a file has to hold.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    bytes: u64,
    sha256: String,
}

/// What is in a directory.
#[derive(Default)]
struct Found {
    directories: BTreeSet<String>,
    files: BTreeMap<String, Contents>,
}

impl Manifest {
    /// Describes a backup whose files are there.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn describe(directory: &Path, way: Way, postgres: u32, facts: Facts) -> Result<Self, Failure> {
        let Found { directories, files } = Found::of(directory)?;
        let perennial = env!("CARGO_PKG_VERSION").to_owned();
        Ok(Self { format: FORMAT, perennial, postgres, facts, way, directories, files })
    }

    /// Reads it from a backup.
    ///
    /// # Errors
    /// `Configuration` when the directory is no backup that this program can read.
    pub fn read(directory: &Path) -> Result<Self, Failure> {
        let path = directory.join(MANIFEST);
        let no = |why: String| Failure::Configuration(format!("{} is no whole backup: {why}", directory.display()));
        let text = fs::read_to_string(&path).map_err(|error| no(format!("{MANIFEST}: {error}")))?;
        let document: serde_json::Value =
            serde_json::from_str(&text).map_err(|error| no(format!("{MANIFEST}: {error}")))?;
        // First of all: a later format may have what this program does not know.
        let format = document.get("format").and_then(serde_json::Value::as_u64);
        if format != Some(FORMAT.into()) {
            let found = format.map_or_else(|| "none".into(), |format| format.to_string());
            return Err(no(format!(
                "its format is {found}, and Perennial {} reads {FORMAT}",
                env!("CARGO_PKG_VERSION")
            )));
        }
        serde_json::from_value(document).map_err(|error| no(format!("{MANIFEST}: {error}")))
    }

    /// Writes it, on to the disk.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, directory: &Path) -> Result<(), Failure> {
        let path = directory.join(MANIFEST);
        let text = serde_json::to_string_pretty(self).map_err(|error| Failure::Work(error.to_string()))?;
        let written = || {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            file.write_all(text.as_bytes())?;
            file.write_all(b"\n")?;
            file.sync_all()
        };
        written().map_err(|error: io::Error| Failure::Work(format!("cannot write {}: {error}", path.display())))
    }

    /// Compares what is there with what should be.
    ///
    /// # Errors
    /// `Work`, with the first difference.
    pub fn check_files(&self, directory: &Path) -> Result<(), Failure> {
        let found = Found::of(directory)?;
        let differs = |what: String| Err(Failure::Work(format!("{} is damaged: {what}", directory.display())));
        for (path, wanted) in &self.files {
            match found.files.get(path) {
                None => return differs(format!("{path} is missing")),
                Some(there) if there.bytes != wanted.bytes => {
                    return differs(format!("{path} has {} bytes, not {}", there.bytes, wanted.bytes));
                }
                Some(there) if there != wanted => return differs(format!("{path} was changed")),
                Some(_) => {}
            }
        }
        if let Some(path) = self.directories.symmetric_difference(&found.directories).next() {
            return differs(format!("{path}/ is missing, or should not be there"));
        }
        match found.files.keys().find(|path| !self.files.contains_key(*path)) {
            Some(path) => differs(format!("{path} should not be there")),
            None => Ok(()),
        }
    }

    /// How many bytes its files have.
    pub fn bytes(&self) -> u64 {
        self.files.values().map(|contents| contents.bytes).sum()
    }

    /// How many journal rows the ledger had.
    pub fn journal_rows(&self) -> i64 {
        self.facts.heads.iter().map(|head| head.number).sum()
    }
}

impl Found {
    /// Everything below a directory but the manifest.
    fn of(directory: &Path) -> Result<Self, Failure> {
        let mut found = Self::default();
        found
            .walk(directory, "")
            .map_err(|error| Failure::Work(format!("{} cannot be read: {error}", directory.display())))?;
        found.files.remove(MANIFEST);
        Ok(found)
    }

    fn walk(&mut self, directory: &Path, prefix: &str) -> io::Result<()> {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                return Err(io::Error::other("it has a name that is no text"));
            };
            let path = format!("{prefix}{name}");
            let kind = entry.file_type()?;
            if kind.is_dir() {
                self.walk(&entry.path(), &format!("{path}/"))?;
                self.directories.insert(path);
            } else if kind.is_file() {
                self.files.insert(path, contents(&entry.path())?);
            } else {
                return Err(io::Error::other(format!("{path} is no plain file")));
            }
        }
        Ok(())
    }
}

fn contents(path: &Path) -> io::Result<Contents> {
    let mut digest = Sha256::new();
    let bytes = io::copy(&mut File::open(path)?, &mut Hasher(&mut digest))?;
    Ok(Contents { bytes, sha256: hex::encode(digest.finalize()) })
}

struct Hasher<'a>(&'a mut Sha256);

impl Write for Hasher<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
