//! Perennial: loyalty points and rewards on one Postgres.
//!
//! Six storeys, one direction: `app → console → insight → loyalty → platform → kernel`.
//! A storey may use what lies below it, never what lies above; `tests/architecture` holds that.

pub mod app;
pub mod kernel;
pub mod loyalty;
pub mod platform;
pub(crate) mod schema;
