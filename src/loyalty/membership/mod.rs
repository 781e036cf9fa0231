//! Membership: who joins, by what they are known, and what they change.

pub mod attributes_in;
pub mod awards;
pub mod change;
pub mod days;
pub mod enrol;
pub mod error;
pub mod events;
pub mod grants;
pub mod http;
pub mod identities;
pub mod merges;
pub mod profile_in;
pub mod segments;
pub mod sign_in;
pub mod store;
pub mod transfer;
pub mod transfers;
