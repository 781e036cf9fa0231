//! What happens outside of a checkout: a review is written, a friend is brought along.

pub mod http;
pub mod send_event;
