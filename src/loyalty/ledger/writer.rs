//! A writer: takes whatever waits, decides it as one group in one transaction, answers when it is durable.
//!
//! Retries live here and nowhere else. A group that fails runs again; one that keeps failing is taken apart, so that a
//! poisoned command fails alone. Decisions are pure: run again, they answer the same or see what has changed since.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use metrics::{counter, gauge, histogram};
use tokio::sync::mpsc::Receiver;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant as Started, sleep};

use crate::kernel::id::LaneCount;
use crate::loyalty::ledger::decide::{GroupError, Met, Verdicts, answer, chain, decide};
use crate::loyalty::ledger::gate::{Gate, Watch};
use crate::loyalty::ledger::load::Lock;
use crate::loyalty::ledger::queue::{Queued, Verdict};
use crate::loyalty::ledger::storage::{Session, Storage};
use crate::platform::db::Fault;

/// The most commands of one commit: the knee of throughput against waiting.
pub const GROUP_MAX: usize = 200;
/// The most commands of one commit while history is imported: nobody waits for a single answer.
pub const IMPORT_GROUP_MAX: usize = 1_000;
/// How many commands may wait for one writer; the next is answered 503 at once.
const QUEUE_MAX: usize = 512;
/// How often a group is tried before it is taken apart, and a single command before it is given up.
const TRIES_MAX: u32 = 4;
/// How long a writer waits for a lane, in milliseconds.
pub const LOCK_TIMEOUT_MS: u32 = 5_000;
/// How long a writer waits before it knocks at a database that went away, in milliseconds; doubled each time.
const RECONNECT_MS: u64 = 50;

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

/// One writer with its own session.
pub struct Writer<S: Storage> {
    storage: S,
    lanes: LaneCount,
    met: Met,
    number: u16,
    pace: Pace,
    session: Option<S::Session>,
    /// Since when a group is under way.
    begun: watch::Sender<Option<Started>>,
    gate: Arc<Gate>,
    watch: Watch,
    /// Whether the last server that it had took no writes.
    met_read_only: bool,
}

/// Why a group was given up.
enum GaveUp {
    /// The database is away, or somebody holds the lane: its commands would fare no better alone.
    Away,
    /// It fails in the database: perhaps one of its commands does, so each is tried alone.
    Poisoned,
}

impl<S: Storage> Writer<S> {
    /// A writer that has not connected yet.
    pub fn new(storage: S, lanes: LaneCount, met: Met, number: u16, pace: Pace) -> Self {
        let begun = watch::Sender::new(None);
        Self {
            storage,
            lanes,
            met,
            number,
            gate: Arc::new(Gate::new(pace.group_max, pace.queue_max)),
            pace,
            session: None,
            begun,
            watch: Watch::default(),
            met_read_only: false,
        }
    }

    /// Since when a group of this writer is under way, as it changes.
    pub fn group(&self) -> watch::Receiver<Option<Started>> {
        self.begun.subscribe()
    }

    /// What lets commands in to this writer.
    pub fn gate(&self) -> Arc<Gate> {
        Arc::clone(&self.gate)
    }

    /// Serves its queue until it is told to close, and then what is still in it.
    pub async fn run(mut self, mut queue: Receiver<Box<dyn Queued>>, mut closing: oneshot::Receiver<()>) {
        let mut jobs = Vec::with_capacity(self.pace.group_max);
        let mut open = true;
        loop {
            tokio::select! {
                // Told to close, it closes, however much still waits; and no dice that a simulation could not throw again.
                biased;
                _ = &mut closing, if open => {
                    open = false;
                    queue.close();
                }
                taken = queue.recv_many(&mut jobs, self.pace.group_max) => match taken {
                    0 => return,
                    _ => {
                        self.begun.send_replace(Some(Started::now()));
                        if let Some(first) = jobs.first() {
                            self.watch.look(&self.gate, first.since());
                        }
                        self.measure(&jobs, queue.len());
                        self.serve(std::mem::take(&mut jobs)).await;
                        self.begun.send_replace(None);
                    }
                },
            }
        }
    }

    /// How large a group is, how long its commands waited, and how many still do: once a group, since a measure's name
    /// costs more to look up than its figure to write.
    fn measure(&self, jobs: &[Box<dyn Queued>], waiting: usize) {
        let writer = self.number.to_string();
        let float = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
        histogram!("perennial_group_size", "writer" => writer.clone()).record(float(jobs.len()));
        gauge!("perennial_queue_depth", "writer" => writer).set(float(waiting));
        let waits = histogram!("perennial_queue_wait_seconds");
        jobs.iter().for_each(|job| waits.record(job.since().elapsed().as_secs_f64()));
    }

    async fn serve(&mut self, mut jobs: Vec<Box<dyn Queued>>) {
        match self.store(&mut jobs).await {
            Ok(verdicts) => answer(jobs, verdicts),
            Err(GaveUp::Away) => answer_away(jobs),
            Err(GaveUp::Poisoned) if jobs.len() == 1 => answer_away(jobs),
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
                Ok(verdicts) => {
                    if std::mem::take(&mut self.met_read_only) {
                        // The one that takes writes is found: what leads to the other is let go.
                        self.storage.move_on();
                    }
                    return Ok(verdicts);
                }
                Err(error) => error,
            };
            counter!("perennial_group_retries_total").increment(1);
            tracing::warn!(error = %chain(&error), attempt, commands = jobs.len(), "a group was not stored");
            let fault = error.fault();
            self.met_read_only |= fault == Fault::ReadOnly;
            match fault {
                Fault::Check("counters_used_check") => lock = Lock::LanesAndCounters,
                Fault::Unique(_) | Fault::Conflict => gave_up = GaveUp::Poisoned,
                Fault::LockTimeout if patient => gave_up = GaveUp::Away,
                Fault::LockTimeout | Fault::DiskFull => return Err(GaveUp::Away),
                Fault::ConnectionLost | Fault::ReadOnly => {
                    gave_up = GaveUp::Away;
                    self.session = None;
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
        let session = match self.session.take() {
            Some(session) => session,
            None => self.storage.connect(self.pace.lock_timeout_ms).await?,
        };
        // A command that panics fails as one that the database refuses: the writer, and who else waits for it, live on.
        let done = AssertUnwindSafe(self.transact(&session, jobs, lock)).catch_unwind().await;
        // Nobody knows where it left the session.
        let Ok(done) = done else { return Err(GroupError::Panicked) };
        // One that cannot even roll back is dropped.
        if done.is_err() && session.rollback().await.is_err() {
            return done;
        }
        self.session = Some(session);
        done
    }

    async fn transact(
        &self,
        session: &S::Session,
        jobs: &mut [Box<dyn Queued>],
        lock: Lock,
    ) -> Result<Verdicts, GroupError> {
        let decided = decide(session, &self.met, self.lanes, lock, jobs).await?;
        let started = Started::now();
        if decided.group.is_idle() {
            session.rollback().await?;
        } else {
            session.save(&decided, self.lanes).await?;
        }
        histogram!("perennial_commit_seconds").record(started.elapsed().as_secs_f64());
        counter!("perennial_postings_total").increment(u64::try_from(decided.group.rows.len()).unwrap_or(0));
        Ok(decided.verdicts)
    }
}

fn answer_away(jobs: Vec<Box<dyn Queued>>) {
    for job in jobs {
        job.answer(Verdict::Unavailable);
    }
}
