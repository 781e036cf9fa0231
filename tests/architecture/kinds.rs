//! What a file may do, by its name.

use std::fs;

use crate::Violation;
use crate::arrows::is_ours;
use crate::source::{Source, root};

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Data, and functions from data to data.
    Pure,
    /// A posting: a command and its pure decision.
    Posting,
    /// Statements.
    Store,
    /// Stored rows as data, both ways.
    Rows,
    /// The room's calls over HTTP.
    Http,
    /// What runs decisions against the database, and background work.
    Engine,
    /// The platform and the composition root: what is not one of the others there.
    Free,
}

/// The files of loyalty and insight that drive others; everything else there is pure unless its name says more.
pub const ENGINES: [&str; 24] = [
    "src/loyalty/backtest/stream.rs",
    "src/loyalty/checkout/batch/window.rs",
    "src/loyalty/checkout/door.rs",
    "src/loyalty/ledger/decide.rs",
    "src/loyalty/ledger/gate.rs",
    "src/loyalty/ledger/load.rs",
    "src/loyalty/ledger/looker.rs",
    "src/loyalty/ledger/memory.rs",
    "src/loyalty/ledger/post.rs",
    "src/loyalty/ledger/queue.rs",
    "src/loyalty/ledger/save.rs",
    "src/loyalty/ledger/storage.rs",
    "src/loyalty/ledger/verify/check.rs",
    "src/loyalty/ledger/verify/elsewhere.rs",
    "src/loyalty/ledger/verify/stream.rs",
    "src/loyalty/ledger/writer.rs",
    "src/loyalty/membership/identities.rs",
    "src/loyalty/personal/export.rs",
    "src/loyalty/personal/forget.rs",
    "src/loyalty/program/create.rs",
    "src/loyalty/program/draft/edit.rs",
    "src/loyalty/program/publish.rs",
    "src/loyalty/program/timelines.rs",
    "src/loyalty/statement/reader.rs",
];

/// What pure files use of the platform: values that ask nobody anything.
const PLATFORM_VALUES: [&str; 6] = [
    "crate::platform::audit::Action",
    "crate::platform::journal::digest::",
    "crate::platform::web::amount::",
    "crate::platform::web::problem::ProblemType",
    "crate::platform::web::problem::problems",
    "crate::platform::web::text::",
];

/// The crates that pure files may use.
const PURE_CRATES: [&str; 14] = [
    "chrono",
    "chrono_tz",
    "hex",
    "indexmap",
    "rust_decimal",
    "serde",
    "serde_json",
    "serde_path_to_error",
    "sha2",
    "statrs",
    "thiserror",
    "toml",
    "utoipa",
    "uuid",
];

/// The names of files that ask the world.
const PROMISED: [&str; 6] = ["http", "jobs", "queries", "reads", "store", "writes"];

/// The parts of the standard library that reach outside.
const OUTSIDE: [&str; 7] = ["env", "fs", "io", "net", "os", "process", "thread"];

/// Where in the platform the web framework is: the door and who comes in.
pub const WEB: [&str; 7] = [
    "src/platform/web/",
    "src/platform/auth/authenticator.rs",
    "src/platform/auth/caller.rs",
    "src/platform/auth/error.rs",
    "src/platform/auth/login/knock.rs",
    "src/platform/auth/session/signed_in.rs",
    "src/app/",
];

/// What a file promises by its place, its name and what it implements.
pub fn kind(source: &Source) -> Kind {
    let business = ["src/loyalty/", "src/insight/"].iter().any(|storey| source.path.starts_with(storey));
    if source.postings > 0 {
        return Kind::Posting;
    }
    match source.name() {
        _ if source.path == "src/loyalty/ledger/rows.rs" => Kind::Rows,
        "http.rs" => Kind::Http,
        "store.rs" | "queries.rs" | "reads.rs" | "writes.rs" => Kind::Store,
        "jobs.rs" => Kind::Engine,
        "model.rs" | "rules.rs" => Kind::Pure,
        _ if ENGINES.contains(&source.path.as_str()) => Kind::Engine,
        _ if business || source.path.starts_with("src/kernel/") => Kind::Pure,
        _ => Kind::Free,
    }
}

/// Files that do what their names do not promise.
pub fn promises(house: &[Source]) -> Vec<Violation> {
    let crates = dependencies();
    house.iter().filter(|source| !source.test).flat_map(|source| promise(source, &crates)).collect()
}

