//! Rows to postings: many under way at once, each member's in order, each answer looked at.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};

use csv::StringRecord;
use tokio::sync::oneshot::Receiver;

use super::columns::FileKind;
use super::progress::Progress;
use super::rejects::{Reject, Rejects};
use super::rows::{Named, Reading, Wanted};
use super::sort::{Item, Sorted};
use crate::app::failure::Failure;
use crate::kernel::id::MemberId;
use crate::kernel::scope::ProgramScope;
use crate::loyalty::bulk::store::find_members_by;
use crate::loyalty::checkout::settle::SettleOrder;
use crate::loyalty::ledger::error::{IDEMPOTENCY_CONFLICT, MEMBER_UNKNOWN};
use crate::loyalty::ledger::opening::OpenBalance;
use crate::loyalty::ledger::post::Ledger;
use crate::loyalty::ledger::posting::Posting;
use crate::loyalty::ledger::queue::{Answer, PostError, Posted};
use crate::loyalty::members::model::IdentityKind;
use crate::loyalty::membership::enrol::Enrol;
use crate::loyalty::membership::grants::grant_tier::GrantTier;
use crate::platform::db::Db;
use crate::platform::entropy::uuid_v7;

/// How many commands are under way at most: enough for two full groups of each of a few writers.
const WINDOW: usize = 8_192;
/// How many rows are looked up together.
const CHUNK_ROWS: usize = 2_000;

/// What became of the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Posted now.
    pub new: u64,
    /// There already.
    pub there: u64,
}

/// One import under way.
pub struct Poster<'a> {
    /// Connections for look-ups.
    pub db: &'a Db,
    /// The writers.
    pub ledger: &'a Ledger,
    /// The programme, in the operator's name.
    pub scope: &'a ProgramScope,
    /// What rows are read against.
    pub reading: &'a Reading,
    /// Whether members who are not known are enrolled.
    pub enrol: bool,
    /// Where rows go that are not taken.
    pub rejects: &'a mut Rejects,
    /// How far it is.
    pub progress: Progress,
    /// Raised when somebody wants it to end.
    pub stop: &'a AtomicBool,
    /// What became of the rows so far.
    pub tally: Tally,
    /// Commands whose answers are awaited, oldest first.
    pub under_way: VecDeque<UnderWay>,
}

/// A command whose answer is awaited.
pub struct UnderWay {
    line: u64,
    row: StringRecord,
    answer: Waiting,
}

enum Waiting {
    Member(Receiver<Answer<Enrol>>),
    Order(Receiver<Answer<SettleOrder>>),
    Balance(Receiver<Answer<OpenBalance>>),
    Tier(Receiver<Answer<GrantTier>>),
}

/// Rows that are sent together.
#[derive(Default)]
struct Chunk {
    rows: Vec<(Item, Named)>,
    /// Who their members are, or why there is none.
    members: HashMap<Named, Result<MemberId, Reject>>,
    enrolling: Vec<(Named, Receiver<Answer<Enrol>>)>,
}

/// Why a command was not posted.
enum Refused {
    /// By its own fault.
    Reject(Reject),
    /// Nobody knows: the database did not answer.
    Unknown,
}

