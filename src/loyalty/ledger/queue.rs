//! A command on its way: what a writer runs without knowing its types, and answers when its group is stored.

use tokio::sync::oneshot;
use tokio::time::Instant as Started;

use crate::kernel::clock::Moment;
use crate::kernel::id::{PostingId, ProgramId};
use crate::kernel::scope::ProgramScope;
use crate::loyalty::ledger::accounts::{Accounts, Owner};
use crate::loyalty::ledger::counters::CounterKey;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::group::Command;
use crate::loyalty::ledger::posting::{AccountTime, Guess, Needs, Posting, Reference, RequestHash, Target};
use crate::loyalty::program::model::Timeline;

/// What a posting answered.
#[derive(Clone, Debug)]
pub struct Posted<R> {
    /// What the caller is told.
    pub receipt: R,
    /// The same as JSON: what is stored, and sent again to who asks again.
    pub document: String,
    /// The posting.
    pub posting: PostingId,
    /// Whether it had been done before.
    pub replayed: bool,
}

/// Why nothing was posted.
#[derive(Debug, thiserror::Error)]
pub enum PostError<R> {
    /// The decision refused.
    #[error("refused")]
    Refused(R),
    /// The reference belongs to another command.
    #[error("the reference belongs to another command")]
    Conflict,
    /// The queue is full: try again in a moment.
    #[error("the queue is full")]
    Busy,
    /// The database does not answer; what was asked may be tried again.
    #[error("the database does not answer")]
    Unavailable,
    /// A stored receipt cannot be read by this version.
    #[error("a stored receipt cannot be read")]
    Unreadable(#[from] serde_json::Error),
}

/// How a writer ends a command.
#[derive(Debug)]
pub enum Verdict {
    /// As its decision said, stored now.
    Accepted(PostingId),
    /// As its decision said.
    Refused,
    /// It could not even decide.
    Barred(LedgerRefusal),
    /// It had been done before, and this was the answer.
    Replayed(PostingId, String),
    /// Its reference belongs to another command.
    Conflict,
    /// The database does not answer.
    Unavailable,
}

/// A command in a writer's queue.
pub trait Queued: Command + Send {
    /// Ends it.
    fn answer(self: Box<Self>, verdict: Verdict);
    /// When it came in.
    fn since(&self) -> Started;
}

/// What who posted a command gets.
pub type Answer<P> = Result<Posted<<P as Posting>::Receipt>, PostError<<P as Posting>::Refusal>>;
/// What a decision said: the receipt and how it is stored, or the refusal.
type Said<P> = Result<(<P as Posting>::Receipt, String), <P as Posting>::Refusal>;

/// A posting with whoever waits for its answer.
pub struct Job<P: Posting> {
    scope: ProgramScope,
    posting: P,
    said: Option<Said<P>>,
    reply: oneshot::Sender<Answer<P>>,
    since: Started,
}

impl<P: Posting> Job<P> {
    /// A job, and where its answer arrives.
    pub fn new(scope: ProgramScope, posting: P) -> (Self, oneshot::Receiver<Answer<P>>) {
        let (reply, answer) = oneshot::channel();
        (Self { scope, posting, said: None, reply, since: Started::now() }, answer)
    }
}

impl<P: Posting> Command for Job<P> {
    fn program(&self) -> ProgramId {
        self.scope.program()
    }

    fn cause(&self) -> String {
        self.scope.principal().to_string()
    }

    fn target(&self) -> Target {
        self.posting.target()
    }

    fn reference(&self) -> Reference {
        self.posting.reference()
    }

    fn request_hash(&self) -> RequestHash {
        self.posting.request_hash()
    }

    fn needs(&self) -> Needs {
        self.posting.needs()
    }

    fn counters(&self, guess: Guess<'_>) -> Vec<CounterKey> {
        self.posting.counters(guess)
    }

    fn attributes(&self, guess: Guess<'_>) -> bool {
        self.posting.attributes(guess)
    }

    fn time(&self) -> AccountTime {
        self.posting.time()
    }

    fn decide(&mut self, at: &Moment, program: &Timeline, accounts: &mut Accounts<'_>) -> Option<String> {
        match self.posting.decide(at, program, accounts) {
            Ok(receipt) => {
                // Our own types with string keys: serialising them cannot fail.
                let document = serde_json::to_string(&receipt).unwrap_or_default();
                self.said = Some(Ok((receipt, document.clone())));
                Some(document)
            }
            Err(refusal) => {
                self.said = Some(Err(refusal));
                None
            }
        }
    }
}

impl<P: Posting> Queued for Job<P> {
    fn answer(self: Box<Self>, verdict: Verdict) {
        let answer = match (verdict, self.said) {
            (Verdict::Accepted(posting), Some(Ok((receipt, document)))) => {
                Ok(Posted { receipt, document, posting, replayed: false })
            }
            (Verdict::Refused, Some(Err(refusal))) => Err(PostError::Refused(refusal)),
            (Verdict::Barred(refusal), _) => Err(PostError::Refused(refusal.into())),
            (Verdict::Replayed(posting, document), _) => serde_json::from_str(&document)
                .map(|receipt| Posted { receipt, document, posting, replayed: true })
                .map_err(PostError::Unreadable),
            (Verdict::Conflict, _) => Err(PostError::Conflict),
            (Verdict::Accepted(_) | Verdict::Refused | Verdict::Unavailable, _) => Err(PostError::Unavailable),
        };
        // Whoever asked may have gone: what was posted stays, and a retry finds it.
        drop(self.reply.send(answer));
    }

    fn since(&self) -> Started {
        self.since
    }
}

/// The answer to a command whose reference was used before: the same again, if it is the same command. Whom the caller
/// named is part of the hash, so an order by e-mail is the same order after the e-mail found another owner.
pub fn replay(command: &dyn Command, owner: Owner, receipt: Option<(&RequestHash, &String)>) -> Verdict {
    match receipt {
        Some((hash, document)) if *hash == command.request_hash() => {
            Verdict::Replayed(PostingId { member: owner.member, seq: owner.seq }, document.clone())
        }
        _ => Verdict::Conflict,
    }
}
