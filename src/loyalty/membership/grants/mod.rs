//! Tiers that a person gives.

pub mod grant_tier;
pub mod http;
