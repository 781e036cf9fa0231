//! Which tier a member is in: reached at once, reviewed by the programme's calendar, granted, and known for days gone by.
//!
//! All of it is functions of a standing, a ladder and a balance. Whoever keeps the account calls them, at one instant in
//! this order: `close` on the balance before anything ends, then what ends and becomes available, then `after`, then
//! `start_version` where one starts; and `reach` behind whatever raised the balance.

pub mod grant;
pub mod merge;
pub mod reach;
pub mod review;
pub mod standing;
pub mod version;

#[cfg(test)]
mod cases;
