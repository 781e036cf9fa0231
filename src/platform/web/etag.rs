//! `If-Match`: what an editor has seen, so that nobody overwrites what somebody else changed meanwhile.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{ETAG, HeaderValue, IF_MATCH};
use actix_web::{FromRequest, HttpRequest, HttpResponse, HttpResponseBuilder};

use crate::platform::web::codes;
use crate::platform::web::problem::Problem;

/// A strong tag of one state of something, without its quotes: visible ASCII.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag(pub String);

/// The states of which the caller has seen one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IfMatch {
    /// The tags; `None` for `*`, which is any state.
    tags: Option<Vec<String>>,
}

impl IfMatch {
    /// Whether a state is one of those.
    pub fn has(&self, tag: &Tag) -> bool {
        self.tags.as_ref().is_none_or(|tags| tags.contains(&tag.0))
    }
}

impl Tag {
    /// The same as it stands in headers.
    pub fn quoted(&self) -> String {
        format!("\"{}\"", self.0)
    }

    /// An answer that carries it.
    pub fn on(&self, mut answer: HttpResponseBuilder) -> HttpResponseBuilder {
        if let Ok(value) = HeaderValue::try_from(self.quoted()) {
            answer.insert_header((ETAG, value));
        }
        answer
    }

    /// An answer without a body that carries it.
    pub fn alone(&self) -> HttpResponse {
        self.on(HttpResponse::NoContent()).finish()
    }
}

impl FromRequest for IfMatch {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let mut sent = request.headers().get_all(IF_MATCH).peekable();
        if sent.peek().is_none() {
            return ready(Err(Problem::of(&codes::PRECONDITION_REQUIRED)));
        }
        let mut tags = Some(Vec::new());
        for item in sent.flat_map(|value| value.to_str().unwrap_or_default().split(',')) {
            match item.trim() {
                "*" => tags = None,
                // A weak tag matches nothing here: RFC 9110, 13.1.1.
                item => {
                    let strong = item.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
                    tags.iter_mut().for_each(|tags| tags.extend(strong.map(str::to_owned)));
                }
            }
        }
        ready(Ok(Self { tags }))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    async fn read(headers: &[&str]) -> Result<IfMatch, u16> {
        let request = headers.iter().fold(TestRequest::default(), |request, v| request.append_header((IF_MATCH, *v)));
        IfMatch::extract(&request.to_http_request()).await.map_err(|problem| problem.kind().status)
    }

    #[actix_web::test]
    async fn only_what_was_seen_matches() {
        let seven = Tag("d7".to_owned());
        for (headers, matches) in [
            (&["\"d7\""][..], true),
            (&["\"d6\", \"d7\""], true),
            (&["\"d6\"", "\"d7\""], true),
            (&["*"], true),
            (&["\"d6\", *"], true),
            (&["\"d6\""], false),
            (&["W/\"d7\""], false),
            (&["d7"], false),
            (&[""], false),
        ] {
            assert_eq!(read(headers).await.map(|seen| seen.has(&seven)), Ok(matches), "{headers:?}");
        }
        assert_eq!(read(&[]).await, Err(428));
    }
}
