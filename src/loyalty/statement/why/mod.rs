//! Why a posting is as it is: rule by rule, in figures and in words.

mod discounts;
mod documents;
mod figures;
pub mod http;
pub mod reasons;
pub mod told;
