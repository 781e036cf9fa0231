//! Engines with no loyalty word inside.

pub mod db;