fn promise(source: &Source, crates: &[String]) -> Vec<Violation> {
    let mut broken = Vec::new();
    let kind = kind(source);
    if source.postings > 1 {
        broken.push(Violation {
            place: source.path.clone(),
            rule: "two postings in one file".to_owned(),
            cure: "give each command a file named by its verb",
        });
    }
    let words = match kind {
        Kind::Pure | Kind::Posting => ["async", "await", "statement", "sql_query", "tokio", "SystemTime"].as_slice(),
        Kind::Rows => &["async", "await", "statement", "sql_query"],
        Kind::Http => &["statement", "sql_query"],
        Kind::Store | Kind::Engine | Kind::Free => &[],
    };
    for (at, token) in source.tokens.iter().enumerate().filter(|(_, token)| !token.test) {
        let word = token.text.as_str();
        let next = |n: usize| source.word(at.checked_add(n));
        let from = next(1) == ":" && next(2) == ":" && source.word(at.checked_sub(1)) != ":";
        let rule = if words.contains(&word) && (word != "statement" || next(1) == "!") {
            format!("`{word}` in a file of the kind {kind:?}")
        } else if from && (crates.iter().any(|name| name == word) && !may_use(source, kind, word)) {
            format!("the crate `{word}` in a file of the kind {kind:?}")
        } else if from && word == "std" && !kind_may_reach(kind) && OUTSIDE.contains(&next(3)) {
            format!("`std::{}` in a file of the kind {kind:?}", next(3))
        } else {
            continue;
        };
        broken.push(Violation { place: source.at(token.line), rule, cure: cure(kind) });
    }
    broken.extend(impure_imports(source, kind));
    broken
}

fn kind_may_reach(kind: Kind) -> bool {
    !matches!(kind, Kind::Pure | Kind::Posting | Kind::Rows)
}

fn may_use(source: &Source, kind: Kind, name: &str) -> bool {
    let web =
        name.starts_with("actix") || matches!(name, "tracing_actix_web" | "utoipa_actix_web" | "utoipa_swagger_ui");
    let database = name.starts_with("diesel") || name == "tokio_postgres";
    match kind {
        Kind::Pure | Kind::Posting => PURE_CRATES.contains(&name),
        Kind::Rows => PURE_CRATES.contains(&name) || name == "diesel",
        Kind::Http => !database,
        Kind::Store | Kind::Engine => !web,
        Kind::Free => !web || WEB.iter().any(|place| source.path.starts_with(place)),
    }
}

fn cure(kind: Kind) -> &'static str {
    match kind {
        Kind::Pure | Kind::Posting => {
            "take it in as a value; what asks the world stands in http.rs, store.rs or an engine"
        }
        Kind::Rows => "move the statement into reads.rs or writes.rs",
        Kind::Http => "call the ledger or a function of store.rs",
        Kind::Store | Kind::Engine | Kind::Free => "handlers and their types stand in the room's http.rs",
    }
}

/// Pure files that lean on what is not pure.
fn impure_imports(source: &Source, kind: Kind) -> Vec<Violation> {
    if !matches!(kind, Kind::Pure | Kind::Posting) || source.path.starts_with("src/platform/") {
        return Vec::new();
    }
    let impure = |path: &[String]| {
        let name = path.join("::");
        let platform = path.get(1).is_some_and(|storey| storey == "platform");
        let promised = path.get(3).is_some_and(|file| PROMISED.contains(&file.as_str()));
        let engine = ENGINES.contains(&format!("src/{}.rs", path.get(1..4).unwrap_or_default().join("/")).as_str());
        platform && !PLATFORM_VALUES.iter().any(|value| name.starts_with(value)) || promised || engine
    };
    let tested = |line: usize| source.tokens.iter().any(|token| token.line == line && token.test);
    let found = source.imports.iter().filter(|i| is_ours(i) && impure(&i.path) && !tested(i.line));
    found
        .map(|import| Violation {
            place: source.at(import.line),
            rule: format!("`{}` in a file of the kind {kind:?}", import.path.join("::")),
            cure: "a pure file uses pure files alone: take its result in as a value",
        })
        .collect()
}

/// Storeys with pure files whose arithmetic may overflow: `forbid` at the top of a storey holds all of it, and no file
/// below can take it back.
pub fn unguarded(house: &[Source]) -> Vec<Violation> {
    let pure = |storey: &Source| {
        let below = storey.path.trim_end_matches("mod.rs");
        let mut files = house.iter().filter(|source| source.path.starts_with(below));
        files.any(|source| matches!(kind(source), Kind::Pure | Kind::Posting))
    };
    let forbids = "# ! [ cfg_attr ( not ( test ) , forbid ( clippy : : arithmetic_side_effects ) ) ]";
    let tops = house.iter().filter(|source| source.module().len() == 2 && source.name() == "mod.rs");
    tops.filter(|top| pure(top) && top.rows_of(forbids).is_empty())
        .map(|top| Violation {
            place: top.path.clone(),
            rule: "a storey with pure files does not forbid arithmetic that overflows".to_owned(),
            cure: "start it with #![cfg_attr(not(test), forbid(clippy::arithmetic_side_effects))]",
        })
        .collect()
}

/// The crates that Cargo.toml names, as they are written in code.
pub fn dependencies() -> Vec<String> {
    let manifest: toml::Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let names = ["dependencies", "dev-dependencies"].iter().filter_map(|table| manifest.get(*table)?.as_table());
    names.flat_map(|table| table.keys().map(|name| name.replace('-', "_"))).collect()
}
