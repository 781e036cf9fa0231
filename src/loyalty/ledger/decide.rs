//! A group, loaded and decided, not stored yet: what a writer saves and a looker drops.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::DateTime;
use diesel::result::Error as QueryError;

use crate::kernel::clock::Instant;
use crate::kernel::grow::Grow;
use crate::kernel::id::{LaneCount, ProgramId};
use crate::loyalty::ledger::accounts::Owner;
use crate::loyalty::ledger::alias::Aliases;
use crate::loyalty::ledger::group::{Group, Outcome, Wanted};
use crate::loyalty::ledger::load::{LaneHead, LoadError, Loaded, Lock, Plan};
use crate::loyalty::ledger::posting::Guess;
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
    /// A bug: decided again with what they wanted, its commands want still more.
    #[error("the group wants more each time it is decided")]
    Wanting,
}

impl GroupError {
    /// What kind of failure it is.
    pub fn fault(&self) -> Fault<'_> {
        match self {
            Self::Query(error) | Self::Load(LoadError::Query(error)) => fault_of(error),
            Self::Connect(error) => error.fault(),
            Self::Timeline(TimelineError::Query(error)) => fault_of(error),
            Self::Load(LoadError::Row(_)) | Self::Timeline(_) | Self::Panicked | Self::Wanting => Fault::Other,
        }
    }
}

/// How often a group is decided for what it wants: the first time tells which, and a publish or the end of a
/// period in between tells others.
const TURNS_MAX: u32 = 4;

/// What this process has met: the versions of programmes, and Postgres's clock as the last group read it.
#[derive(Clone, Default)]
pub struct Met {
    /// The versions.
    pub timelines: Timelines,
    /// In microseconds; 0 before the first group.
    clock: Arc<AtomicI64>,
}

impl Met {
    /// The versions so far, and no group yet.
    pub fn new(timelines: Timelines) -> Self {
        Self { timelines, clock: Arc::default() }
    }

    fn clock(&self) -> Option<Instant> {
        Some(AtomicI64::load(&self.clock, Ordering::Relaxed))
            .filter(|us| *us != 0)
            .and_then(DateTime::from_timestamp_micros)
    }

    fn note(&self, clock: Instant) {
        self.clock.store(clock.timestamp_micros(), Ordering::Relaxed);
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
    met: &Met,
    lanes: LaneCount,
    lock: Lock,
    jobs: &mut [Box<dyn Queued>],
) -> Result<Decided, GroupError> {
    let timelines = &met.timelines;
    let (mut aliases, mut turns) = (Aliases::default(), 0_u32);
    let (mut counters, mut profiles) = (BTreeSet::new(), BTreeSet::new());
    // Each turn knows one alias more, of chains that are bounded: nearly always there is one turn.
    loop {
        let mut plan = Plan { counters: counters.clone(), profiles: profiles.clone(), ..Plan::default() };
        for job in jobs.iter() {
            let known = timelines.known(job.program());
            let guess = Guess { program: job.program(), timeline: known.as_deref(), clock: met.clock() };
            plan.add(job.as_ref(), guess, lanes, &aliases);
        }
        let Loaded { heads, versions, clock, mut group } = session.load(&plan, lock).await?;
        met.note(clock);
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
        let before = counters.len().saturating_add(profiles.len());
        for Wanted { counters: wanted, profile } in outcomes.iter().filter_map(wants) {
            counters.extend(wanted.iter().cloned());
            profiles.extend(profile.map(|member| (member.lane(lanes), member)));
        }
        if counters.len().saturating_add(profiles.len()) > before {
            turns.grow(1);
            if turns == TURNS_MAX {
                return Err(GroupError::Wanting);
            }
            session.rollback().await?;
            continue;
        }
        let verdicts = verdicts(session, lanes, jobs, outcomes, &group).await?;
        return Ok(Decided { heads, clock, group, programs, verdicts });
    }
}

fn wants(outcome: &Outcome) -> Option<&Wanted> {
    if let Outcome::Wants(wanted) = outcome { Some(wanted) } else { None }
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
        Outcome::Elsewhere | Outcome::Wants(_) => Verdict::Unavailable,
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
