//! How members are signed in.

pub mod http;
