//! What tests stand on.

mod app;
mod binary;
mod client;
mod customers;
mod database;
mod dice;
mod documents;
pub mod facts;
mod home;
mod kiosk;
mod operator;
mod own_postgres;
mod pair;
mod platform;
mod shop;
mod wire;
mod with_holds;
pub mod with_merges;
mod with_rewards;

pub use app::{EURO, Process, TestApp, key, publish, token_keys};
pub use binary::{Serving, perennial, ran, said};
pub use client::{Client, Reply, fresh};
pub use database::{LANES, TestDb};
pub use dice::Dice;
pub use home::{Home, scratch};
pub use kiosk::{Kiosk, order};
pub use operator::Operator;
pub use own_postgres::OwnPostgres;
pub use pair::Pair;
pub use platform::{Platform, program};
pub use shop::{Shop, verify};
pub use wire::{Break, Wire};
