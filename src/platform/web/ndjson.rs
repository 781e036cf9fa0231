//! NDJSON bodies, one line after the other as they come: nobody holds a whole one.

use std::future::{Ready, ready};
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt;
use tokio::time::{Instant, timeout_at};

use crate::platform::web::codes;
use crate::platform::web::problem::Problem;

/// The media type.
pub const NDJSON: &str = "application/x-ndjson";

/// The lines of a body of at most `MAX` bytes, each of at most `LINE_MAX`. Blank ones are counted and not handed out.
pub struct Lines<const LINE_MAX: usize, const MAX: usize> {
    payload: Payload,
    buffer: BytesMut,
    /// How much of the buffer has no end of a line.
    searched: usize,
    /// Lines so far.
    number: u64,
    /// Bytes so far.
    bytes: usize,
    /// Within a line that is too long.
    skipping: bool,
    /// Nothing more comes.
    ended: bool,
    /// Why nothing more comes, where that is not the end of the body.
    wrong: Option<Problem>,
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number, from 1; blank ones count.
    pub number: u64,
    /// Its text without its end; `None` when it is too long.
    pub text: Option<Bytes>,
}

impl<const LINE_MAX: usize, const MAX: usize> FromRequest for Lines<LINE_MAX, MAX> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(admit(request, MAX).map(|()| Self::new(payload.take())))
    }
}

fn admit(request: &HttpRequest, max: usize) -> Result<(), Problem> {
    let header = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or(""));
    if !header(CONTENT_TYPE).is_some_and(is_ndjson) {
        return Err(Problem::of(&codes::UNSUPPORTED_MEDIA_TYPE).detail(format!("Content-Type is not {NDJSON}")));
    }
    if header(CONTENT_ENCODING).is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return Err(Problem::of(&codes::UNSUPPORTED_MEDIA_TYPE).detail("Content-Encoding is not supported"));
    }
    let length = header(CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
    if length.is_some_and(|length| length > max) { Err(too_large(max)) } else { Ok(()) }
}

fn is_ndjson(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let charset = |parameter: &str| match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    };
    parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case(NDJSON)) && parts.all(charset)
}

fn too_large(max: usize) -> Problem {
    Problem::of(&codes::BODY_TOO_LARGE).detail(format!("at most {max} bytes")).with("bytes_max", max)
}

impl<const LINE_MAX: usize, const MAX: usize> Lines<LINE_MAX, MAX> {
    fn new(payload: Payload) -> Self {
        let buffer = BytesMut::new();
        Self { payload, buffer, searched: 0, number: 0, bytes: 0, skipping: false, ended: false, wrong: None }
    }

    /// The next line, if it has come. When there is none, [`Lines::fill`] waits for more.
    pub fn take(&mut self) -> Option<Line> {
        loop {
            let rest = self.buffer.get(self.searched..).unwrap_or_default();
            let text = match rest.iter().position(|b| *b == b'\n') {
                Some(at) => self.buffer.split_to(self.searched + at + 1).freeze(),
                None if self.ended && (self.skipping || !self.buffer.is_empty()) => self.buffer.split().freeze(),
                None => {
                    // One more may be the first half of the line's end.
                    self.skipping |= self.buffer.len() > LINE_MAX.saturating_add(1);
                    if self.skipping {
                        self.buffer.clear();
                    }
                    self.searched = self.buffer.len();
                    return None;
                }
            };
            (self.searched, self.number) = (0, self.number.saturating_add(1));
            let text = without_end(&text);
            let too_long = std::mem::take(&mut self.skipping) || text.len() > LINE_MAX;
            if too_long || !text.trim_ascii().is_empty() {
                return Some(Line { number: self.number, text: (!too_long).then_some(text) });
            }
        }
    }

    /// Waits for more of the body when nothing is left to take; false when there is no more. Nothing is lost when it is
    /// not waited for to the end.
    ///
    /// # Errors
    /// The body breaks off or is too large: what came of a last line is then forgotten, and nothing more comes.
    pub async fn fill(&mut self) -> Result<bool, Problem> {
        if !self.ended {
            self.read().await;
        }
        match self.wrong.take() {
            Some(wrong) => Err(wrong),
            None => Ok(!self.ended),
        }
    }

    /// Waits for so many bytes, or so long, or for the end of the body. A server that begins its answer before a body has
    /// come closes the connection after it, so a short one is better read first.
    pub async fn prefill(&mut self, bytes: usize, at_most: Duration) {
        let until = Instant::now() + at_most;
        while !self.ended && self.buffer.len() < bytes {
            if timeout_at(until, self.read()).await.is_err() {
                return;
            }
        }
    }

    async fn read(&mut self) {
        let wrong = match self.payload.next().await {
            None => {
                self.ended = true;
                return;
            }
            Some(Ok(chunk)) => {
                self.bytes = self.bytes.saturating_add(chunk.len());
                if self.bytes <= MAX {
                    self.buffer.extend_from_slice(&chunk);
                    return;
                }
                too_large(MAX)
            }
            Some(Err(error)) => Problem::of(&codes::MALFORMED_BODY).detail(error.to_string()),
        };
        let whole = self.buffer.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        self.buffer.truncate(whole);
        (self.ended, self.skipping, self.wrong) = (true, self.skipping && whole > 0, Some(wrong));
    }

    /// Whether nothing more comes, and nothing is left to take.
    pub fn is_over(&self) -> bool {
        self.ended && self.buffer.is_empty() && !self.skipping && self.wrong.is_none()
    }

    /// The number of the line that would come next.
    pub fn next_number(&self) -> u64 {
        self.number.saturating_add(1)
    }

