//! A writer: takes whatever waits, decides it as one group in one transaction, answers when it is durable.
//!
//! Retries live here and nowhere else. A group that fails runs again; one that keeps failing is taken apart, so that a
//! poisoned command fails alone. Decisions are pure: run again, they answer the same or see what has changed since.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use diesel::result::Error as QueryError;
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use futures_util::FutureExt;
use metrics::{counter, histogram};
use tokio::sync::mpsc::Receiver;
use tokio::sync::watch;
use tokio::time::{Instant as Started, sleep};

use crate::kernel::calendar::Zone;
use crate::kernel::clock::Instant;
use crate::kernel::id::{LaneCount, MemberId, ProgramId, Seq};
use crate::loyalty::ledger::accounts::Owner;
use crate::loyalty::ledger::group::{Group, Outcome};
use crate::loyalty::ledger::load::{LaneHead, LoadError, Loaded, Lock, Plan, find_receipts, load};
use crate::loyalty::ledger::posting::RequestHash;
use crate::loyalty::ledger::queue::{Queued, Verdict, replay};
use crate::loyalty::ledger::save::save;
use crate::loyalty::ledger::writes::Rollback;
use crate::loyalty::program::timelines::{TimelineError, Timelines};
use crate::platform::db::{Db, DbError, Fault, fault_of};

/// The most commands of one commit: the knee of throughput against waiting.
pub const GROUP_MAX: usize = 200;
/// The most commands of one commit while history is imported: nobody waits for a single answer.
pub const IMPORT_GROUP_MAX: usize = 1_000;
/// How many commands may wait for one writer; the next is answered 503 at once.
const QUEUE_MAX: usize = 4_096;
/// How often a group is tried before it is taken apart, and a single command before it is given up.
const TRIES_MAX: u32 = 4;
/// How long a writer waits for a lane, in milliseconds.
const LOCK_TIMEOUT_MS: u32 = 5_000;
/// How long a writer waits before it knocks at a database that went away, in milliseconds; doubled each time.
const RECONNECT_MS: u64 = 50;

/// Plans made while tables were empty must stay good when they are full.
const SESSION: &str = "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off; \
    SET enable_mergejoin = off; SET enable_memoize = off; SET jit = off; SET plan_cache_mode = force_generic_plan";

/// How the writers of a process work.
#[derive(Clone, Debug)]
pub struct Pace {
    /// The most commands of one commit.
    pub group_max: usize,
    /// How many commands may wait for one writer; at least 1.
    pub queue_max: usize,
    /// How long a writer waits for a lane, in milliseconds.
    pub lock_timeout_ms: u32,
    /// Raised for good by the first writer whose database is gone, where the order of commands matters more than each of
    /// them: what waits behind is then answered as unavailable, never posted without what came before it.
    pub stop: Option<Arc<AtomicBool>>,
}

impl Pace {
    /// Small groups, and each command for itself.
    pub fn serving() -> Self {
        Self { group_max: GROUP_MAX, queue_max: QUEUE_MAX, lock_timeout_ms: LOCK_TIMEOUT_MS, stop: None }
    }

    /// Large groups, and all or nothing from a point on.
    pub fn importing() -> Self {
        Self { group_max: IMPORT_GROUP_MAX, stop: Some(Arc::new(AtomicBool::new(false))), ..Self::serving() }
    }

    /// Whether a writer has stopped for good.
    pub fn has_stopped(&self) -> bool {
        self.stop.as_ref().is_some_and(|stop| AtomicBool::load(stop, Ordering::Acquire))
    }

    fn give_up(&self) {
        if let Some(stop) = &self.stop {
            stop.store(true, Ordering::Release);
        }
    }
}

/// One writer with its own connection.
pub struct Writer {
    db: Db,
    lanes: LaneCount,
    timelines: Timelines,
    number: u16,
    pace: Pace,
    conn: Option<AsyncPgConnection>,
    /// Since when a group is under way.
    begun: watch::Sender<Option<Started>>,
}

