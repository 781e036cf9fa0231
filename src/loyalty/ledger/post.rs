//! The one door to the ledger: a command goes into its lane's queue and comes back when it is stored.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{self, Sender};
use tokio::sync::oneshot::Receiver;
use tokio::sync::{Mutex, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant as Started;

use crate::kernel::id::LaneCount;
use crate::kernel::scope::ProgramScope;
use crate::loyalty::ledger::decide::Met;
use crate::loyalty::ledger::gate::Gate;
use crate::loyalty::ledger::looker::Lookers;
use crate::loyalty::ledger::posting::Posting;
use crate::loyalty::ledger::queue::{Answer, Job, PostError, Queued};
use crate::loyalty::ledger::storage::Storage;
use crate::loyalty::ledger::writer::{Pace, Writer};
use crate::loyalty::program::timelines::Timelines;

/// How many writers a process has; at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriterCount(pub u16);

/// Where commands go in to one writer.
struct Entrance {
    queue: Sender<Box<dyn Queued>>,
    gate: Arc<Gate>,
}

impl Entrance {
    fn lets_in(&self) -> bool {
        self.gate.lets_in(self.queue.max_capacity().saturating_sub(self.queue.capacity()))
    }
}

/// A writer at work, and what tells it to close.
type Running = (oneshot::Sender<()>, JoinHandle<()>);

/// The posting engine of this process.
#[derive(Clone)]
pub struct Ledger {
    lanes: LaneCount,
    met: Met,
    entrances: Arc<[Entrance]>,
    lookers: Lookers,
    writers: Arc<Mutex<Vec<Running>>>,
    groups: Arc<[watch::Receiver<Option<Started>>]>,
    pace: Pace,
}

impl Ledger {
    /// Starts the writers.
    pub fn start<S: Storage>(storage: &S, lanes: LaneCount, timelines: Timelines, writers: WriterCount) -> Self {
        Self::start_at(storage, lanes, timelines, writers, Pace::serving())
    }

    /// Starts writers of another pace.
    pub fn start_at<S: Storage>(
        storage: &S,
        lanes: LaneCount,
        timelines: Timelines,
        writers: WriterCount,
        pace: Pace,
    ) -> Self {
        let met = Met::new(timelines);
        let count = writers.0.clamp(1, lanes.0.unsigned_abs().max(1));
        let started: Vec<_> = (0..count)
            .map(|number| {
                let (queue, receiver) = mpsc::channel(pace.queue_max.max(1));
                let writer = Writer::new(storage.clone(), lanes, met.clone(), number, pace.clone());
                let (group, gate) = (writer.group(), writer.gate());
                let (close, closing) = oneshot::channel();
                (Entrance { queue, gate }, ((close, tokio::spawn(writer.run(receiver, closing))), group))
            })
            .collect();
        let (entrances, started): (Vec<_>, Vec<_>) = started.into_iter().unzip();
        let (running, groups): (Vec<_>, Vec<_>) = started.into_iter().unzip();
        Self {
            lookers: Lookers::start(storage, lanes, &met),
            lanes,
            met,
            entrances: entrances.into(),
            writers: Arc::new(Mutex::new(running)),
            groups: groups.into(),
            pace,
        }
    }

    /// How many lanes the database has.
    pub fn lanes(&self) -> LaneCount {
        self.lanes
    }

    /// The versions of the programmes.
    pub fn timelines(&self) -> &Timelines {
        &self.met.timelines
    }

    /// The most commands that one commit takes.
    pub fn group_max(&self) -> usize {
        self.pace.group_max
    }

    /// How long the oldest group under way is under way; `None` while no writer works.
    pub fn oldest_group(&self) -> Option<Duration> {
        self.groups.iter().filter_map(|begun| *begun.borrow()).map(|begun| begun.elapsed()).max()
    }

    /// Whether the writers have stopped for good, which only an import's do.
    pub fn has_stopped(&self) -> bool {
        self.pace.has_stopped()
    }

    /// Puts a command into its writer's queue, waiting for room, and answers where its answer will arrive. Commands of
    /// one member that are put there one after the other are decided in that order.
    ///
    /// # Errors
    /// `Unavailable` when the ledger is closed.
    pub async fn enqueue<P: Posting>(
        &self,
        scope: &ProgramScope,
        posting: P,
    ) -> Result<Receiver<Answer<P>>, PostError<P::Refusal>> {
        let Entrance { queue, .. } = self.entrances.get(self.place_of(&posting)).ok_or(PostError::Busy)?;
        let (job, answer) = Job::new(scope.clone(), posting);
        queue.send(Box::new(job)).await.map_err(|_| PostError::Unavailable)?;
        Ok(answer)
    }

    /// Whether any writer lets commands in: where none does, nobody's would be.
    pub fn lets_in(&self) -> bool {
        self.entrances.iter().any(Entrance::lets_in)
    }

    fn place_of<P: Posting>(&self, posting: &P) -> usize {
        let lane = posting.target().member().lane(self.lanes).0.unsigned_abs();
        usize::from(lane).checked_rem(self.entrances.len()).unwrap_or(0)
    }

    /// Posts a command, and answers when it is durable.
    ///
    /// # Errors
    /// What the decision refused, a reference that belongs to another command, a queue that is full or stands, or no
    /// database.
    pub async fn post<P: Posting>(&self, scope: &ProgramScope, posting: P) -> Answer<P> {
        let entrance = self.entrances.get(self.place_of(&posting)).filter(|entrance| entrance.lets_in());
        let entrance = entrance.ok_or(PostError::Busy)?;
        let (job, answer) = Job::new(scope.clone(), posting);
        entrance.queue.try_send(Box::new(job)).map_err(busy)?;
        answer.await.unwrap_or(Err(PostError::Unavailable))
    }

    /// Decides a command on what is there and stores nothing: a quote, by the same function as the commit.
    ///
    /// # Errors
    /// As [`Ledger::post`].
    pub async fn preview<P: Posting>(&self, scope: &ProgramScope, posting: P) -> Answer<P> {
        let (job, answer) = Job::new(scope.clone(), posting);
        self.lookers.ask(Box::new(job)).map_err(busy)?;
        answer.await.unwrap_or(Err(PostError::Unavailable))
    }

    /// Takes nothing more, answers what was accepted, and ends the writers.
    pub async fn close(&self) {
        let mut running = self.writers.lock().await;
        let (told, writers): (Vec<_>, Vec<_>) = running.drain(..).unzip();
        drop(told);
        for writer in writers {
            if let Err(error) = writer.await {
                tracing::error!(%error, "a writer ended badly");
            }
        }
    }
}

fn busy<R>(error: TrySendError<Box<dyn Queued>>) -> PostError<R> {
    match error {
        TrySendError::Full(_) => PostError::Busy,
        TrySendError::Closed(_) => PostError::Unavailable,
    }
}
