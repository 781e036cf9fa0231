//! The importer: whole files of past orders into an empty programme.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use chrono::{NaiveDate, TimeDelta};

use super::Outcome;
use super::postgres::{Postgres, said};
use super::product::perennial;

/// The database of an import, made anew for each.
const DATABASE: &str = "imported";
/// Days over which the orders of the written file are spread.
const DAYS: usize = 365;
/// Members who share those orders: each has five.
const ORDERS_A_MEMBER: usize = 5;

/// Orders per second of `perennial import orders`, members enrolled on the way, from its start to its end.
///
/// # Errors
/// When it fails, or rejects a row.
pub fn import_rate(postgres: &Postgres, file: &Path) -> Outcome<f64> {
    postgres.sql("postgres", &format!("DROP DATABASE IF EXISTS {DATABASE}"))?;
    postgres.sql("postgres", "CHECKPOINT")?;
    postgres.sql("postgres", &format!("CREATE DATABASE {DATABASE}"))?;
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/program.toml");
    run(postgres, &["migrate"])?;
    run(postgres, &["program", "create", "benchmark", "--file", text(&program)?])?;
    let begun = Instant::now();
    run(postgres, &["import", "orders", text(file)?, "--program", "benchmark", "--enrol", "--json"])?;
    let elapsed = begun.elapsed().as_secs_f64();
    let imported: u32 = postgres.sql(DATABASE, "SELECT count(*) FROM postings WHERE kind = 2")?.parse()?;
    let rows = BufReader::new(File::open(file)?).lines().count() - 1;
    if usize::try_from(imported)? != rows {
        return Err(format!("{imported} of {rows} orders were imported").into());
    }
    Ok(f64::from(imported) / elapsed)
}

fn run(postgres: &Postgres, words: &[&str]) -> Outcome<()> {
    let mut command: Command = perennial(&postgres.url(DATABASE));
    said(words.first().copied().unwrap_or_default(), command.args(words).output()?).map(drop)
}

fn text(path: &Path) -> Outcome<&str> {
    Ok(path.to_str().ok_or("a path that is no text")?)
}

/// Writes a file of as many orders, by time.
///
/// # Errors
/// When it cannot be written.
pub fn write_orders(file: &Path, orders: usize) -> Outcome<()> {
    let mut out = BufWriter::new(File::create(file)?);
    writeln!(out, "order_ref,member,ordered_on,quantity,total")?;
    let first = NaiveDate::from_ymd_opt(2025, 1, 1).ok_or("no such day")?;
    for number in 0..orders {
        let day = first + TimeDelta::days(i64::try_from(number * DAYS / orders.max(1))?);
        let member = number % (orders / ORDERS_A_MEMBER).max(1);
        writeln!(out, "s-{number},m-{member},{day},{},{}.{:02}", number % 4 + 1, number % 190 + 10, number % 100)?;
    }
    Ok(out.flush()?)
}
