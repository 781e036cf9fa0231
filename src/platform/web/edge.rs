//! What every answer goes through: its id and safe headers, problems completed, time measured, one log line.

use std::time::Instant;

use actix_web::Error;
use actix_web::HttpMessage;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;

use crate::platform::web::codes;
use crate::platform::web::problem::Problem;
use crate::platform::web::rate::RateState;
use crate::platform::web::trace::RequestId;

/// Histogram of answers in seconds, by method, route and status.
pub const REQUEST_DURATION: &str = "http_request_duration_seconds";
/// Gauge of requests under way.
pub const REQUESTS_IN_FLIGHT: &str = "http_requests_in_flight";
/// A request that takes longer is logged as a warning, in milliseconds.
pub const SLOW_REQUEST_MS: f64 = 1_000.0;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const PAGELESS: &str = "default-src 'none'; frame-ancestors 'none'";

/// The outermost middleware but one: `.wrap(from_fn(edge)).wrap(TracingLogger::<RequestSpan>::new())`.
///
/// # Errors
/// Passes on what a middleware inside of it failed with.
pub async fn edge(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let method = name_of(request.method());
    let under_way = UnderWay::enter();
    let answer = next.call(request).await?.map_into_boxed_body();
    drop(under_way);
    let mut answer = completed(answer);
    write_headers(&mut answer);
    report(&answer, method, started.elapsed().as_secs_f64());
    Ok(answer)
}

/// Counts a request until it is answered, or its caller has gone.
struct UnderWay;

impl UnderWay {
    fn enter() -> Self {
        metrics::gauge!(REQUESTS_IN_FLIGHT).increment(1.0);
        Self
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        metrics::gauge!(REQUESTS_IN_FLIGHT).decrement(1.0);
    }
}

/// Writes problems again, now that the request is known, and makes problems of the framework's own errors.
fn completed(answer: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let Some(error) = answer.response().error() else { return answer };
    let id = RequestId::of(answer.request());
    let id = id.as_ref().map(RequestId::as_str);
    let response = match error.as_error::<Problem>() {
        Some(problem) => {
            log_cause(problem);
            problem.response(id)
        }
        None => {
            let problem = of_framework(answer.status(), &error.to_string());
            log_cause(&problem);
            problem.response(id)
        }
    };
    answer.into_response(response)
}

fn of_framework(status: StatusCode, message: &str) -> Problem {
    match status {
        StatusCode::NOT_FOUND => Problem::of(&codes::NOT_FOUND),
        StatusCode::PAYLOAD_TOO_LARGE => Problem::of(&codes::BODY_TOO_LARGE),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Problem::of(&codes::UNSUPPORTED_MEDIA_TYPE),
        status if status.is_client_error() => Problem::of(&codes::MALFORMED_REQUEST).detail(message),
        _ => Problem::of(&codes::INTERNAL).because(message),
    }
}

fn log_cause(problem: &Problem) {
    let Some(causes) = problem.causes() else { return };
    let kind = problem.kind();
    if kind.retryable {
        tracing::warn!(code = kind.code, error = causes, "a request could not be served");
    } else {
        tracing::error!(code = kind.code, error = causes, "a request failed");
    }
}

fn write_headers(answer: &mut ServiceResponse<BoxBody>) {
    let (id, rate) = {
        let extensions = answer.request().extensions();
        (extensions.get::<RequestId>().cloned(), extensions.get::<RateState>().cloned())
    };
    let headers = answer.headers_mut();
    if let Some(id) = id.and_then(|id| HeaderValue::from_str(id.as_str()).ok()) {
        headers.insert(X_REQUEST_ID, id);
    }
    if let Some(rate) = rate {
        rate.write(headers);
    }
    // A page or an asset may have said otherwise for itself.
    default_header(headers, CACHE_CONTROL, "no-store");
    default_header(headers, CONTENT_SECURITY_POLICY, PAGELESS);
    default_header(headers, REFERRER_POLICY, "no-referrer");
    default_header(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
    default_header(headers, X_FRAME_OPTIONS, "DENY");
}

fn default_header(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    if !headers.contains_key(&name) {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

fn report(answer: &ServiceResponse<BoxBody>, method: &'static str, seconds: f64) {
    let status = answer.status();
    // The pattern, never the path: paths carry ids, and metrics would grow without end.
    let route = answer.request().match_pattern().unwrap_or_else(|| "unmatched".to_owned());
    let duration_ms = (seconds * 1_000_000.0).round() / 1_000.0;
    if duration_ms >= SLOW_REQUEST_MS {
        tracing::warn!(method, route, status = status.as_u16(), duration_ms, "answered slowly");
    } else {
        tracing::info!(method, route, status = status.as_u16(), duration_ms, "answered");
    }
    let status = status.as_str().to_owned();
    metrics::histogram!(REQUEST_DURATION, "method" => method, "route" => route, "status" => status).record(seconds);
}

fn name_of(method: &Method) -> &'static str {
    let known = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    known.iter().copied().find(|name| *name == method.as_str()).unwrap_or("OTHER")
}
