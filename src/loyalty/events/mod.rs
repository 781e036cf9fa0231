//! What happened, as others are told: postings as events, noted for whoever wants to know.

pub mod event_view;
pub mod jobs;
pub mod store;
