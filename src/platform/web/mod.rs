//! The door: what every call over HTTP has in common.

pub mod amount;
pub mod body;
pub mod codes;
pub mod idempotency;
pub mod invalid;
pub mod paging;
pub mod problem;
pub mod query;
pub mod rate;
pub mod text;
