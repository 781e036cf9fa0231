//! A posting as the bytes that the journal's digest covers: everything but its free text.

use rust_decimal::Decimal;

use crate::kernel::clock::Instant;
use crate::kernel::id::Lane;
use crate::loyalty::ledger::numbers::expiry_day;
use crate::loyalty::ledger::posting::PostingRow;

/// The canonical bytes of a posting: each field with its length, so that no two postings share them.
pub fn canonical(lane: Lane, row: &PostingRow) -> Vec<u8> {
    let mut out = Bytes(Vec::with_capacity(row.document.len().saturating_add(256)));
    out.int(lane.0.into());
    out.bytes(row.member.0.as_bytes());
    out.int(row.seq.0);
    out.bytes(row.reference.as_str().as_bytes());
    out.int(row.kind.number().into());
    out.bytes(&row.hash.0);
    out.time(Some(row.effective_at));
    out.time(Some(row.recorded_at));
    out.int(row.version.0.into());
    out.bytes(row.cause.as_bytes());
    out.int(row.imported.into());
    out.bytes(row.paid.map_or_else(String::new, |p| Decimal::normalize(&p).to_string()).as_bytes());
    out.bytes(row.currency.code().as_bytes());
    out.int(row.items.into());
    out.int(row.orders.into());
    out.count(row.entries.len());
    for entry in &row.entries {
        out.int(entry.kind.number().into());
        out.int(entry.wallet.0.into());
        out.int(entry.points.get());
        out.int(entry.after.get());
        out.time(entry.available_at);
        out.bytes(expiry_day(entry.expiry).map_or_else(String::new, |d| d.to_string()).as_bytes());
    }
    out.count(row.moves.len());
    for step in &row.moves {
        out.int(step.entry.into());
        out.int(step.lot.0);
        out.int(step.points.get());
    }
    out.bytes(row.document.as_bytes());
    out.0
}

struct Bytes(Vec<u8>);

impl Bytes {
    fn int(&mut self, n: i64) {
        self.0.extend_from_slice(&n.to_be_bytes());
    }

    fn count(&mut self, n: usize) {
        self.int(i64::try_from(n).unwrap_or(i64::MAX));
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    fn time(&mut self, at: Option<Instant>) {
        self.int(at.map_or(i64::MIN, |t| t.timestamp_micros()));
    }
}
