//! Who calls, and what they may do.

mod authenticator;
mod caller;
mod error;
pub mod http;
mod issue;
mod key;
pub mod login;
mod scopes;
pub mod session;
mod store;

pub use authenticator::{Authenticator, KEY_CACHE_S};
pub use caller::Caller;
pub use error::{PASSWORD_WRONG, PROBLEMS, RESET_TOKEN_INVALID, SIGN_IN_BUSY, SIGN_IN_FAILED};
pub use issue::{
    IssueError, Issued, KEYS_PER_PROGRAM_MAX, NewKey, OVERLAP_S_DEFAULT, OVERLAP_S_MAX, end as revoke_key, issue,
};
pub use key::{ApiKey, KEY_NAME_CHARS_MAX, KeyId, KeyName, KeyStatus, KeyToken};
pub use scopes::{Needs, NotAScope, Scope, Scopes, needs};
pub use store::{find_program_of, list_all_keys};
