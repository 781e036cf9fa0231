//! The programme: what is earned, held, spent and given back.

#![cfg_attr(not(test), forbid(clippy::arithmetic_side_effects))]

pub mod backtest;
pub mod bulk;
pub mod checkout;
pub mod discounts;
pub mod earning;
pub mod events;
pub mod ledger;
pub mod members;
pub mod membership;
pub mod personal;
pub mod program;
pub mod rewards;
pub mod statement;
pub mod tiers;
