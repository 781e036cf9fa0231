//! The journal: opaque rows in lanes, numbered without a gap, chained by digests.

pub mod digest;
