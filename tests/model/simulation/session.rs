//! Sessions on the store in memory: what Postgres does with a group, step by step, and where it goes wrong.

use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use diesel::QueryResult;
use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error as QueryError};
use perennial::kernel::id::{LaneCount, ProgramId, Version};
use perennial::loyalty::ledger::accounts::Owner;
use perennial::loyalty::ledger::decide::Decided;
use perennial::loyalty::ledger::group::Group;
use perennial::loyalty::ledger::load::{LoadError, Loaded, Lock, Plan};
use perennial::loyalty::ledger::rows::BadRow;
use perennial::loyalty::ledger::storage::{Receipts, Session, Storage};
use perennial::loyalty::program::model::Timeline;
use perennial::loyalty::program::timelines::TimelineError;
use perennial::platform::db::DbError;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep, timeout_at};

use crate::simulation::postings::ill;
use crate::simulation::queries::{posting, read};
use crate::simulation::server::{Counter, Resource, Server, State, Tx, Written};
use crate::simulation::weather::Point;

/// The longest a step takes, and the longest the server takes to notice that a session is gone, in milliseconds.
const STEP_MAX_MS: i64 = 3;
const LINGER_MAX_MS: i64 = 8_000;

/// What one process has of the server.
#[derive(Clone)]
pub struct Store {
    pub server: Arc<Server>,
    pub timeline: Arc<Timeline>,
    /// Which process, of all that there ever were.
    pub process: u64,
    /// Cleared when the process dies: from then on nothing of it moves.
    pub alive: Arc<AtomicBool>,
}

enum Stage {
    Idle,
    Open(Tx),
    /// A statement failed: nothing but ROLLBACK is heard.
    Failed(Tx),
    Lost,
}

/// A session; dropped inside a transaction, it takes that back.
pub struct Sitting {
    store: Store,
    stage: Mutex<Stage>,
    epoch: u64,
    lock_timeout: Duration,
    lent: bool,
}

