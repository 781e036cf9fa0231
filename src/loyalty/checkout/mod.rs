//! The checkout: what a cart costs, what an order earns, and what a return gives back.

pub mod cart;
pub mod price;
pub mod returns;
pub mod share;

#[cfg(test)]
mod golden;
