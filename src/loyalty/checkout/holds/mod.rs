//! Holds at the checkout: points put aside for an order that is not placed yet.

pub mod hold_points;
pub mod http;
pub mod look;
pub mod receipt;
pub mod release;
pub mod story;
