//! Parses the command line and calls `app`.

fn main() {}
