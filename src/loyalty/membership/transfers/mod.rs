//! Points given to other members: the calls.

pub mod http;
