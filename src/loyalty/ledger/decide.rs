//! A group, loaded and decided, not stored yet: what a writer saves and a looker drops.

use std::collections::HashMap;
use std::sync::Arc;

use diesel::result::Error as QueryError;

use crate::kernel::clock::Instant;
use crate::kernel::id::{LaneCount, ProgramId};
use crate::loyalty::ledger::accounts::Owner;
use crate::loyalty::ledger::alias::Aliases;
use crate::loyalty::ledger::group::{Group, Outcome};
use crate::loyalty::ledger::load::{LaneHead, LoadError, Loaded, Lock, Plan};
use crate::loyalty::ledger::queue::{Queued, Verdict, replay};
use crate::loyalty::ledger::storage::{Receipts, Session};
use crate::loyalty::program::model::Timeline;
use crate::loyalty::program::timelines::{TimelineError, Timelines};
use crate::platform::db::{DbError, Fault, fault_of};

/// Why a group was not stored.
#[derive(Debug, thiserror::Error)]
pub enum GroupError {
    /// The server is gone.
    #[error("no connection")]
    Connect(#[from] DbError),
    /// A row is not readable, or the database failed.
    #[error("the group could not be read")]
    Load(#[from] LoadError),
    /// A programme's document is not readable.
    #[error("a version could not be read")]
    Timeline(#[from] TimelineError),
    /// The database refused.
    #[error("a statement failed")]
    Query(#[from] QueryError),
    /// A bug.
    #[error("a command panicked")]
    Panicked,
}

impl GroupError {
    /// What kind of failure it is.
    pub fn fault(&self) -> Fault<'_> {
        match self {
            Self::Query(error) | Self::Load(LoadError::Query(error)) => fault_of(error),
            Self::Connect(error) => error.fault(),
            Self::Timeline(TimelineError::Query(error)) => fault_of(error),
            Self::Load(LoadError::Row(_)) | Self::Timeline(_) | Self::Panicked => Fault::Other,
        }
    }
}

/// What a stored group answers, in the order of its commands.
pub type Verdicts = Vec<Verdict>;

/// A group as its decisions left it, not stored yet.
pub struct Decided {
    /// The lanes that it locked.
    pub heads: Vec<LaneHead>,
    /// Postgres's clock.
    pub clock: Instant,
    /// The accounts, and the new postings.
    pub group: Group,
    /// Its programmes.
    pub programs: HashMap<ProgramId, Arc<Timeline>>,
    /// What its commands are told once it is stored.
    pub verdicts: Verdicts,
}

/// Loads what the jobs ask for and decides them, in an open transaction: one after the other where lanes are locked, else
/// each as if it were the only one.
///
/// # Errors
/// When the database fails, or holds what cannot be read.
pub async fn decide<S: Session>(
    session: &S,
    timelines: &Timelines,
    lanes: LaneCount,
    lock: Lock,
    jobs: &mut [Box<dyn Queued>],
) -> Result<Decided, GroupError> {
    let mut aliases = Aliases::default();
    // Each turn knows one alias more, of chains that are bounded: nearly always there is one turn.
    loop {
        let mut plan = Plan::default();
        jobs.iter().for_each(|job| plan.add(job.as_ref(), lanes, &aliases));
        let Loaded { heads, versions, clock, mut group } = session.load(&plan, lock).await?;
        if aliases.learn(group.accounts.values()) {
            session.rollback().await?;
            continue;
        }
        group.aliases = aliases.clone();
        let mut programs: HashMap<ProgramId, Arc<Timeline>> = HashMap::new();
        let mut outcomes = Vec::with_capacity(jobs.len());
        for job in jobs.iter_mut() {
            let program = job.program();
            let version = versions.get(&program).copied().unwrap_or_default();
            let known = timelines.known(program);
            let reading = session.timeline(program, known.as_deref());
            let timeline = timelines.at_least_from(reading, program, version).await?;
            programs.insert(program, Arc::clone(&timeline));
            outcomes.push(match lock {
                // Those who only look share what was read, and nothing else.
                Lock::Nothing => group.look(job.as_mut(), clock, &timeline),
                Lock::Lanes | Lock::LanesAndCounters => group.run(job.as_mut(), clock, &timeline),
            });
        }
        // A merge of this very group may have led a later command elsewhere.
        if outcomes.contains(&Outcome::Elsewhere) && aliases.learn(group.accounts.values()) {
            session.rollback().await?;
            continue;
        }
        let verdicts = verdicts(session, lanes, jobs, outcomes, &group).await?;
        return Ok(Decided { heads, clock, group, programs, verdicts });
    }
}

async fn verdicts<S: Session>(
    session: &S,
    lanes: LaneCount,
    jobs: &mut [Box<dyn Queued>],
    outcomes: Vec<Outcome>,
    group: &Group,
) -> Result<Verdicts, QueryError> {
    let seen: Vec<Owner> =
        outcomes.iter().filter_map(|o| if let Outcome::Seen(s) = o { Some(*s) } else { None }).collect();
    let mut receipts = Receipts::new();
    if !seen.is_empty() {
        receipts = session.receipts(&seen, lanes).await?;
        let own = group.rows.iter().filter(|r| seen.contains(&Owner { member: r.member, seq: r.seq }));
        receipts.extend(own.map(|r| ((r.member, r.seq), (r.hash, r.document.clone()))));
    }
    let verdicts = jobs.iter().zip(outcomes).map(|(job, outcome)| match outcome {
        Outcome::Accepted(posting) => Verdict::Accepted(posting),
        Outcome::Refused => Verdict::Refused,
        Outcome::Barred(refusal) => Verdict::Barred(refusal),
        Outcome::Elsewhere => Verdict::Unavailable,
        Outcome::Seen(owner) => {
            let receipt = receipts.get(&(owner.member, owner.seq)).map(|(hash, document)| (hash, document));
            replay(job.as_ref(), owner, receipt)
        }
    });
    Ok(verdicts.collect())
}

/// Answers jobs by their verdicts.
pub fn answer(jobs: Vec<Box<dyn Queued>>, verdicts: Verdicts) {
    for (job, verdict) in jobs.into_iter().zip(verdicts) {
        job.answer(verdict);
    }
}

/// An error with its causes, in words.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |e| e.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
