//! `/v1/orders/batch`: NDJSON in, NDJSON out, both as they come.
//!
//! One task reads, sends and answers, so that a caller who does not read is not read from: what is held is what is under
//! way, and the answers of one piece. A caller who hangs up drops it: what was sent is settled, the rest is never read.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse, post};
use futures_util::stream::unfold;
use serde::Deserialize;
use tokio::time::{Instant, sleep_until, timeout};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::kernel::grow::Grow;
use crate::loyalty::checkout::batch::window::{Done, Said, Taken, Window};
use crate::loyalty::checkout::door::DoorError;
use crate::loyalty::checkout::error::{BATCH_TIMED_OUT, BATCH_TOO_LARGE, LINE_TOO_LONG};
use crate::loyalty::checkout::http::{door_problem, order_problem};
use crate::loyalty::checkout::order_in::{OrderIn, is_reference};
use crate::loyalty::checkout::receipt::OrderReceipt;
use crate::loyalty::ledger::http::problem_of_post;
use crate::loyalty::ledger::post::Ledger;
use crate::loyalty::membership::identities::Identities;
use crate::platform::auth::{Authenticator, Caller, KeyId, needs};
use crate::platform::db::Db;
use crate::platform::web::body::{BODY_BYTES_MAX, read};
use crate::platform::web::edge::log_cause;
use crate::platform::web::ndjson::{Line, Lines, NDJSON};
use crate::platform::web::problem::{Problem, ProblemView};
use crate::platform::web::trace::RequestId;

/// The most items of a batch.
const BATCH_ITEMS_MAX: u64 = 10_000;
/// The most bytes of a batch.
const BATCH_BYTES_MAX: usize = 32 * 1024 * 1024;
/// How long a batch may take, in seconds.
const BATCH_S_MAX: u64 = 300;
/// How many items count as one request against the key's rate.
const ITEMS_A_REQUEST: u64 = 100;
/// How many items are read before what is answered meanwhile is written.
const CHUNK_ITEMS: usize = 100;
/// A piece of the answer is written when it has so many bytes, if not before.
const PIECE_BYTES: usize = 32 * 1024;
/// So many bytes of a batch are waited for before the answer begins,
const PREFILL_BYTES: usize = 128 * 1024;
/// at most so long, in milliseconds: the connection of a short batch stays open then.
const PREFILL_MS: u64 = 20;
/// How long the rest of a batch that is not taken is read, and thrown away, in seconds: whoever is still sending gets to
/// read why.
const LINGER_S: u64 = 5;

type OrderLines = Lines<BODY_BYTES_MAX, BATCH_BYTES_MAX>;

/// Registers the room's calls.
pub fn configure(config: &mut ServiceConfig) {
    config.service(settle_batch);
}

/// The answer to one line.
#[derive(ToSchema)]
#[schema(as = BatchItem)]
#[expect(dead_code, reason = "only its schema is used: a stored receipt is sent as it lies")]
struct ItemView {
    /// The line that it answers, from 1; blank lines count.
    #[schema(minimum = 1)]
    line: u64,
    /// The order's reference, where it could be read.
    #[schema(nullable = false)]
    reference: Option<String>,
    /// What `POST /v1/orders` would answer: 201, or 200 for an order that was settled before, or that of the problem.
    #[schema(minimum = 200, maximum = 599)]
    status: u16,
    /// `settled`, `replayed`, or that of the problem.
    #[schema(example = "settled")]
    code: String,
    /// The receipt, of an order that was settled, now or before.
    #[schema(nullable = false)]
    receipt: Option<OrderReceipt>,
    /// Why it was not.
    #[schema(nullable = false)]
    problem: Option<ProblemView>,
}

