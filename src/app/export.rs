//! `perennial export`: members, orders and entries as CSV, page by page.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufWriter, Write, stdout};
use std::path::PathBuf;

use chrono::{NaiveDate, SecondsFormat};
use clap::{Args, Subcommand};
use csv::Writer;
use diesel::result::Error as QueryError;
use indexmap::IndexMap;
use rust_decimal::Decimal;

use super::database::Database;
use super::failure::Failure;
use super::program::{COMMAND_POOL, find};
use super::settings::Settings;
use crate::kernel::clock::Instant;
use crate::kernel::id::{MemberId, PostingId, Seq};
use crate::kernel::scope::ProgramScope;
use crate::loyalty::bulk::store::{
    EntriesRow, MemberRow, OrderRow, Place, START, list_entries, list_members, list_orders,
};
use crate::loyalty::checkout::receipt::{LineKindName, OrderReceipt};
use crate::loyalty::checkout::said::Said;
use crate::loyalty::ledger::entry::Entry;
use crate::loyalty::ledger::lot::LotExpiry;
use crate::loyalty::ledger::numbers::entries_of;
use crate::loyalty::program::model::Slot;
use crate::loyalty::program::store::list_slots;
use crate::platform::db::{Db, DbError};

const MEMBERS: [&str; 13] = [
    "member",
    "email",
    "phone",
    "card",
    "name",
    "birthday",
    "locale",
    "enrolled_on",
    "attributes",
    "member_id",
    "status",
    "order_count",
    "last_order_on",
];
const ORDERS: [&str; 15] = [
    "order_ref",
    "member",
    "member_by",
    "ordered_at",
    "total",
    "quantity",
    "currency",
    "tax",
    "shipping",
    "shipping_tax",
    "gift_card",
    "points_spent",
    "channel",
    "store",
    "uncovered",
];
const ENTRIES: [&str; 13] = [
    "member",
    "member_id",
    "posting",
    "seq",
    "reference",
    "kind",
    "wallet",
    "points",
    "spendable_after",
    "available_at",
    "expires_on",
    "effective_at",
    "recorded_at",
];

const MEMBERS_HELP: &str = "Columns: member (the storefront's id), email, phone, card, name, birthday, locale, \
enrolled_on, attributes (a JSON object), member_id, status (active or suspended), order_count, last_order_on.";

const ORDERS_HELP: &str = "Columns: order_ref, member, member_by (external_id, or id where the storefront gave none), \
ordered_at, total (charged with tax and shipping, before points and gift card), quantity, currency, tax (in the goods), \
shipping, shipping_tax, gift_card, points_spent, channel, store, uncovered (what points were to pay that were not there, \
in a sale that had happened; nobody paid it).
An order of several lines is one row. The file can be imported with `perennial import orders`. Returns are in the entries.";

const ENTRIES_HELP: &str = "Columns: member (the storefront's id), member_id, posting, seq (the posting's position among \
its member's), reference, kind (award, available, spend, restore, claw_back, owe, repay, expire, adjust_up, adjust_down \
or opening), wallet, points (signed; of available: how many can be spent from now on), spendable_after, available_at, \
expires_on (the last usable day; empty: never, or by inactivity), effective_at, recorded_at.
In a wallet that counts money, points are minor units of the currency.";

/// What can be exported.
#[derive(Debug, Subcommand)]
pub enum ExportCommand {
    /// Write all members, one a row
    #[command(after_help = MEMBERS_HELP)]
    Members(ExportArgs),
    /// Write all orders, one a row
    #[command(after_help = ORDERS_HELP)]
    Orders(ExportArgs),
    /// Write all entries, one a row
    #[command(after_help = ENTRIES_HELP)]
    Entries(ExportArgs),
}

/// Where it goes.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The programme
    #[arg(long)]
    program: String,
    /// The CSV file [default: standard output]
    #[arg(long)]
    out: Option<PathBuf>,
}

type Out = Writer<Box<dyn Write + Send>>;

/// Does it.
///
/// # Errors
/// `Configuration` for an unknown programme or a file that cannot be made.
pub async fn run(settings: &Settings, command: ExportCommand) -> Result<(), Failure> {
    let (ExportCommand::Members(args) | ExportCommand::Orders(args) | ExportCommand::Entries(args)) = &command;
    let file: Box<dyn Write + Send> = match &args.out {
        None => Box::new(stdout()),
        Some(path) => {
            let unwritable = |e| Failure::Configuration(format!("{} cannot be written: {e}", path.display()));
            Box::new(BufWriter::new(File::create(path).map_err(unwritable)?))
        }
    };
    let mut out = Writer::from_writer(file);
    Database::with(settings, COMMAND_POOL, async |db| {
        let (_, scope) = find(db, &args.program).await?;
        let written = match &command {
            ExportCommand::Members(_) => members(db, &scope, &mut out).await,
            ExportCommand::Orders(_) => orders(db, &scope, &mut out).await,
            ExportCommand::Entries(_) => entries(db, &scope, &mut out).await,
        };
        match written.and_then(|()| Ok(out.flush()?)) {
            Err(Stopped::Closed) => Ok(()),
            Err(Stopped::Failed(failure)) => Err(failure),
            Ok(()) => Ok(()),
        }
    })
    .await
}

