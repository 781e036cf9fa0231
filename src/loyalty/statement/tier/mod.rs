//! A member's tier: where the member stands, what the next tier asks for, and what keeps this one.

pub mod http;
pub mod stands;