impl Poster<'_> {
    /// Posts all rows, or those until somebody wants it to end.
    ///
    /// # Errors
    /// When the database goes away, or a file cannot be read or written; what is posted then stays.
    pub async fn post(&mut self, mut rows: Sorted) -> Result<(), Failure> {
        let mut chunk = self.prepare(&mut rows).await?;
        self.finish_enrolling(&mut chunk).await?;
        while !chunk.rows.is_empty() && !self.stop.load(Ordering::Acquire) {
            // The next rows' enrolments stand before these rows in the queues: nobody waits for them idly.
            let mut next = self.prepare(&mut rows).await?;
            self.send_all(chunk).await?;
            self.finish_enrolling(&mut next).await?;
            chunk = next;
        }
        while !self.under_way.is_empty() {
            self.settle_oldest().await?;
        }
        Ok(())
    }

    /// Reads rows, looks their members up, and has those enrolled whom nobody knows, where that is wanted.
    async fn prepare(&mut self, rows: &mut Sorted) -> Result<Chunk, Failure> {
        let mut chunk = Chunk::default();
        while chunk.rows.is_empty() {
            let items: Vec<Item> = rows.take(CHUNK_ROWS).collect::<Result<_, _>>()?;
            if items.is_empty() {
                break;
            }
            for item in items {
                match self.reading.named(&item) {
                    Ok(named) => chunk.rows.push((item, named)),
                    Err(reject) => self.reject(item.line, &reject, &item.row)?,
                }
            }
        }
        if self.reading.columns.kind != FileKind::Members {
            chunk.members = self.find(&chunk.rows).await?;
            chunk.enrolling = self.enrol_unknown(&chunk).await?;
        }
        Ok(chunk)
    }

    async fn send_all(&mut self, chunk: Chunk) -> Result<(), Failure> {
        for (item, named) in chunk.rows {
            let member = match (self.reading.columns.kind, &named) {
                (FileKind::Members, _) => Ok(MemberId(uuid_v7())),
                (_, Named::Id(member)) => Ok(*member),
                (_, named) => chunk.members.get(named).cloned().unwrap_or_else(|| Err(unknown(&item))),
            };
            match member.and_then(|member| self.reading.wanted(&item, member)) {
                Ok(wanted) => self.send(item, wanted).await?,
                Err(reject) => self.reject(item.line, &reject, &item.row)?,
            }
        }
        Ok(())
    }

    /// Who the rows' members are, as far as they are known.
    async fn find(&self, rows: &[(Item, Named)]) -> Result<HashMap<Named, Result<MemberId, Reject>>, Failure> {
        let mut wanted: HashMap<IdentityKind, Vec<String>> = HashMap::new();
        let mut last = None;
        for (_, named) in rows {
            if let Named::By(identity) = named
                && last.replace(named) != Some(named)
            {
                wanted.entry(identity.kind).or_default().push(identity.value.clone());
            }
        }
        let conn = self.db.conn().await?;
        let mut found = HashMap::new();
        for (kind, values) in wanted {
            found.insert(kind, find_members_by(&conn, self.scope, kind, values).await?);
        }
        let mut members = HashMap::new();
        for (_, named) in rows {
            if let Named::By(identity) = named
                && let Some(member) = found.get(&identity.kind).and_then(|found| found.get(&identity.value))
            {
                members.entry(named.clone()).or_insert(Ok(*member));
            }
        }
        Ok(members)
    }

    /// Has those enrolled whom nobody knows, at the time of their first row, where that is wanted.
    async fn enrol_unknown(&self, chunk: &Chunk) -> Result<Vec<(Named, Receiver<Answer<Enrol>>)>, Failure> {
        let mut enrolling: Vec<(Named, Receiver<Answer<Enrol>>)> = Vec::new();
        for (item, named) in chunk.rows.iter().filter(|_| self.enrol) {
            let Named::By(identity) = named else { continue };
            let by_id = identity.kind == IdentityKind::ExternalId;
            let again = enrolling.last().is_some_and(|(last, _)| last == named);
            if !by_id || again || chunk.members.contains_key(named) {
                continue;
            }
            // Whose first row asks for nothing that can be posted is not enrolled by it.
            let member = MemberId(uuid_v7());
            if self.reading.wanted(item, member).is_ok() {
                let command = self.reading.enrolment(identity, member, item.at);
                enrolling.push((named.clone(), self.enqueue(command).await?));
            }
        }
        Ok(enrolling)
    }

    /// Waits for the enrolments: then all members of the rows are known who will be.
    async fn finish_enrolling(&self, chunk: &mut Chunk) -> Result<(), Failure> {
        for (named, answer) in std::mem::take(&mut chunk.enrolling) {
            let member = match answered::<Enrol>(answer).await {
                // Another import may have been first: then this is the member that it made.
                Ok(posted) => Ok(posted.posting.member),
                Err(Refused::Reject(reject)) => self.find_again(&named).await?.ok_or(reject),
                Err(Refused::Unknown) => return Err(gone()),
            };
            chunk.members.insert(named, member);
        }
        Ok(())
    }

    /// Who has the identity now: somebody else may have enrolled its owner meanwhile.
    async fn find_again(&self, named: &Named) -> Result<Option<MemberId>, Failure> {
        let Named::By(identity) = named else { return Ok(None) };
        let conn = self.db.conn().await?;
        let found = find_members_by(&conn, self.scope, identity.kind, vec![identity.value.clone()]).await?;
        Ok(found.get(&identity.value).copied())
    }

    async fn send(&mut self, item: Item, wanted: Wanted) -> Result<(), Failure> {
        while self.under_way.len() >= WINDOW {
            self.settle_oldest().await?;
        }
        let answer = match wanted {
            Wanted::Member(command) => self.enqueue(command).await.map(Waiting::Member)?,
            Wanted::Order(command) => self.enqueue(*command).await.map(Waiting::Order)?,
            Wanted::Balance(command) => self.enqueue(command).await.map(Waiting::Balance)?,
            Wanted::Tier(command) => self.enqueue(command).await.map(Waiting::Tier)?,
        };
        self.under_way.push_back(UnderWay { line: item.line, row: item.row, answer });
        Ok(())
    }

    async fn enqueue<P: Posting>(&self, command: P) -> Result<Receiver<Answer<P>>, Failure> {
        self.ledger.enqueue(self.scope, command).await.map_err(|_| gone())
    }

    async fn settle_oldest(&mut self) -> Result<(), Failure> {
        let Some(UnderWay { line, row, answer }) = self.under_way.pop_front() else { return Ok(()) };
        let answer = match answer {
            Waiting::Member(answer) => replayed(answered::<Enrol>(answer)).await,
            Waiting::Order(answer) => replayed(answered::<SettleOrder>(answer)).await,
            Waiting::Balance(answer) => replayed(answered::<OpenBalance>(answer)).await,
            Waiting::Tier(answer) => replayed(answered::<GrantTier>(answer)).await,
        };
        match answer {
            Ok(true) => self.tally.there += 1,
            Ok(false) => self.tally.new += 1,
            Err(Refused::Reject(reject)) => return self.reject(line, &reject, &row),
            Err(Refused::Unknown) if self.ledger.has_stopped() => return Err(gone()),
            Err(Refused::Unknown) => {
                let reject = Reject::new("not_stored", "the database refused it; the log says why");
                return self.reject(line, &reject, &row);
            }
        }
        self.progress.step();
        Ok(())
    }

    fn reject(&mut self, line: u64, reject: &Reject, row: &StringRecord) -> Result<(), Failure> {
        self.rejects.add(line, reject, row).map_err(|e| unwritable(self.rejects, &e))?;
        self.progress.step();
        Ok(())
    }
}

