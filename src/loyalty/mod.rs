//! The programme: what is earned, held, spent and given back.

pub mod checkout;
pub mod earning;
pub mod program;
