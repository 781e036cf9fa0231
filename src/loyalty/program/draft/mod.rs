//! The draft of the next version: written bit by bit, by several editors, and published when it is right.

pub mod edit;
pub mod http;
pub mod merge_patch;
pub mod store;
