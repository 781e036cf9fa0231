//! Which request this is: its id, its W3C trace, and the span that every log line of it stands in.

use std::rc::Rc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::HeaderMap;
use actix_web::{Error, HttpMessage, HttpRequest};
use tracing::Span;
use tracing::field::{Empty, display};
use tracing_actix_web::RootSpanBuilder;

use crate::platform::entropy::uuid_v7;

/// The longest request id that is taken over from a caller, in characters.
pub const REQUEST_ID_CHARS_MAX: usize = 128;
const REQUEST_ID: &str = "x-request-id";
const TRACE_PARENT: &str = "traceparent";

/// The id of a request: the caller's `X-Request-Id` when it is sane, else a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(Rc<str>);

impl RequestId {
    /// The id of a request that came through [`RequestSpan`].
    pub fn of(request: &HttpRequest) -> Option<Self> {
        request.extensions().get::<Self>().cloned()
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn sent(headers: &HeaderMap) -> Option<Self> {
        let id = headers.get(REQUEST_ID)?.to_str().ok()?;
        let allowed =
            |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'~' | b'-' | b'+' | b'/' | b'=');
        let sane = (1..=REQUEST_ID_CHARS_MAX).contains(&id.len()) && id.bytes().all(allowed);
        sane.then(|| Self(id.into()))
    }

    fn new() -> Self {
        let mut digits = uuid::Uuid::encode_buffer();
        Self((&*uuid_v7().simple().encode_lower(&mut digits)).into())
    }
}

/// The caller's place in a distributed trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct TraceParent<'a> {
    trace_id: &'a str,
    parent_id: &'a str,
}

impl<'a> TraceParent<'a> {
    /// Reads `00-<32 hex>-<16 hex>-<2 hex>`; later versions may carry more behind.
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split('-');
        let (version, trace_id, parent_id, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let hex = |part: &str, chars: usize| {
            part.len() == chars && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        let whole = hex(version, 2) && hex(trace_id, 32) && hex(parent_id, 16) && hex(flags, 2);
        let known = version != "ff" && (version != "00" || parts.next().is_none());
        let named = |id: &str| id.bytes().any(|b| b != b'0');
        (whole && known && named(trace_id) && named(parent_id)).then_some(Self { trace_id, parent_id })
    }
}

/// Opens the span of a request: `TracingLogger::<RequestSpan>::new()`, wrapped outside `edge`.
pub struct RequestSpan;

impl RootSpanBuilder for RequestSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let headers = request.headers();
        let id = RequestId::sent(headers).unwrap_or_else(RequestId::new);
        let span = tracing::info_span!(
            "request",
            request_id = id.as_str(),
            trace_id = Empty,
            parent_id = Empty,
            principal = Empty,
            program.id = Empty,
        );
        if !span.is_disabled()
            && let Some(parent) = headers.get(TRACE_PARENT).and_then(|v| v.to_str().ok()).and_then(TraceParent::parse)
        {
            span.record("trace_id", display(parent.trace_id));
            span.record("parent_id", display(parent.parent_id));
        }
        request.extensions_mut().insert(id);
        span
    }

    // `edge` reports the outcome, with the route and the time it took.
    fn on_request_end<B: MessageBody>(_: Span, _: &Result<ServiceResponse<B>, Error>) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_parent_is_taken_only_when_whole() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let parent = TraceParent::parse(good).unwrap();
        assert_eq!((parent.trace_id, parent.parent_id), ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"));
        for bad in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        ] {
            assert_eq!(TraceParent::parse(bad), None, "{bad}");
        }
    }
}
