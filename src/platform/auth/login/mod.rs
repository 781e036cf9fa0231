//! Passwords of members: kept as Argon2id, worked out by few threads at a time, and set anew with a token that is good once.

mod knock;
mod logins;
mod password;
mod reset;
mod store;

pub use knock::{Knock, KnockRules};
pub use logins::{LoginError, Logins, RESET_S, Reset};
pub use password::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, Password};
pub use reset::ResetToken;
