//! Holds at the checkout: points and discounts put aside for an order that is not placed yet.

pub mod held_order_in;
pub mod http;
pub mod look;
pub mod open_hold;
pub mod receipt;
pub mod release;
pub mod story;
