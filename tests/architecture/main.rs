//! The house law. Reads the sources as text and syntax trees; a violation says where, which rule, and what to do.

#![expect(clippy::unwrap_used, reason = "a check that cannot read what it checks has to fail")]

mod arrows;
mod counterexamples;
mod documents;
mod facts;
mod kinds;
mod sizes;
mod source;

use std::fmt;
use std::sync::OnceLock;

use source::{Source, read_tree, root};

/// One place where the law is broken.
#[derive(Debug)]
pub struct Violation {
    /// `src/loyalty/ledger/account.rs:12`.
    pub place: String,
    /// What is not allowed there.
    pub rule: String,
    /// What to do.
    pub cure: &'static str,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.place, self.rule, self.cure)
    }
}

#[track_caller]
fn none(violations: &[Violation]) {
    let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "the house law is broken at {} places:\n{}\n", lines.len(), lines.join("\n"));
}

/// All sources, read once.
fn everything() -> &'static [Source] {
    static SOURCES: OnceLock<Vec<Source>> = OnceLock::new();
    SOURCES.get_or_init(|| ["src", "tests", "benches", "examples"].into_iter().flat_map(read_tree).collect())
}

/// The sources that the program is made of.
fn house() -> &'static [Source] {
    let all = everything();
    let last = all.partition_point(|source| source.path.starts_with("src/"));
    all.get(..last).unwrap()
}

#[test]
fn imports_point_downward() {
    none(&arrows::imports(house()));
}

#[test]
fn paths_are_imported_at_the_top() {
    none(&arrows::paths(house()));
}

#[test]
fn a_scope_is_made_where_somebody_is_let_in() {
    none(&arrows::scope_makers(house()));
}

#[test]
fn files_keep_the_promise_of_their_names() {
    none(&kinds::promises(house()));
}

#[test]
fn rules_forbid_arithmetic_that_overflows() {
    none(&kinds::unguarded(house()));
}

#[test]
fn files_and_functions_stay_small() {
    none(&sizes::lengths(everything()));
}

#[test]
fn names_say_what_a_thing_is() {
    none(&sizes::names(everything()));
}

#[test]
fn engines_know_no_word_of_the_programme() {
    none(&sizes::loyalty_words(house()));
}

#[test]
fn exceptions_are_for_files_that_exist() {
    let named = kinds::ENGINES.iter().chain(&kinds::WEB).chain(&arrows::SCOPE_MAKERS);
    let gone: Vec<_> = named.filter(|path| !root().join(path).exists()).collect();
    assert!(gone.is_empty(), "the law names files that are gone: {gone:?}");
}
