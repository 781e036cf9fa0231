//! The database: where it is, connections to it, its schema, and a private cluster when there is none.

pub mod embedded;
mod error;
mod migrate;
mod pool;
mod statement;
mod url;

pub use error::{DbError, Fault, fault_of};
pub use migrate::{knows, migrate, newest, pending};
pub use pool::{Conn, Db, POOL_WAIT_S, PoolSize, Role};
pub use url::DatabaseUrl;
