//! Looks each local day for who keeps one, and has the rules award for it. Once each: by a name of the member and the year.
//! May be late or run twice, and catches up after a time in which nobody did it.

use chrono::{Datelike, Days, NaiveDate};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::future::join_all;
use metrics::counter;

use crate::kernel::grow::Grow;
use crate::kernel::id::{Lane, MemberId, ProgramId};
use crate::kernel::scope::{Principal, ProgramScope};
use crate::loyalty::ledger::post::Ledger;
use crate::loyalty::ledger::posting::{AccountTime, Reference, RequestHash};
use crate::loyalty::ledger::queue::PostError;
use crate::loyalty::ledger::reads::Begin;
use crate::loyalty::ledger::writes::{Commit, Rollback};
use crate::loyalty::membership::days::store::{insert_days, list_keepers, lock_days, move_days};
use crate::loyalty::membership::days::yearly::{Keeps, kept_on};
use crate::loyalty::membership::events::send_event::SendEvent;
use crate::loyalty::program::facts::Values;
use crate::loyalty::program::model::earning::is_kept_day;
use crate::loyalty::program::model::{Rulebook, Timeline};
use crate::loyalty::program::store::{list_programs, read_clock};
use crate::loyalty::program::timelines::TimelineError;
use crate::platform::db::{Db, DbError};

/// Members awarded for at once: with both of their days fewer than the shortest queue of a lane, so that a page is always
/// let in as a whole some time, and checkouts beside it are, too.
pub const DAYS_CHUNK: i64 = 50;
/// How many days are caught up at most: whoever was away for longer congratulates nobody who has forgotten it.
pub const DAYS_LATE_MAX: u64 = 31;

/// Why nobody was looked for.
#[derive(Debug, thiserror::Error)]
pub enum DaysError {
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
    /// A programme cannot be read.
    #[error(transparent)]
    Timeline(#[from] TimelineError),
}

impl From<diesel::result::Error> for DaysError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

/// Awards for the days that have come in all programmes that have rules about them. Answers for how many days of members.
///
/// # Errors
/// When the database fails; the next run goes on where this one stopped.
pub async fn run_days(db: &Db, ledger: &Ledger) -> Result<u64, DaysError> {
    let programs = list_programs(&*db.conn().await?).await?;
    let mut kept = 0_u64;
    for program in programs {
        let scope = ProgramScope::new(ProgramId(program.program_id), Principal::Job("days"));
        let conn = db.conn().await?;
        let timeline = ledger.timelines().at_least(&conn, scope.program(), program.version).await?;
        let now = read_clock(&conn).await?;
        let book = timeline.at(now);
        if !keeps_days(book) {
            continue;
        }
        let today = book.zone.day_of(now);
        for lane in (0..ledger.lanes().0).map(Lane) {
            insert_days(&conn, &scope, lane, before(today)).await?;
            let look = Look { conn: &conn, ledger, scope: &scope, lane, timeline: &timeline, today };
            while look.next(&mut kept).await? {}
        }
    }
    counter!("perennial_days_kept_total").increment(kept);
    Ok(kept)
}

fn keeps_days(book: &Rulebook) -> bool {
    book.earning.iter().any(|rule| is_kept_day(&rule.on))
}

fn before(day: NaiveDate) -> NaiveDate {
    day.pred_opt().unwrap_or(NaiveDate::MIN)
}

struct Look<'l> {
    conn: &'l AsyncPgConnection,
    ledger: &'l Ledger,
    scope: &'l ProgramScope,
    lane: Lane,
    timeline: &'l Timeline,
    today: NaiveDate,
}

impl Look<'_> {
    /// The next members; whether there may be more.
    async fn next(&self, kept: &mut u64) -> Result<bool, DaysError> {
        Begin {}.execute(&mut &*self.conn).await?;
        let done = self.locked(kept).await;
        if done.is_ok() {
            Commit {}.execute(&mut &*self.conn).await?;
        } else {
            Rollback {}.execute(&mut &*self.conn).await?;
        }
        done
    }

    async fn locked(&self, kept: &mut u64) -> Result<bool, DaysError> {
        let Some((done, after)) = lock_days(self.conn, self.scope, self.lane).await? else { return Ok(false) };
        let earliest = self.today.checked_sub_days(Days::new(DAYS_LATE_MAX)).unwrap_or(NaiveDate::MIN);
        let (done, after) = if done < earliest { (earliest, None) } else { (done, after) };
        if done >= self.today {
            return Ok(false);
        }
        let day = done.succ_opt().unwrap_or(NaiveDate::MAX);
        let page = list_keepers(self.conn, self.scope, (self.lane, after), (day, kept_on(day)), DAYS_CHUNK).await?;
        let told = join_all(page.iter().map(|(member, keeps)| self.award(*member, *keeps, day))).await;
        if told.contains(&false) {
            // Somebody else's turn first: the next run does this page again.
            return Ok(false);
        }
        kept.grow(u64::try_from(page.len()).unwrap_or(0));
        let last = page.last().map(|(member, _)| *member);
        let is_last = i64::try_from(page.len()).unwrap_or(0) < DAYS_CHUNK;
        move_days(self.conn, self.scope, self.lane, if is_last { (day, None) } else { (done, last) }).await?;
        Ok(true)
    }

    /// Whether what a member keeps was awarded for, as far as it ever will be.
    async fn award(&self, member: MemberId, keeps: Keeps, day: NaiveDate) -> bool {
        let zone = self.timeline.newest().zone;
        for name in keeps.names() {
            let event = SendEvent {
                reference: Reference::keyed(name, &format!("{member}:{}", day.year())),
                hash: RequestHash::of(&(member, name, day.year())),
                member,
                identity: None,
                name: name.to_owned(),
                occurred_at: Some(zone.start_of(day)),
                attributes: Values::default(),
                time: AccountTime::Live,
                by_itself: true,
            };
            match self.ledger.post(self.scope, event).await {
                Ok(_) => {}
                Err(PostError::Busy | PostError::Unavailable) => return false,
                Err(error) => tracing::error!(member.id = %member, %error, "nobody was awarded for {name}"),
            }
        }
        true
    }
}