/// Settle orders that have happened, by the batch
///
/// For tills that were offline, and for uploads: NDJSON, a line for each order as `POST /v1/orders` takes it, answered by
/// a line each, in the same order. Both go on at once, so read while you write. Orders are settled at their
/// `ordered_at`, and **as stated**: the sale has happened. What an order online would be refused for as things stand is
/// taken and flagged: of points that are not there, those that are get taken, what the others were to pay is `uncovered`,
/// and the receipt has a flag with the figures. Orders that are never valid get the problem that they would get online,
/// and the batch goes on.
///
/// Each order is safe by its own reference: a batch that broke off is sent again, and what was settled answers its
/// receipt. A line whose problem is `retryable` is sent again as well: were it settled all the same, its receipt is the
/// answer. Orders of one member are settled in their order. A batch has at most 10,000 orders and 32 MiB, a line 1 MiB, and it takes at most 300 s; where
/// one of these ends it, the last line says so, and from that line on nothing was read. Each 100 orders count as a request
/// against the key's rate, and wait for their turn. Scope: `orders:write`.
#[utoipa::path(
    tag = "orders",
    request_body(content = OrderIn, content_type = "application/x-ndjson", description = "One order a line."),
    responses((status = 200, description = "The answer to each line.", body = ItemView,
        content_type = "application/x-ndjson")),
)]
#[post("/v1/orders/batch")]
async fn settle_batch(
    caller: Caller<needs::OrdersWrite>,
    mut lines: OrderLines,
    request: HttpRequest,
    db: Data<Db>,
    ledger: Data<Ledger>,
    identities: Data<Identities>,
    authenticator: Data<Authenticator>,
) -> HttpResponse {
    let window =
        Window::new(caller.scope().clone(), Db::clone(&db), Ledger::clone(&ledger), Identities::clone(&identities));
    lines.prefill(PREFILL_BYTES, Duration::from_millis(PREFILL_MS)).await;
    let batch = Batch {
        lines,
        window,
        authenticator,
        key: caller.key(),
        request_id: RequestId::of(&request),
        ends_at: Instant::now().checked_add(Duration::from_secs(BATCH_S_MAX)),
        items: 0,
        phase: Phase::Reading,
        tally: Tally::default(),
    };
    let pieces = unfold(batch, |mut batch| async move { Some((Ok::<_, Infallible>(batch.piece().await?), batch)) });
    HttpResponse::Ok().content_type(NDJSON).streaming(pieces)
}

/// One batch under way.
struct Batch {
    lines: OrderLines,
    window: Window,
    authenticator: Data<Authenticator>,
    key: KeyId,
    request_id: Option<RequestId>,
    ends_at: Option<Instant>,
    items: u64,
    phase: Phase,
    tally: Tally,
}

enum Phase {
    /// More is read when there is room for it.
    Reading,
    /// Nothing more is read: at the end of the body, or from this line on, for this reason.
    Read(Option<(u64, Problem)>),
    /// All is answered, but whoever sent more than is taken may still be sending.
    Lingering,
    /// It is over.
    Over,
}

/// How the items were answered; logged once.
#[derive(Default)]
struct Tally {
    settled: u64,
    replayed: u64,
    refused: u64,
}

impl Drop for Tally {
    fn drop(&mut self) {
        let Self { settled, replayed, refused } = self;
        tracing::info!(settled, replayed, refused, "a batch ended");
    }
}

/// What was waited for.
enum Event {
    /// More of the body has come, or its end.
    Came(Result<bool, Problem>),
    /// The oldest item is answered.
    Answered,
    /// The time of the batch is up.
    TimedOut,
}

impl Batch {
    /// The next piece of the answer: as soon as there is one, and never more than is there.
    async fn piece(&mut self) -> Option<Bytes> {
        let mut piece = Vec::new();
        loop {
            while piece.len() < PIECE_BYTES
                && let Some(done) = self.window.take().await
            {
                self.write(done, &mut piece);
            }
            let sent = self.send().await;
            if piece.len() >= PIECE_BYTES || (!sent && !piece.is_empty()) {
                return Some(piece.into());
            }
            if !sent && !self.wait(&mut piece).await {
                return (!piece.is_empty()).then(|| piece.into());
            }
        }
    }

    /// Sends what has come, as far as there is room; whether there was anything.
    async fn send(&mut self) -> bool {
        let room = self.window.room().min(CHUNK_ITEMS);
        let mut chunk = Vec::new();
        while matches!(self.phase, Phase::Reading)
            && chunk.len() < room
            && let Some(line) = self.lines.take()
        {
            if self.items == BATCH_ITEMS_MAX {
                let problem = Problem::of(&BATCH_TOO_LARGE).with("items_max", BATCH_ITEMS_MAX);
                self.phase = Phase::Read(Some((line.number, problem)));
                break;
            }
            // The first ones are paid for by the call itself.
            if self.items > 0 && self.items.is_multiple_of(ITEMS_A_REQUEST) {
                self.authenticator.count_more(self.key).await;
            }
            self.items.grow(1);
            chunk.push(taken(line));
        }
        if chunk.is_empty() {
            return false;
        }
        self.window.send(chunk).await;
        true
    }

