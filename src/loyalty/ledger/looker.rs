//! Who asks what a command would come to while others are being answered shares the next look: one connection, one
//! transaction and one round trip for all that wait. No timer: with nobody else about, a question goes out at once.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::kernel::id::LaneCount;
use crate::loyalty::ledger::decide::{GroupError, Met, Verdicts, answer, chain, decide};
use crate::loyalty::ledger::load::Lock;
use crate::loyalty::ledger::queue::{Queued, Verdict};
use crate::loyalty::ledger::storage::{Session, Storage};

/// How many look at a time.
const LOOKERS: usize = 2;
/// The most questions of one look.
const LOOK_MAX: usize = 200;
/// How many questions may wait for one looker; the next is answered 503 at once.
const LOOK_QUEUE_MAX: usize = 1_024;

/// The lookers of this process; they end when the last handle is dropped.
#[derive(Clone)]
pub struct Lookers {
    queues: Arc<[Sender<Box<dyn Queued>>]>,
    turn: Arc<AtomicUsize>,
}

impl Lookers {
    /// Starts them.
    pub fn start<S: Storage>(storage: &S, lanes: LaneCount, met: &Met) -> Self {
        let start = |_| {
            let (sender, receiver) = mpsc::channel(LOOK_QUEUE_MAX);
            tokio::spawn(Looker { storage: storage.clone(), lanes, met: met.clone() }.run(receiver));
            sender
        };
        Self { queues: (0..LOOKERS).map(start).collect(), turn: Arc::default() }
    }

    /// Has a question answered.
    ///
    /// # Errors
    /// When too many wait, or there is no looker: gives the question back.
    pub fn ask(&self, question: Box<dyn Queued>) -> Result<(), TrySendError<Box<dyn Queued>>> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % LOOKERS;
        match self.queues.get(turn) {
            Some(queue) => queue.try_send(question),
            None => Err(TrySendError::Closed(question)),
        }
    }
}

struct Looker<S: Storage> {
    storage: S,
    lanes: LaneCount,
    met: Met,
}

impl<S: Storage> Looker<S> {
    async fn run(self, mut queue: Receiver<Box<dyn Queued>>) {
        let mut questions = Vec::with_capacity(LOOK_MAX);
        while queue.recv_many(&mut questions, LOOK_MAX).await > 0 {
            self.serve(std::mem::take(&mut questions)).await;
        }
    }

    async fn serve(&self, mut questions: Vec<Box<dyn Queued>>) {
        match self.look(&mut questions).await {
            Ok(verdicts) => answer(questions, verdicts),
            Err(_) if questions.len() > 1 => {
                // One of them may be what fails.
                for question in questions {
                    let mut alone = vec![question];
                    let seen = self.look(&mut alone).await;
                    answer(alone, seen.unwrap_or_else(|_| vec![Verdict::Unavailable]));
                }
            }
            Err(_) => answer(questions, vec![Verdict::Unavailable]),
        }
    }

    async fn look(&self, questions: &mut [Box<dyn Queued>]) -> Result<Verdicts, GroupError> {
        let lent = self.storage.lend().await?;
        // The session goes back to where it came from, so it is rolled back whatever happens.
        let decided = decide(&*lent, &self.met, self.lanes, Lock::Nothing, questions);
        let decided = AssertUnwindSafe(decided).catch_unwind().await.unwrap_or(Err(GroupError::Panicked));
        if let Err(error) = lent.rollback().await {
            tracing::warn!(%error, "a look was not rolled back");
        }
        decided.map(|decided| decided.verdicts).inspect_err(|error| {
            tracing::warn!(error = %chain(error), questions = questions.len(), "a look failed");
        })
    }
}
