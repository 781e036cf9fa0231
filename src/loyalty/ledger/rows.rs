//! Accounts and postings as rows: what each column holds, both ways.

use chrono::NaiveDate;
use diesel::Queryable;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::kernel::clock::Instant;
use crate::kernel::id::{MemberId, ProgramId, Seq, Version};
use crate::kernel::money::Currency;
use crate::kernel::points::Points;
use crate::loyalty::ledger::account::{Account, Alias, Draft, Status, WalletState};
use crate::loyalty::ledger::figures::{FIGURES_A_WALLET, Figures};
use crate::loyalty::ledger::lot::{Branch, Lot, LotId};
use crate::loyalty::ledger::numbers::{entries_of, expiry_of, holds_of, moves_of};
use crate::loyalty::ledger::posting::{PostingKind, PostingRow, Reference, RequestHash};
use crate::loyalty::ledger::tier::standing_of;
use crate::loyalty::ledger::usage::usage_of;
use crate::loyalty::members::model::Profile;
use crate::loyalty::program::model::{SegmentSet, Slot};

/// A stored row cannot be read: somebody changed it by hand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{table}.{column} of member {member} cannot be read")]
pub struct BadRow {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// Whose row.
    pub member: MemberId,
}

/// A row of `accounts`, in the order of its columns.
#[derive(Clone, Debug, Queryable)]
pub struct AccountRow {
    /// The lane of the row.
    pub lane: i16,
    /// Whose it is.
    pub member_id: Uuid,
    /// Its programme.
    pub program_id: Uuid,
    /// 0 active, 1 suspended.
    pub status: i16,
    /// The last posting.
    pub seq: i64,
    /// Account time of the last posting.
    pub moved_at: Instant,
    /// When anything changes by itself next.
    pub changes_at: Option<Instant>,
    /// The local day of the enrolment.
    pub enrolled_on: NaiveDate,
    /// The version that decided last.
    pub decided_by: i32,
    /// Orders not fully returned.
    pub order_count: i32,
    /// The local day of the latest order.
    pub last_order_on: Option<NaiveDate>,
    /// Figures, by slot.
    pub figures: Vec<i64>,
    /// Inactivity days, by slot.
    pub expires_on: Vec<Option<NaiveDate>>,
    /// Open lots: names.
    pub lot_ids: Vec<i64>,
    /// Open lots: wallets.
    pub lot_wallets: Vec<i16>,
    /// Open lots: what is left.
    pub lot_remaining: Vec<i64>,
    /// Open lots: from when.
    pub lot_available_at: Vec<Option<Instant>>,
    /// Open lots: until when.
    pub lot_expires_on: Vec<Option<NaiveDate>>,
    /// Open holds, as numbers.
    pub holds: Option<Vec<i64>>,
    /// Of an account that was merged: into which.
    pub merged_into: Option<Uuid>,
    /// Of an account that was merged: where its lots have their names there.
    pub merged_branch: Option<i32>,
    /// How many branches there are, if others were merged into it.
    pub branches: Option<i32>,
    /// How long the longest chain of accounts is that leads to it.
    pub alias_depth: Option<i16>,
    /// What was had of rules with a cap, as numbers.
    pub usage: Option<Vec<i64>>,
    /// The tiers, as numbers.
    pub standing: Option<Vec<i64>>,
    /// The lists that the member is in, a bit each.
    pub segments: Option<i64>,
}

impl AccountRow {
    /// The account of the row.
    ///
    /// # Errors
    /// When a column holds what no account has.
    pub fn read(&self) -> Result<Account, BadRow> {
        let member = MemberId(self.member_id);
        let bad = |column| BadRow { table: "accounts", column, member };
        let (chunks, rest) = self.figures.as_chunks::<FIGURES_A_WALLET>();
        if !rest.is_empty() || self.expires_on.len() != chunks.len() {
            return Err(bad("figures"));
        }
        let mut wallets = Vec::with_capacity(chunks.len());
        for (stored, expires_on) in chunks.iter().zip(&self.expires_on) {
            let figures = Figures::from_stored(*stored).map_err(|_| bad("figures"))?;
            wallets.push(WalletState { figures, expires_on: *expires_on });
        }
        Ok(Account {
            member,
            program: ProgramId(self.program_id),
            status: status_of(self.status).ok_or_else(|| bad("status"))?,
            seq: Seq(self.seq),
            moved_at: self.moved_at,
            enrolled_on: self.enrolled_on,
            decided_by: Version(self.decided_by),
            order_count: self.order_count,
            last_order_on: self.last_order_on,
            wallets,
            lots: self.read_lots().ok_or_else(|| bad("lot_ids"))?,
            holds: holds_of(self.holds.as_deref().unwrap_or_default()).ok_or_else(|| bad("holds"))?,
            usage: usage_of(self.usage.as_deref().unwrap_or_default()).ok_or_else(|| bad("usage"))?,
            standing: standing_of(self.standing.as_deref().unwrap_or_default()).ok_or_else(|| bad("standing"))?,
            segments: segments_of(self.segments).ok_or_else(|| bad("segments"))?,
            alias: self
                .merged_into
                .zip(self.merged_branch)
                .map(|(into, branch)| Alias { into: MemberId(into), branch: Branch(branch) }),
            branches: Branch(self.branches.unwrap_or(1)),
            alias_depth: self.alias_depth.unwrap_or_default(),
            draft: Draft::default(),
        })
    }

