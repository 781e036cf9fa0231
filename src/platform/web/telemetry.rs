//! Metrics of the process, and its panics.

use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use crate::platform::web::edge::{REQUEST_DURATION, REQUESTS_IN_FLIGHT};

/// The media type of Prometheus's text format.
pub const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
/// How often the recorder folds what was measured, in seconds, also when nobody scrapes.
pub const METRICS_UPKEEP_S: u64 = 5;
/// Counter of panics.
const PANICS: &str = "panics_total";
/// Upper bounds of the buckets of every histogram in seconds; most answers take a few milliseconds.
const SIZE_BUCKETS: [f64; 9] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0];
const SECONDS_BUCKETS: [f64; 15] =
    [0.000_5, 0.001, 0.002, 0.003, 0.005, 0.007_5, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// Why metrics could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The buckets are not sorted.
    #[error("metrics cannot be set up")]
    Buckets(#[from] BuildError),
    /// The process has a recorder already.
    #[error("metrics are set up already")]
    Metrics,
}

/// Logs panics with the request that they broke, and counts them; once a process, when logging runs.
pub fn log_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let place = info.location().map(ToString::to_string);
        let message = info.payload_as_str().unwrap_or("no message");
        tracing::error!(place, message, "panicked");
        metrics::counter!(PANICS).increment(1);
        before(info);
    }));
}

/// What was measured, ready to be scraped.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Starts measuring; once a process.
    ///
    /// # Errors
    /// When measuring runs already.
    pub fn start() -> Result<Self, TelemetryError> {
        let seconds = Matcher::Suffix("_seconds".to_owned());
        let sizes = Matcher::Suffix("_size".to_owned());
        let builder = PrometheusBuilder::new().set_buckets_for_metric(seconds, &SECONDS_BUCKETS)?;
        let recorder = builder.set_buckets_for_metric(sizes, &SIZE_BUCKETS)?.build_recorder();
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder).map_err(|_| TelemetryError::Metrics)?;
        let seconds = metrics::Unit::Seconds;
        metrics::describe_histogram!(REQUEST_DURATION, seconds, "Answers by method, route and status.");
        metrics::describe_gauge!(REQUESTS_IN_FLIGHT, "Requests under way.");
        metrics::describe_counter!(PANICS, "Panics; each is a defect.");
        Ok(Self(handle))
    }

    /// Everything measured so far, in Prometheus's text format ([`METRICS_TYPE`]).
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// Folds what was measured, for as long as the process runs; spawn it. Without it, memory grows between scrapes.
    pub async fn upkeep(self) {
        let mut ticks = tokio::time::interval(Duration::from_secs(METRICS_UPKEEP_S));
        loop {
            ticks.tick().await;
            self.0.run_upkeep();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_measured_can_be_scraped() {
        let measured = Metrics::start().unwrap();
        metrics::histogram!(REQUEST_DURATION, "route" => "/v1/tests").record(0.004);
        let text = measured.render();
        assert!(text.contains("http_request_duration_seconds_bucket{route=\"/v1/tests\",le=\"0.005\"} 1"), "{text}");
        assert!(text.contains("# HELP http_request_duration_seconds "), "{text}");
        assert!(matches!(Metrics::start(), Err(TelemetryError::Metrics)));
    }
}
