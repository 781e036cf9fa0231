//! Who may use whom.

use std::collections::BTreeMap;

use crate::Violation;
use crate::source::{Import, Source};

/// The storeys, bottom up.
const STOREYS: [&str; 6] = ["kernel", "platform", "loyalty", "insight", "console", "app"];

/// The rooms of each storey, bottom up; rooms of one line do not see each other. The kernel's rooms are files.
const ROOMS: [(&str, &[&[&str]]); 3] = [
    ("kernel", &[&["edges"], &["clock", "grow", "id", "page", "points", "spread"], &["calendar", "money", "scope"]]),
    ("platform", &[&["db", "entropy", "journal"], &["web"], &["audit", "jobs"], &["auth", "webhooks"]]),
    (
        "loyalty",
        &[
            &["program"],
            &["members", "tiers"],
            &["discounts", "earning", "ledger"],
            &["bulk", "membership", "statement"],
            &["events", "personal", "rewards"],
            &["checkout"],
            &["backtest"],
        ],
    ),
];

/// Who makes a `ProgramScope`: the door, the job runner, and the command line.
pub const SCOPE_MAKERS: [&str; 8] = [
    "src/platform/auth/authenticator.rs",
    "src/platform/auth/login/logins.rs",
    "src/platform/auth/session/tokens.rs",
    "src/platform/jobs/runner.rs",
    "src/loyalty/ledger/jobs.rs",
    "src/loyalty/ledger/reviews/jobs.rs",
    "src/loyalty/membership/days/jobs.rs",
    "src/app/",
];

/// Imports that point upward.
pub fn imports(house: &[Source]) -> Vec<Violation> {
    let macros = exported_macros(house);
    let mut broken = Vec::new();
    for source in house {
        for import in &source.imports {
            let mut target = import.path.clone();
            if let [krate, name] = target.as_slice()
                && krate == "crate"
                && let Some(home) = macros.get(name.as_str())
            {
                target = home.clone();
            }
            if target.first().is_some_and(|first| first == "crate")
                && let Some((rule, cure)) = upward(source, &target)
            {
                broken.push(Violation { place: source.at(import.line), rule, cure });
            }
        }
    }
    broken.dedup_by(|a, b| a.place == b.place && a.rule == b.rule);
    broken
}

/// Where each macro stands that the crate's root exports.
fn exported_macros(house: &[Source]) -> BTreeMap<&str, Vec<String>> {
    let homes = house.iter().flat_map(|s| s.macros.iter().map(|name| (name.as_str(), s.module())));
    homes.collect()
}

fn upward(source: &Source, target: &[String]) -> Option<(String, &'static str)> {
    let from = source.module();
    let at = |module: &[String], depth: usize| module.get(depth).cloned().unwrap_or_default();
    let (storey, other) = (at(&from, 1), at(target, 1));
    if other == "schema" {
        let ok = matches!(source.name(), "store.rs" | "queries.rs" | "reads.rs" | "writes.rs");
        return (!ok).then(|| ("the tables are for stores".to_owned(), "move the statement into the room's store.rs"));
    }
    let height = |storey: &str| STOREYS.iter().position(|s| *s == storey);
    let mine = height(&storey)?;
    let Some(theirs) = height(&other) else {
        return Some((format!("`{other}` is no storey"), "import from the storeys that architecture.rs lists"));
    };
    if theirs > mine {
        let rule = format!("`{storey}` stands below `{other}`");
        return Some((rule, "move what both need downward, or hand it in as a value from above"));
    }
    let rooms = ROOMS.iter().find(|(s, _)| *s == storey).map(|(_, rooms)| *rooms).filter(|_| theirs == mine)?;
    let (room, neighbour) = (at(&from, 2), at(target, 2));
    if room == neighbour || room.is_empty() {
        return None;
    }
    let floor = |room: &str| rooms.iter().position(|line| line.contains(&room));
    let (Some(mine), Some(theirs)) = (floor(&room), floor(&neighbour)) else {
        let homeless = if floor(&room).is_none() { &room } else { &neighbour };
        let rule = format!("`{storey}/{homeless}` has no place in the order of rooms");
        return Some((rule, "give the room its line in ROOMS of tests/architecture/arrows.rs"));
    };
    // Handlers stand above all rooms of the platform: each of them asks `auth` who calls.
    if storey == "platform" && source.name() == "http.rs" && at(target, 3) != "http" {
        return None;
    }
    (theirs >= mine).then(|| {
        let rule = format!("`{storey}/{room}` may not use `{storey}/{neighbour}`");
        (rule, "move what both need into a lower room, or hand it in as a value")
    })
}

/// Paths that are no imports, and imports that climb twice.
pub fn paths(house: &[Source]) -> Vec<Violation> {
    let mut broken = Vec::new();
    for source in house {
        let mut stop = |line, rule: &str, cure| {
            broken.push(Violation { place: source.at(line), rule: rule.to_owned(), cure });
        };
        for token in source.rows_of("super : : super") {
            stop(token.line, "`super::super` hides where a thing comes from", "write the path from `crate::`");
        }
        for line in inline(source) {
            stop(line, "a path from `crate::` in the middle of code", "import it with `use` at the top");
        }
        for import in source.imports.iter().filter(|i| i.renamed && i.path.ends_with(&["ProgramScope".to_owned()])) {
            stop(import.line, "`ProgramScope` under another name", "use its own name, so that its makers can be found");
        }
    }
    broken
}

/// The lines with `crate::` outside of `use` items, `$crate` in macros and `pub(in …)`.
fn inline(source: &Source) -> Vec<usize> {
    let (mut importing, mut lines) = (false, Vec::new());
    for (at, token) in source.tokens.iter().enumerate() {
        let before = source.word(at.checked_sub(1));
        let follows = source.word(at.checked_add(1)) == ":";
        match token.text.as_str() {
            "use" => importing = true,
            ";" => importing = false,
            "crate" if follows && !importing && before != "$" && before != "in" => lines.push(token.line),
            _ => {}
        }
    }
    lines
}

/// Scopes made elsewhere than where somebody is let in.
pub fn scope_makers(house: &[Source]) -> Vec<Violation> {
    let strangers = house.iter().filter(|s| !SCOPE_MAKERS.iter().any(|maker| s.path.starts_with(maker)));
    strangers
        .flat_map(|source| {
            let made = source.rows_of("ProgramScope : : new").into_iter().filter(|token| !token.test);
            made.filter(|_| !source.test).map(|token| Violation {
                place: source.at(token.line),
                rule: "`ProgramScope::new` is a proof that somebody was let in".to_owned(),
                cure: "take a `&ProgramScope`; whoever may make one stands in SCOPE_MAKERS",
            })
        })
        .collect()
}

/// Whether an import comes from a module of this house.
pub fn is_ours(import: &Import) -> bool {
    import.path.first().is_some_and(|first| first == "crate")
}
