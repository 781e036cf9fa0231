//! What tests stand on.

mod binary;
mod customers;
mod database;
mod dice;
mod home;
mod kiosk;
mod operator;
mod platform;
mod shop;

pub use binary::{Serving, perennial, said};
pub use database::{LANES, TestDb};
pub use dice::Dice;
pub use home::Home;
pub use kiosk::{Kiosk, order};
pub use operator::Operator;
pub use platform::{Platform, program};
pub use shop::{Shop, verify};
