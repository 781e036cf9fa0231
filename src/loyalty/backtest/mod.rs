//! What a document would have done: the programme's past, replayed in memory under it and under the version in force.

pub mod bought;
pub mod budgets;
pub mod groups;
pub mod http;
pub mod jobs;
pub mod past;
pub mod redeemed;
pub mod replay;
pub mod report;
pub mod store;
pub mod stream;
pub mod tally;

#[cfg(test)]
mod cases;
