//! What a member is entitled to.

pub mod entitled;
pub mod http;
