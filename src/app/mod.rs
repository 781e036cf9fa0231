//! The composition root: settings, commands, and what is put together for each of them.
//!
//! One file per command of the command line; `cli.rs` is the list of them.

mod backup;
mod cli;
mod database;
mod demo;
mod engine;
mod export;
mod failure;
mod health;
pub mod http;
mod import;
mod keys;
mod log;
mod manifest;
mod migrate;
mod openapi;
mod program;
mod restore;
mod schema;
mod serve;
pub mod settings;
mod signals;
mod terminal;
mod tokens;
mod told;
mod verify;

pub use cli::run;
