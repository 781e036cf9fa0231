//! What points are given for: rewards, and the vouchers that they give.

pub mod code;
pub mod error;
pub mod http;
pub mod look;
pub mod offer;
pub mod receipt;
pub mod redeem;
pub mod store;
pub mod vouchers;
