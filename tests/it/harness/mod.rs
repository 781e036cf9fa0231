//! What tests stand on.

mod binary;
mod database;
mod home;
mod platform;

pub use binary::{Serving, perennial, said};
pub use database::TestDb;
pub use home::Home;
pub use platform::{Platform, program};
