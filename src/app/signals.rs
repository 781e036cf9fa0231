//! Signals to a command that can stop in the middle.

use std::process::exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use super::failure::Failure;
use super::terminal::note;

/// What a shell expects of a process that was interrupted.
const INTERRUPTED: i32 = 130;

/// Raises the flag at SIGINT or SIGTERM; the second one ends the process at once. Listens until the task is aborted.
///
/// # Errors
/// When the system gives no signals.
pub fn stop_when_told(stop: &Arc<AtomicBool>) -> Result<JoinHandle<()>, Failure> {
    let listen = |kind| signal(kind).map_err(|e| Failure::Work(format!("cannot listen for signals: {e}")));
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    let stop = Arc::clone(stop);
    Ok(tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if AtomicBool::swap(&stop, true, Ordering::AcqRel) {
                exit(INTERRUPTED);
            }
            note("stopping after what is under way; once more stops at once");
        }
    }))
}
