//! What a verification says.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::loyalty::ledger::verify::heads::Head;
use crate::loyalty::ledger::verify::law::{Finding, Law};

/// What was read, and which laws are broken.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Members with an account.
    pub members: u64,
    /// Postings.
    pub postings: u64,
    /// Rows of all journals.
    pub journal_rows: u64,
    /// Directory values.
    pub directory_rows: u64,
    /// Where each lane's journal stands.
    pub heads: Vec<Head>,
    /// What could not be looked at, and why.
    pub notes: Vec<String>,
    /// The findings, of each law some.
    pub findings: Vec<Finding>,
    /// How many findings there are of each law that is broken.
    pub broken: BTreeMap<Law, u64>,
}

impl Report {
    /// Whether no law is broken.
    pub fn is_clean(&self) -> bool {
        self.broken.is_empty()
    }

    /// How many findings there are in all, kept or not.
    pub fn found(&self) -> u64 {
        self.broken.values().sum()
    }
}

/// How far a verification is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Rows looked at.
    pub done: u64,
    /// Rows there are, about.
    pub of: u64,
    /// What is read now.
    pub step: Step,
}

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Members with their postings.
    Members,
    /// The journals.
    Journal,
    /// The directory.
    Directory,
}

impl Step {
    /// The name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Members => "members",
            Self::Journal => "journal",
            Self::Directory => "directory",
        }
    }
}
