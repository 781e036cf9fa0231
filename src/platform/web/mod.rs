//! The door: what every call over HTTP has in common.

pub mod amount;
pub mod body;
pub mod codes;
pub mod edge;
pub mod etag;
pub mod fallback;
pub mod idempotency;
mod invalid;
pub mod ndjson;
pub mod openapi;
pub mod paging;
pub mod problem;
pub mod query;
pub mod rate;
mod strict;
pub mod telemetry;
pub mod text;
pub mod trace;
