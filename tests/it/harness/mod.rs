//! What tests stand on.

mod database;
mod home;
mod program;

pub use database::TestDb;
pub use home::Home;
pub use program::{Serving, perennial, said};
