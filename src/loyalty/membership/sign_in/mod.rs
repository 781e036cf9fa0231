//! How members are signed in.

pub mod http;
pub mod passwords;
pub mod sign_up;
