//! Members: who they are and by what they are known.

pub mod model;
