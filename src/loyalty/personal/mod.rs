//! What is known of a person: handed out whole, and forgotten.

pub mod erase;
pub mod export;
pub mod forget;
pub mod http;
pub mod store;