    /// Reads what is left of the body and forgets it, so that a caller who is still sending gets to read the answer.
    pub async fn discard(&mut self) {
        self.buffer.clear();
        while let Some(Ok(_)) = self.payload.next().await {}
    }
}

fn without_end(text: &Bytes) -> Bytes {
    let end = text.strip_suffix(b"\n").unwrap_or(text);
    let end = end.strip_suffix(b"\r").unwrap_or(end).len();
    text.slice(..end)
}

#[cfg(test)]
mod tests {
    use actix_web::error::PayloadError;
    use futures_util::stream;
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::edges::cases;

    fn lines(chunks: &[&'static str], breaks_off: bool) -> Lines<8, 40> {
        let chunks: Vec<_> = chunks.iter().map(|chunk| Ok(Bytes::from_static(chunk.as_bytes()))).collect();
        let end = breaks_off.then(|| Err(PayloadError::Incomplete(None)));
        Lines::new(Payload::Stream { payload: Box::pin(stream::iter(chunks.into_iter().chain(end))) })
    }

    type Taken = (Vec<(u64, Option<String>)>, Option<&'static str>);

    async fn all(chunks: &[&'static str], breaks_off: bool) -> Taken {
        let taken = prefilled(chunks, breaks_off, 0).await;
        for before in [1, 10, 100] {
            assert_eq!(prefilled(chunks, breaks_off, before).await, taken, "{chunks:?}");
        }
        taken
    }

    async fn prefilled(chunks: &[&'static str], breaks_off: bool, before: usize) -> Taken {
        let (mut lines, mut taken) = (lines(chunks, breaks_off), Vec::new());
        // What was read before is taken as what was read meanwhile.
        lines.prefill(before, Duration::from_secs(60)).await;
        loop {
            while let Some(Line { number, text }) = lines.take() {
                taken.push((number, text.map(|text| String::from_utf8(text.to_vec()).unwrap())));
            }
            match lines.fill().await {
                Ok(true) => {}
                Ok(false) if lines.is_over() => return (taken, None),
                Ok(false) => {}
                Err(problem) => return (taken, Some(problem.kind().code)),
            }
        }
    }

    fn said(lines: &[(u64, Option<&str>)]) -> Vec<(u64, Option<String>)> {
        lines.iter().map(|(number, text)| (*number, text.map(str::to_owned))).collect()
    }

    #[actix_web::test]
    async fn lines_come_whole_whatever_the_chunks_were() {
        let expected = said(&[(1, Some("a")), (3, Some("bc")), (5, Some("d"))]);
        for chunks in [
            &["a\n\nbc\r\n \t\r\nd"][..],
            &["a", "\n\n", "b", "c\r", "\n", " \t\r\nd", "\n"],
            &["a\n", "\nbc\n\nd\r\n"],
        ] {
            assert_eq!(all(chunks, false).await, (expected.clone(), None), "{chunks:?}");
        }
        assert_eq!(all(&[], false).await, (vec![], None));
    }

    #[actix_web::test]
    async fn a_line_that_is_too_long_is_only_itself() {
        let expected = said(&[(1, Some("12345678")), (2, None), (3, Some("x")), (4, None)]);
        assert_eq!(all(&["12345678\n123456789\nx\n123", "4567", "89"], false).await, (expected.clone(), None));
        assert_eq!(all(&["12345678\n1234567", "89", "01\nx\n", "1234567890"], false).await, (expected, None));
    }

    #[actix_web::test]
    async fn a_line_of_the_full_length_may_come_apart_within_its_end() {
        for chunks in [&["12345678\r\n"][..], &["12345678\r", "\n"], &["12345678", "\r\n"]] {
            assert_eq!(all(chunks, false).await.0, said(&[(1, Some("12345678"))]), "{chunks:?}");
        }
        assert_eq!(all(&["123456789", "\n"], false).await.0, said(&[(1, None)]));
    }

    #[actix_web::test]
    async fn a_body_that_breaks_off_has_no_last_line() {
        assert_eq!(all(&["a\nb"], true).await, (said(&[(1, Some("a"))]), Some("malformed_body")));
        assert_eq!(
            all(&["1\n2\n", "3", "34567\n", "1234567\n1234567\n1234567\n1234567\n"], false).await.1,
            Some("body_too_large")
        );
    }

    /// What the lines of a whole body are, split at once.
    fn split(body: &[u8]) -> Vec<(u64, Option<Vec<u8>>)> {
        let pieces = body.split(|b| *b == b'\n').zip(1..);
        let end = |text: &[u8]| text.strip_suffix(b"\r").unwrap_or(text).to_vec();
        let lines = pieces
            .map(|(text, number)| (number, end(text)))
            .filter(|(_, text)| text.len() > 8 || !text.trim_ascii().is_empty());
        lines.map(|(number, text)| (number, (text.len() <= 8).then_some(text))).collect()
    }

    proptest! {
        #![proptest_config(cases(300))]

        #[test]
        fn any_bytes_in_any_chunks_are_the_same_lines(
            chunks in prop::collection::vec(prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b'a'), any::<u8>()], 0..12), 0..8),
        ) {
            let body = chunks.concat();
            let sent: Vec<_> = chunks.into_iter().map(|chunk| Ok(Bytes::from(chunk))).collect();
            let mut lines: Lines<8, 1_000> = Lines::new(Payload::Stream { payload: Box::pin(stream::iter(sent)) });
            let mut taken = Vec::new();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            while !lines.is_over() {
                taken.extend(std::iter::from_fn(|| lines.take()).map(|line| (line.number, line.text.map(|t| t.to_vec()))));
                prop_assert!(runtime.block_on(lines.fill()).is_ok());
            }
            prop_assert_eq!(taken, split(&body));
        }
    }
}
