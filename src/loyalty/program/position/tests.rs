//! Where things are found, in texts of both kinds.

use proptest::prelude::*;
use serde_json::Value;

use crate::kernel::edges::{bent, cases, text};
use crate::loyalty::program::document::Document;
use crate::loyalty::program::position::{Lines, Places, Position, Written, position};

const TOML: &str = r#"# A programme.
[program]
name = "Zoë's" # ë is one character
'time zone' = "UTC"

[wallets.points]
kind = "redeemable"
expiry = { after = "P12M", "round" = "end_of_month" }

[earning.base]
base.net_of = ["tax",
  "vat"]
lines = 'line.category == "shoes"'
when = "order.channel == \"web\" && x"

[[tiers.ladder]]
code = "silver"
[[tiers.ladder]]
from = "1"
"#;

const JSON: &str = r#"{ "program": { "name": "Zoë's", "time\u0020zone": "UTC" },
  "a/b": [ { "x": 1 }, [true,
    null ], "it says \u00eb\"\ud83d\ude00 x" ],
  "a/b~": { }, "twice": 1, "twice": 2
}"#;

fn at(written: Written<'_>, pointer: &str) -> (u32, u32) {
    let Position { line, column } = position(written, pointer, None).unwrap();
    (line, column)
}

#[test]
fn a_field_of_toml_begins_with_its_name() {
    let expected = [
        ("", (1, 1)),
        ("/program", (2, 2)),
        ("/program/name", (3, 1)),
        ("/program/time zone", (4, 1)),
        ("/wallets", (6, 2)),
        ("/wallets/points", (6, 10)),
        ("/wallets/points/expiry/after", (8, 12)),
        ("/wallets/points/expiry/round", (8, 28)),
        ("/earning/base/base", (11, 1)),
        ("/earning/base/base/net_of", (11, 6)),
        ("/earning/base/base/net_of/0", (11, 16)),
        ("/earning/base/base/net_of/1", (12, 3)),
        ("/tiers/ladder/0/code", (17, 1)),
        ("/tiers/ladder/1", (18, 1)),
        ("/tiers/ladder/1/from", (19, 1)),
    ];
    for (pointer, place) in expected {
        assert_eq!(at(Written::Toml(TOML), pointer), place, "{pointer}");
    }
}

#[test]
fn a_field_of_json_begins_with_its_name() {
    let expected = [
        ("", (1, 1)),
        ("/program", (1, 3)),
        ("/program/name", (1, 16)),
        ("/program/time zone", (1, 33)),
        ("/a~1b", (2, 3)),
        ("/a~1b/0", (2, 12)),
        ("/a~1b/0/x", (2, 14)),
        ("/a~1b/1/1", (3, 5)),
        ("/a~1b/2", (3, 13)),
        ("/a~1b~0", (4, 3)),
        ("/twice", (4, 28)),
    ];
    for (pointer, place) in expected {
        assert_eq!(at(Written::Json(JSON), pointer), place, "{pointer}");
    }
}

#[test]
fn what_is_not_there_is_looked_for_in_the_table_around_it() {
    for (pointer, place) in
        [("/program/currency", (2, 2)), ("/wallets/points/expiry/inactive/x", (8, 1)), ("/x", (1, 1))]
    {
        assert_eq!(at(Written::Toml(TOML), pointer), place, "{pointer}");
    }
    assert_eq!(at(Written::Json(JSON), "/program/currency"), (1, 3));
    assert_eq!(at(Written::Json(JSON), "/a~1b/7"), (2, 3));
}

#[test]
fn a_byte_of_a_text_is_found_behind_quotes_and_escapes() {
    let inside = |written, pointer, says: &str, of: &str| {
        let Position { line, column } = position(written, pointer, Some(says.find(of).unwrap())).unwrap();
        (line, column)
    };
    assert_eq!(inside(Written::Toml(TOML), "/earning/base/lines", r#"line.category == "shoes""#, "category"), (13, 15));
    assert_eq!(inside(Written::Toml(TOML), "/earning/base/when", r#"order.channel == "web" && x"#, "x"), (14, 37));
    assert_eq!(inside(Written::Json(JSON), "/a~1b/2", "it says ë\"😀 x", "x"), (3, 43));
    assert_eq!(inside(Written::Json(JSON), "/a~1b/2", "it says ë\"😀 x", " x"), (3, 42));
    let long = "a = \"\"\"\n\\u00e9 \\\n   x \\t y\"\"\"\nb = '''\nz'''";
    assert_eq!(inside(Written::Toml(long), "/a", "é x \t y", "x"), (3, 4));
    assert_eq!(inside(Written::Toml(long), "/a", "é x \t y", "y"), (3, 9));
    assert_eq!(inside(Written::Toml(long), "/b", "z", "z"), (5, 1));
    // Where no text stands, or not that much of it.
    assert_eq!(position(Written::Json("{\"a\": 12}"), "/a", Some(1)), Some(Position { line: 1, column: 2 }));
    assert_eq!(position(Written::Json("{\"a\": \"x\"}"), "/a", Some(90)), Some(Position { line: 1, column: 2 }));
}

#[test]
fn a_mistake_in_the_syntax_has_a_place_in_characters() {
    let lines = Lines::of("ë\r\nëx\n");
    let place = |line, column| Some(Position { line, column });
    assert_eq!(
        (lines.at(0), lines.at(4), lines.at(6), lines.at(99)),
        (place(1, 1), place(2, 1), place(2, 2), place(3, 1))
    );
    assert_eq!(
        (lines.byte_of_line(2, 3), lines.byte_of_line(2, 0), lines.byte_of_line(9, 1)),
        (place(2, 2), place(2, 1), None)
    );
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn no_text_panics(odd in text(), cut in 0..JSON.len(), pointer in "(/[a-z0-2~]{0,3}){0,4}", within: Option<u8>) {
        let head = JSON.get(..cut).unwrap_or("");
        for text in [odd.clone(), format!("{head}{odd}"), format!("\"{odd}"), "[".repeat(cut)] {
            for written in [Written::Json(&text), Written::Toml(&text)] {
                let _ = position(written, &pointer, within.map(usize::from));
            }
        }
    }

    #[test]
    fn everything_in_a_text_is_found_where_it_is(
        body in bent(serde_json::to_value(Document::from_toml(include_str!("../../../../benches/program.toml")).unwrap()).unwrap()),
    ) {
        let text = serde_json::to_string_pretty(&body).unwrap();
        let Some(places) = Places::of(Written::Json(&text)) else { return Ok(()) };
        let lines: Vec<&str> = text.lines().collect();
        for (pointer, name) in fields(&body, "") {
            let Position { line, column } = places.find(&pointer, None).unwrap();
            let (line, column) = (usize::try_from(line).unwrap(), usize::try_from(column).unwrap());
            let line: String = lines[line - 1].chars().skip(column - 1).collect();
            prop_assert!(line.starts_with(&serde_json::to_string(&name).unwrap()), "{pointer}: {line}");
        }
    }
}

/// The fields of tables at any depth, with their names.
fn fields(value: &Value, place: &str) -> Vec<(String, String)> {
    let step = |name: &str| format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"));
    match value {
        Value::Object(inner) => {
            let below = |(name, value): (&String, &Value)| {
                std::iter::once((step(name), name.clone())).chain(fields(value, &step(name))).collect::<Vec<_>>()
            };
            inner.iter().flat_map(below).collect()
        }
        Value::Array(items) => items.iter().enumerate().flat_map(|(i, v)| fields(v, &step(&i.to_string()))).collect(),
        _ => Vec::new(),
    }
}