/// The rejects file cannot be written.
pub fn unwritable(rejects: &Rejects, error: &std::io::Error) -> Failure {
    Failure::Work(format!("{} cannot be written: {error}", rejects.path().display()))
}

fn gone() -> Failure {
    let again = "what is in stays; run the import again to go on";
    Failure::Work(format!("the database went away, and the import stopped: {again}"))
}

fn unknown(item: &Item) -> Reject {
    Reject::new(MEMBER_UNKNOWN.code, format!("there is no member {:?}", item.member))
}

async fn answered<P>(answer: Receiver<Answer<P>>) -> Result<Posted<P::Receipt>, Refused>
where
    P: Posting<Refusal: Into<Reject>>,
{
    match answer.await {
        Ok(Ok(posted)) => Ok(posted),
        Ok(Err(PostError::Refused(refusal))) => Err(Refused::Reject(refusal.into())),
        Ok(Err(PostError::Conflict)) => {
            let detail = "the reference belongs to another command";
            Err(Refused::Reject(Reject::new(IDEMPOTENCY_CONFLICT.code, detail)))
        }
        Ok(Err(PostError::Unreadable(error))) => {
            let detail = format!("it is there, and this version cannot read what was answered: {error}");
            Err(Refused::Reject(Reject::new("receipt_unreadable", detail)))
        }
        Ok(Err(PostError::Busy | PostError::Unavailable)) | Err(_) => Err(Refused::Unknown),
    }
}

async fn replayed<R>(answer: impl Future<Output = Result<Posted<R>, Refused>>) -> Result<bool, Refused> {
    Ok(answer.await?.replayed)
}
