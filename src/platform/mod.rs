//! Engines with no loyalty word inside.

pub mod entropy;
pub mod web;
