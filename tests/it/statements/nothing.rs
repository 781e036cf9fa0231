//! Statements that do nothing, for whoever wants them prepared.

use perennial::loyalty::ledger::writes::{InsertPostings, MoveCounter, SaveAccounts, SaveMembers};

/// A statement of no rows.
macro_rules! empty {
    ($name:ident { $($field:ident),* $(,)? }) => { $name { $($field: Vec::new()),* } };
}
pub(super) use empty;

pub fn no_counter() -> MoveCounter {
    let (program, rule, period) = (uuid::Uuid::nil(), String::new(), String::new());
    MoveCounter { by: 0, up: 0, bound: None, program, rule, period }
}

pub fn no_accounts() -> SaveAccounts {
    empty!(SaveAccounts {
        figures,
        expires_on,
        lot_ids,
        lot_wallets,
        lot_remaining,
        lot_available_at,
        lot_expires_on,
        lanes,
        members,
        programs,
        statuses,
        seqs,
        moved_at,
        changes_at,
        enrolled_on,
        decided_by,
        order_counts,
        merged_into,
        merged_branch,
        branches,
        alias_depth,
        segments,
        last_order_on,
        figures_ends,
        wallets_ends,
        lots_ends,
        figures_counts,
        wallets_counts,
        lots_counts,
        holds,
        holds_ends,
        holds_counts,
        usage,
        usage_ends,
        usage_counts,
        standing,
        standing_ends,
        standing_counts,
    })
}

pub fn no_postings() -> InsertPostings {
    empty!(InsertPostings {
        lanes,
        members,
        seqs,
        references,
        kinds,
        hashes,
        effective_at,
        recorded_at,
        versions,
        causes,
        imported,
        paid,
        currencies,
        items,
        orders,
        documents,
        texts,
        entries_ends,
        lots_ends,
        moves_ends,
        entries_counts,
        lots_counts,
        moves_counts,
        entries,
        move_lots,
        moves,
    })
}

pub fn no_members() -> SaveMembers {
    empty!(SaveMembers {
        lanes,
        members,
        external_ids,
        emails,
        phones,
        cards,
        names,
        birthdays,
        locales,
        attributes,
        changed_at,
    })
}
