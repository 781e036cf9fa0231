//! Refusals and failures as RFC 9457 problems, with codes that callers can rely on.

use std::error::Error as StdError;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use serde_json::{Map, Value};

/// The media type of a problem.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// The most characters of a detail: what a caller sent may stand in it.
pub const DETAIL_CHARS_MAX: usize = 500;

/// One kind of problem: its code is API and never changes its meaning.
#[derive(Debug, PartialEq, Eq)]
pub struct ProblemType {
    /// `snake_case`, unique in the application.
    pub code: &'static str,
    /// The HTTP status, 400 to 599.
    pub status: u16,
    /// A few words, the same for each occurrence.
    pub title: &'static str,
    /// Whether the same request may succeed later without a change.
    pub retryable: bool,
    /// One sentence on when it happens and what to do.
    pub about: &'static str,
}

/// Declares the kinds of problem of a room: a constant for each, and `PROBLEMS`, which names them all.
///
/// ```ignore
/// problems! {
///     ORDER_UNKNOWN = 404 "order_unknown", "Order not found", "There is no such order in this programme.";
///     STOCK_BUSY = 503 retryable "stock_busy", "Busy", "Somebody else takes the last one; try again.";
/// }
/// ```
macro_rules! problems {
    (@retryable) => { false };
    (@retryable retryable) => { true };
    ($($name:ident = $status:literal $($retryable:ident)? $code:literal, $title:literal, $about:literal;)+) => {
        $(
            #[doc = $about]
            pub const $name: ProblemType = ProblemType {
                code: $code,
                status: $status,
                title: $title,
                retryable: problems!(@retryable $($retryable)?),
                about: $about,
            };
        )+
        /// Every kind of problem that this room declares.
        pub const PROBLEMS: &[ProblemType] = &[$($name),+];
    };
}
pub(crate) use problems;

/// One refusal or failure on its way to the caller.
#[derive(Debug)]
pub struct Problem(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: &'static ProblemType,
    detail: Option<String>,
    pointer: Option<String>,
    figures: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "type")]
    uri: String,
    title: &'a str,
    status: u16,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<&'a str>,
    retryable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(flatten)]
    figures: &'a Map<String, Value>,
}

impl Problem {
    /// A problem of a kind, with nothing more to say.
    pub fn of(kind: &'static ProblemType) -> Self {
        let (detail, pointer, cause) = (None, None, None);
        Self(Box::new(Inner { kind, detail, pointer, figures: Map::new(), headers: Vec::new(), cause }))
    }

    /// The same with a sentence on this occurrence.
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        let mut detail = detail.into();
        if let Some((cut, _)) = detail.char_indices().nth(DETAIL_CHARS_MAX) {
            detail.truncate(cut);
            detail.push('…');
        }
        self.0.detail = Some(detail);
        self
    }

    /// The same with the JSON pointer (RFC 6901) of the field, `/lines/0/amount`.
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.0.pointer = Some(pointer.into());
        self
    }

    /// The same of a part of what was sent: its pointer leads there.
    pub fn within(mut self, part: &str) -> Self {
        self.0.pointer = self.0.pointer.map(|pointer| format!("{part}{pointer}"));
        self
    }

    /// The same with a member that says what is missing, in figures.
    pub fn with(mut self, member: &str, figure: impl Into<Value>) -> Self {
        self.0.figures.insert(member.to_owned(), figure.into());
        self
    }

    /// The same with a header on the answer.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// The same with what went wrong inside: logged once, never told.
    pub fn because(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// Its kind.
    pub fn kind(&self) -> &'static ProblemType {
        self.0.kind
    }

    /// What went wrong inside, and why, and why: one line for the log.
    pub fn causes(&self) -> Option<String> {
        let first: &dyn StdError = self.0.cause.as_deref()?;
        let chain = std::iter::successors(Some(first), |error: &&dyn StdError| (*error).source());
        Some(chain.map(ToString::to_string).collect::<Vec<_>>().join(": "))
    }

    /// The document, naming the request.
    pub fn document(&self, request_id: Option<&str>) -> Vec<u8> {
        let inner = &*self.0;
        let document = Document {
            uri: format!("/problems/{}", inner.kind.code),
            title: inner.kind.title,
            status: inner.kind.status,
            code: inner.kind.code,
            detail: inner.detail.as_deref(),
            pointer: inner.pointer.as_deref(),
            retryable: inner.kind.retryable,
            request_id,
            figures: &inner.figures,
        };
        serde_json::to_vec(&document).unwrap_or_default()
    }

    /// The answer, naming the request.
    pub fn response(&self, request_id: Option<&str>) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        for (name, value) in &self.0.headers {
            response.append_header((name.clone(), value.clone()));
        }
        response.insert_header((CONTENT_TYPE, PROBLEM_JSON));
        response.body(self.document(request_id))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.kind.code)?;
        self.0.detail.as_ref().map_or(Ok(()), |detail| write!(f, ": {detail}"))
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.kind.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    // Without a request at hand: `edge` writes it again with the request's id.
    fn error_response(&self) -> HttpResponse {
        self.response(None)
    }
}

/// The shape of a problem in the OpenAPI document; kinds add figures of their own.
#[derive(utoipa::ToSchema)]
#[schema(as = Problem)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct ProblemView {
    /// Where the kind of problem is described.
    #[schema(example = "/problems/invalid_field", format = "uri-reference")]
    r#type: String,
    /// A few words, the same for each occurrence.
    title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// Stable, for programs.
    #[schema(example = "invalid_field")]
    code: String,
    /// A sentence on this occurrence, for people.
    #[schema(nullable = false)]
    detail: Option<String>,
    /// JSON pointer (RFC 6901) to the field of the request.
    #[schema(nullable = false, example = "/lines/0/amount")]
    pointer: Option<String>,
    /// Whether the same request may succeed later without a change.
    retryable: bool,
    /// The request, as in `X-Request-Id`.
    #[schema(nullable = false)]
    request_id: Option<String>,
}
