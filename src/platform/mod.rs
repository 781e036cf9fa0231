//! Engines with no loyalty word inside.

pub mod audit;
pub mod auth;
pub mod db;
pub mod entropy;
pub mod jobs;
pub mod journal;
pub mod web;
pub mod webhooks;
