//! The load: HTTP/1.1 over kept connections, as little of it as will do, in this process.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until, timeout};

use super::Outcome;

/// An answer that takes longer is a failure of the run, in seconds.
const ANSWER_S_MAX: u64 = 30;
/// Bytes of an answer that are read at most.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// How the requests come.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// The next one when the last one is answered.
    Full,
    /// As many in a second over all connections, answered or not; latency counts from when a request was due.
    Rate(f64),
    /// As many in a second as long as connections are free; latency counts from when a request was sent.
    Flood(f64),
}

/// One load.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Where to.
    pub address: SocketAddr,
    /// Over how many connections.
    pub connections: usize,
    /// How they come.
    pub pace: Pace,
    /// For how long, at most.
    pub length: Duration,
    /// How many, at most, over all connections.
    pub requests: usize,
}

/// What came back.
#[derive(Debug, Default)]
pub struct Answers {
    /// With a status of 2xx.
    pub good: usize,
    /// With 429 or 503: asked to come back.
    pub refused: usize,
    /// Of those, with the seconds in which.
    pub told_when: usize,
    /// How long each of those took.
    pub refusals: Vec<Duration>,
    /// With another one.
    pub bad: usize,
    /// What the first of those said.
    pub first_bad: Option<String>,
    /// How long each took.
    pub latencies: Vec<Duration>,
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// What was answered, where that was wanted.
    pub bodies: Vec<Vec<u8>>,
}

impl Answers {
    /// Good answers per second.
    pub fn rate(&self) -> f64 {
        f64::from(u32::try_from(self.good).unwrap_or(u32::MAX)) / self.elapsed.as_secs_f64().max(0.001)
    }

    /// The latency that so many percent did not exceed, in milliseconds.
    pub fn percentile_ms(&self, percent: usize) -> f64 {
        percentile_ms(&self.latencies, percent)
    }

    /// Nothing but good answers, or what went wrong.
    ///
    /// # Errors
    /// When there was another answer, or none at all.
    pub fn all_good(self) -> Outcome<Self> {
        if self.refused > 0 {
            return Err(format!("{} requests were refused for the load", self.refused).into());
        }
        self.none_bad()
    }

    /// Nothing but good answers and refusals for the load, or what went wrong.
    ///
    /// # Errors
    /// When there was another answer, or no good one.
    pub fn none_bad(self) -> Outcome<Self> {
        match (&self.first_bad, self.good) {
            (Some(first), _) => Err(format!("{} answers were not 2xx; the first: {first}", self.bad).into()),
            (None, 0) => Err("nothing was answered".into()),
            (None, _) => Ok(self),
        }
    }
}

/// The latency that so many percent of sorted ones did not exceed, in milliseconds.
pub fn percentile_ms(sorted: &[Duration], percent: usize) -> f64 {
    let place = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    sorted.get(place).map_or(0.0, |l| l.as_secs_f64() * 1000.0)
}

/// Writes the request of a number.
pub trait Requests: Clone {
    /// Appends head and body.
    fn write(&mut self, number: usize, out: &mut Vec<u8>);
    /// Whether an answer with a good status is a good one.
    fn is_good(&self, _body: &[u8]) -> bool {
        true
    }
    /// Whether bodies of answers are kept.
    fn keeps_bodies(&self) -> bool {
        false
    }
}

/// Appends a request with a JSON body, or without one.
pub fn request(out: &mut Vec<u8>, method: &str, path: &str, key: &str, body: &[u8]) {
    request_of("application/json", out, (method, path), key, body);
}

/// Appends a request with a body of a media type, or without one.
pub fn request_of(media_type: &str, out: &mut Vec<u8>, (method, path): (&str, &str), key: &str, body: &[u8]) {
    for part in [method, " ", path, " HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer ", key, "\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
    if !body.is_empty() {
        let length = format!("Content-Type: {media_type}\r\nContent-Length: {}\r\n", body.len());
        out.extend_from_slice(length.as_bytes());
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
}

/// Runs a load to its end, on a thread of its own.
///
/// # Errors
/// When a connection breaks, or an answer does not come or is no HTTP.
pub async fn run<R: Requests + Send + 'static>(load: Load, requests: R) -> Outcome<Answers> {
    let driven = spawn_blocking(move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(drive(load, &requests))
    });
    driven.await?
}

