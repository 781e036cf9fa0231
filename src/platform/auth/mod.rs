//! Who calls, and what they may do.

mod authenticator;
mod caller;
mod error;
mod key;
mod scopes;
mod store;

pub use authenticator::{Authenticator, KEY_CACHE_S};
pub use caller::Caller;
pub use error::PROBLEMS;
pub use key::{ApiKey, KeyId, KeyName, KeyToken};
pub use scopes::{Needs, Scope, Scopes, needs};
