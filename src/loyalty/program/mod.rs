//! The programme: one typed, versioned document, compiled to what decisions need.

pub mod model;
