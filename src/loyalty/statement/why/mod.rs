//! Why a posting is as it is: rule by rule, in figures and in words.

mod documents;
pub mod http;
mod reasons;
pub mod told;
