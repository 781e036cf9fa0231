//! What rules award outside of orders and in them: within caps and budgets, into wallets, and as it is told.

pub mod awarded;
pub mod bounds;
pub mod come_in;
pub mod receipt;
