//! `perennial verify`: proves the ledger, or says what is wrong with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::database::Database;
use super::failure::Failure;
use super::settings::Settings;
use super::terminal::say;
use crate::kernel::id::ProgramId;
use crate::loyalty::ledger::verify::check::{Options, check_ledger};
use crate::loyalty::ledger::verify::heads::Head;
use crate::loyalty::ledger::verify::report::Report;
use crate::loyalty::program::store::find_program;
use crate::platform::db::{Db, DbError, PoolSize};

/// How the progress looks.
const BAR: &str = "{msg:9} [{bar:30}] {percent:>3} %  {per_sec}  {eta} left";

/// What to verify.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Answer as one JSON document
    #[arg(long)]
    json: bool,
    /// Compare with heads that --write-heads wrote before, kept where nobody who writes to the database can
    #[arg(long, value_name = "FILE", conflicts_with = "program")]
    heads: Option<PathBuf>,
    /// Write the heads of a clean ledger, to be kept elsewhere
    #[arg(long, value_name = "FILE", conflicts_with = "program")]
    write_heads: Option<PathBuf>,
    /// Only the members of this programme, without journals and directory
    #[arg(long, value_name = "CODE")]
    program: Option<String>,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Answer<'a> {
    clean: bool,
    seconds: f64,
    postings_per_second: f64,
    #[serde(flatten)]
    report: &'a Report,
}

/// Reads the whole ledger in one snapshot and checks every law of it.
///
/// # Errors
/// `Work` when a law is broken; `Configuration` when a file or programme is not there.
pub async fn run(settings: &Settings, args: &VerifyArgs) -> Result<(), Failure> {
    let heads = args.heads.as_deref().map(read_heads).transpose()?.unwrap_or_default();
    let database = Database::locate(settings).await?;
    let verified = verify(settings, &database, args, heads).await;
    database.close().await?;
    let (report, took) = verified?;
    let rate = rate(&report, took);
    if args.json {
        let (clean, seconds) = (report.is_clean(), took.as_secs_f64());
        let answer = Answer { clean, seconds, postings_per_second: rate, report: &report };
        say(&serde_json::to_string_pretty(&answer).map_err(|e| Failure::Work(e.to_string()))?);
    } else {
        tell(&report, took);
    }
    if !report.is_clean() {
        let laws: Vec<_> = report.broken.keys().map(ToString::to_string).collect();
        return Err(Failure::Work(format!("the ledger breaks {}", laws.join(", "))));
    }
    args.write_heads.as_deref().map_or(Ok(()), |path| write_heads(path, &report))
}

async fn verify(
    settings: &Settings,
    database: &Database,
    args: &VerifyArgs,
    heads: Vec<Head>,
) -> Result<(Report, Duration), Failure> {
    let db = database.open(settings, PoolSize(1)).await?;
    let program = match &args.program {
        Some(code) => Some(program_of(&db, code).await?),
        None => None,
    };
    let proven = prove(&db, &Options { heads, program }).await;
    db.close();
    proven
}

/// Verifies, and shows how far it is; answers what was found and how long it took.
///
/// # Errors
/// When the database fails.
pub async fn prove(db: &Db, options: &Options) -> Result<(Report, Duration), Failure> {
    // Hidden by itself where standard error is no terminal.
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template(BAR) {
        bar.set_style(style);
    }
    let begun = Instant::now();
    let report = check_ledger(db, options, &mut |progress| {
        bar.set_length(progress.of);
        bar.set_position(progress.done);
        bar.set_message(progress.step.name());
    })
    .await;
    bar.finish_and_clear();
    Ok((report?, begun.elapsed()))
}

async fn program_of(db: &Db, code: &str) -> Result<ProgramId, Failure> {
    let conn = db.conn().await?;
    let found = find_program(&conn, code).await.map_err(DbError::from)?;
    let program = found.ok_or_else(|| Failure::Configuration(format!("there is no programme {code}")))?;
    Ok(ProgramId(program.program_id))
}

fn rate(report: &Report, took: Duration) -> f64 {
    let postings = f64::from(u32::try_from(report.postings).unwrap_or(u32::MAX));
    postings / took.as_secs_f64().max(f64::EPSILON)
}

/// Says on standard output what a verification found.
pub fn tell(report: &Report, took: Duration) {
    for finding in &report.findings {
        say(&finding.to_string());
    }
    for (law, count) in &report.broken {
        say(&format!("broken: {law} ({}), {count} findings", law.says()));
    }
    let beyond = report.found() - u64::try_from(report.findings.len()).unwrap_or(0);
    if beyond > 0 {
        say(&format!("{beyond} findings more are not shown"));
    }
    for note in &report.notes {
        say(&format!("note: {note}"));
    }
    for head in &report.heads {
        say(&format!("lane {} row {} digest {}", head.lane, head.number, hex::encode(&head.digest)));
    }
    let Report { members, postings, journal_rows, directory_rows, .. } = report;
    let (seconds, rate) = (took.as_secs_f64(), rate(report, took));
    say(&format!(
        "{} members, {postings} postings, {journal_rows} journal rows, {directory_rows} directory values \
         in {seconds:.1} s ({rate:.0} postings/s): {}",
        members,
        if report.is_clean() { "every law holds" } else { "not clean" }
    ));
}

fn read_heads(path: &Path) -> Result<Vec<Head>, Failure> {
    let wrong = |why: String| Failure::Configuration(format!("{}: {why}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))
}

fn write_heads(path: &Path, report: &Report) -> Result<(), Failure> {
    let wrong = |why: String| Failure::Configuration(format!("{}: {why}", path.display()));
    let text = serde_json::to_string_pretty(&report.heads).map_err(|error| wrong(error.to_string()))?;
    fs::write(path, text + "\n").map_err(|error| wrong(error.to_string()))
}
