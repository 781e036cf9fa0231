//! Members that turn out to be one: merged, so that one goes on with what both had.

pub mod http;
pub mod merge_members;
pub mod receipt;
