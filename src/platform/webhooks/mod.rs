//! Telling others what happens: who wants to know, what waits to be told, and the telling, signed.
//!
//! At least once: what is told again has the same id. A receiver that is slow or away delays nobody else.

pub mod address;
pub mod deliveries;
pub mod error;
pub mod hook;
pub mod http;
pub mod keep;
pub mod secret;
pub mod store;
pub mod url;
