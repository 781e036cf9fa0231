//! `src/schema.rs`: the tables that diesel's query builder uses, as the catalog has them.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

use super::{lines, owner, read};
use crate::harness::TestDb;

const HEAD: &str = "\
//! The tables that are queried through diesel's builder, as `diesel.toml` lists them.
//!
//! Generated from the catalog: `PERENNIAL_BLESS=1 cargo test --test it schema` writes it.
";

#[tokio::test]
async fn the_schema_file_is_what_the_catalog_has() {
    let test = TestDb::new().await;
    let mut conn = owner(&test).await;
    let mut text = HEAD.to_owned();
    for table in tables() {
        let key = lines(&mut conn, &columns(&table, "a.attname", "AND a.attnum = ANY (i.indkey)")).await;
        let typed =
            lines(&mut conn, &columns(&table, "a.attname || ' -> ' || a.attnotnull || a.atttypid::regtype", "")).await;
        assert!(!key.is_empty(), "{table} is in diesel.toml and has no primary key");
        write!(text, "\ndiesel::table! {{\n    {table} ({}) {{\n", key.join(", ")).unwrap();
        for column in typed {
            let (name, sql) = column.split_once(" -> ").unwrap();
            writeln!(text, "        {name} -> {},", typed_as(sql)).unwrap();
        }
        text.push_str("    }\n}\n");
    }
    if env::var_os("PERENNIAL_BLESS").is_some() {
        fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/schema.rs"), &text).unwrap();
    }
    assert_eq!(read("src/schema.rs"), text, "run with PERENNIAL_BLESS=1 to write src/schema.rs anew");
}

/// The tables that diesel.toml names.
fn tables() -> Vec<String> {
    let settings: toml::Table = read("diesel.toml").parse().unwrap();
    let only =
        settings.get("print_schema").and_then(|print| print.get("filter")?.get("only_tables")?.as_array()).unwrap();
    only.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// Columns in their order; `i` is the primary key.
fn columns(table: &str, what: &str, filter: &str) -> String {
    format!(
        "SELECT ({what})::text AS line FROM pg_attribute AS a JOIN pg_index AS i ON i.indrelid = a.attrelid AND i.indisprimary \
         WHERE a.attrelid = '{table}'::regclass AND a.attnum > 0 AND NOT a.attisdropped {filter} ORDER BY a.attnum"
    )
}

/// Diesel's name of a type, `truetext` for `text NOT NULL`.
fn typed_as(sql: &str) -> String {
    let (required, sql) = sql.strip_prefix("true").map_or((false, sql.trim_start_matches("false")), |sql| (true, sql));
    let (element, array) = sql.strip_suffix("[]").map_or((sql, false), |element| (element, true));
    let known = [
        ("uuid", "Uuid"),
        ("text", "Text"),
        ("bytea", "Bytea"),
        ("boolean", "Bool"),
        ("smallint", "Int2"),
        ("integer", "Int4"),
        ("bigint", "Int8"),
        ("numeric", "Numeric"),
        ("date", "Date"),
        ("timestamp with time zone", "Timestamptz"),
    ];
    let (_, name) = known.into_iter().find(|(sql, _)| *sql == element).unwrap();
    let name = if array { format!("Array<{name}>") } else { name.to_owned() };
    if required { name } else { format!("Nullable<{name}>") }
}
