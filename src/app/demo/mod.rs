//! `perennial demo`: a programme with real history, served.

mod key;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use chrono::NaiveDate;
use diesel_async::AsyncPgConnection;
use serde_json::json;

use super::failure::Failure;
use super::import::{FileKind, Import};
use super::program::make;
use super::serve;
use super::settings::{Place, Settings};
use super::signals::stop_when_told;
use super::terminal::{note, say};
use crate::kernel::calendar::Zone;
use crate::kernel::id::ProgramId;
use crate::kernel::scope::{Principal, ProgramScope};
use crate::loyalty::bulk::store::{count_references, find_effective, find_example, read_clock};
use crate::loyalty::program::create::ProgramCode;
use crate::loyalty::program::document::Document;
use crate::loyalty::program::store::find_program;
use crate::platform::db::Db;

/// The demo's programme.
const CODE: &str = "demo";
const DOCUMENT: &str = include_str!("../../../examples/fashion.toml");
/// The 6,919 orders of the CDNOW sample; where they come from stands beside the file.
const ORDERS: &str = include_str!("../../../tests/data/cdnow_sample_orders.csv");

/// Makes sure that the demo is there, and serves until interrupted.
///
/// # Errors
/// As [`serve::run`], and when the history cannot be imported.
pub async fn run(settings: &Settings) -> Result<(), Failure> {
    serve::run_with(settings, async |db| prepare(settings, db).await).await
}

/// What the demo prints once it is served.
struct Demo {
    key: String,
    kept: Option<PathBuf>,
    data: String,
    member: Option<(String, String)>,
}

async fn prepare(settings: &Settings, db: &Db) -> Result<impl FnOnce(&[SocketAddr]) + use<>, Failure> {
    let scope = program(db).await?;
    let (there, moved_d) = {
        let conn = db.conn().await?;
        history(&conn, &scope).await?
    };
    if !there {
        import(settings, db, &scope, moved_d).await?;
    }
    let home = settings.home.clone();
    let (key, kept) = key::of(db, &scope, home.as_deref()).await?;
    let data = match &settings.database {
        Place::Private(place) => format!("{} (a private Postgres)", place.home.display()),
        Place::Url(_) => "the database of DATABASE_URL".to_owned(),
    };
    let conn = db.conn().await?;
    let member = find_example(&conn, &scope).await?.map(|(member, name)| (member.to_string(), name));
    let demo = Demo { key, kept, data, member };
    Ok(move |addresses: &[SocketAddr]| demo.announce(addresses))
}

async fn program(db: &Db) -> Result<ProgramScope, Failure> {
    let conn = db.conn().await?;
    if let Some(row) = find_program(&conn, CODE).await? {
        return Ok(ProgramScope::new(ProgramId(row.program_id), Principal::Operator));
    }
    drop(conn);
    let document = Document::from_toml(DOCUMENT).map_err(|_| broken("the document"))?;
    let code = ProgramCode::parse(CODE).ok_or_else(|| broken("the code"))?;
    make(db, &code, &document).await
}

fn broken(what: &str) -> Failure {
    Failure::Work(format!("{what} of the demo is broken"))
}

/// Whether all orders are there, and by how many days they are moved on: by whole weeks, so that the newest lies in the
/// last seven days; once some are there, as those were.
async fn history(conn: &AsyncPgConnection, scope: &ProgramScope) -> Result<(bool, u64), Failure> {
    let orders: Vec<(String, NaiveDate)> = ORDERS.lines().skip(1).filter_map(order).collect();
    let references: Vec<String> = orders.iter().map(|(reference, _)| format!("order:{reference}")).collect();
    let wanted = references.len();
    let (count, one) = count_references(conn, scope, references).await?;
    let there = usize::try_from(count).is_ok_and(|count| count == wanted);
    let moved = match one {
        Some(one) => {
            let original = orders.iter().find(|(reference, _)| one.strip_prefix("order:") == Some(reference));
            let effective = find_effective(conn, scope, one.clone()).await?;
            original.zip(effective).map(|((_, day), at)| (Zone::UTC.day_of(at) - *day).num_days())
        }
        None => {
            let today = Zone::UTC.day_of(read_clock(conn).await?);
            let newest = orders.iter().map(|(_, day)| *day).max();
            newest.map(|newest| (today - newest).num_days().div_euclid(7) * 7)
        }
    };
    let moved = moved.and_then(|days| u64::try_from(days).ok()).ok_or_else(|| broken("the history"))?;
    Ok((there, moved))
}

/// Reference and day of an order's line.
fn order(line: &str) -> Option<(String, NaiveDate)> {
    let mut fields = line.split(',');
    Some((fields.next()?.to_owned(), fields.nth(1)?.parse().ok()?))
}

async fn import(settings: &Settings, db: &Db, scope: &ProgramScope, moved_d: u64) -> Result<(), Failure> {
    note("settling the orders of the CDNOW sample; this is done once");
    let stop = Arc::new(AtomicBool::new(false));
    let listening = stop_when_told(&stop)?;
    let rejects = std::env::temp_dir().join("perennial-demo.rejects.csv");
    let import = Import { kind: FileKind::Orders, enrol: true, moved_d, rejects: &rejects, stop: &stop };
    let done = import.run(db, settings, scope, ORDERS.as_bytes()).await;
    listening.abort();
    let summary = done?;
    if summary.interrupted {
        return Err(Failure::Work("interrupted before the history was in: run it again to go on".to_owned()));
    }
    note(&summary.text(false));
    Ok(())
}

impl Demo {
    fn announce(&self, addresses: &[SocketAddr]) {
        let Self { key, kept, data, member } = self;
        let base = addresses.first().map(|address| format!("http://{address}")).unwrap_or_default();
        let kept = kept.as_ref().map(|path| format!("  (kept in {})", path.display())).unwrap_or_default();
        say(&format!("\n  API      {base}\n  Docs     {base}/docs\n  API key  {key}{kept}\n  Data     {data}\n"));
        if let Some((member, name)) = member {
            say(&lines_to_try(&base, key, member, name));
        }
        say("Ctrl-C stops it; the data stays.");
    }
}

fn lines_to_try(base: &str, key: &str, member: &str, name: &str) -> String {
    let call = format!("curl -s -H 'Authorization: Bearer {key}'");
    let send = format!("{call} -H 'Content-Type: application/json'");
    let order = json!({ "reference": "demo-1", "member": { "external_id": name }, "currency": "USD",
        "lines": [{ "id": "1", "amount": "42.50" }] });
    let back = json!({ "reference": "demo-1-r", "all": true });
    format!(
        "Try, with member {name}:\n\n\
         {call} {base}/v1/members/{member}/balances\n\n\
         {call} '{base}/v1/members/{member}/statement?limit=5'\n\n\
         {send} {base}/v1/orders -d '{order}'\n\n\
         {send} {base}/v1/orders/demo-1/returns -d '{back}'\n"
    )
}
