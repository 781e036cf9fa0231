//! The ledger: what members have, entry by entry.

pub mod account;
pub mod accounts;
pub mod adjust;
pub mod canonical;
pub mod catch_up;
pub mod entry;
pub mod error;
pub mod figures;
pub mod give_back;
pub mod grant;
pub mod group;
pub mod http;
pub mod load;
pub mod lot;
pub mod memory;
pub mod opening;
pub mod post;
pub mod posting;
pub mod queue;
pub mod reads;
pub mod rows;
pub mod save;
pub mod store;
pub mod writer;
pub mod writes;
