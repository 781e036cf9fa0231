//! Statements: what members have, what happened, and why.

pub mod balance;
pub mod entitlements;
pub mod http;
pub mod language;
pub mod line;
pub mod reader;
pub mod says;
pub mod store;
pub mod tier;
pub mod wallet_view;
pub mod why;
