//! What runs beside the shop: notes on which days somebody is due, and writes down what is. Both in chunks, both may
//! be late or run twice: balances are right without them.

use diesel_async::{AsyncPgConnection, RunQueryDsl};
use metrics::counter;

use crate::kernel::grow::Grow;
use crate::kernel::id::Lane;
use crate::kernel::scope::{Principal, ProgramScope};
use crate::loyalty::ledger::post::Ledger;
use crate::loyalty::ledger::queue::PostError;
use crate::loyalty::ledger::reads::Begin;
use crate::loyalty::ledger::settle_due::SettleDue;
use crate::loyalty::ledger::store::{delete_due, insert_follower, list_due, lock_follower, move_follower, note_due};
use crate::loyalty::ledger::writes::{Commit, Rollback};
use crate::platform::db::{Db, DbError};

/// The follower that notes days.
const FOLLOWER: &str = "due";
/// Journal rows read at a time.
const FOLLOW_CHUNK: i64 = 500;
/// Members caught up at a time.
const DUE_CHUNK: i64 = 500;

/// Follows the journal of all lanes to its end, and catches up everybody who is due. Answers how many were.
///
/// # Errors
/// When the database fails; the next run goes on where this one stopped.
pub async fn run_due(db: &Db, ledger: &Ledger) -> Result<u64, DbError> {
    let mut caught_up = 0_u64;
    for lane in (0..ledger.lanes().0).map(Lane) {
        let conn = db.conn().await?;
        while follow(&conn, lane).await? {}
        caught_up = caught_up.saturating_add(catch_up_lane(&conn, ledger, lane).await?);
    }
    counter!("perennial_caught_up_total").increment(caught_up);
    Ok(caught_up)
}

/// One chunk of the journal of a lane; whether there may be more.
async fn follow(conn: &AsyncPgConnection, lane: Lane) -> Result<bool, DbError> {
    insert_follower(conn, FOLLOWER, lane).await?;
    Begin {}.execute(&mut &*conn).await?;
    let followed = follow_chunk(conn, lane).await;
    if followed.is_ok() {
        Commit {}.execute(&mut &*conn).await?;
    } else {
        Rollback {}.execute(&mut &*conn).await?;
    }
    followed
}

async fn follow_chunk(conn: &AsyncPgConnection, lane: Lane) -> Result<bool, DbError> {
    let Some(position) = lock_follower(conn, FOLLOWER, lane).await? else { return Ok(false) };
    let Some(last) = note_due(conn, lane, position, FOLLOW_CHUNK).await? else { return Ok(false) };
    // The position moves in the transaction that noted the days: exactly once.
    move_follower(conn, FOLLOWER, lane, last).await?;
    Ok(last.saturating_sub(position) >= FOLLOW_CHUNK)
}

async fn catch_up_lane(conn: &AsyncPgConnection, ledger: &Ledger, lane: Lane) -> Result<u64, DbError> {
    let mut caught_up = 0_u64;
    loop {
        let due = list_due(conn, lane, DUE_CHUNK).await?;
        let found = due.len();
        let mut done = 0_usize;
        for (member, program) in due {
            let scope = ProgramScope::new(program, Principal::Job("catch_up"));
            match ledger.post(&scope, SettleDue { member }).await {
                Ok(_) => done.grow(1),
                // Somebody else's turn first: the next run finds the member again.
                Err(PostError::Busy | PostError::Unavailable) => break,
                Err(error) => tracing::error!(member.id = %member, %error, "a member was not caught up"),
            }
        }
        delete_due(conn, lane).await?;
        caught_up = caught_up.saturating_add(u64::try_from(done).unwrap_or(0));
        if done == 0 || i64::try_from(found).unwrap_or(0) < DUE_CHUNK {
            return Ok(caught_up);
        }
    }
}
