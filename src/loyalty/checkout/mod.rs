//! The checkout: what a cart costs, what an order earns, and what a return gives back.

pub mod batch;
mod came_in;
pub mod cart;
pub mod claim_order;
pub mod door;
pub mod error;
pub mod holds;
pub mod http;
pub mod judge;
pub mod missing;
pub mod offer;
pub mod order_in;
pub mod pay;
mod paying;
pub mod price;
pub mod receipt;
pub mod return_in;
pub mod return_order;
pub mod returns;
pub mod said;
pub mod settle;
pub mod share;
pub mod spend;
pub mod stated;
pub mod story;

#[cfg(test)]
mod bodies;
#[cfg(test)]
mod cases;
#[cfg(test)]
mod golden;
