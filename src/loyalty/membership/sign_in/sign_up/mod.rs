//! How somebody becomes a member by app.

pub mod http;
