//! `perennial program preview`: what a document would have done, beside the version in force.

use std::path::PathBuf;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::app::failure::Failure;
use crate::app::program::file::DocumentFile;
use crate::app::program::{find, wrong};
use crate::app::terminal::say;
use crate::kernel::calendar::Zone;
use crate::kernel::clock::Instant;
use crate::loyalty::backtest::groups::DiscountTotal;
use crate::loyalty::backtest::jobs::{PreviewError, check, preview};
use crate::loyalty::backtest::replay::Span;
use crate::loyalty::backtest::report::{
    AmountsCompared, CountsCompared, MemberCompared, PreviewReport, TierMove, WalletFigures,
};
use crate::loyalty::backtest::stream::{Pace, Progress, StreamError};
use crate::loyalty::program::position::place;
use crate::platform::db::Db;

/// How the progress looks.
const BAR: &str = "{msg:9} [{bar:30}] {percent:>3} %  {per_sec}  {eta} left";

/// What is previewed.
#[derive(Debug, Args)]
pub struct PreviewArgs {
    /// The document, in TOML, or in JSON when the file's name ends in .json
    file: PathBuf,
    /// The programme whose past is replayed, and whose version in force it is compared with
    #[arg(long = "program", value_name = "CODE")]
    program: String,
    /// From when on things are counted: a day of the programme, such as 2026-01-01, or an instant
    #[arg(long)]
    from: When,
    /// Until when: the day, or instant, that is no longer counted
    #[arg(long)]
    to: When,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A day or an instant.
#[derive(Clone, Copy, Debug)]
enum When {
    Day(NaiveDate),
    At(Instant),
}

impl When {
    fn of(self, zone: Zone) -> Instant {
        match self {
            Self::Day(day) => zone.start_of(day),
            Self::At(at) => at,
        }
    }
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let day = text.parse().map(Self::Day).ok();
        let when = day.or_else(|| text.parse::<DateTime<Utc>>().map(Self::At).ok());
        when.ok_or_else(|| "a day such as 2026-01-01, or an instant such as 2026-01-01T00:00:00+01:00".to_owned())
    }
}

/// Does it. Writes nothing.
///
/// # Errors
/// `Configuration` for a document with mistakes or an unknown programme, `Work` when the past cannot be read.
pub(super) async fn run(db: &Db, args: &PreviewArgs) -> Result<(), Failure> {
    let file = DocumentFile::read(&args.file)?;
    let document = file.document().map_err(|mistakes| wrong(&mistakes))?;
    let (row, scope) = find(db, &args.program).await?;
    let zone: Zone = row.timezone.parse().map_err(|_| Failure::Work(format!("{} is no zone", row.timezone)))?;
    let span = Span { from: args.from.of(zone), to: args.to.of(zone) };
    let told = |error| match error {
        PreviewError::Mistakes(mut mistakes) => {
            place(file.written(), &mut mistakes);
            wrong(&mistakes)
        }
        PreviewError::Stream(StreamError::Db(error)) => error.into(),
        error @ PreviewError::NoWindow => Failure::Configuration(error.to_string()),
        error @ (PreviewError::Stream(_) | PreviewError::Unreadable(_)) => Failure::Work(error.to_string()),
    };
    let conn = db.dedicated().await?;
    let request = check(&conn, &scope, &document, span).await.map_err(told)?;
    let mut bar = Bar::new();
    let made = preview(&conn, &scope, &request, Pace::Full, &mut bar).await;
    bar.0.finish_and_clear();
    let report = made.map_err(told)?;
    if args.json {
        say(&serde_json::to_string_pretty(&report).map_err(|e| Failure::Work(e.to_string()))?);
    } else {
        table(&report).iter().for_each(|line| say(line));
    }
    Ok(())
}

/// Hidden by itself where standard error is no terminal.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::new(0).with_message("replaying");
        if let Ok(style) = ProgressStyle::with_template(BAR) {
            bar.set_style(style);
        }
        Self(bar)
    }
}

impl Progress for Bar {
    fn expect(&mut self, members: i64) {
        self.0.set_length(members.unsigned_abs());
    }

