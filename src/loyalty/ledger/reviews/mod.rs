//! Members reviewed after a version that changed tiers: what balances show already is written down, for reports and for
//! whoever is told of it.

pub mod jobs;
mod store;
