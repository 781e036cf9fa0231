//! Members, orders and entries in bulk: what imports look up, and what exports page through.

pub mod store;
