//! The whole past through two versions: pages are read one after the other, and two threads replay what is in them. What
//! they add up to does not depend on who does what, and no more is in memory than a few pages.

use std::mem::take;
use std::sync::Arc;

use diesel::result::Error as QueryError;
use diesel_async::AsyncPgConnection;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::{JoinError, JoinHandle, spawn_blocking};
use tokio::time::{Instant as Started, sleep};

use crate::kernel::id::MemberId;
use crate::kernel::scope::ProgramScope;
use crate::loyalty::backtest::budgets::{Demand, Spent};
use crate::loyalty::backtest::past::{Past, Reading, Recorded};
use crate::loyalty::backtest::replay::{Span, replay};
use crate::loyalty::backtest::store::{START, count_accounts, list_recorded};
use crate::loyalty::backtest::tally::Tally;
use crate::loyalty::program::model::{Rulebook, Timeline};
use crate::platform::db::DbError;

/// How many threads replay.
const THREADS: usize = 2;
/// How many pages wait for each of them.
const WAITING_PAGES: usize = 2;

/// A version, as if it had always been in force, and what is used up of its budgets.
#[derive(Clone)]
pub struct Side {
    /// The version.
    pub program: Arc<Timeline>,
    spent: Arc<Spent>,
}

impl Side {
    /// A version of whose budgets nothing is used up.
    pub fn new(book: Rulebook) -> Self {
        Self { program: Arc::new(Timeline::new(Arc::new(book), Vec::new())), spent: Arc::default() }
    }

    fn has_budgets(&self) -> bool {
        self.program.newest().earning.iter().any(|rule| rule.budget.is_some())
    }

    fn spends(&self, demand: &Demand, scope: &ProgramScope) -> Self {
        let spent = demand.spent(self.program.newest(), scope.program());
        Self { program: Arc::clone(&self.program), spent: Arc::new(spent) }
    }
}

/// Two versions.
#[derive(Clone)]
pub struct Sides {
    /// The one in force.
    pub before: Side,
    /// The document.
    pub after: Side,
}

impl Sides {
    fn read_attributes(&self) -> bool {
        [&self.before, &self.after].iter().any(|side| side.program.newest().reads_attributes)
    }
}

/// How hard the past is gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As fast as it goes.
    Full,
    /// With pauses as long as the work between them: somebody else needs the machine more.
    Aside,
}

/// The past could not be gone through.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
    /// A thread did not come to its end.
    #[error("a replay was broken off")]
    Broken(#[from] JoinError),
}

impl From<QueryError> for StreamError {
    fn from(error: QueryError) -> Self {
        Self::Db(error.into())
    }
}

/// Who is told how far it is, in members.
pub trait Progress {
    /// There are so many.
    fn expect(&mut self, members: i64);
    /// So many more are done.
    fn advance(&mut self, members: i64);
}

/// A member with the postings that a replay reads.
type Member = (MemberId, Vec<Recorded>);

/// Replays the past of all members under both versions: once, and, where there are budgets, once more with what the
/// first time says of them.
///
/// # Errors
/// When the database fails, or a thread did.
pub async fn compare(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
    sides: &Sides,
    span: Span,
    pace: Pace,
    progress: &mut (impl Progress + Send),
) -> Result<Tally, StreamError> {
    let members = count_accounts(conn, scope).await?;
    let twice = sides.before.has_budgets() || sides.after.has_budgets();
    progress.expect(if twice { members.saturating_mul(2) } else { members });
    let first = pass(conn, scope, sides, (span, pace), progress).await?;
    if !twice {
        return Ok(first);
    }
    let before = sides.before.spends(&first.before.demand, scope);
    let after = sides.after.spends(&first.after.demand, scope);
    pass(conn, scope, &Sides { before, after }, (span, pace), progress).await
}

async fn pass(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
    sides: &Sides,
    (span, pace): (Span, Pace),
    progress: &mut (impl Progress + Send),
) -> Result<Tally, StreamError> {
    let (mut queues, mut threads): (Vec<Sender<Vec<Member>>>, Vec<JoinHandle<Tally>>) = (Vec::new(), Vec::new());
    for _ in 0..THREADS {
        let (queue, work) = channel(WAITING_PAGES);
        let (scope, sides) = (scope.clone(), sides.clone());
        queues.push(queue);
        threads.push(spawn_blocking(move || replay_all(work, &scope, &sides, span)));
    }
    let (mut open, mut place): (Option<Member>, _) = (None, Some(START));
    let mut turns = queues.iter().cycle();
    while let Some(after) = place {
        let begun = Started::now();
        let (page, next) = list_recorded(conn, scope, after, sides.read_attributes()).await?;
        let mut whole = gather(&mut open, page);
        if next.is_none() {
            whole.extend(open.take());
        }
        let done = i64::try_from(whole.len()).unwrap_or(i64::MAX);
        if let Some(queue) = turns.next() {
            // Nobody takes work any more where a thread failed: its end is told below.
            drop(queue.send(whole).await);
        }
        progress.advance(done);
        if pace == Pace::Aside {
            sleep(begun.elapsed()).await;
        }
        place = next;
    }
    drop(turns);
    drop(take(&mut queues));
    let mut tally = Tally::default();
    for thread in threads {
        tally.merge(&thread.await?);
    }
    Ok(tally)
}

/// The members that are complete; the last one may go on in the next page, and stays open.
fn gather(open: &mut Option<Member>, page: Vec<(MemberId, Recorded)>) -> Vec<Member> {
    let mut whole = Vec::new();
    for (member, row) in page {
        match open {
            Some((same, rows)) if *same == member => rows.push(row),
            _ => whole.extend(open.replace((member, vec![row]))),
        }
    }
    whole
}

fn replay_all(mut work: Receiver<Vec<Member>>, scope: &ProgramScope, sides: &Sides, span: Span) -> Tally {
    let mut tally = Tally::default();
    while let Some(members) = work.blocking_recv() {
        for (member, rows) in members {
            replay_one(&mut tally, scope, sides, span, (member, rows));
        }
    }
    tally
}

fn replay_one(tally: &mut Tally, scope: &ProgramScope, sides: &Sides, span: Span, (member, rows): Member) {
    let (before, after) = (sides.before.program.newest(), sides.after.program.newest());
    let reading = Reading { program: scope.program(), currency: before.currency, zone: before.zone };
    let mut past = Past::read(reading, member, rows, span.to);
    tally.unreadable = tally.unreadable.saturating_add(past.unreadable);
    let mut again = |side: &Side| replay(&mut past, scope.program(), (&side.program, &side.spent), span);
    let (one, other) = (again(&sides.before), again(&sides.after));
    tally.add(member, [(before, &one), (after, &other)]);
}