    fn read_lots(&self) -> Option<Vec<Lot>> {
        let lengths =
            [self.lot_wallets.len(), self.lot_remaining.len(), self.lot_available_at.len(), self.lot_expires_on.len()];
        if lengths.iter().any(|n| *n != self.lot_ids.len()) {
            return None;
        }
        let whose = self.lot_ids.iter().zip(&self.lot_wallets).zip(&self.lot_remaining);
        let when = self.lot_available_at.iter().zip(&self.lot_expires_on);
        let lots = whose.zip(when).map(|(((id, wallet), remaining), (available_at, expires_on))| {
            Some(Lot {
                id: LotId(*id),
                wallet: Slot(*wallet),
                remaining: Points::try_from(*remaining).ok()?,
                available_at: *available_at,
                expiry: expiry_of(*expires_on),
            })
        });
        lots.collect()
    }
}

/// The stored lists of members.
pub fn segments_number(segments: SegmentSet) -> Option<i64> {
    i64::try_from(segments.0).ok().filter(|bits| *bits > 0)
}

fn segments_of(stored: Option<i64>) -> Option<SegmentSet> {
    u64::try_from(stored.unwrap_or_default()).ok().map(SegmentSet)
}

/// The stored number of a status.
pub fn status_number(status: Status) -> i16 {
    match status {
        Status::Active => 0,
        Status::Suspended => 1,
    }
}

fn status_of(number: i16) -> Option<Status> {
    [Status::Active, Status::Suspended].into_iter().find(|s| status_number(*s) == number)
}

/// A row of `postings`, in the order of its columns.
#[derive(Clone, Debug, Queryable)]
pub struct StoredPosting {
    lane: i16,
    member_id: Uuid,
    seq: i64,
    reference: String,
    kind: i16,
    hash: Vec<u8>,
    effective_at: Instant,
    recorded_at: Instant,
    version: i32,
    cause: String,
    imported: bool,
    paid: Option<Decimal>,
    currency: String,
    items: i32,
    orders: i16,
    entries: Vec<i64>,
    move_lots: Vec<i64>,
    moves: Vec<i64>,
    document: String,
    texts: Option<String>,
}

/// The columns of `postings` as `StoredPosting` reads them, of a table called `p`.
#[macro_export]
macro_rules! posting_columns {
    () => {
        "p.lane, p.member_id, p.seq, p.reference, p.kind, p.hash, p.effective_at, p.recorded_at, p.version, p.cause, \
         p.imported, p.paid, p.currency, p.items, p.orders, p.entries, p.move_lots, p.moves, p.document, p.texts"
    };
}

impl StoredPosting {
    /// The lane in which the row stands.
    pub fn lane(&self) -> i16 {
        self.lane
    }

    /// Whose row it is.
    pub fn member(&self) -> MemberId {
        MemberId(self.member_id)
    }

    /// Its position.
    pub fn seq(&self) -> Seq {
        Seq(self.seq)
    }

    /// The posting of the row; its programme is the account's.
    ///
    /// # Errors
    /// When a column holds what no posting has.
    pub fn read(self, program: ProgramId) -> Result<PostingRow, BadRow> {
        let member = self.member();
        let bad = |column| BadRow { table: "postings", column, member };
        let entries = entries_of(&self.entries).ok_or_else(|| bad("entries"))?;
        Ok(PostingRow {
            member,
            program,
            seq: Seq(self.seq),
            kind: PostingKind::of(self.kind).ok_or_else(|| bad("kind"))?,
            hash: RequestHash(self.hash.as_slice().try_into().map_err(|_| bad("hash"))?),
            effective_at: self.effective_at,
            recorded_at: self.recorded_at,
            version: Version(self.version),
            imported: self.imported,
            paid: self.paid.map(|p| p.normalize()),
            currency: Currency::parse(&self.currency).map_err(|_| bad("currency"))?,
            items: self.items,
            orders: self.orders,
            moves: moves_of(&self.moves, &self.move_lots, &entries).ok_or_else(|| bad("moves"))?,
            entries,
            reference: Reference::stored(self.reference),
            cause: self.cause,
            document: self.document,
            texts: self.texts,
        })
    }
}

/// A row of `members`.
#[derive(Clone, Debug, Queryable)]
pub struct ProfileRow {
    /// Whose it is.
    pub member_id: Uuid,
    external_id: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    card: Option<String>,
    name: Option<String>,
    birthday: Option<NaiveDate>,
    locale: Option<String>,
    attributes: String,
}

impl From<ProfileRow> for Profile {
    fn from(row: ProfileRow) -> Self {
        Self {
            external_id: row.external_id,
            email: row.email,
            phone: row.phone,
            card: row.card,
            name: row.name,
            birthday: row.birthday,
            locale: row.locale,
            attributes: serde_json::from_str(&row.attributes).unwrap_or_default(),
        }
    }
}
