//! `perennial import`: history from CSV files, in business time.

mod columns;
mod order_row;
mod post;
mod progress;
mod rejects;
mod rows;
mod sort;

use std::collections::VecDeque;
use std::env::temp_dir;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{Args, Subcommand};
use csv::{ByteRecord, ReaderBuilder, StringRecord};
use serde_json::json;

use self::columns::Columns;
pub use self::columns::FileKind;
use self::post::{Poster, Tally, unwritable};
use self::progress::Progress;
use self::rejects::{Reject, Rejects};
use self::rows::Reading;
use self::sort::{RUN_BYTES_MAX, Sorted, Sorter};
use super::database::Database;
use super::engine;
use super::failure::Failure;
use super::program::{COMMAND_POOL, find};
use super::settings::Settings;
use super::signals::stop_when_told;
use super::terminal::say;
use crate::kernel::scope::ProgramScope;
use crate::loyalty::bulk::store::read_clock;
use crate::loyalty::ledger::writer::Pace;
use crate::loyalty::program::timelines::Timelines;
use crate::platform::db::Db;

const MEMBERS_HELP: &str = "\
Columns: member (the storefront's id), and optionally email, phone, card, name, birthday, locale, enrolled_on, \
attributes (a JSON object), attributes.NAME (one attribute).
Without enrolled_on a member is enrolled today, and orders from before that cannot be imported any more.";

const ORDERS_HELP: &str = "\
Columns: order_ref, member, ordered_on (a day) or ordered_at (a time with its zone), total; and optionally member_by \
(external_id, email, phone, card or id), quantity, currency, channel, store, sku, category, brand, tax, shipping, \
shipping_tax, discount, gift_card, points_spent, uncovered.
total is all that was charged: after the discount, with tax and shipping, before points and gift card. tax is the tax in \
the goods, shipping_tax that in shipping. uncovered is what of the goods nobody paid: they are taken in at what is left.";

const BALANCES_HELP: &str = "\
Columns: ref, member, wallet, points; and optionally member_by (external_id, email, phone, card or id), opened_on, \
available_on, expires_on (the last usable day). In a wallet that counts money, points is an amount such as 12.34.
Without opened_on a lot is opened now, and without expires_on it expires as the wallet says.";

const TIERS_HELP: &str = "\
Columns: ref, member, tier; and optionally member_by (external_id, email, phone, card or id), until (the last day; without \
it until a person ends it), reason.
The tier is given from now on, beside what the member earns here.";

const COMMON_HELP: &str = "
Rows are posted by member and time, so points become available and expire when they would have. A row that is there \
already changes nothing: the same file can be imported again, and an import that was interrupted goes on. A row that is \
older than what its member has is rejected as out_of_order.
Rows that are not taken go to a rejects file with line, reason and detail; mended, it can be imported as it is.
Exit codes: 0 all rows are in, 1 some were rejected or it was interrupted, 2 the file or its header is unusable.";

/// What can be imported.
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// Enrol members from a CSV file
    #[command(after_help = format!("{MEMBERS_HELP}\n{COMMON_HELP}"))]
    Members(ImportArgs),
    /// Settle past orders from a CSV file
    #[command(after_help = format!("{ORDERS_HELP}\n{COMMON_HELP}"))]
    Orders {
        #[command(flatten)]
        args: ImportArgs,
        /// Enrol members who are not known, on the day of their first order
        #[arg(long)]
        enrol: bool,
    },
    /// Give members the tiers that they bring along, from a CSV file
    #[command(after_help = format!("{TIERS_HELP}\n{COMMON_HELP}"))]
    Tiers {
        #[command(flatten)]
        args: ImportArgs,
        /// Enrol members who are not known, today
        #[arg(long)]
        enrol: bool,
    },
    /// Open balances that members bring along, from a CSV file
    #[command(after_help = format!("{BALANCES_HELP}\n{COMMON_HELP}"))]
    Balances {
        #[command(flatten)]
        args: ImportArgs,
        /// Enrol members who are not known, on the day of their first lot
        #[arg(long)]
        enrol: bool,
    },
}

/// How a file is imported.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The CSV file, in UTF-8 with a header
    file: PathBuf,
    /// The programme
    #[arg(long)]
    program: String,
    /// Where rows go that are not taken [default: beside the file, FILE.rejects.csv]
    #[arg(long)]
    rejects: Option<PathBuf>,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

/// One file's import.
pub struct Import<'a> {
    /// What it holds.
    pub kind: FileKind,
    /// Whether members who are not known are enrolled.
    pub enrol: bool,
    /// By how many days all times are moved on.
    pub moved_d: u64,
    /// Where rows go that are not taken.
    pub rejects: &'a Path,
    /// Raised when somebody wants it to end.
    pub stop: &'a AtomicBool,
}

/// What an import did.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    /// Rows of the file.
    pub rows: u64,
    /// What became of those that were taken.
    pub tally: Tally,
    /// Rows in the rejects file.
    pub rejected: u64,
    /// How long posting took, in milliseconds.
    pub millis: u128,
    /// Whether somebody ended it before all rows were looked at.
    pub interrupted: bool,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Work(format!("a file cannot be read or written: {error}"))
    }
}

