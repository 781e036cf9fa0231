//! A posting: one command, its pure decision, and the one immutable row that it leaves.

use std::fmt;

use rust_decimal::Decimal;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::kernel::clock::{Instant, Moment};
use crate::kernel::id::{MemberId, ProgramId, Seq, Version};
use crate::kernel::money::Currency;
use crate::loyalty::ledger::accounts::Accounts;
use crate::loyalty::ledger::counters::CounterKey;
use crate::loyalty::ledger::entry::{Entry, Move};
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::lot::Branch;
use crate::loyalty::members::model::{Identity, Profile};
use crate::loyalty::program::model::Timeline;
use crate::platform::audit::Action;

/// One command of the ledger. Its decision is pure: run again with the same inputs, it answers the same.
pub trait Posting: Send + Sync + 'static {
    /// What the caller is told, and told again when it asks twice.
    type Receipt: Serialize + DeserializeOwned + Send + 'static;
    /// Why the caller may be refused.
    type Refusal: From<LedgerRefusal> + Send + 'static;

    /// Whose posting it is.
    fn target(&self) -> Target;
    /// The idempotency key, unique in the programme.
    fn reference(&self) -> Reference;
    /// Of what the caller sent, parsed; not of bytes, generated ids or times.
    fn request_hash(&self) -> RequestHash;
    /// What has to be read before it can be decided.
    fn needs(&self) -> Needs {
        Needs::default()
    }
    /// The counters that it will read, as far as that can be told before anything is known for sure.
    fn counters(&self, _: Guess<'_>) -> Vec<CounterKey> {
        Vec::new()
    }
    /// Whether it will read the member's attributes, as far as that can be told before anything is known for sure.
    fn attributes(&self, _: Guess<'_>) -> bool {
        false
    }
    /// When it is decided.
    fn time(&self) -> AccountTime {
        AccountTime::Live
    }
    /// Decides. An account changes only when the answer is `Ok`.
    ///
    /// # Errors
    /// A refusal; nothing has happened then.
    fn decide(
        &self,
        at: &Moment,
        program: &Timeline,
        accounts: &mut Accounts<'_>,
    ) -> Result<Self::Receipt, Self::Refusal>;
}

/// Whose posting a command becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A member that the caller named.
    Member(MemberId),
    /// Somebody new; the decision enrols.
    New(MemberId),
}

impl Target {
    /// The member, known or new.
    pub fn member(self) -> MemberId {
        match self {
            Self::Member(id) | Self::New(id) => id,
        }
    }
}

/// When a command is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountTime {
    /// Now, by Postgres's clock.
    Live,
    /// At its business time: an import of history.
    Imported(Instant),
}

/// What has to be read before a command can be decided, beyond its account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Identities whose owner the decision asks for.
    pub identities: Vec<Identity>,
    /// Codes of vouchers whose owner the decision asks for.
    pub vouchers: Vec<String>,
    /// The posting, by reference, whose lots' whole story is needed.
    pub story_of: Option<Reference>,
    /// Whether the decision reads the member's profile.
    pub profile: bool,
    /// Another member who takes part: the command leaves a posting with each, in one commit.
    pub other: Option<MemberId>,
    /// The member's earlier postings of a kind that the decision reads.
    pub earlier: Option<PostingKind>,
    /// Whether it is about the member itself, also when that was merged into another: then it is not that one's affair.
    pub itself: bool,
}

/// What a command may assume before anything is read: what this process last saw. Where that is not so any more it is
/// decided once more.
#[derive(Clone, Copy, Debug)]
pub struct Guess<'a> {
    /// In which programme.
    pub program: ProgramId,
    /// The versions of that.
    pub timeline: Option<&'a Timeline>,
    /// Postgres's clock.
    pub clock: Option<Instant>,
}

/// A command's name in its programme: `order:1001`. Used once.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference(String);

impl Reference {
    /// The reference of an order.
    pub fn order(reference: &str) -> Self {
        Self(format!("order:{reference}"))
    }

