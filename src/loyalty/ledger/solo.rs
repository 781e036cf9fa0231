//! One member's account by itself: what a group does for its commands, without a directory, names and rendered answers,
//! for who replays the past of members by the million.

use std::collections::HashMap;

use serde::Serialize;

use crate::kernel::clock::{Instant, Moment};
use crate::kernel::grow::Grow;
use crate::kernel::id::{MemberId, ProgramId};
use crate::loyalty::ledger::account::{Account, Draft};
use crate::loyalty::ledger::accounts::{Accounts, DirectoryKey, Owner, Wishes};
use crate::loyalty::ledger::catch_up::{CaughtUp, catch_up};
use crate::loyalty::ledger::counters::{CounterKey, Counters};
use crate::loyalty::ledger::entry::Entry;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::posting::{Posting, PostingKind, PostingRow, Record, Reference, RequestHash};
use crate::loyalty::members::model::Profile;
use crate::loyalty::program::model::Timeline;
use crate::loyalty::tiers::standing::Standing;

/// A member's account, and the programme that decides on it.
pub struct Solo<'t> {
    program: &'t Timeline,
    tenant: ProgramId,
    member: MemberId,
    account: Option<Account>,
    /// What happened so far, where a decision is going to ask for it.
    rows: Option<Vec<PostingRow>>,
    owners: HashMap<DirectoryKey, Owner>,
    counters: HashMap<CounterKey, i64>,
    profile: Profile,
    /// The account as it was before a decision, for one that is refused: kept, so that its room is not asked for each time.
    before: Option<Account>,
}

impl<'t> Solo<'t> {
    /// Somebody who has no account yet. `returns` says whether anything is going to be returned: then postings are kept.
    pub fn new(program: &'t Timeline, tenant: ProgramId, member: MemberId, returns: bool) -> Self {
        let (owners, counters, profile) = (HashMap::new(), HashMap::new(), Profile::default());
        Self {
            program,
            tenant,
            member,
            account: None,
            rows: returns.then(Vec::new),
            owners,
            counters,
            profile,
            before: None,
        }
    }

    /// The account, once there is one.
    pub fn account(&self) -> Option<&Account> {
        self.account.as_ref()
    }

    /// Says how far a counter is used; of the others nothing is. What is decided here moves none of them.
    pub fn count(&mut self, key: CounterKey, used: i64) {
        self.counters.insert(key, used);
    }

    /// Says what is known of the member.
    pub fn know(&mut self, profile: Profile) {
        self.profile = profile;
    }

    /// The account, once all is done.
    pub fn into_account(self) -> Option<Account> {
        self.account
    }

    /// When the account was last moved, and `at` where that was before: no command is decided earlier.
    fn not_before(&self, at: Instant) -> Instant {
        self.account.as_ref().map_or(at, |account| account.moved_at.max(at))
    }

    /// Lets happen what happens by itself until an instant, and shows its entries to `seen`.
    ///
    /// # Errors
    /// None in a sound account.
    pub fn catch_up(&mut self, until: Instant, seen: &mut impl FnMut(&[Entry])) -> Result<(), LedgerRefusal> {
        let until = self.not_before(until);
        let Some(account) = &mut self.account else { return Ok(()) };
        if let Some(CaughtUp { last, .. }) = catch_up(account, self.program, until)? {
            let record = Record::plain(PostingKind::CatchUp, last, self.program.at(last).version);
            let (at, reference) = (Moment::live(until), || Reference::catch_up(last));
            self.close(&at, record, reference, String::new, seen);
        }
        if let Some(account) = &mut self.account {
            account.forget_long_past(until);
        }
        Ok(())
    }

