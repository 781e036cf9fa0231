//! The programme: what is earned, held, spent and given back.

pub mod ledger;
pub mod members;
pub mod program;
