//! The kinds of problem that any call may meet, and which of them a failing database is.

use std::error::Error as StdError;
use std::sync::Arc;

use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use diesel::result::Error as QueryError;

use crate::platform::db::{DbError, Fault};
use crate::platform::web::problem::{Problem, ProblemType, problems};

problems! {
    MALFORMED_JSON = 400 "malformed_json", "Malformed JSON", "The body is not one JSON value in UTF-8.";
    MALFORMED_BODY = 400 "malformed_body", "Malformed body", "The body ended early or could not be read.";
    MALFORMED_REQUEST = 400 "malformed_request", "Malformed request", "The request could not be understood.";
    IDEMPOTENCY_KEY_REQUIRED = 400 "idempotency_key_required", "Idempotency-Key required",
        "This call wants an Idempotency-Key header, so that it can be retried safely.";
    IDEMPOTENCY_KEY_INVALID = 400 "idempotency_key_invalid", "Idempotency-Key not valid",
        "An Idempotency-Key has 1 to 64 letters, digits and . _ : ~ - and is sent once.";
    NOT_FOUND = 404 "not_found", "Not found",
        "There is nothing at this address, or nothing that this credential may know of.";
    METHOD_NOT_ALLOWED = 405 "method_not_allowed", "Method not allowed",
        "The address exists, but not for this method; Allow names those that it has.";
    PRECONDITION_FAILED = 412 "precondition_failed", "Changed meanwhile",
        "It is not as it was when it was read: somebody changed it. Read it again; what it is now stands in etag.";
    PRECONDITION_REQUIRED = 428 "precondition_required", "If-Match required",
        "This call wants an If-Match header with the ETag of what it changes, so that nobody overwrites another's change.";
    BODY_TOO_LARGE = 413 "body_too_large", "Body too large", "The body is larger than this call takes.";
    UNSUPPORTED_MEDIA_TYPE = 415 "unsupported_media_type", "Unsupported media type",
        "This call takes application/json, or application/x-ndjson where it says so, in UTF-8 without a content encoding.";
    INVALID_FIELD = 422 "invalid_field", "Field not valid", "A field has a type or value that is never valid.";
    UNKNOWN_FIELD = 422 "unknown_field", "Unknown field", "The body has a field that this call does not know.";
    MISSING_FIELD = 422 "missing_field", "Missing field", "The body lacks a field that this call wants.";
    DUPLICATE_FIELD = 422 "duplicate_field", "Duplicate field", "The body has a field twice.";
    INVALID_PARAMETER = 422 "invalid_parameter", "Parameter not valid",
        "A query parameter has a value that is never valid.";
    UNKNOWN_PARAMETER = 422 "unknown_parameter", "Unknown parameter",
        "The query has a parameter that this call does not know.";
    MISSING_PARAMETER = 422 "missing_parameter", "Missing parameter",
        "The query lacks a parameter that this call wants.";
    DUPLICATE_PARAMETER = 422 "duplicate_parameter", "Duplicate parameter", "The query has a parameter twice.";
    INVALID_CURSOR = 422 "invalid_cursor", "Cursor not valid",
        "A cursor is what an earlier page gave as next_cursor, unchanged, for the same list.";
    OUT_OF_RANGE = 422 "out_of_range", "Out of range", "A figure is beyond what can be kept.";
    RATE_LIMITED = 429 retryable "rate_limited", "Too many requests",
        "The credential's rate is used up; Retry-After says when to try again.";
    INTERNAL = 500 "internal", "Internal error",
        "Something went wrong inside; it has been logged under the request's id.";
    UNAVAILABLE = 503 retryable "unavailable", "Unavailable",
        "The database is busy or away; try again after Retry-After.";
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        of_database(kind_of(&error), error)
    }
}

// One look-up may serve several callers, and fail for all of them.
impl From<Arc<DbError>> for Problem {
    fn from(error: Arc<DbError>) -> Self {
        of_database(kind_of(&error), error)
    }
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        DbError::from(error).into()
    }
}

fn kind_of(error: &DbError) -> &'static ProblemType {
    match error.fault() {
        Fault::OutOfRange => &OUT_OF_RANGE,
        Fault::LockTimeout | Fault::Conflict | Fault::ConnectionLost | Fault::ReadOnly | Fault::DiskFull => {
            &UNAVAILABLE
        }
        Fault::Other if matches!(error, DbError::Busy) => &UNAVAILABLE,
        Fault::Unique(_) | Fault::Check(_) | Fault::ForeignKey(_) | Fault::Other => &INTERNAL,
    }
}

fn of_database(kind: &'static ProblemType, error: impl StdError + Send + Sync + 'static) -> Problem {
    let problem = Problem::of(kind).because(error);
    if kind.retryable { problem.header(RETRY_AFTER, HeaderValue::from_static("1")) } else { problem }
}
