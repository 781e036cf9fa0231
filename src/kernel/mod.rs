//! The vocabulary: values without I/O, clock or randomness.

#![cfg_attr(not(test), forbid(clippy::arithmetic_side_effects))]

pub mod calendar;
pub mod clock;
pub mod cycle;
#[cfg(test)]
pub mod edges;
pub mod grow;
pub mod id;
pub mod money;
pub mod page;
pub mod points;
pub mod scope;
pub mod spread;
