//! Engines with no loyalty word inside.

pub mod db;
pub mod journal;
