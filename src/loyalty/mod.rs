//! The programme: what is earned, held, spent and given back.

pub mod program;
