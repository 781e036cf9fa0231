//! Lists of members: who is put into one, taken out of it, and in it.

pub mod change_segment;
pub mod http;
pub mod store;
