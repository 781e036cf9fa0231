//! Parses the command line and calls `app`.

use std::process::ExitCode;

use mimalloc::MiMalloc;
use perennial::app;

// Requests are allocated by one thread and freed by another, where the system's allocator is slow.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    app::run().await
}
