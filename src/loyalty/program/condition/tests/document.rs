//! The tables of `docs/conditions.md` are those of the code.

use std::path::Path;
use std::{env, fs};

use crate::loyalty::program::condition::cost::lines;
use crate::loyalty::program::condition::fields::{Field, Object};
use crate::loyalty::program::condition::tests::conformance::{CASES, Gives};
use crate::loyalty::program::condition::{
    CONDITION_CHARS_MAX, CONDITION_COST_MAX, CONDITION_DEPTH_MAX, PROGRAM_COST_MAX,
};

const PATH: &str = "docs/conditions.md";

/// The part of the page between two comments, written anew under `PERENNIAL_BLESS`.
fn holds(name: &str, wanted: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PATH);
    let (begin, end) = (format!("<!-- {name}: generated -->\n"), format!("<!-- end of {name} -->"));
    let text = fs::read_to_string(&path).unwrap();
    let (head, rest) = text.split_once(&begin).unwrap();
    let (found, tail) = rest.split_once(&end).unwrap();
    if env::var_os("PERENNIAL_BLESS").is_some() {
        fs::write(path, [head, &begin, wanted, &end, tail].concat()).unwrap();
    } else {
        assert_eq!(found, wanted, "run with PERENNIAL_BLESS=1 to write {PATH} anew");
    }
}

/// In one test, since it may write the file that it reads.
#[test]
fn the_page_has_every_field_and_case() {
    let limits = [
        ("characters", CONDITION_CHARS_MAX.to_string()),
        ("levels of nesting", CONDITION_DEPTH_MAX.to_string()),
        ("steps", CONDITION_COST_MAX.to_string()),
        ("steps of all conditions on an order together", PROGRAM_COST_MAX.to_string()),
        ("lines of an order, for the count of steps", lines().to_string()),
    ];
    let limits = limits.map(|(what, most)| format!("| {what} | {most} |\n")).concat();
    holds("limits", &["| of | at most |\n|---|---:|\n", &limits].concat());

    let row = |object: Object, field: &Field| {
        let (object, name, is, says) = (object.name(), field.name, field.is.type_name(), field.says);
        format!("| `{object}.{name}` | {is} | {says} |\n")
    };
    let rows = |object: Object| object.fields().iter().map(move |field| row(object, field)).collect::<String>();
    let head = "| name | type | what it is |\n|---|---|---|\n".to_owned();
    holds("fields", &[head, Object::ALL.map(rows).concat()].concat());

    let code = |text: &str| format!("`{}`", text.replace('|', "\\|"));
    let row = |(name, expression, gives): &(&str, &str, Gives)| {
        let (cel, here) = match gives {
            Gives::Is(value) => (code(value), "the same".to_owned()),
            Gives::Error => ("an error".to_owned(), "the same".to_owned()),
            Gives::Differs(cel, here) => (code(cel), code(here)),
            Gives::Refused(words) => (String::new(), format!("refused: … {words} …")),
        };
        format!("| {name} | {} | {cel} | {here} |\n", code(expression))
    };
    let head = "| case | expression | CEL | here |\n|---|---|---|---|\n".to_owned();
    holds("conformance", &[head, CASES.iter().map(row).collect()].concat());
}