    /// The reference of a return of an order.
    pub fn order_return(order: &str, reference: &str) -> Self {
        Self(format!("order:{order}/return:{reference}"))
    }

    /// The reference of the claim of a guest's order.
    pub fn order_claim(order: &str) -> Self {
        Self(format!("order:{order}/claim"))
    }

    /// The reference of a command named by an idempotency key: `enrol:<key>`.
    pub fn keyed(command: &str, key: &str) -> Self {
        Self(format!("{command}:{key}"))
    }

    /// The reference of something that happens to what this one made: a use, a cancellation.
    pub fn within(&self, what: &str) -> Self {
        Self(format!("{}/{what}", self.0))
    }

    /// The reference of the other member's part of a command.
    pub fn other_side(&self) -> Self {
        Self(format!("{}/in", self.0))
    }

    /// The reference of a catch-up: one a member and instant, and never asked for by anybody.
    pub fn catch_up(instant: Instant) -> Self {
        Self(format!("catch-up:{}", instant.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)))
    }

    /// A stored reference.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Room for the canonical JSON of an ordinary command, in bytes.
const REQUEST_BYTES_USUAL: usize = 1_024;

/// A digest of a parsed command: the first half of a SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestHash(pub [u8; 16]);

impl RequestHash {
    /// The hash of a parsed command, by its canonical JSON.
    pub fn of<T: Serialize>(command: &T) -> Self {
        // Our own types with string keys: serialising them cannot fail.
        let mut json = Vec::with_capacity(REQUEST_BYTES_USUAL);
        serde_json::to_writer(&mut json, command).unwrap_or_default();
        let digest = Sha256::digest(&json);
        let mut half = [0; 16];
        for (to, from) in half.iter_mut().zip(digest) {
            *to = from;
        }
        Self(half)
    }
}

/// What a posting is about. The numbers are stored: never change one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PostingKind {
    /// A member was enrolled.
    Enrol,
    /// An order was settled.
    Order,
    /// An order was returned, in part or in full.
    Return,
    /// A person adjusted a wallet.
    Adjust,
    /// Things that happened by themselves.
    CatchUp,
    /// Opening balances were imported.
    Opening,
    /// A profile was changed.
    Change,
    /// Points were put aside for a checkout.
    Hold,
    /// They were released before their time.
    Release,
    /// Points went to another member.
    Transfer,
    /// Points came from another member.
    Received,
    /// A person suspended a member.
    Suspend,
    /// A person reinstated a member.
    Reinstate,
    /// The member was merged into another.
    MergeOut,
    /// Another was merged into the member.
    MergeIn,
    /// A person gave the member a tier, or ended what was given.
    GrantTier,
    /// The member did something outside of a checkout.
    Event,
    /// The member was put into a list, or taken out of it.
    ChangeSegment,
    /// The member gave points for a reward.
    Redeem,
    /// What a reward gave was used.
    UseVoucher,
    /// It was not used after all.
    ReverseUse,
    /// A reward that was not used was given back.
    CancelVoucher,
    /// The member was forgotten.
    Erase,
}

/// Every kind with its stored number and its name in the API.
pub const POSTING_KINDS: [(PostingKind, i16, &str); 23] = [
    (PostingKind::Enrol, 1, "enrol"),
    (PostingKind::Order, 2, "order"),
    (PostingKind::Return, 3, "return"),
    (PostingKind::Adjust, 4, "adjust"),
    (PostingKind::CatchUp, 5, "catch_up"),
    (PostingKind::Opening, 6, "opening"),
    (PostingKind::Change, 7, "change"),
    (PostingKind::Hold, 8, "hold"),
    (PostingKind::Release, 9, "release"),
    (PostingKind::Transfer, 10, "transfer"),
    (PostingKind::Received, 11, "received"),
    (PostingKind::Suspend, 12, "suspend"),
    (PostingKind::Reinstate, 13, "reinstate"),
    (PostingKind::MergeOut, 14, "merge_out"),
    (PostingKind::MergeIn, 15, "merge_in"),
    (PostingKind::Event, 16, "event"),
    (PostingKind::GrantTier, 17, "grant_tier"),
    (PostingKind::ChangeSegment, 18, "change_segment"),
    (PostingKind::Redeem, 19, "redeem"),
    (PostingKind::UseVoucher, 20, "use_voucher"),
    (PostingKind::ReverseUse, 21, "reverse_use"),
    (PostingKind::CancelVoucher, 22, "cancel_voucher"),
    (PostingKind::Erase, 23, "erase"),
];