#[derive(Debug)]
struct Says(String, Option<&'static str>);

impl DatabaseErrorInformation for Says {
    fn message(&self) -> &str {
        &self.0
    }
    fn details(&self) -> Option<&str> {
        None
    }
    fn hint(&self) -> Option<&str> {
        None
    }
    fn table_name(&self) -> Option<&str> {
        None
    }
    fn column_name(&self) -> Option<&str> {
        None
    }
    fn constraint_name(&self) -> Option<&str> {
        self.1
    }
    fn statement_position(&self) -> Option<i32> {
        None
    }
}

/// An error as the driver hands it on.
pub fn error(kind: DatabaseErrorKind, message: &str, constraint: Option<&'static str>) -> QueryError {
    QueryError::DatabaseError(kind, Box::new(Says(message.to_owned(), constraint)))
}

fn closed() -> QueryError {
    error(DatabaseErrorKind::ClosedConnection, "connection closed", None)
}

impl Store {
    async fn step(&self) {
        // Most take no time, and let others in between all the same.
        let wait = self.server.state().weather.rng.within(-4, STEP_MAX_MS);
        match u64::try_from(wait) {
            Ok(0) | Err(_) => yield_now().await,
            Ok(wait) => sleep(Duration::from_millis(wait)).await,
        }
        if !self.alive.load(Ordering::SeqCst) {
            pending::<()>().await;
        }
    }

    async fn open(&self, lock_timeout_ms: u32, lent: bool) -> Result<Sitting, DbError> {
        self.step().await;
        let mut state = self.server.state();
        let down = Instant::now() < state.down_until;
        if down {
            state.weather.note(Point::ConnectRefusedForAWhile);
        }
        if down || state.weather.strikes(Point::ConnectRefused) {
            return Err(DbError::Connect("nobody answers".into()));
        }
        // Who comes too early finds a server that takes no writes.
        let epoch = if Instant::now() < state.standby_until { 0 } else { state.epoch };
        let lock_timeout = Duration::from_millis(lock_timeout_ms.into());
        Ok(Sitting { store: self.clone(), stage: Mutex::new(Stage::Idle), epoch, lock_timeout, lent })
    }
}

impl Storage for Store {
    type Session = Sitting;
    type Lent = Box<Sitting>;

    async fn connect(&self, lock_timeout_ms: u32) -> Result<Sitting, DbError> {
        self.open(lock_timeout_ms, false).await
    }

    async fn lend(&self) -> Result<Box<Sitting>, DbError> {
        if self.server.state().weather.strikes(Point::NoneToLend) {
            return Err(DbError::Busy);
        }
        Ok(Box::new(self.open(1_000, true).await?))
    }

    fn move_on(&self) {
        self.server.state().weather.note(Point::MovedOn);
    }
}

impl Sitting {
    fn server(&self) -> &Arc<Server> {
        &self.store.server
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.store.server.state()
    }

    /// The transaction that is open.
    fn tx(&self) -> QueryResult<Tx> {
        match *self.stage.lock().unwrap() {
            Stage::Open(tx) => Ok(tx),
            Stage::Failed(_) => {
                Err(error(DatabaseErrorKind::Unknown, "current transaction is aborted, commands ignored", None))
            }
            Stage::Idle => Err(error(DatabaseErrorKind::Unknown, "there is no transaction in progress", None)),
            Stage::Lost => Err(closed()),
        }
    }

    /// Takes a while, in which the connection may be lost.
    async fn pass(&self, point: Point) -> QueryResult<()> {
        self.store.step().await;
        let mut state = self.state();
        let lost = Instant::now() < state.down_until || state.weather.strikes(point);
        drop(state);
        if lost { Err(self.lose(None)) } else { Ok(()) }
    }

    /// The connection is gone. The server notices later, and only then ends the transaction, by COMMIT if that had come.
    fn lose(&self, commits: Option<Written>) -> QueryError {
        let stage = std::mem::replace(&mut *self.stage.lock().unwrap(), Stage::Lost);
        if let Stage::Open(tx) | Stage::Failed(tx) = stage {
            self.state().orphan(tx);
            self.state().note(|| format!("{tx:?} lost its connection, commits {}", commits.is_some()));
            linger(self.server(), tx, commits);
        }
        closed()
    }

    /// A statement failed.
    fn fail(&self, kind: DatabaseErrorKind, message: &str, constraint: Option<&'static str>) -> QueryError {
        let mut stage = self.stage.lock().unwrap();
        if let Stage::Open(tx) = *stage {
            *stage = Stage::Failed(tx);
        }
        drop(stage);
        self.state().note(|| format!("failed: {message} {}", constraint.unwrap_or_default()));
        error(kind, message, constraint)
    }

    fn strikes(&self, point: Point) -> bool {
        self.state().weather.strikes(point)
    }

    async fn lock(&self, tx: Tx, resource: Resource) -> QueryResult<()> {
        let deadline = Instant::now() + self.lock_timeout;
        loop {
            // Told of what comes free from here on, before it looks.
            let freed = self.server().freed.notified();
            let locked = self.state().lock(tx, &resource);
            match locked {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(point) => {
                    self.state().weather.note(point);
                    return Err(self.fail(DatabaseErrorKind::Unknown, "deadlock detected", None));
                }
            }
            if timeout_at(deadline, freed).await.is_err() {
                let mut state = self.state();
                state.stop_waiting(tx);
                state.weather.note(Point::LockTimeout);
                drop(state);
                let says = "canceling statement due to lock timeout";
                return Err(self.fail(DatabaseErrorKind::Unknown, says, None));
            }
            if !self.store.alive.load(Ordering::SeqCst) {
                pending::<()>().await;
            }
        }
    }

    /// Whether this session leads to a server that takes no writes.
    fn is_read_only(&self) -> bool {
        self.epoch < self.state().epoch
    }

    async fn lock_all(&self, tx: Tx, plan: &Plan) -> QueryResult<()> {
        if self.is_read_only() {
            self.state().weather.note(Point::ReadOnly);
            let says = "cannot execute SELECT FOR UPDATE in a read-only transaction";
            return Err(self.fail(DatabaseErrorKind::ReadOnlyTransaction, says, None));
        }
        for lane in &plan.lanes {
            self.lock(tx, Resource::Lane(*lane)).await?;
        }
        if self.strikes(Point::LockTimeout) {
            return Err(self.fail(DatabaseErrorKind::Unknown, "canceling statement due to lock timeout", None));
        }
        Ok(())
    }

    /// What the statements of a save say before COMMIT.
    async fn write(&self, tx: Tx, written: &Written) -> QueryResult<()> {
        if Instant::now() < self.state().full_until {
            self.state().weather.note(Point::DiskFull);
            let says = "could not extend file: No space left on device";
            return Err(self.fail(DatabaseErrorKind::Unknown, says, None));
        }
        if let Some((kind, says, constraint)) = written.rows().iter().find_map(ill) {
            self.state().weather.note(Point::Poison);
            return Err(self.fail(kind, says, constraint));
        }
        if self.strikes(Point::Deadlock) {
            return Err(self.fail(DatabaseErrorKind::Unknown, "deadlock detected", None));
        }
        if self.strikes(Point::Serialization) {
            return Err(self.fail(DatabaseErrorKind::SerializationFailure, "could not serialize access", None));
        }
        for key in written.values() {
            self.lock(tx, Resource::Value(key.clone())).await?;
            let taken = self.state().tables.owners.contains_key(key) && !written.gives_up(key);
            if taken {
                self.state().weather.note(Point::TakenMeanwhile);
                let says = "duplicate key value violates unique constraint";
                return Err(self.fail(DatabaseErrorKind::UniqueViolation, says, Some("directory_pk")));
            }
        }
        for (key, moved) in written.counts() {
            self.lock(tx, Resource::Counter(key.clone())).await?;
            let counter = self.state().tables.counters.get(key).copied().unwrap_or_default();
            let Counter { used, max } = counter.moved(*moved);
            if used < 0 || max.is_some_and(|max| used > max) {
                self.state().weather.note(Point::CounterChecked);
                let says = "new row violates check constraint";
                return Err(self.fail(DatabaseErrorKind::CheckViolation, says, Some("counters_used_check")));
            }
        }
        Ok(())
    }
}

impl Session for Sitting {
    async fn load(&self, plan: &Plan, lock: Lock) -> Result<Loaded, LoadError> {
        if matches!(*self.stage.lock().unwrap(), Stage::Idle) {
            let tx = self.state().begin(self.store.process);
            *self.stage.lock().unwrap() = Stage::Open(tx);
        }
        let tx = self.tx()?;
        self.pass(Point::LostBeforeTheLock).await?;
        if lock != Lock::Nothing {
            self.lock_all(tx, plan).await?;
        }
        self.pass(Point::LostBehindTheLock).await?;
        let (heads, now, version, accounts) = {
            let state = self.state();
            let tables = &state.tables;
            let heads: Vec<_> = tables.heads.iter().filter(|h| plan.lanes.contains(&h.lane)).cloned().collect();
            let accounts = plan.members.iter().filter_map(|(_, m)| Some((*m, tables.accounts.get(m)?.clone())));
            (heads, state.now(), i32::try_from(tables.versions).unwrap(), accounts.collect())
        };
        if lock == Lock::LanesAndCounters {
            for key in &plan.counters {
                self.lock(tx, Resource::Counter(key.clone())).await?;
            }
        }
        self.pass(Point::LostWhileReading).await?;
        if self.strikes(Point::RowUnreadable) {
            let member = plan.members.iter().next().unwrap().1;
            return Err(BadRow { table: "accounts", column: "figures", member }.into());
        }
        let state = self.state();
        let group = Group { accounts, ..read(&state.tables, plan, state.now()) };
        let versions = plan.programs.iter().map(|program| (*program, version)).collect();
        let clock = heads.iter().map(|h| h.moment).max().unwrap_or_default().max(now);
        Ok(Loaded { heads, versions, clock, group })
    }

    async fn receipts(&self, owners: &[Owner], _: LaneCount) -> QueryResult<Receipts> {
        self.tx()?;
        self.pass(Point::LostWhileReadingReceipts).await?;
        let state = self.state();
        let rows = owners.iter().filter_map(|owner| posting(&state.tables, *owner));
        Ok(rows.map(|row| ((row.member, row.seq), (row.hash, row.document.clone()))).collect())
    }

    async fn timeline(&self, _: ProgramId, known: Option<&Timeline>) -> Result<Timeline, TimelineError> {
        self.tx()?;
        self.pass(Point::LostWhileReadingVersions).await?;
        let published = i32::try_from(self.state().tables.versions).unwrap();
        let book = |n| Arc::clone(self.store.timeline.version(Version(n)));
        let newest = known.map_or(1, |known| known.newest().version.0);
        let more = (newest + 1..=published).map(book).collect();
        Ok(known.map_or_else(|| Timeline::new(book(1), Vec::new()), Clone::clone).with(more))
    }

    async fn save(&self, decided: &Decided, lanes: LaneCount) -> QueryResult<()> {
        let tx = self.tx()?;
        self.pass(Point::LostBetweenDecisionAndSave).await?;
        let written = Written::of(decided, lanes);
        self.write(tx, &written).await?;
        self.pass(Point::LostInSave).await?;
        if self.strikes(Point::LostInCommitUndone) {
            return Err(self.lose(None));
        }
        if self.strikes(Point::LostInCommitUnderWay) {
            return Err(self.lose(Some(written)));
        }
        self.server().end(tx, Some(written));
        *self.stage.lock().unwrap() = Stage::Idle;
        if self.strikes(Point::LostInCommitDone) {
            return Err(self.lose(None));
        }
        self.pass(Point::LostInCommitDone).await
    }

    async fn rollback(&self) -> QueryResult<()> {
        self.pass(Point::LostInRollback).await?;
        let stage = std::mem::replace(&mut *self.stage.lock().unwrap(), Stage::Idle);
        match stage {
            Stage::Open(tx) | Stage::Failed(tx) => self.server().end(tx, None),
            Stage::Idle => {}
            Stage::Lost => {
                *self.stage.lock().unwrap() = Stage::Lost;
                return Err(closed());
            }
        }
        Ok(())
    }
}

impl Drop for Sitting {
    fn drop(&mut self) {
        if let Stage::Open(tx) | Stage::Failed(tx) = *self.stage.lock().unwrap() {
            if self.lent && self.store.alive.load(Ordering::SeqCst) {
                self.state().wrong(String::from("a lent session came back inside a transaction"));
            }
            self.server().end(tx, None);
        }
    }
}

/// Ends a transaction when the server notices that its session is gone.
pub fn linger(server: &Arc<Server>, tx: Tx, commits: Option<Written>) {
    let wait = u64::try_from(server.state().weather.rng.within(0, LINGER_MAX_MS)).unwrap();
    let server = Arc::clone(server);
    tokio::spawn(async move {
        sleep(Duration::from_millis(wait)).await;
        server.end(tx, commits);
    });
}
