//! Writes down what a version did to members' tiers. Chunk by chunk, and it may be late or run twice: whoever is looked at
//! or buys meanwhile is caught up then.

use diesel_async::{AsyncPgConnection, RunQueryDsl};
use metrics::counter;

use crate::kernel::clock::Instant;
use crate::kernel::grow::Grow;
use crate::kernel::id::{Lane, ProgramId, Version};
use crate::kernel::scope::{Principal, ProgramScope};
use crate::loyalty::ledger::account::Account;
use crate::loyalty::ledger::catch_up::catch_up;
use crate::loyalty::ledger::load::LoadError;
use crate::loyalty::ledger::post::Ledger;
use crate::loyalty::ledger::queue::PostError;
use crate::loyalty::ledger::reads::Begin;
use crate::loyalty::ledger::reviews::store::{Reviewed, insert_review, list_accounts, lock_review, move_review};
use crate::loyalty::ledger::settle_due::SettleDue;
use crate::loyalty::ledger::writes::{Commit, Rollback};
use crate::loyalty::program::model::{Rulebook, Timeline};
use crate::loyalty::program::store::{list_programs, read_clock};
use crate::loyalty::program::timelines::TimelineError;
use crate::platform::db::{Db, DbError};

/// Members looked at in one transaction.
pub const REVIEW_CHUNK: i64 = 500;

/// Why members were not reviewed.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
    /// A programme cannot be read.
    #[error(transparent)]
    Timeline(#[from] TimelineError),
    /// An account cannot be read.
    #[error(transparent)]
    Load(#[from] LoadError),
}

impl From<diesel::result::Error> for ReviewError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

/// Reviews the members of all programmes whose tiers a version changed that has started, so many in one transaction.
/// Answers for how many something was written down.
///
/// # Errors
/// When the database fails; the next run goes on where this one stopped.
pub async fn run_reviews(db: &Db, ledger: &Ledger, chunk: i64) -> Result<u64, ReviewError> {
    let programs = list_programs(&*db.conn().await?).await?;
    let mut reviewed = 0_u64;
    for program in programs.into_iter().filter(|program| program.version > 1) {
        let scope = ProgramScope::new(ProgramId(program.program_id), Principal::Job("review"));
        for lane in (0..ledger.lanes().0).map(Lane) {
            let conn = db.conn().await?;
            let timeline = ledger.timelines().at_least(&conn, scope.program(), program.version).await?;
            insert_review(&conn, &scope, lane).await?;
            let review = Review { conn: &conn, ledger, scope: &scope, lane, timeline: &timeline, chunk };
            while review.next(&mut reviewed).await? {}
        }
    }
    counter!("perennial_reviewed_total").increment(reviewed);
    Ok(reviewed)
}

struct Review<'r> {
    conn: &'r AsyncPgConnection,
    ledger: &'r Ledger,
    scope: &'r ProgramScope,
    lane: Lane,
    timeline: &'r Timeline,
    chunk: i64,
}

impl Review<'_> {
    /// The next members; whether there may be more.
    async fn next(&self, reviewed: &mut u64) -> Result<bool, ReviewError> {
        Begin {}.execute(&mut &*self.conn).await?;
        let done = self.locked(reviewed).await;
        if done.is_ok() {
            Commit {}.execute(&mut &*self.conn).await?;
        } else {
            Rollback {}.execute(&mut &*self.conn).await?;
        }
        done
    }

    async fn locked(&self, reviewed: &mut u64) -> Result<bool, ReviewError> {
        let Some((version, after)) = lock_review(self.conn, self.scope, self.lane).await? else { return Ok(false) };
        let now = read_clock(self.conn).await?;
        let Some(target) = next_started(self.timeline, version, now) else { return Ok(false) };
        let moved_to = |to: Reviewed| move_review(self.conn, self.scope, self.lane, to);
        if !changes_tiers(self.timeline, version, target) {
            moved_to((target, None)).await?;
            return Ok(true);
        }
        let page = list_accounts(self.conn, self.scope, (self.lane, after), self.chunk).await?;
        let mut last = after;
        for (at, account) in &page {
            if !self.write_down(account, *at, reviewed).await {
                // Somebody else's turn first: the next run goes on here.
                moved_to((version, last)).await?;
                return Ok(false);
            }
            last = Some(account.member);
        }
        let is_last = i64::try_from(page.len()).unwrap_or(0) < self.chunk;
        moved_to(if is_last { (target, None) } else { (version, last) }).await?;
        Ok(true)
    }

    /// Whether an account is as it is to be, by now at the latest.
    async fn write_down(&self, account: &Account, at: Instant, reviewed: &mut u64) -> bool {
        // On a copy: most members are as they were, and nobody has to lock a lane to learn that.
        if let Ok(None) = catch_up(&mut account.clone(), self.timeline, at.max(account.moved_at)) {
            return true;
        }
        match self.ledger.post(self.scope, SettleDue { member: account.member }).await {
            Ok(_) => reviewed.grow(1),
            Err(PostError::Busy | PostError::Unavailable) => return false,
            Err(error) => tracing::error!(member.id = %account.member, %error, "a member was not reviewed"),
        }
        true
    }
}

/// The next version that has started, and not the newest: members before the place where a run stopped were reviewed for
/// this one, whatever was published since.
fn next_started(timeline: &Timeline, after: Version, now: Instant) -> Option<Version> {
    let mut later = (after.0..timeline.newest().version.0).map(|n| Version(n).next());
    later.find(|version| timeline.version(*version).starts <= now)
}

/// Whether the versions after one, up to another, may change anybody's tier; those that never started do not harm.
fn changes_tiers(timeline: &Timeline, after: Version, until: Version) -> bool {
    let differs = |before: &Rulebook, next: &Rulebook| before.tiers != next.tiers || !next.tier_mapping.0.is_empty();
    (after.0..until.0).map(Version).any(|n| differs(timeline.version(n), timeline.version(n.next())))
}
