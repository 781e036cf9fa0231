//! Membership: who joins, by what they are known, and what they change.

pub mod change;
pub mod enrol;
pub mod error;
