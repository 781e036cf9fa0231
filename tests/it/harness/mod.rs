//! What tests stand on.

mod database;
mod home;
mod platform;
mod program;

pub use database::TestDb;
pub use home::Home;
pub use platform::{Platform, program};
pub use program::{Serving, perennial, said};
