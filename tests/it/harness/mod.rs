//! What tests stand on.

mod database;
mod home;
mod platform;

pub use database::TestDb;
pub use home::Home;
pub use platform::{Platform, program};