/// Does it.
///
/// # Errors
/// `Configuration` for an unusable file, `Work` when rows were rejected, or it was interrupted.
pub async fn run(settings: &Settings, command: ImportCommand) -> Result<(), Failure> {
    let (kind, args, enrol) = match command {
        ImportCommand::Members(args) => (FileKind::Members, args, false),
        ImportCommand::Orders { args, enrol } => (FileKind::Orders, args, enrol),
        ImportCommand::Balances { args, enrol } => (FileKind::Balances, args, enrol),
        ImportCommand::Tiers { args, enrol } => (FileKind::Tiers, args, enrol),
    };
    let unreadable = |e| Failure::Configuration(format!("{} cannot be read: {e}", args.file.display()));
    let file = File::open(&args.file).map_err(unreadable)?;
    let stop = Arc::new(AtomicBool::new(false));
    stop_when_told(&stop)?;
    let rejects = args.rejects.clone().unwrap_or_else(|| args.file.with_extension("rejects.csv"));
    let import = Import { kind, enrol, moved_d: 0, rejects: &rejects, stop: &stop };
    let summary = Database::with(settings, COMMAND_POOL, async |db| {
        let (_, scope) = find(db, &args.program).await?;
        import.run(db, settings, &scope, file).await
    })
    .await?;
    say(&summary.text(args.json));
    if summary.interrupted {
        return Err(Failure::Work("interrupted before all rows were in: run it again to go on".to_owned()));
    }
    if summary.rejected > 0 {
        let Summary { rejected, rows, .. } = summary;
        return Err(Failure::Work(format!("{rejected} of {rows} rows were rejected: see {}", rejects.display())));
    }
    Ok(())
}

impl Import<'_> {
    /// Reads, sorts and posts a file.
    ///
    /// # Errors
    /// `Configuration` for an unusable header, else when a file or the database fails.
    pub async fn run(
        &self,
        db: &Db,
        settings: &Settings,
        scope: &ProgramScope,
        file: impl Read,
    ) -> Result<Summary, Failure> {
        let (book, now) = {
            let conn = db.conn().await?;
            let timeline = Timelines::default().at_least(&conn, scope.program(), 0).await;
            let book = Arc::clone(timeline.map_err(|e| Failure::Work(e.to_string()))?.newest());
            (book, read_clock(&conn).await?)
        };
        let mut reader = ReaderBuilder::new().flexible(true).from_reader(file);
        let header = reader.headers().map_err(unreadable)?;
        let columns =
            Columns::read(self.kind, header).map_err(|e| Failure::Configuration(format!("the header: {e}")))?;
        let mut rejects = Rejects::new(self.rejects, &columns.header);
        let reading = Reading { columns, program: scope.program(), book, now, moved_d: self.moved_d };
        let (rows, whole, sorted) = self.sort(&reading, reader, &mut rejects)?;
        let ledger = engine::start_at(settings, db, Pace::importing()).await?;
        let mut poster = Poster {
            db,
            ledger: &ledger,
            scope,
            reading: &reading,
            enrol: self.enrol,
            progress: Progress::start(rows - rejects.count()),
            rejects: &mut rejects,
            stop: self.stop,
            tally: Tally::default(),
            under_way: VecDeque::new(),
        };
        let posted = poster.post(sorted).await;
        poster.progress.finish();
        let (tally, millis) = (poster.tally, poster.progress.elapsed().as_millis());
        ledger.close().await;
        rejects.finish().map_err(|e| unwritable(&rejects, &e))?;
        posted?;
        let rejected = rejects.count();
        let interrupted = !whole || tally.new + tally.there + rejected < rows;
        Ok(Summary { rows, tally, rejected, millis, interrupted })
    }

    /// Reads the rows, and rejects those without a place in the order; says how many there are, and whether these are all.
    fn sort(
        &self,
        reading: &Reading,
        mut reader: csv::Reader<impl Read>,
        rejects: &mut Rejects,
    ) -> Result<(u64, bool, Sorted), Failure> {
        let fields = reader.headers().map_err(unreadable)?.len();
        let mut sorter = Sorter::new(&temp_dir(), RUN_BYTES_MAX);
        let (mut rows, mut record) = (0, ByteRecord::new());
        while reader.read_byte_record(&mut record).map_err(unreadable)? {
            if self.stop.load(Ordering::Acquire) {
                return Ok((rows, false, sorter.finish()?));
            }
            rows += 1;
            let line = record.position().map_or(0, csv::Position::line);
            let placed = text_of(&record, fields).and_then(|row| reading.place(line, reading.columns.own(row)));
            match placed {
                Ok(item) => sorter.add(item)?,
                Err((reject, row)) => rejects.add(line, &reject, &row).map_err(|e| unwritable(rejects, &e))?,
            }
        }
        Ok((rows, true, sorter.finish()?))
    }
}

fn unreadable(error: csv::Error) -> Failure {
    Failure::Configuration(format!("the file cannot be read: {error}"))
}

/// The row as text, if it has as many fields as the header.
fn text_of(record: &ByteRecord, fields: usize) -> Result<StringRecord, (Reject, StringRecord)> {
    let Ok(row) = StringRecord::from_byte_record(record.clone()) else {
        let readable = record.iter().map(|field| String::from_utf8_lossy(field).into_owned()).collect();
        return Err((Reject::new("not_utf8", "the row is not UTF-8"), readable));
    };
    if row.len() == fields {
        return Ok(row);
    }
    let detail = format!("the row has {} fields, and the header {fields}", row.len());
    Err((Reject::new("row_malformed", detail), row))
}

impl Summary {
    /// The summary in words, or as JSON.
    pub fn text(&self, in_json: bool) -> String {
        let Self { rows, tally: Tally { new, there }, rejected, millis, interrupted } = *self;
        let rate = u128::from(new + there) * 1_000 / millis.max(1);
        if in_json {
            return json!({ "rows": rows, "new": new, "already_there": there, "rejected": rejected, "millis": millis,
                "rows_per_second": rate, "interrupted": interrupted })
            .to_string();
        }
        let (seconds, tenths) = (millis / 1_000, millis % 1_000 / 100);
        format!(
            "{rows} rows: {new} new, {there} already there, {rejected} rejected; {seconds}.{tenths} s, {rate} rows/s"
        )
    }
}
