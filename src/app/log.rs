//! Logs, on standard error: lines for people, or JSON for machines.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use super::settings::{LogFormat, Settings};
use crate::platform::web::telemetry::log_panics;

/// Starts logging as the settings say; a second call changes nothing.
pub fn start(settings: &Settings) {
    // The settings were read with the same parser, so the filter is good.
    let filter = EnvFilter::new(&settings.log_filter);
    let builder = fmt().with_env_filter(filter).with_writer(stderr);
    let started = match settings.log_format {
        LogFormat::Text => builder.with_target(false).with_ansi(stderr().is_terminal()).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).with_span_list(false).try_init(),
    };
    if started.is_ok() {
        log_panics();
    }
}
