//! JSON bodies, read strictly: a mistake is named by its JSON pointer.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::BytesMut;
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::platform::web::codes;
use crate::platform::web::invalid::{Wrong, finding};
use crate::platform::web::problem::{Problem, ProblemType};
use crate::platform::web::strict::{Strict, from_slice};

/// The largest body of a call that does not say otherwise, in bytes.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// A JSON body of at most `MAX` bytes. `T` says `deny_unknown_fields`.
#[derive(Debug)]
pub struct Body<T, const MAX: usize = BODY_BYTES_MAX>(pub T);

impl<T: DeserializeOwned + 'static, const MAX: usize> FromRequest for Body<T, MAX> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let unread = Unread::<T, MAX>::from_request(request, payload);
        Box::pin(async move { unread.await?.read().map(Self) })
    }
}

/// A JSON body as [`Body`], which is there and not read yet: who refuses it for another reason does not read it.
#[derive(Debug)]
pub struct Unread<T, const MAX: usize = BODY_BYTES_MAX> {
    bytes: BytesMut,
    body: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned, const MAX: usize> Unread<T, MAX> {
    /// What was sent.
    ///
    /// # Errors
    /// As [`read`].
    pub fn read(&self) -> Result<T, Problem> {
        read(&self.bytes)
    }
}

impl<T: 'static, const MAX: usize> FromRequest for Unread<T, MAX> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let admitted = admit(request, MAX);
        let payload = payload.take();
        Box::pin(async move {
            let length = admitted?;
            // To the end of it: a connection with a rest is closed behind the answer.
            Ok(Self { bytes: collect(payload, length, MAX).await?, body: PhantomData })
        })
    }
}

/// Checks the headers; the announced length, if there is one.
fn admit(request: &HttpRequest, max: usize) -> Result<Option<usize>, Problem> {
    let header = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or(""));
    if !header(CONTENT_TYPE).is_some_and(is_json) {
        let detail = header(CONTENT_TYPE).map_or("Content-Type is missing", |_| "Content-Type is not application/json");
        return Err(Problem::of(&codes::UNSUPPORTED_MEDIA_TYPE).detail(detail));
    }
    if header(CONTENT_ENCODING).is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return Err(Problem::of(&codes::UNSUPPORTED_MEDIA_TYPE).detail("Content-Encoding is not supported"));
    }
    let length = header(CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
    if length.is_some_and(|length| length > max) { Err(too_large(max)) } else { Ok(length) }
}

fn is_json(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let json = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    json && parts.all(|parameter| match parameter.split_once('=') {
        Some((name, charset)) if name.trim().eq_ignore_ascii_case("charset") => {
            charset.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    })
}

async fn collect(mut payload: Payload, length: Option<usize>, max: usize) -> Result<BytesMut, Problem> {
    let mut body = BytesMut::with_capacity(length.unwrap_or(0));
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| Problem::of(&codes::MALFORMED_BODY).detail(error.to_string()))?;
        if body.len().saturating_add(chunk.len()) > max {
            return Err(too_large(max));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn too_large(max: usize) -> Problem {
    Problem::of(&codes::BODY_TOO_LARGE).detail(format!("at most {max} bytes")).with("bytes_max", max)
}

/// Reads one JSON value, for bodies that do not come through [`Body`]: a line of a batch, a file.
///
/// # Errors
/// 400 when it is no JSON, 422 with a pointer when it is not what is wanted.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    // Twice only when it fails: following the path allocates for each key.
    from_slice(body).map_err(|error| match error.classify() {
        Category::Io | Category::Syntax | Category::Eof => {
            Problem::of(&codes::MALFORMED_JSON).detail(error.to_string())
        }
        Category::Data => {
            refused::<T>(body).unwrap_or_else(|| Problem::of(&codes::INVALID_FIELD).detail(error.to_string()))
        }
    })
}

fn refused<T: DeserializeOwned>(body: &[u8]) -> Option<Problem> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let error = serde_path_to_error::deserialize::<_, T>(Strict(&mut json)).err()?;
    let found = finding(error.path(), &error.inner().to_string());
    Some(Problem::of(kind(found.wrong)).detail(found.says).at(found.pointer))
}

fn kind(wrong: Wrong) -> &'static ProblemType {
    match wrong {
        Wrong::Unknown => &codes::UNKNOWN_FIELD,
        Wrong::Missing => &codes::MISSING_FIELD,
        Wrong::Duplicate => &codes::DUPLICATE_FIELD,
        Wrong::Invalid => &codes::INVALID_FIELD,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use actix_web::ResponseError;
    use serde::Deserialize;

    use crate::platform::web::amount::AmountIn;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct OrderIn {
        reference: String,
        #[serde(default)]
        lines: Vec<LineIn>,
        #[serde(default)]
        attributes: BTreeMap<String, u8>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct LineIn {
        id: String,
        amount: AmountIn,
    }

    fn refusal(body: &str) -> (u16, &'static str, serde_json::Value) {
        let problem = read::<OrderIn>(body.as_bytes()).unwrap_err();
        let response = problem.error_response();
        assert_eq!(response.status().as_u16(), problem.kind().status);
        let body = actix_web::body::MessageBody::try_into_bytes(response.into_body()).unwrap();
        (problem.kind().status, problem.kind().code, serde_json::from_slice(&body).unwrap())
    }

    #[test]
    fn a_mistake_is_named_by_its_pointer() {
        let cases = [
            ("{", 400, "malformed_json", None),
            ("", 400, "malformed_json", None),
            (r#"{"reference":"1"} x"#, 400, "malformed_json", None),
            (r#"{"reference":"1","extra":1}"#, 422, "unknown_field", Some("/extra")),
            (r#"{"reference":"1","lines":[{"id":"1","a/b":1}]}"#, 422, "unknown_field", Some("/lines/0/a~1b")),
            ("{}", 422, "missing_field", Some("/reference")),
            ("[]", 422, "invalid_field", Some("")),
            (r#"["1",[],{}]"#, 422, "invalid_field", Some("")),
            (r#"{"reference":"1","lines":[["1","2.00"]]}"#, 422, "invalid_field", Some("/lines/0")),
            (r#"{"reference":"1","lines":[{"id":"1"}]}"#, 422, "missing_field", Some("/lines/0/amount")),
            (r#"{"reference":"1","reference":"2"}"#, 422, "duplicate_field", Some("/reference")),
            (r#"{"reference":1}"#, 422, "invalid_field", Some("/reference")),
            (r#"{"reference":"1","lines":[{"id":"1","amount":1.5}]}"#, 422, "invalid_field", Some("/lines/0/amount")),
            (r#"{"reference":"1","attributes":{"a~":-1}}"#, 422, "invalid_field", Some("/attributes/a~0")),
        ];
        for (body, status, code, pointer) in cases {
            let (got_status, got_code, document) = refusal(body);
            assert_eq!((got_status, got_code), (status, code), "{document}");
            assert_eq!(document.get("pointer").and_then(|p| p.as_str()), pointer, "{document}");
            assert_eq!(document["type"], format!("/problems/{code}"));
        }
    }

    #[test]
    fn details_speak_json_and_not_rust() {
        let (_, _, document) = refusal(r#"{"reference":"1","lines":[7]}"#);
        assert_eq!(document["detail"], "invalid type: integer `7`, expected an object");
        let (_, _, document) = refusal(r#"{"reference":"1","attributes":{"a":-1}}"#);
        assert_eq!(document["detail"], "invalid value: integer `-1`, expected a whole number of 0 or more");
    }
}