impl PostingKind {
    /// The stored number.
    pub fn number(self) -> i16 {
        POSTING_KINDS.iter().find(|(k, ..)| *k == self).map_or(0, |(_, n, _)| *n)
    }

    /// The kind of a stored number.
    pub fn of(number: i16) -> Option<Self> {
        POSTING_KINDS.iter().find(|(_, n, _)| *n == number).map(|(k, ..)| *k)
    }

    /// The name in the API.
    pub fn name(self) -> &'static str {
        POSTING_KINDS.iter().find(|(k, ..)| *k == self).map_or("", |(.., name)| name)
    }
}

/// What a decision says of its posting besides the entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What it is about.
    pub kind: PostingKind,
    /// Business time.
    pub effective_at: Instant,
    /// The version that decided.
    pub version: Version,
    /// Money paid: of an order, or, negative, given back by a return. Absent where there was no sale.
    pub paid: Option<Decimal>,
    /// Pieces bought, or, negative, returned.
    pub items: i32,
    /// +1 for an order, -1 for the return that completes it, else 0.
    pub orders: i16,
    /// Free text: the only part that an erasure may blank.
    pub texts: Option<String>,
    /// The profile after it, where it changes one.
    pub profile: Option<Profile>,
    /// What the audit log says of it, where it was a person's doing.
    pub audited: Option<Audited>,
}

/// A line of the audit log; its subject is the member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audited {
    /// What was done: the room and a verb in the past.
    pub action: Action,
    /// What is worth knowing: codes and figures, no personal data.
    pub detail: Value,
}

impl Record {
    /// The record of a posting that sells nothing.
    pub fn plain(kind: PostingKind, effective_at: Instant, version: Version) -> Self {
        Self { kind, effective_at, version, paid: None, items: 0, orders: 0, texts: None, profile: None, audited: None }
    }
}

/// The immutable row of a posting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostingRow {
    /// Whose it is.
    pub member: MemberId,
    /// In which programme.
    pub program: ProgramId,
    /// Its position.
    pub seq: Seq,
    /// Its name.
    pub reference: Reference,
    /// What it is about.
    pub kind: PostingKind,
    /// Of what the caller sent.
    pub hash: RequestHash,
    /// Business time.
    pub effective_at: Instant,
    /// When it was written down.
    pub recorded_at: Instant,
    /// The version that decided.
    pub version: Version,
    /// In whose name.
    pub cause: String,
    /// Whether it is imported history: no webhook, no automation.
    pub imported: bool,
    /// Money paid or given back.
    pub paid: Option<Decimal>,
    /// What all money of the programme is in.
    pub currency: Currency,
    /// Pieces.
    pub items: i32,
    /// Change of the number of orders.
    pub orders: i16,
    /// The entries.
    pub entries: Vec<Entry>,
    /// What they did to lots.
    pub moves: Vec<Move>,
    /// The receipt as JSON, rendered once.
    pub document: String,
    /// Free text.
    pub texts: Option<String>,
}

impl PostingRow {
    /// The same posting with the names that its lots have where its account was merged into.
    pub fn in_branch(&self, branch: Branch) -> Self {
        let moves = self.moves.iter().map(|m| Move { lot: m.lot.in_branch(branch), ..*m });
        Self { moves: moves.collect(), ..self.clone() }
    }

    /// The movements of one entry, by its place.
    pub fn moves_of(&self, entry: usize) -> impl Iterator<Item = &Move> {
        self.moves.iter().filter(move |m| usize::try_from(m.entry).is_ok_and(|e| e == entry))
    }
}