    /// Waits for whatever comes first, or ends the answer; false when nothing comes any more.
    async fn wait(&mut self, piece: &mut Vec<u8>) -> bool {
        let reading = matches!(self.phase, Phase::Reading);
        let room = self.window.room() > 0;
        if !reading && self.window.is_empty() {
            return self.end(piece).await;
        }
        let fill = async { if reading && room { self.lines.fill().await } else { pending().await } };
        let ends_at = self.ends_at.filter(|_| reading);
        let late = async { if let Some(at) = ends_at { sleep_until(at).await } else { pending().await } };
        let event = tokio::select! {
            came = fill => Event::Came(came),
            () = self.window.wait() => Event::Answered,
            () = late => Event::TimedOut,
        };
        match event {
            Event::Answered | Event::Came(Ok(true)) => {}
            Event::Came(Ok(false)) if self.lines.is_over() => self.phase = Phase::Read(None),
            // A last line without its end.
            Event::Came(Ok(false)) => {}
            Event::Came(Err(problem)) => self.phase = Phase::Read(Some((self.lines.next_number(), problem))),
            Event::TimedOut => {
                let problem = Problem::of(&BATCH_TIMED_OUT).with("seconds_max", BATCH_S_MAX);
                self.phase = Phase::Read(Some((self.lines.next_number(), problem)));
            }
        }
        true
    }

    /// Ends the answer when all is answered; false when that is done.
    async fn end(&mut self, piece: &mut Vec<u8>) -> bool {
        match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Read(Some((line, problem))) => {
                self.write_problem((line, None), &problem, piece);
                self.phase = Phase::Lingering;
                true
            }
            Phase::Lingering => {
                // Whether it ended or the time was up: it is over.
                let _ = timeout(Duration::from_secs(LINGER_S), self.lines.discard()).await;
                false
            }
            Phase::Reading | Phase::Read(None) | Phase::Over => false,
        }
    }

    fn write(&mut self, done: Done, piece: &mut Vec<u8>) {
        let Done { line, reference, ordered, said } = done;
        let reference = reference.as_deref();
        let problem = match said {
            Said::Posted(posted) => {
                let (status, code) = if posted.replayed { (200, "replayed") } else { (201, "settled") };
                let count = if posted.replayed { &mut self.tally.replayed } else { &mut self.tally.settled };
                count.grow(1);
                return write_item((line, reference), (status, code), ("receipt", posted.document.as_bytes()), piece);
            }
            Said::Told(problem) => problem,
            Said::Bad(bad) => door_problem(DoorError::Bad(bad)),
            Said::Failed(error) => problem_of_post(error, |refusal| order_problem(refusal, ordered)),
        };
        self.tally.refused.grow(1);
        self.write_problem((line, reference), &problem, piece);
    }

    fn write_problem(&self, item: (u64, Option<&str>), problem: &Problem, piece: &mut Vec<u8>) {
        log_cause(problem);
        let document = problem.document(self.request_id.as_ref().map(RequestId::as_str));
        let kind = problem.kind();
        write_item(item, (kind.status, kind.code), ("problem", &document), piece);
    }
}

/// A reference has no character that JSON would escape.
fn write_item(
    (line, reference): (u64, Option<&str>),
    (status, code): (u16, &str),
    (name, document): (&str, &[u8]),
    piece: &mut Vec<u8>,
) {
    piece.extend_from_slice(format!("{{\"line\":{line},").as_bytes());
    if let Some(reference) = reference {
        piece.extend_from_slice(format!("\"reference\":\"{reference}\",").as_bytes());
    }
    piece.extend_from_slice(format!("\"status\":{status},\"code\":\"{code}\",\"{name}\":").as_bytes());
    piece.extend_from_slice(document);
    piece.extend_from_slice(b"}\n");
}

/// The reference of an order that may have everything else wrong with it.
#[derive(Deserialize)]
struct ReferenceIn {
    reference: String,
}

fn taken(Line { number, text }: Line) -> Taken {
    let Some(text) = text else {
        let problem = Problem::of(&LINE_TOO_LONG).with("bytes_max", BODY_BYTES_MAX);
        return Taken { line: number, bytes: 0, reference: None, sent: Err(problem) };
    };
    let sent = read::<OrderIn>(&text);
    let reference = match &sent {
        Ok(order) => Some(order.reference.clone()),
        Err(_) => serde_json::from_slice(&text).ok().map(|ReferenceIn { reference }| reference),
    };
    Taken { line: number, bytes: text.len(), reference: reference.filter(|text| is_reference(text)), sent }
}