async fn drive<R: Requests>(load: Load, requests: &R) -> Outcome<Answers> {
    let streams = try_join_all((0..load.connections).map(|_| TcpStream::connect(load.address))).await?;
    let begun = Instant::now();
    let lanes = streams.into_iter().enumerate().map(|(lane, stream)| {
        let lane = Connection { stream, buffer: Vec::with_capacity(4096), lane, begun };
        lane.run(load, requests.clone())
    });
    let mut all = Answers::default();
    for mut answers in try_join_all(lanes).await? {
        all.good += answers.good;
        all.refused += answers.refused;
        all.told_when += answers.told_when;
        all.refusals.append(&mut answers.refusals);
        all.bad += answers.bad;
        all.first_bad = all.first_bad.or(answers.first_bad);
        all.latencies.append(&mut answers.latencies);
        all.bodies.append(&mut answers.bodies);
    }
    all.elapsed = begun.elapsed();
    all.latencies.sort_unstable();
    all.refusals.sort_unstable();
    Ok(all)
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    lane: usize,
    begun: Instant,
}

impl Connection {
    async fn run<R: Requests>(mut self, load: Load, mut requests: R) -> Outcome<Answers> {
        self.stream.set_nodelay(true)?;
        let mut answers = Answers::default();
        let mut out = Vec::with_capacity(2048);
        let (mut number, end) = (self.lane, self.begun + load.length);
        while number < load.requests {
            let due = self.due(load, number);
            if due.is_some_and(|due| due >= end) || Instant::now() >= end {
                break;
            }
            if let Some(due) = due {
                sleep_until(due).await;
            }
            let sent = due.filter(|_| matches!(load.pace, Pace::Rate(_))).unwrap_or_else(Instant::now);
            out.clear();
            requests.write(number, &mut out);
            self.stream.write_all(&out).await?;
            let answered = timeout(Duration::from_secs(ANSWER_S_MAX), self.answer()).await;
            let (status, told_when, body) = answered.map_err(|_| format!("no answer in {ANSWER_S_MAX} s"))??;
            if matches!(status, 429 | 503) {
                answers.refused += 1;
                answers.told_when += usize::from(told_when);
                answers.refusals.push(sent.elapsed());
                number += load.connections;
                continue;
            }
            answers.latencies.push(sent.elapsed());
            if (200..300).contains(&status) && requests.is_good(body) {
                answers.good += 1;
                if requests.keeps_bodies() {
                    answers.bodies.push(body.to_vec());
                }
            } else {
                answers.bad += 1;
                let text = || format!("{status}: {}", String::from_utf8_lossy(body));
                answers.first_bad.get_or_insert_with(text);
            }
            number += load.connections;
        }
        Ok(answers)
    }

    /// When a request is due, if not at once. The connections take turns.
    fn due(&self, load: Load, number: usize) -> Option<Instant> {
        let (Pace::Rate(rate) | Pace::Flood(rate)) = load.pace else { return None };
        let number = f64::from(u32::try_from(number).unwrap_or(u32::MAX));
        Some(self.begun + Duration::from_secs_f64(number / rate.max(1.0)))
    }

    /// Reads one answer: its status, whether it says when to come back, and its body.
    async fn answer(&mut self) -> Outcome<(u16, bool, &[u8])> {
        self.buffer.clear();
        let (head, length) = loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the server closed the connection".into());
            }
            if let Some(end) = self.buffer.windows(4).position(|w| w == b"\r\n\r\n") {
                let head = std::str::from_utf8(self.buffer.get(..end).unwrap_or_default())?;
                let chunked = head.lines().any(|line| line.eq_ignore_ascii_case("transfer-encoding: chunked"));
                break (end + 4, if chunked { self.last_chunk(end + 4).await? } else { length(head)? });
            }
            if self.buffer.len() > ANSWER_BYTES_MAX {
                return Err("an answer without an end of its head".into());
            }
        };
        while self.buffer.len() < head + length {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the server closed the connection".into());
            }
        }
        let status = self.buffer.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        let status: u16 = status.ok_or("an answer without a status")?;
        let told_when = status >= 400 && says_when(self.buffer.get(..head).unwrap_or_default());
        Ok((status, told_when, self.buffer.get(head..head + length).unwrap_or_default()))
    }

    /// Reads a body in chunks to its end, and answers how long it is, with what stands between them. Nothing follows it:
    /// the next request is sent when this one is answered.
    async fn last_chunk(&mut self, head: usize) -> Outcome<usize> {
        while !self.buffer.ends_with(b"\r\n0\r\n\r\n") {
            if self.buffer.len() > ANSWER_BYTES_MAX {
                return Err("an answer that is too long".into());
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the server closed the connection".into());
            }
        }
        Ok(self.buffer.len() - head)
    }
}

fn says_when(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    text.lines().any(|line| line.split_once(':').is_some_and(|(name, _)| name.eq_ignore_ascii_case("retry-after")))
}

fn length(head: &str) -> Outcome<usize> {
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    };
    let length = head.lines().find_map(header).ok_or("an answer without a length")?;
    if length > ANSWER_BYTES_MAX { Err("an answer that is too long".into()) } else { Ok(length) }
}