/// Why an export ended early.
enum Stopped {
    /// Whoever read it has seen enough.
    Closed,
    /// Something failed.
    Failed(Failure),
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::Closed } else { Self::Failed(error.into()) }
    }
}

impl From<csv::Error> for Stopped {
    fn from(error: csv::Error) -> Self {
        io::Error::from(error).into()
    }
}

impl From<DbError> for Stopped {
    fn from(error: DbError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<QueryError> for Stopped {
    fn from(error: QueryError) -> Self {
        Self::Failed(error.into())
    }
}

fn unreadable(what: &str, posting: PostingId, why: impl Display) -> Stopped {
    Stopped::Failed(Failure::Work(format!("the {what} of posting {posting} cannot be read: {why}")))
}

async fn members(db: &Db, scope: &ProgramScope, out: &mut Out) -> Result<(), Stopped> {
    out.write_record(MEMBERS)?;
    let conn = db.conn().await?;
    let mut after: Place = START;
    loop {
        let page = list_members(&conn, scope, after).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = (last.lane, last.member, 0);
        page.into_iter().try_for_each(|row| out.write_record(member(row)))?;
    }
}

fn member(row: MemberRow) -> [String; 13] {
    let text = Option::unwrap_or_default;
    let status = if row.status == 1 { "suspended" } else { "active" };
    [
        text(row.external_id),
        text(row.email),
        text(row.phone),
        text(row.card),
        text(row.name),
        day(row.birthday),
        text(row.locale),
        day(Some(row.enrolled_on)),
        row.attributes.filter(|attributes| attributes != "{}").unwrap_or_default(),
        row.member.to_string(),
        status.to_owned(),
        row.order_count.to_string(),
        day(row.last_order_on),
    ]
}

async fn orders(db: &Db, scope: &ProgramScope, out: &mut Out) -> Result<(), Stopped> {
    out.write_record(ORDERS)?;
    let conn = db.conn().await?;
    let mut after: Place = START;
    loop {
        let page = list_orders(&conn, scope, after).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = (last.lane, last.member, last.seq);
        for row in page {
            let posting = PostingId { member: MemberId(row.member), seq: Seq(row.seq) };
            let receipt = serde_json::from_str(&row.document).map_err(|e| unreadable("receipt", posting, e))?;
            out.write_record(order(row, &receipt))?;
        }
    }
}

fn order(row: OrderRow, receipt: &OrderReceipt) -> [String; 15] {
    let said = Said::read(row.texts.as_deref());
    let of = |kind: LineKindName| receipt.lines.iter().filter(move |line| line.kind == kind);
    let tax = |kind| of(kind).map(|line| line.tax.0).sum::<Decimal>().to_string();
    let (member, by) = match row.external_id {
        Some(id) => (id, "external_id"),
        None => (row.member.to_string(), "id"),
    };
    [
        receipt.reference.clone(),
        member,
        by.to_owned(),
        time(Some(row.effective_at)),
        (receipt.charged.0 + receipt.shipping.0).to_string(),
        of(LineKindName::Product).map(|line| u64::from(line.quantity)).sum::<u64>().to_string(),
        receipt.currency.clone(),
        tax(LineKindName::Product),
        receipt.shipping.0.to_string(),
        tax(LineKindName::Shipping),
        receipt.gift_card.0.to_string(),
        receipt.spent.iter().map(|spent| spent.points).sum::<i64>().to_string(),
        said.channel.unwrap_or_default(),
        said.store.unwrap_or_default(),
        receipt.lines.iter().filter_map(|line| line.uncovered).map(|amount| amount.0).sum::<Decimal>().to_string(),
    ]
}

async fn entries(db: &Db, scope: &ProgramScope, out: &mut Out) -> Result<(), Stopped> {
    out.write_record(ENTRIES)?;
    let conn = db.conn().await?;
    let slots = list_slots(&conn, scope.program()).await?.wallets;
    let mut after: Place = START;
    loop {
        let page = list_entries(&conn, scope, after).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = (last.lane, last.member, last.seq);
        for row in &page {
            let entries =
                entries_of(&row.entries).ok_or_else(|| unreadable("entries", posting(row), "not numbers of entries"));
            entries?.iter().try_for_each(|entry| out.write_record(line(row, entry, &slots)))?;
        }
    }
}

fn posting(row: &EntriesRow) -> PostingId {
    PostingId { member: MemberId(row.member), seq: Seq(row.seq) }
}

fn line(row: &EntriesRow, entry: &Entry, slots: &IndexMap<String, Slot>) -> [String; 13] {
    let code = slots.iter().find(|(_, slot)| **slot == entry.wallet).map(|(code, _)| code.clone());
    let last_day = match entry.expiry {
        LotExpiry::On(day) => Some(day),
        LotExpiry::Inactive | LotExpiry::Never => None,
    };
    [
        row.external_id.clone().unwrap_or_default(),
        row.member.to_string(),
        posting(row).to_string(),
        row.seq.to_string(),
        row.reference.clone(),
        entry.kind.name().to_owned(),
        code.unwrap_or_default(),
        entry.kind.signed(entry.points).to_string(),
        entry.after.get().to_string(),
        time(entry.available_at),
        day(last_day),
        time(Some(row.effective_at)),
        time(Some(row.recorded_at)),
    ]
}

fn day(day: Option<NaiveDate>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}

fn time(at: Option<Instant>) -> String {
    at.map(|at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true)).unwrap_or_default()
}