    /// Decides a command and shows its entries, and those of what happens by itself before it, to `seen`. Its answer is
    /// kept as a return reads it where `told` says that one will. A refused command leaves nothing.
    ///
    /// # Errors
    /// What the decision refuses.
    pub fn post<P: Posting>(
        &mut self,
        posting: &P,
        at: &Moment,
        told: bool,
        seen: &mut impl FnMut(&[Entry]),
    ) -> Result<P::Receipt, P::Refusal> {
        self.catch_up(at.at, seen)?;
        let at = Moment { at: self.not_before(at.at), ..*at };
        let asks = self.rows.is_some() && posting.needs().story_of.is_some();
        match (&self.account, &mut self.before) {
            (Some(account), Some(before)) => copy(account, before),
            (account, before) => *before = account.clone(),
        }
        let mut accounts = Accounts {
            member: self.member,
            program: self.tenant,
            account: self.account.take(),
            other: None,
            earlier: Vec::new(),
            owners: &self.owners,
            story: if asks { self.rows.iter().flatten().collect() } else { Vec::new() },
            counters: Counters::new(&self.counters),
            profile: Some(&self.profile),
            wants_profile: false,
            wishes: Wishes::default(),
        };
        let decided = posting.decide(&at, self.program, &mut accounts);
        let (account, wishes) = (accounts.account, accounts.wishes);
        let receipt = match decided {
            Ok(receipt) => receipt,
            Err(refusal) => {
                self.account = self.before.take();
                return Err(refusal);
            }
        };
        self.account = account;
        if let Some(record) = wishes.record {
            let document = || if told { json(&receipt) } else { String::new() };
            self.close(&at, record, || posting.reference(), document, seen);
        }
        Ok(receipt)
    }

    fn close(
        &mut self,
        at: &Moment,
        record: Record,
        reference: impl FnOnce() -> Reference,
        document: impl FnOnce() -> String,
        seen: &mut impl FnMut(&[Entry]),
    ) {
        let Some(account) = &mut self.account else { return };
        account.order_count.grow(record.orders.into());
        let draft = account.close_draft(at.at, record.version);
        seen(&draft.entries);
        match &mut self.rows {
            None => reuse(account, draft),
            Some(rows) => rows.push(row(self.program, account, at, record, (reference(), draft, document()))),
        }
    }
}

/// Makes one account what another is, in the room that it has.
fn copy(account: &Account, into: &mut Account) {
    // All of it by name, so that nothing new is forgotten.
    let Account {
        member,
        program,
        status,
        seq,
        moved_at,
        enrolled_on,
        decided_by,
        order_count,
        last_order_on,
        wallets,
        lots,
        holds,
        usage,
        standing,
        segments,
        alias,
        branches,
        alias_depth,
        draft,
    } = account;
    let (Standing { held, granted, past }, Draft { entries, moves, opened }) = (standing, draft);
    (into.member, into.program, into.status, into.seq) = (*member, *program, *status, *seq);
    (into.moved_at, into.enrolled_on, into.decided_by) = (*moved_at, *enrolled_on, *decided_by);
    (into.order_count, into.last_order_on, into.segments) = (*order_count, *last_order_on, *segments);
    (into.alias, into.branches, into.alias_depth) = (*alias, *branches, *alias_depth);
    (into.standing.held, into.standing.granted, into.draft.opened) = (*held, *granted, *opened);
    into.wallets.clone_from(wallets);
    into.lots.clone_from(lots);
    into.holds.clone_from(holds);
    into.usage.clone_from(usage);
    into.standing.past.clone_from(past);
    into.draft.entries.clone_from(entries);
    into.draft.moves.clone_from(moves);
}

/// Keeps the room that a posting took, for the next one.
fn reuse(account: &mut Account, mut draft: Draft) {
    draft.entries.clear();
    draft.moves.clear();
    (account.draft.entries, account.draft.moves) = (draft.entries, draft.moves);
}

fn row(
    program: &Timeline,
    account: &Account,
    at: &Moment,
    record: Record,
    (reference, draft, document): (Reference, Draft, String),
) -> PostingRow {
    PostingRow {
        member: account.member,
        program: account.program,
        seq: account.seq,
        reference,
        kind: record.kind,
        hash: RequestHash([0; 16]),
        effective_at: record.effective_at,
        recorded_at: at.recorded,
        version: record.version,
        cause: String::new(),
        imported: false,
        paid: record.paid,
        currency: program.newest().currency,
        items: record.items,
        orders: record.orders,
        entries: draft.entries,
        moves: draft.moves,
        document,
        texts: None,
    }
}

fn json<T: Serialize>(receipt: &T) -> String {
    // Our own types with string keys: serialising them cannot fail.
    serde_json::to_string(receipt).unwrap_or_default()
}
