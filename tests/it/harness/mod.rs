//! What tests stand on.

mod database;
mod home;

pub use database::TestDb;
pub use home::Home;
