//! How long files and functions are, and what things are called.

use crate::Violation;
use crate::source::{Function, Source};

/// The most lines of a file.
const FILE_LINES_MAX: usize = 400;

/// The most lines of a function, from its name to its last brace.
const FUNCTION_LINES_MAX: usize = 70;

/// Words that say nothing.
const EMPTY: [&str; 9] = ["common", "helper", "helpers", "manager", "managers", "service", "services", "util", "utils"];

/// Words of the programme, which its engines do not know. Not "member": JSON objects have members.
const LOYALTY: [&str; 10] =
    ["checkout", "earn", "loyalty", "lot", "lots", "points", "reward", "tier", "voucher", "wallet"];

/// The list of scopes names what it opens.
const SCOPES: &str = "src/platform/auth/scopes.rs";

/// Files and functions that are too long.
pub fn lengths(sources: &[Source]) -> Vec<Violation> {
    let mut broken = Vec::new();
    for source in sources.iter().filter(|source| source.path != "src/schema.rs") {
        if source.lines > FILE_LINES_MAX {
            let rule = format!("{} lines, of {FILE_LINES_MAX}", source.lines);
            broken.push(Violation {
                place: source.path.clone(),
                rule,
                cure: "give a noun of its own a file of its own",
            });
        }
        for Function { name, line, lines } in source.functions.iter().filter(|f| f.lines > FUNCTION_LINES_MAX) {
            let rule = format!("`{name}` has {lines} lines, of {FUNCTION_LINES_MAX}");
            broken.push(Violation { place: source.at(*line), rule, cure: "leaves compute: move them into functions" });
        }
    }
    broken
}

/// Files, directories and items whose names say nothing.
pub fn names(sources: &[Source]) -> Vec<Violation> {
    let mut broken = Vec::new();
    let cure = "name it by what it is or does";
    for source in sources {
        let parts = source.path.trim_end_matches(".rs").split('/');
        for part in parts.filter(|part| is_empty(part)) {
            broken.push(Violation { place: source.path.clone(), rule: format!("`{part}` says nothing"), cure });
        }
        for (name, line) in source.names.iter().filter(|(name, _)| is_empty(name)) {
            broken.push(Violation { place: source.at(*line), rule: format!("`{name}` says nothing"), cure });
        }
    }
    broken
}

/// Names of the programme in the platform.
pub fn loyalty_words(sources: &[Source]) -> Vec<Violation> {
    let platform = sources.iter().filter(|s| s.path.starts_with("src/platform/") && s.path != SCOPES);
    let told = platform.flat_map(|source| {
        let told = source.tokens.iter().filter(|t| !t.text.starts_with('"') && has(&t.text, &LOYALTY));
        told.map(|token| Violation {
            place: source.at(token.line),
            rule: format!("`{}` is a word of the programme", token.text),
            cure: "an engine works for any business: name what it does, or move it to loyalty",
        })
    });
    told.collect()
}

/// Whether one of a name's words is an empty one: `KeyManager`, `text_utils`.
fn is_empty(name: &str) -> bool {
    has(name, &EMPTY)
}

/// Whether one of a name's words is one of these.
fn has(name: &str, wanted: &[&str]) -> bool {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() {
            words.push('_');
        }
        words.extend(letter.to_lowercase());
    }
    words.split(['_', '-']).any(|word| wanted.contains(&word))
}
