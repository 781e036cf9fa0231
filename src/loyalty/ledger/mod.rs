//! The ledger: what members have, entry by entry.

pub mod account;
pub mod accounts;
pub mod canonical;
pub mod catch_up;
pub mod entry;
pub mod error;
pub mod figures;
pub mod give_back;
pub mod group;
pub mod load;
pub mod lot;
pub mod posting;
pub mod reads;
pub mod rows;
pub mod save;
pub mod writes;
