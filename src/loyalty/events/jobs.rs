//! Follows the journal, and notes what happens for whoever wants to be told. Each thing is noted once: how far the journal
//! was read moves with the notes.

use std::collections::HashMap;
use std::time::Duration;

use diesel_async::{AsyncPgConnection, RunQueryDsl};
use tokio::time::{Instant as Started, sleep};

use crate::kernel::id::{Lane, ProgramId};
use crate::loyalty::events::event_view::events_of;
use crate::loyalty::events::store::{find_chunk, list_posted, skip_follower};
use crate::loyalty::ledger::post::Ledger;
use crate::loyalty::ledger::reads::Begin;
use crate::loyalty::ledger::store::{insert_follower, lock_follower, move_follower};
use crate::loyalty::ledger::writes::{Commit, Rollback};
use crate::platform::db::{Db, DbError, Fault};
use crate::platform::webhooks::deliveries::deliver::Deliverer;
use crate::platform::webhooks::deliveries::store::insert_deliveries;
use crate::platform::webhooks::hook::{Event, Hook};
use crate::platform::webhooks::store::list_all_hooks;

/// The follower that notes events.
const FOLLOWER: &str = "webhooks";
/// Journal rows read at a time: each has a group's postings.
const FOLLOW_CHUNK: i64 = 10;
/// How often the journal is looked at, in milliseconds.
const POLL_MS: u64 = 500;
/// How often what is long over is forgotten, in seconds.
const FORGET_S: u64 = 3_600;

/// Notes what happens and tells it, until it is aborted.
pub async fn run_events(db: Db, ledger: Ledger, deliverer: Deliverer) {
    let (mut away, mut forgot) = (false, None::<Started>);
    loop {
        match run_once(&db, &ledger, &deliverer, &mut forgot).await {
            Ok(()) => away = false,
            Err(error) => {
                if error.fault() == Fault::ReadOnly {
                    db.move_on();
                }
                if !away {
                    tracing::warn!(error = error.chain(), "webhooks wait until the database answers");
                }
                away = true;
            }
        }
        // A connection that this held while everybody moved on is not left.
        db.sweep();
        sleep(Duration::from_millis(POLL_MS)).await;
    }
}

async fn run_once(
    db: &Db,
    ledger: &Ledger,
    deliverer: &Deliverer,
    forgot: &mut Option<Started>,
) -> Result<(), DbError> {
    note_events(db, ledger).await?;
    deliverer.dispatch().await?;
    if forgot.is_none_or(|at| at.elapsed() >= Duration::from_secs(FORGET_S)) {
        deliverer.forget().await?;
        *forgot = Some(Started::now());
    }
    Ok(())
}

/// Notes all that has happened.
///
/// # Errors
/// When the database fails; the next run goes on where this one stopped.
pub async fn note_events(db: &Db, ledger: &Ledger) -> Result<(), DbError> {
    let conn = db.conn().await?;
    let hooks = list_all_hooks(&conn).await?;
    if hooks.is_empty() {
        return skip_follower(&conn, FOLLOWER).await.map_err(Into::into);
    }
    for lane in (0..ledger.lanes().0).map(Lane) {
        while follow(&conn, ledger, &hooks, lane).await? {}
    }
    Ok(())
}

/// One chunk of the journal of a lane; whether there may be more.
async fn follow(conn: &AsyncPgConnection, ledger: &Ledger, hooks: &[Hook], lane: Lane) -> Result<bool, DbError> {
    insert_follower(conn, FOLLOWER, lane).await?;
    Begin {}.execute(&mut &*conn).await?;
    let followed = follow_chunk(conn, ledger, hooks, lane).await;
    if followed.is_ok() {
        Commit {}.execute(&mut &*conn).await?;
    } else {
        Rollback {}.execute(&mut &*conn).await?;
    }
    followed
}

async fn follow_chunk(conn: &AsyncPgConnection, ledger: &Ledger, hooks: &[Hook], lane: Lane) -> Result<bool, DbError> {
    let Some(after) = lock_follower(conn, FOLLOWER, lane).await? else { return Ok(false) };
    let Some(last) = find_chunk(conn, lane, after, FOLLOW_CHUNK).await? else { return Ok(false) };
    let mut of_program: HashMap<ProgramId, Vec<&Hook>> = HashMap::new();
    for hook in hooks {
        of_program.entry(hook.program).or_default().push(hook);
    }
    let mut events: Vec<Event> = Vec::new();
    for (program, stored) in list_posted(conn, lane, (after, last), of_program.keys().copied().collect()).await? {
        let Ok(row) = stored.read(program) else {
            // `verify` says what is wrong with it; here it must not stand in the way of the others.
            tracing::error!(lane = lane.0, "a posting could not be read, and nobody is told of it");
            continue;
        };
        let timeline = match ledger.timelines().at_least(conn, program, row.version.0).await {
            Ok(timeline) => timeline,
            Err(error) => {
                tracing::error!(program.id = %program, %error, "a programme could not be read, and nobody is told");
                continue;
            }
        };
        for ((name, payload), number) in events_of(&row, timeline.newest()).into_iter().zip(0..) {
            let (member, seq, recorded_at) = (row.member, row.seq, row.recorded_at);
            events.push(Event { program, lane, member, seq, number, name, recorded_at, payload });
        }
    }
    let mut told: Vec<(&Hook, &Event)> = Vec::new();
    for event in &events {
        let wants = |hook: &&&Hook| hook.created_at <= event.recorded_at && hook.wants(event.name);
        told.extend(of_program.get(&event.program).into_iter().flatten().filter(wants).map(|hook| (*hook, event)));
    }
    if !told.is_empty() {
        insert_deliveries(conn, &told).await?;
    }
    move_follower(conn, FOLLOWER, lane, last).await?;
    Ok(last.saturating_sub(after) >= FOLLOW_CHUNK)
}