/// Why a group was not stored.
#[derive(Debug, thiserror::Error)]
enum GroupError {
    #[error("no connection")]
    Connect(#[from] DbError),
    #[error("the group could not be read")]
    Load(#[from] LoadError),
    #[error("a version could not be read")]
    Timeline(#[from] TimelineError),
    #[error("a statement failed")]
    Query(#[from] QueryError),
    #[error("a command panicked")]
    Panicked,
}

impl GroupError {
    fn fault(&self) -> Fault<'_> {
        match self {
            Self::Query(error) | Self::Load(LoadError::Query(error)) => fault_of(error),
            Self::Connect(error) => error.fault(),
            Self::Timeline(TimelineError::Query(error)) => fault_of(error),
            Self::Load(LoadError::Row(_)) | Self::Timeline(_) | Self::Panicked => Fault::Other,
        }
    }
}

/// Why a group was given up.
enum GaveUp {
    /// The database is away, or somebody holds the lane: its commands would fare no better alone.
    Away,
    /// It fails in the database: perhaps one of its commands does, so each is tried alone.
    Poisoned,
}

/// What a stored group answers, in the order of its commands.
type Verdicts = Vec<Verdict>;

impl Writer {
    /// A writer that has not connected yet.
    pub fn new(db: Db, lanes: LaneCount, timelines: Timelines, number: u16, pace: Pace) -> Self {
        Self { db, lanes, timelines, number, pace, conn: None, begun: watch::Sender::new(None) }
    }

    /// Since when a group of this writer is under way, as it changes.
    pub fn group(&self) -> watch::Receiver<Option<Started>> {
        self.begun.subscribe()
    }

    /// Serves its queue until it is told to close, and then what is still in it.
    pub async fn run(mut self, mut queue: Receiver<Box<dyn Queued>>, mut closing: watch::Receiver<bool>) {
        let mut jobs = Vec::with_capacity(self.pace.group_max);
        let mut open = true;
        loop {
            tokio::select! {
                taken = queue.recv_many(&mut jobs, self.pace.group_max) => match taken {
                    0 => return,
                    _ => {
                        self.begun.send_replace(Some(Started::now()));
                        self.serve(std::mem::take(&mut jobs)).await;
                        self.begun.send_replace(None);
                    }
                },
                _ = closing.changed(), if open => {
                    open = false;
                    queue.close();
                }
            }
        }
    }

    async fn serve(&mut self, mut jobs: Vec<Box<dyn Queued>>) {
        let size = u32::try_from(jobs.len()).unwrap_or(u32::MAX);
        histogram!("perennial_group_size", "writer" => self.number.to_string()).record(f64::from(size));
        for job in &jobs {
            histogram!("perennial_queue_wait_seconds").record(job.since().elapsed().as_secs_f64());
        }
        match self.store(&mut jobs).await {
            Ok(verdicts) => answer(jobs, verdicts),
            Err(GaveUp::Away) => answer_away(jobs),
            Err(GaveUp::Poisoned) if size == 1 => answer_away(jobs),
            Err(GaveUp::Poisoned) => {
                counter!("perennial_groups_taken_apart_total").increment(1);
                let mut away = false;
                for job in jobs {
                    let mut alone = vec![job];
                    // What came after the database went away would only wait for it, one after the other.
                    let stored = if away { Err(GaveUp::Away) } else { self.store(&mut alone).await };
                    away = matches!(stored, Err(GaveUp::Away));
                    match stored {
                        Ok(verdicts) => answer(alone, verdicts),
                        Err(_) => answer_away(alone),
                    }
                }
            }
        }
    }

    /// Stores a group, unless the writers have stopped; the first that has to give up for good stops them, if they are such.
    async fn store(&mut self, jobs: &mut [Box<dyn Queued>]) -> Result<Verdicts, GaveUp> {
        if self.pace.has_stopped() {
            return Err(GaveUp::Away);
        }
        let stored = self.try_to_store(jobs).await;
        if let Err(GaveUp::Away) = stored {
            self.pace.give_up();
        }
        stored
    }

    /// Stores a group, trying again as long as that may help.
    async fn try_to_store(&mut self, jobs: &mut [Box<dyn Queued>]) -> Result<Verdicts, GaveUp> {
        let patient = self.pace.stop.is_some();
        let mut lock = Lock::Lanes;
        let mut gave_up = GaveUp::Poisoned;
        for attempt in 0..TRIES_MAX {
            let error = match self.attempt(jobs, lock).await {
                Ok(verdicts) => return Ok(verdicts),
                Err(error) => error,
            };
            counter!("perennial_group_retries_total").increment(1);
            tracing::warn!(error = %chain(&error), attempt, commands = jobs.len(), "a group was not stored");
            let fault = error.fault();
            if fault == Fault::ReadOnly {
                // Who uses the pool would meet the same server for as long as it lives.
                self.db.forget_idle();
            }
            match fault {
                Fault::Check("counters_used_check") => lock = Lock::LanesAndCounters,
                Fault::Unique(_) | Fault::Conflict => gave_up = GaveUp::Poisoned,
                Fault::LockTimeout if patient => gave_up = GaveUp::Away,
                Fault::LockTimeout => return Err(GaveUp::Away),
                Fault::ConnectionLost | Fault::ReadOnly => {
                    gave_up = GaveUp::Away;
                    self.conn = None;
                    sleep(Duration::from_millis(RECONNECT_MS << attempt)).await;
                }
                // Nobody knows why, so it may be so for the next one as well.
                Fault::Other if patient && jobs.len() == 1 => return Err(GaveUp::Away),
                Fault::Check(_) | Fault::ForeignKey(_) | Fault::OutOfRange | Fault::Other => {
                    return Err(GaveUp::Poisoned);
                }
            }
        }
        Err(gave_up)
    }

    async fn attempt(&mut self, jobs: &mut [Box<dyn Queued>], lock: Lock) -> Result<Verdicts, GroupError> {
        let conn = match self.conn.take() {
            Some(conn) => conn,
            None => connect(&self.db, self.pace.lock_timeout_ms).await?,
        };
        // A command that panics fails as one that the database refuses: the writer, and who else waits for it, live on.
        let done = AssertUnwindSafe(self.transact(&conn, jobs, lock)).catch_unwind().await;
        // Nobody knows where it left the connection.
        let Ok(done) = done else { return Err(GroupError::Panicked) };
        if done.is_err() {
            // A connection that cannot even roll back is dropped.
            let rolled_back = Rollback {}.execute(&mut &conn).await;
            if rolled_back.is_err() {
                return done;
            }
        }
        self.conn = Some(conn);
        done
    }

    async fn transact(
        &self,
        conn: &AsyncPgConnection,
        jobs: &mut [Box<dyn Queued>],
        lock: Lock,
    ) -> Result<Verdicts, GroupError> {
        let mut plan = Plan::default();
        for job in jobs.iter() {
            plan.add(job.as_ref(), self.lanes);
        }
        let Decided { heads, clock, group, zones, verdicts } =
            decide(conn, &self.timelines, self.lanes, &plan, lock, jobs).await?;
        let started = Started::now();
        if group.is_idle() {
            Rollback {}.execute(&mut &*conn).await?;
        } else {
            save(conn, &group, &heads, clock, self.lanes, &zones).await?;
        }
        histogram!("perennial_commit_seconds").record(started.elapsed().as_secs_f64());
        counter!("perennial_postings_total").increment(u64::try_from(group.rows.len()).unwrap_or(0));
        Ok(verdicts)
    }
}

/// A group as its decisions left it, not stored yet.
struct Decided {
    heads: Vec<LaneHead>,
    clock: Instant,
    group: Group,
    zones: HashMap<ProgramId, Zone>,
    verdicts: Verdicts,
}

async fn decide(
    conn: &AsyncPgConnection,
    timelines: &Timelines,
    lanes: LaneCount,
    plan: &Plan,
    lock: Lock,
    jobs: &mut [Box<dyn Queued>],
) -> Result<Decided, GroupError> {
    let Loaded { heads, versions, clock, mut group } = load(conn, plan, lock).await?;
    let mut zones: HashMap<ProgramId, Zone> = HashMap::new();
    let mut outcomes = Vec::with_capacity(jobs.len());
    for job in jobs.iter_mut() {
        let program = job.program();
        let version = versions.get(&program).copied().unwrap_or_default();
        let timeline = timelines.at_least(conn, program, version).await?;
        zones.insert(program, timeline.newest().zone);
        outcomes.push(group.run(job.as_mut(), clock, &timeline));
    }
    let verdicts = verdicts(conn, lanes, jobs, outcomes, &group).await?;
    Ok(Decided { heads, clock, group, zones, verdicts })
}

/// Decides one command on what is there, and stores nothing: a quote.
pub async fn preview(conn: &AsyncPgConnection, timelines: &Timelines, lanes: LaneCount, job: Box<dyn Queued>) {
    let mut plan = Plan::default();
    plan.add(job.as_ref(), lanes);
    let mut jobs = vec![job];
    // The connection goes back to the pool, so it is rolled back whatever happens.
    let decided =
        AssertUnwindSafe(decide(conn, timelines, lanes, &plan, Lock::Nothing, &mut jobs)).catch_unwind().await;
    let decided = decided.unwrap_or(Err(GroupError::Panicked));
    if let Err(error) = (Rollback {}).execute(&mut &*conn).await {
        tracing::warn!(%error, "a preview was not rolled back");
    }
    let verdicts = decided.map_or_else(
        |error| {
            tracing::warn!(error = %chain(&error), "a preview was not decided");
            vec![Verdict::Unavailable]
        },
        |decided| decided.verdicts,
    );
    answer(jobs, verdicts);
}

async fn verdicts(
    conn: &AsyncPgConnection,
    lanes: LaneCount,
    jobs: &mut [Box<dyn Queued>],
    outcomes: Vec<Outcome>,
    group: &Group,
) -> Result<Verdicts, QueryError> {
    let seen: Vec<Owner> =
        outcomes.iter().filter_map(|o| if let Outcome::Seen(s) = o { Some(*s) } else { None }).collect();
    let mut receipts: HashMap<(MemberId, Seq), (RequestHash, String)> = HashMap::new();
    if !seen.is_empty() {
        receipts = find_receipts(conn, &seen, lanes).await?;
        let own = group.rows.iter().filter(|r| seen.contains(&Owner { member: r.member, seq: r.seq }));
        receipts.extend(own.map(|r| ((r.member, r.seq), (r.hash, r.document.clone()))));
    }
    let verdicts = jobs.iter().zip(outcomes).map(|(job, outcome)| match outcome {
        Outcome::Accepted(posting) => Verdict::Accepted(posting),
        Outcome::Refused => Verdict::Refused,
        Outcome::Barred(refusal) => Verdict::Barred(refusal),
        Outcome::Seen(owner) => {
            let receipt = receipts.get(&(owner.member, owner.seq)).map(|(hash, document)| (hash, document));
            replay(job.as_ref(), owner, receipt)
        }
    });
    Ok(verdicts.collect())
}

/// A connection with the settings that every writer needs.
///
/// # Errors
/// `Connect` when the server is gone.
pub async fn open(db: &Db) -> Result<AsyncPgConnection, DbError> {
    connect(db, LOCK_TIMEOUT_MS).await
}

async fn connect(db: &Db, lock_timeout_ms: u32) -> Result<AsyncPgConnection, DbError> {
    let mut conn = db.dedicated().await?;
    conn.batch_execute(SESSION).await?;
    conn.batch_execute(&format!("SET lock_timeout = {lock_timeout_ms}")).await?;
    Ok(conn)
}

fn answer(jobs: Vec<Box<dyn Queued>>, verdicts: Verdicts) {
    for (job, verdict) in jobs.into_iter().zip(verdicts) {
        job.answer(verdict);
    }
}

fn answer_away(jobs: Vec<Box<dyn Queued>>) {
    for job in jobs {
        job.answer(Verdict::Unavailable);
    }
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |e| e.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
