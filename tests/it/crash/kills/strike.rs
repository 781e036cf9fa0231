//! Kills at a moment that is known: a writer's backend is watched, stopped where it is wanted, looked at, and only then
//! something dies. No failpoint in the product, no lock: what is seen is what Postgres itself says of the stopped process.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use diesel::sql_types::{Integer, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use perennial::platform::db::{Db, PoolSize, Role};
use perennial::statement;
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{sleep as wait, timeout};

/// How long the wanted moment is waited for, in milliseconds.
const MOMENT_WAIT_MS: u64 = 8_000;
/// How long Postgres may take to say what it does, in milliseconds: a stopped process may hold what it needs for that.
const LOOK_MS: u64 = 250;
/// How long a stopped process is given to stand still, in milliseconds.
const STILL_MS: u64 = 1;
/// How long a process that stood elsewhere goes on, in microseconds: less than a phase takes, in several lengths.
const STEP_US: u64 = 100;
const STEPS: u64 = 5;

/// What a writer is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Reads what its group needs.
    Load,
    /// Writes what its group decided.
    Save,
    /// Makes it durable.
    Commit,
}

/// When something is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Whatever is going on.
    Any,
    /// While a writer is there.
    In(Phase),
}

/// What was seen when it was killed.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Where the writer stood; none when none was stopped.
    pub phase: Option<Phase>,
    /// Its process.
    pub writer: Option<Pid>,
    /// Its statement, shortened, and what it waited for.
    pub doing: String,
}

/// A connection that looks at the others.
pub struct Witness {
    db: Db,
    conn: Option<AsyncPgConnection>,
    /// Backends that were seen to write postings.
    writers: BTreeSet<i32>,
}

/// What a backend does, as `pg_stat_activity` says.
struct Activity {
    pid: i32,
    state: String,
    statement: String,
    waits_for: Option<String>,
}

statement! {
    /// What the program's backends do.
    ListActivity {} -> (Integer, Text, Text, Nullable<Text>),
    "SELECT pid, coalesce(state, ''), left(query, 80), wait_event FROM pg_stat_activity \
     WHERE datname = current_database() AND application_name = 'perennial'"
}

impl Activity {
    /// Where a writer stands; none when it is between two commands, or not a writer.
    fn phase(&self) -> Option<Phase> {
        if self.state != "active" {
            return None;
        }
        match self.statement.split([' ', '(']).next()? {
            "BEGIN" | "SELECT" => Some(Phase::Load),
            "COMMIT" => Some(Phase::Commit),
            "MERGE" | "WITH" | "INSERT" | "DELETE" | "UPDATE" => Some(Phase::Save),
            _ => None,
        }
    }

    /// Only writers say these.
    fn writes(&self) -> bool {
        ["MERGE INTO accounts", "INSERT INTO journal", "UPDATE lanes"].iter().any(|s| self.statement.starts_with(s))
    }

    fn process(&self) -> Pid {
        Pid::from_raw(self.pid).unwrap()
    }

    fn told(&self) -> String {
        let words: Vec<&str> = self.statement.split_whitespace().take(3).collect();
        self.waits_for.as_ref().map_or(words.join(" "), |event| format!("{} [{event}]", words.join(" ")))
    }
}

impl Witness {
    /// Somebody who may see everything, under another name than those who are watched.
    pub async fn new(text: &str) -> Self {
        let db = Db::open(&text.parse().unwrap(), PoolSize(1), Role::Owner).await.unwrap();
        Self { db, conn: None, writers: BTreeSet::new() }
    }

    /// Waits for the moment: stops one writer after the other, looks where it stands, and lets it go on unless it is there.
    /// The one that is there stands still from now on.
    pub async fn await_moment(&mut self, moment: Moment) -> Seen {
        let begun = Instant::now();
        let Moment::In(wanted) = moment else { return Seen::nothing() };
        self.look().await;
        for turn in 0.. {
            if begun.elapsed() > Duration::from_millis(MOMENT_WAIT_MS) {
                break;
            }
            let place = turn % self.writers.len().max(1);
            let Some(writer) = self.writers.iter().nth(place).copied().and_then(Pid::from_raw) else {
                self.look().await;
                continue;
            };
            if kill_process(writer, Signal::STOP).is_err() {
                self.look().await;
                continue;
            }
            wait(Duration::from_millis(STILL_MS)).await;
            let there = self.look().await.into_iter().find(|a| a.process() == writer && a.phase() == Some(wanted));
            if let Some(there) = there {
                return Seen { phase: Some(wanted), writer: Some(writer), doing: there.told() };
            }
            release(writer);
            // A step, now shorter, now longer. Not the runtime's sleep, whose shortest is as long as a whole phase.
            sleep(Duration::from_micros(STEP_US * (1 + u64::try_from(turn).unwrap() % STEPS)));
        }
        Seen::nothing()
    }

    /// What the writers do; nothing when Postgres does not say in time.
    async fn look(&mut self) -> Vec<Activity> {
        let asked = timeout(Duration::from_millis(LOOK_MS), self.ask()).await;
        let rows = asked.ok().flatten().unwrap_or_default().into_iter();
        let all: Vec<Activity> =
            rows.map(|(pid, state, statement, waits_for)| Activity { pid, state, statement, waits_for }).collect();
        // Numbers of processes are used again: only who is there now is remembered.
        self.writers = all.iter().filter(|a| a.writes() || self.writers.contains(&a.pid)).map(|a| a.pid).collect();
        all.into_iter().filter(|a| self.writers.contains(&a.pid)).collect()
    }

    /// Asks over the connection that there is, or a new one; one that fails, or is too slow, is dropped.
    async fn ask(&mut self) -> Option<Vec<(i32, String, String, Option<String>)>> {
        let conn = match self.conn.take() {
            Some(conn) => conn,
            None => self.db.dedicated().await.ok()?,
        };
        let rows = ListActivity {}.load(&mut &conn).await.ok()?;
        self.conn = Some(conn);
        Some(rows)
    }
}

impl Seen {
    fn nothing() -> Self {
        Self { phase: None, writer: None, doing: String::new() }
    }
}

/// Lets a stopped process go on.
pub fn release(process: Pid) {
    // It may have been killed.
    let _ = kill_process(process, Signal::CONT);
}
