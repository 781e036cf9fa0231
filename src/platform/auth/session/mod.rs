//! People who are signed in: a session for each of their devices, a short token for each quarter of an hour of it.
//!
//! A token is signed, so anybody can check it (`/.well-known/jwks.json`); here it also has to be of a session that is
//! not over, which is believed for [`SESSION_CACHE_S`] without a question.

mod claims;
mod http;
mod keyring;
mod refresh;
mod signed_in;
mod store;
mod tokens;

pub use claims::{ACCESS_S, SESSION_IDLE_D, SESSION_LONGEST_D};
pub use http::{TokensView, configure, session_problem};
pub use keyring::{Keyring, KeyringError, Rotated};
pub use signed_in::SignedIn;
pub use store::clock;
pub use tokens::{SESSION_CACHE_S, SESSIONS_PER_MEMBER_MAX, SessionError, Sessions, Tokens};
