//! What tests stand on.

mod binary;
mod database;
mod home;
mod platform;
mod shop;

pub use binary::{Serving, perennial, said};
pub use database::{LANES, TestDb};
pub use home::Home;
pub use platform::{Platform, program};
pub use shop::{Shop, order};
