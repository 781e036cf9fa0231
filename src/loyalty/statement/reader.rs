//! Readers of accounts: whoever asks while one question is under way shares the next one.
//!
//! A connection checked out for each request costs more than the look-up itself. Here few connections are kept, and
//! each takes whatever waits as one statement. No timer: with nobody else about, a question goes out at once.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use diesel::result::Error as QueryError;
use diesel::sql_types::{Array, Int4, SmallInt, Timestamptz, Uuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::oneshot;
use uuid::Uuid as Id;

use crate::kernel::clock::Instant;
use crate::kernel::id::{LaneCount, MemberId, ProgramId, Version};
use crate::kernel::scope::ProgramScope;
use crate::loyalty::ledger::account::Account;
use crate::loyalty::ledger::reads::AccountSql;
use crate::loyalty::ledger::rows::{AccountRow, BadRow};
use crate::loyalty::ledger::storage::Storage;
use crate::loyalty::ledger::writer::LOCK_TIMEOUT_MS;
use crate::platform::db::{Db, DbError};
use crate::statement;

/// How many connections read.
const READERS: usize = 2;
/// The most accounts of one statement.
const READ_MAX: usize = 200;
/// How many questions may wait for one reader; the next is answered 503 at once.
pub const READ_QUEUE_MAX: usize = 4_096;
/// How often a statement is tried: once more than a connection can have gone away unnoticed.
const TRIES_MAX: u32 = 2;

statement! {
    /// Accounts by lane and member, with Postgres's clock and the newest version of their programmes.
    ReadAccounts { lanes: Vec<i16> => Array<SmallInt>, members: Vec<Id> => Array<Uuid> } -> (Timestamptz, Int4, AccountSql),
    "SELECT clock_timestamp(), p.version, a.* FROM unnest(?, ?) AS u (lane, member_id) CROSS JOIN LATERAL (\
     SELECT * FROM accounts WHERE lane = u.lane AND member_id = u.member_id OFFSET 0) AS a \
     CROSS JOIN LATERAL (SELECT version FROM programs WHERE program_id = a.program_id OFFSET 0) AS p"
}

/// Why an account was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Too many wait already.
    #[error("the queue is full")]
    Busy,
    /// The database does not answer.
    #[error("the database does not answer")]
    Unavailable,
    /// The row was changed by hand.
    #[error(transparent)]
    Row(#[from] BadRow),
}

/// An account as it was read.
#[derive(Debug)]
pub struct Seen {
    /// When.
    pub at: Instant,
    /// The newest version of its programme then.
    pub version: Version,
    /// The account as it is stored.
    pub account: Account,
}

/// An account, if the programme has it.
type Found = Result<Option<Seen>, ReadError>;

/// A row of [`ReadAccounts`].
type Row = (Instant, i32, AccountRow);

struct Question {
    program: ProgramId,
    member: MemberId,
    reply: oneshot::Sender<Found>,
}

/// The readers of this process; they end when the last handle is dropped.
#[derive(Clone)]
pub struct AccountReader {
    queues: Arc<[Sender<Question>]>,
    turn: Arc<AtomicUsize>,
}

impl AccountReader {
    /// Starts them.
    pub fn start(db: &Db, lanes: LaneCount) -> Self {
        let start = |_| {
            let (sender, receiver) = mpsc::channel(READ_QUEUE_MAX);
            tokio::spawn(Reader { db: db.clone(), lanes, conn: None, epoch: 0 }.run(receiver));
            sender
        };
        Self { queues: (0..READERS).map(start).collect(), turn: Arc::default() }
    }

    /// An account of the programme as it is stored, and the time at which it was read.
    ///
    /// # Errors
    /// When too many wait, the database does not answer, or the row was changed by hand.
    pub async fn find_account(&self, scope: &ProgramScope, member: MemberId) -> Found {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % READERS;
        let queue = self.queues.get(turn).ok_or(ReadError::Unavailable)?;
        let (reply, answer) = oneshot::channel();
        match queue.try_send(Question { program: scope.program(), member, reply }) {
            Ok(()) => answer.await.unwrap_or(Err(ReadError::Unavailable)),
            Err(TrySendError::Full(_)) => Err(ReadError::Busy),
            Err(TrySendError::Closed(_)) => Err(ReadError::Unavailable),
        }
    }
}

struct Reader {
    db: Db,
    lanes: LaneCount,
    conn: Option<AsyncPgConnection>,
    /// The database's epoch when the connection was opened.
    epoch: u64,
}

#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error("no connection")]
    Connect(#[from] DbError),
    #[error("a statement failed")]
    Query(#[from] QueryError),
}

impl Reader {
    async fn run(mut self, mut queue: Receiver<Question>) {
        let mut questions = Vec::with_capacity(READ_MAX);
        while queue.recv_many(&mut questions, READ_MAX).await > 0 {
            let found = self.look(&questions).await;
            for question in questions.drain(..) {
                let answer = match &found {
                    Some(found) => answer(found, &question),
                    None => Err(ReadError::Unavailable),
                };
                // Whoever asked may have gone.
                drop(question.reply.send(answer));
            }
        }
    }

    /// The rows of everybody who was asked for, by member; `None` when the database does not answer.
    async fn look(&mut self, questions: &[Question]) -> Option<HashMap<Id, Row>> {
        for attempt in 0..TRIES_MAX {
            match self.attempt(questions).await {
                Ok(rows) => return Some(rows.into_iter().map(|row| (row.2.member_id, row)).collect()),
                Err(error) => {
                    self.conn = None;
                    tracing::warn!(%error, attempt, accounts = questions.len(), "accounts were not read");
                }
            }
        }
        None
    }

    async fn attempt(&mut self, questions: &[Question]) -> Result<Vec<Row>, LookError> {
        let epoch = self.db.epoch();
        let conn = match self.conn.take() {
            Some(conn) if self.epoch == epoch => conn,
            _ => self.db.connect(LOCK_TIMEOUT_MS).await?,
        };
        self.epoch = epoch;
        let read = ReadAccounts {
            lanes: questions.iter().map(|q| q.member.lane(self.lanes).0).collect(),
            members: questions.iter().map(|q| q.member.0).collect(),
        };
        let rows = read.load(&mut &conn).await?;
        self.conn = Some(conn);
        Ok(rows)
    }
}

fn answer(found: &HashMap<Id, Row>, question: &Question) -> Found {
    let own = found.get(&question.member.0).filter(|(.., row)| row.program_id == question.program.0);
    let seen =
        |(at, version, row): &Row| Ok::<_, BadRow>(Seen { at: *at, version: Version(*version), account: row.read()? });
    Ok(own.map(seen).transpose()?)
}
