//! Documents that have to stay true: ARCHITECTURE.md, README.md and the list of problems.

use std::collections::BTreeSet;
use std::{env, fs};

use perennial::app::http::PROBLEMS;
use perennial::app::settings::{SETTINGS, Setting};
use perennial::platform::web::fallback::ProblemCatalogue;

use crate::everything;
use crate::kinds::dependencies;
use crate::source::root;

/// Where the map has every room, and the kernel, whose rooms are files.
const MAPPED: [&str; 5] = ["src/kernel", "src/platform", "src/loyalty", "src/insight", "src/console"];

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The words between backticks, code blocks left out.
fn quoted(text: &str) -> Vec<String> {
    let prose: String = text.split("```").step_by(2).collect();
    let lines = prose.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    lines.map(ToOwned::to_owned).collect()
}

/// The part of a file between two comments, written anew under `PERENNIAL_BLESS`.
fn holds(path: &str, name: &str, wanted: &str) {
    let (begin, end) = (format!("<!-- {name}: generated -->\n"), format!("<!-- end of {name} -->"));
    let text = read(path);
    let (head, rest) = text.split_once(&begin).unwrap();
    let (found, tail) = rest.split_once(&end).unwrap();
    if env::var_os("PERENNIAL_BLESS").is_some() {
        fs::write(root().join(path), [head, &begin, wanted, &end, tail].concat()).unwrap();
    } else {
        assert_eq!(found, wanted, "run with PERENNIAL_BLESS=1 to write {path} anew");
    }
}

#[test]
fn readme_has_every_setting() {
    let row = |setting: &Setting| {
        let Setting { name, default, expected, purpose, .. } = setting;
        let default =
            default.strip_prefix('(').map_or(format!("`{default}`"), |words| words.trim_end_matches(')').to_owned());
        format!("| `{name}` | {default} | {purpose} | {expected} |\n")
    };
    let head = "| variable | default | what it is for | what is accepted |\n|---|---|---|---|\n";
    holds("README.md", "settings", &[head.to_owned(), SETTINGS.iter().map(row).collect()].concat());
}

#[test]
fn the_list_of_problems_is_what_the_api_answers() {
    let catalogue = ProblemCatalogue::new(PROBLEMS);
    assert_eq!(catalogue.misfit(), None);
    holds("openapi/problems.md", "problems", &catalogue.markdown());
}

#[test]
fn every_dependency_says_what_it_is_for() {
    let text = read("ARCHITECTURE.md");
    let (_, table) = text.split_once("## Dependencies").unwrap();
    let named = |line: &str| {
        line.strip_prefix("| `").and_then(|line| line.split('`').next()).map(|name| name.replace('-', "_"))
    };
    let named: BTreeSet<String> = table.lines().filter_map(named).collect();
    let there: BTreeSet<String> = dependencies().into_iter().collect();
    let difference: Vec<_> = named.symmetric_difference(&there).collect();
    assert!(difference.is_empty(), "Cargo.toml and the table of ARCHITECTURE.md differ in {difference:?}");
}

#[test]
fn the_map_has_every_room() {
    let text = read("ARCHITECTURE.md");
    let map = text.split("```").nth(1).unwrap();
    let mapped: BTreeSet<&str> = map.lines().filter_map(|line| line.split_whitespace().next()).collect();
    for path in &mapped {
        assert!(root().join(path).exists(), "{path} is in the map of ARCHITECTURE.md and nowhere else");
    }
    let unmapped: Vec<_> = rooms().into_iter().filter(|room| !mapped.contains(room.as_str())).collect();
    assert!(unmapped.is_empty(), "the map of ARCHITECTURE.md lacks {unmapped:?}");
}

/// The rooms as the map writes them: directories with a slash at the end, and files.
fn rooms() -> Vec<String> {
    let mut rooms = Vec::new();
    for storey in MAPPED.into_iter().filter(|storey| root().join(storey).is_dir()) {
        for entry in fs::read_dir(root().join(storey)).unwrap() {
            let (name, kind) = entry.map(|e| (e.file_name().into_string().unwrap(), e.file_type().unwrap())).unwrap();
            // A directory beside a file of its name has that file's tests and parts.
            let part = kind.is_dir() && root().join(storey).join(format!("{name}.rs")).exists();
            if name != "mod.rs" && !part {
                rooms.push(format!("{storey}/{name}{}", if kind.is_dir() { "/" } else { "" }));
            }
        }
    }
    rooms
}

#[test]
fn documents_name_what_exists() {
    let words = everything().iter().flat_map(|source| &source.tokens).map(|t| t.text.as_str()).collect();
    let files = everything().iter().map(|source| source.path.as_str()).collect();
    let text = read("ARCHITECTURE.md");
    let (prose, _) = text.split_once("## Dependencies").unwrap();
    let gone: Vec<_> = quoted(prose).into_iter().filter(|name| !exists(name, &files, &words)).collect();
    assert!(gone.is_empty(), "ARCHITECTURE.md names what is not there: {gone:?}");
}

/// Whether a quoted word, if it looks like a path or a name in code, is one.
fn exists(name: &str, files: &BTreeSet<&str>, words: &BTreeSet<&str>) -> bool {
    let path = name.ends_with(".rs") || name.contains('/') && !name.contains(' ') && !name.starts_with('/');
    if path {
        let suffix = format!("/{}", name.trim_end_matches('/'));
        return root().join(name).exists() || files.iter().any(|file| file.ends_with(&suffix));
    }
    if name.starts_with('X') {
        return true; // Stands for any name.
    }
    let coded = name.chars().next().is_some_and(|c| c.is_ascii_uppercase()) || name.contains("::");
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'));
    !(coded && plain) || name.split("::").all(|word| words.contains(word))
}

#[test]
fn a_name_that_is_gone_is_noticed() {
    let (files, words) = (BTreeSet::from(["src/kernel/id.rs"]), BTreeSet::from(["Ledger", "post"]));
    for gone in ["src/kernel/gone.rs", "kernel/gone/", "Gone", "Ledger::gone"] {
        assert!(!exists(gone, &files, &words), "{gone}");
    }
    for there in ["kernel/id.rs", "id.rs", "src/kernel/", "Ledger::post", "a word", "/metrics", "lane, member_id"] {
        assert!(exists(there, &files, &words), "{there}");
    }
}

#[test]
fn every_dependency_is_used() {
    let words: BTreeSet<&str> =
        everything().iter().flat_map(|source| &source.tokens).map(|t| t.text.as_str()).collect();
    let unused: Vec<_> = dependencies().into_iter().filter(|name| !words.contains(name.as_str())).collect();
    assert!(unused.is_empty(), "Cargo.toml has what no source names: {unused:?}");
}
