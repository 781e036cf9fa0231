//! Passwords: set with a token that the shop got for its customer, and what members sign in with themselves.

pub mod http;
