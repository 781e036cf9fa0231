//! Parses the command line and calls `app`.

use std::process::ExitCode;

use perennial::app;

#[tokio::main]
async fn main() -> ExitCode {
    app::run().await
}
