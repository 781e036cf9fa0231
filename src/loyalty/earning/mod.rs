//! What an order earns: which rules apply, the base of each line, the rows of the award, and what counts for tiers.

pub mod asked;
pub mod base;
pub mod credit;
pub mod model;
pub mod rows;
pub mod stacks;

#[cfg(test)]
mod tests;
