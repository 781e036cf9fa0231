//! Orders by the batch: sales of tills that were offline and of nightly uploads, line by line in and out.

pub mod http;
pub mod window;
