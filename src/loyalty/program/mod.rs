//! The programme: one typed, versioned document, compiled to what decisions need.

pub mod arm;
pub mod audience;
pub mod compile;
pub mod condition;
pub mod create;
pub mod diff;
pub mod document;
pub mod draft;
pub mod error;
pub mod facts;
pub mod http;
pub mod model;
pub mod position;
pub mod publish;
pub mod read;
pub mod reason;
pub mod schema;
pub mod slots;
pub mod store;
pub mod timelines;
