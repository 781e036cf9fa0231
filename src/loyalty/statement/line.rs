//! A posting as people read it: what it did to each wallet, and a sentence.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::id::PostingId;
use crate::kernel::money::Amount;
use crate::loyalty::ledger::entry::{Entry, EntryKind};
use crate::loyalty::ledger::posting::PostingRow;
use crate::loyalty::program::model::{Counts, Rulebook, Slot, Wallet, WalletKind};
use crate::loyalty::statement::language::Language;
use crate::loyalty::statement::says::says;

/// One posting of a statement.
#[derive(Serialize, ToSchema)]
#[schema(as = StatementLine)]
pub struct StatementLineView {
    /// The posting; `GET /v1/postings/{id}/why` tells all of it.
    posting: String,
    /// Its position, from 1.
    seq: i64,
    kind: &'static str,
    /// The command's name, `order:1001`.
    reference: String,
    /// The programme-local day on which it took effect.
    effective_on: NaiveDate,
    /// When it took effect.
    effective_at: DateTime<Utc>,
    /// When it was written down.
    recorded_at: DateTime<Utc>,
    entries: Vec<EntryView>,
    /// What happened, in a sentence.
    says: String,
}

/// One entry: what happened to one wallet.
#[derive(Serialize, ToSchema)]
#[schema(as = LedgerEntry)]
struct EntryView {
    wallet: String,
    kind: &'static str,
    /// Negative when points went.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    points: Option<i64>,
    /// The same as money, of a wallet that counts spend.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, example = "-4.89", required = false)]
    amount: Option<Amount>,
    /// What could be spent after it; of a qualifying wallet its figure.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    spendable_after: Option<i64>,
    /// The same as money, of a wallet that counts spend.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, example = "72.19", required = false)]
    amount_after: Option<Amount>,
    /// From when the points can be spent, if they had to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    available_at: Option<DateTime<Utc>>,
    /// The last usable day of the points, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    expires_on: Option<NaiveDate>,
}

/// A posting as a statement shows it.
pub fn line_view(row: &PostingRow, book: &Rulebook, language: Language) -> StatementLineView {
    StatementLineView {
        posting: PostingId { member: row.member, seq: row.seq }.to_string(),
        seq: row.seq.0,
        kind: row.kind.name(),
        reference: row.reference.as_str().to_owned(),
        effective_on: book.zone.day_of(row.effective_at),
        effective_at: row.effective_at,
        recorded_at: row.recorded_at,
        entries: row.entries.iter().map(|entry| entry_view(entry, book)).collect(),
        says: says(row, book, language),
    }
}

fn entry_view(entry: &Entry, book: &Rulebook) -> EntryView {
    let wallet = book.wallet_in(entry.wallet);
    let points = entry.kind.signed(entry.points);
    let in_money = wallet.is_some_and(counts_money);
    EntryView {
        wallet: wallet.map_or_else(|| unnamed(entry.wallet), |w| w.code.clone()),
        kind: entry.kind.name(),
        points: (!in_money).then_some(points),
        amount: in_money.then(|| Amount::of_minor(points, book.currency)),
        spendable_after: (!in_money).then(|| entry.after.get()),
        amount_after: in_money.then(|| Amount::of_minor(entry.after.get(), book.currency)),
        available_at: entry.available_at,
        expires_on: entry.expiry.day().filter(|_| entry.kind != EntryKind::Available),
    }
}

fn counts_money(wallet: &Wallet) -> bool {
    matches!(&wallet.kind, WalletKind::Qualifying(rules) if rules.counts == Counts::Spend)
}

/// A wallet that the programme has given up since.
fn unnamed(slot: Slot) -> String {
    format!("#{}", slot.0)
}