    fn advance(&mut self, members: i64) {
        self.0.inc(members.unsigned_abs());
    }
}

/// A figure of a wallet.
type Figure = fn(&WalletFigures) -> i64;

/// The report for people.
fn table(report: &PreviewReport) -> Vec<String> {
    let PreviewReport { version, from, to, currency, members, gain, lose, same, .. } = report;
    let mut lines = vec![
        format!("version {version} in force beside the document, from {from} to {to}"),
        format!("{members} members: {gain} get more, {lose} get less, {same} the same"),
        String::new(),
        row(["", "in force", "document", "difference"]),
    ];
    lines.push(count("orders", report.orders));
    if report.refused.before > 0 || report.refused.after > 0 {
        lines.push(count("refused", report.refused));
    }
    for wallet in &report.wallets {
        let figures: [(&str, Figure); 6] = [
            ("issued", |f| f.issued),
            ("taken back", |f| f.taken_back),
            ("spent", |f| f.spent),
            ("expired", |f| f.expired),
            ("left", |f| f.left),
            ("owed", |f| f.owed),
        ];
        for (name, figure) in figures {
            let of = |side: &Option<WalletFigures>| side.as_ref().map(figure);
            lines.push(points(&format!("{} {name}", wallet.wallet), of(&wallet.before), of(&wallet.after)));
        }
    }
    for rule in &report.rules {
        lines.push(points(&format!("by {}", rule.rule), rule.before, rule.after));
    }
    lines.push(money(&format!("cost in {currency}"), report.cost));
    lines.push(money(&format!("liability in {currency}"), report.liability));
    if !report.tiers.is_empty() {
        lines.extend([String::new(), row(["members in tier", "in force", "document", "difference"])]);
        lines.extend(report.tiers.iter().map(|tier| count(tier.tier.as_deref().unwrap_or("(none)"), tier.members)));
        let none = |tier: &Option<String>| tier.clone().unwrap_or_else(|| "(none)".to_owned());
        let moved = |way: &TierMove| format!("{} to {}: {}", none(&way.before), none(&way.after), way.members);
        lines.extend(report.moves.iter().map(moved));
    }
    for segment in &report.segments {
        lines.push(money(&format!("cost of {} in {}", segment.members, segment.segment), segment.cost));
    }
    let came_off = |total: &DiscountTotal| {
        format!("{} orders had {}: {} {currency}", total.orders, total.discount, total.amount.0)
    };
    lines.extend(report.discounts.iter().map(came_off));
    for (title, members) in [("who gains most", &report.winners), ("who loses most", &report.losers)] {
        if !members.is_empty() {
            lines.extend([String::new(), format!("{title}, in {currency}")]);
            lines.extend(members.iter().map(member));
        }
    }
    lines.extend([String::new(), "taken for granted".to_owned()]);
    lines.extend(report.assumptions.iter().map(|text| format!("- {text}")));
    lines
}

fn row([name, before, after, difference]: [&str; 4]) -> String {
    format!("{name:36} {before:>14} {after:>14} {difference:>14}").trim_end().to_owned()
}

fn count(name: &str, CountsCompared { before, after }: CountsCompared) -> String {
    let signed = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    points(name, Some(signed(before)), Some(signed(after)))
}

fn points(name: &str, before: Option<i64>, after: Option<i64>) -> String {
    let told = |figure: Option<i64>| figure.map_or("-".to_owned(), |n| n.to_string());
    let difference = after.unwrap_or_default().saturating_sub(before.unwrap_or_default());
    row([name, &told(before), &told(after), &format!("{difference:+}")])
}

fn money(name: &str, AmountsCompared { before, after }: AmountsCompared) -> String {
    let (before, after) = (before.0, after.0);
    row([name, &before.to_string(), &after.to_string(), &format!("{:+}", after.saturating_sub(before))])
}

fn member(example: &MemberCompared) -> String {
    let MemberCompared { member, before, after, difference } = example;
    row([&member.to_string(), &before.0.to_string(), &after.0.to_string(), &format!("{:+}", difference.0)])
}
