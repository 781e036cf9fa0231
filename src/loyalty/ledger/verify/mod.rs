//! The proof of the ledger: every law of it over every row, in one snapshot and in flat memory.
//!
//! The laws are pure and do their own arithmetic (`fold.rs` repeats no method of `Account`), so that a bug of the engine
//! does not hide itself here. `stream.rs` reads; `check.rs` puts both together.

pub mod awarded;
pub mod budgets;
pub mod caps;
pub mod check;
pub mod documents;
pub mod effects;
pub mod elsewhere;
pub mod flags;
pub mod fold;
pub mod heads;
pub mod holds;
pub mod journal;
pub mod ladder;
pub mod law;
pub mod member;
pub mod merges;
pub mod orders;
pub mod report;
pub mod returned_line;
pub mod returns;
pub mod segments;
pub mod state;
pub mod store;
pub mod stream;
pub mod tier_documents;
pub mod tier_rows;
pub mod tiers;
pub mod transfers;
pub mod vouchers;
