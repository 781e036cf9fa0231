//! The vocabulary: values without I/O, clock or randomness.

pub mod calendar;
pub mod clock;
pub mod id;
pub mod money;
pub mod page;
pub mod points;
pub mod scope;
pub mod spread;
