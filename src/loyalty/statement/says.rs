//! A posting in a plain sentence, fit for the member.

use crate::loyalty::ledger::entry::{Entry, EntryKind};
use crate::loyalty::ledger::posting::{PostingKind, PostingRow};
use crate::loyalty::program::model::{Rulebook, WalletKind};

/// What happened, in English: "2,000 points paid, 168 points earned".
pub fn says(row: &PostingRow, book: &Rulebook) -> String {
    let redeemable = |e: &&Entry| {
        let wallet = book.wallet_in(e.wallet);
        wallet.is_some_and(|w| matches!(w.kind, WalletKind::Redeemable(_)))
    };
    let mut parts: Vec<String> = row.entries.iter().filter(redeemable).map(part).collect();
    parts.dedup();
    if parts.is_empty() { nothing(row.kind).to_owned() } else { parts.join(", ") }
}

fn part(entry: &Entry) -> String {
    let points = entry.points.get();
    let noun = if points == 1 { "point" } else { "points" };
    let verb = match entry.kind {
        EntryKind::Award => "earned",
        EntryKind::Available => "now available",
        EntryKind::Spend => "paid",
        EntryKind::Restore => "given back",
        EntryKind::ClawBack => "taken back for a return",
        EntryKind::Owe => "owed for a return",
        EntryKind::Repay => "used to repay what was owed",
        EntryKind::Expire => "expired",
        EntryKind::AdjustUp => "added by us",
        EntryKind::AdjustDown => "removed by us",
        EntryKind::Opening => "brought along",
        EntryKind::TransferOut => "given to another member",
        EntryKind::TransferIn => "got from another member",
        EntryKind::Hold => "put aside",
        EntryKind::Release => "no longer put aside",
        EntryKind::Capture => "paid of what was put aside",
        EntryKind::MergeOut => "went along into another account",
        EntryKind::MergeIn => "came along from another account",
        EntryKind::DebtOut => "owed went along into another account",
        EntryKind::DebtIn => "owed came along from another account",
    };
    format!("{} {noun} {verb}", grouped(points))
}

fn nothing(kind: PostingKind) -> &'static str {
    match kind {
        PostingKind::Enrol => "Welcome",
        PostingKind::Order => "Order without points",
        PostingKind::Return => "Return without points",
        PostingKind::Adjust => "Correction without points",
        PostingKind::CatchUp => "Status updated",
        PostingKind::Opening => "Status brought along",
        PostingKind::Change => "Profile changed",
        PostingKind::Transfer => "Nothing given",
        PostingKind::Received => "Nothing got",
        PostingKind::Hold => "Nothing put aside",
        PostingKind::Release => "Nothing released",
        PostingKind::Suspend => "Membership suspended",
        PostingKind::Reinstate => "Membership reinstated",
        PostingKind::MergeOut => "Account merged into another",
        PostingKind::MergeIn => "Another account merged into this one",
    }
}

/// A count with commas between thousands.
fn grouped(n: i64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len().saturating_mul(2));
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && digits.len().abs_diff(i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_told_apart() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
