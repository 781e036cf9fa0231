//! What entries do to the figures of a wallet.

use crate::loyalty::ledger::entry::EntryKind;

/// Which figures an entry moves, and which way.
pub fn effects(kind: EntryKind, pending: bool) -> [(&'static str, i64); 2] {
    let there = if pending { "pending" } else { "spendable" };
    match kind {
        EntryKind::Award | EntryKind::AdjustUp | EntryKind::Opening | EntryKind::TransferIn | EntryKind::MergeIn => {
            [("earned", 1), (there, 1)]
        }
        EntryKind::Available => [("pending", -1), ("spendable", 1)],
        EntryKind::Spend => [("spendable", -1), ("spent", 1)],
        EntryKind::Restore => [("spendable", 1), ("spent", -1)],
        EntryKind::ClawBack | EntryKind::AdjustDown | EntryKind::TransferOut => [(there, -1), ("reversed", 1)],
        EntryKind::MergeOut => [(there, -1), ("earned", -1)],
        EntryKind::Owe | EntryKind::DebtIn => [("debt", 1), ("reversed", 1)],
        EntryKind::DebtOut => [("debt", -1), ("reversed", -1)],
        EntryKind::Repay => [("spendable", -1), ("debt", -1)],
        EntryKind::Expire => [(there, -1), ("expired", 1)],
        EntryKind::Hold => [("spendable", -1), ("held", 1)],
        EntryKind::Release => [("held", -1), ("spendable", 1)],
        EntryKind::Capture => [("held", -1), ("spent", 1)],
    }
}
