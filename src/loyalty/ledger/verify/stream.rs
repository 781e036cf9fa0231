//! Rows in the order of their keys, a page at a time: whatever a table holds, memory holds a page of it.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use diesel::QueryResult;
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::kernel::id::{Lane, LaneCount, MemberId, ProgramId};
use crate::loyalty::ledger::accounts::VOUCHER_KIND;
use crate::loyalty::ledger::posting::{PostingKind, PostingRow, Reference};
use crate::loyalty::ledger::rows::AccountRow;
use crate::loyalty::ledger::verify::documents::{ReturnDocument, parse};
use crate::loyalty::ledger::verify::elsewhere::{Elsewhere, find_before};
use crate::loyalty::ledger::verify::member::{PostingFacts, ProfileFacts};
use crate::loyalty::ledger::verify::store::{
    MemberColumns, PostingColumns, find_by_reference, find_owned, page_accounts, page_members, page_postings,
};
use crate::loyalty::ledger::verify::transfers::other_side;
use crate::loyalty::ledger::verify::vouchers::voucher_of;
use crate::loyalty::members::model::IDENTITY_KINDS;

/// Rows of a page.
pub const PAGE_ROWS: usize = 500;

/// How many rows are asked for: one more says where the next page begins.
pub const PAGE_ASKED: i64 = 501;

/// Whose rows: the key that all of a member's rows share.
pub type MemberKey = (Lane, MemberId);

/// The rows of a table that have been read and not taken yet.
#[derive(Debug)]
pub struct Pages<K, R> {
    rows: VecDeque<(K, R)>,
    /// Where the next page begins; `None` when there is none.
    from: Option<K>,
}

impl<K: Clone + Ord, R> Pages<K, R> {
    /// From a key on.
    pub fn from(key: K) -> Self {
        Self { rows: VecDeque::new(), from: Some(key) }
    }

    /// Where the next page begins, if it has to be read now.
    pub fn wanted(&self) -> Option<K> {
        if self.rows.is_empty() { self.from.clone() } else { None }
    }

    /// Takes a page of which one row more than [`PAGE_ROWS`] was asked for.
    pub fn fill(&mut self, mut rows: Vec<(K, R)>) {
        rows.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.from = if rows.len() > PAGE_ROWS { rows.pop().map(|(key, _)| key) } else { None };
        self.rows = rows.into();
    }

    /// The key of the next row.
    pub fn peek(&self) -> Option<&K> {
        self.rows.front().map(|(key, _)| key)
    }

    /// The next row.
    pub fn take(&mut self) -> Option<(K, R)> {
        self.rows.pop_front()
    }
}

/// A member's account and profile, as far as there are any.
#[derive(Debug)]
pub struct Stored {
    /// Whose.
    pub key: MemberKey,
    /// The account.
    pub account: Option<AccountRow>,
    /// The profile.
    pub profile: Option<ProfileFacts>,
}

/// All members in the order of lane and id, each with its postings in order.
pub struct Members<'c> {
    conn: &'c AsyncPgConnection,
    lanes: LaneCount,
    accounts: Pages<MemberKey, AccountRow>,
    profiles: Pages<MemberKey, ProfileFacts>,
    postings: Pages<(MemberKey, i64), PostingFacts>,
}

impl<'c> Members<'c> {
    /// From the first one on.
    pub fn new(conn: &'c AsyncPgConnection, lanes: LaneCount) -> Self {
        let first = (Lane(i16::MIN), MemberId(Uuid::nil()));
        let (accounts, profiles) = (Pages::from(first), Pages::from(first));
        Self { conn, lanes, accounts, profiles, postings: Pages::from((first, i64::MIN)) }
    }

    /// The next member of which there is any row. Postings that were not taken are skipped.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next(&mut self) -> QueryResult<Option<Stored>> {
        self.read().await?;
        let keys = [self.accounts.peek(), self.profiles.peek(), self.postings.peek().map(|(key, _)| key)];
        let Some(key) = keys.into_iter().flatten().min().copied() else { return Ok(None) };
        let own = |there: Option<&MemberKey>| there == Some(&key);
        let account = if own(self.accounts.peek()) { self.accounts.take().map(|(_, row)| row) } else { None };
        let profile = if own(self.profiles.peek()) { self.profiles.take().map(|(_, row)| row) } else { None };
        Ok(Some(Stored { key, account, profile }))
    }

    /// The next posting of a member.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn posting(&mut self, key: MemberKey) -> QueryResult<Option<PostingFacts>> {
        self.read_postings().await?;
        let own = self.postings.peek().is_some_and(|(there, _)| *there == key);
        Ok(if own { self.postings.take().map(|(_, facts)| facts) } else { None })
    }

    async fn read(&mut self) -> QueryResult<()> {
        if let Some((lane, member)) = self.accounts.wanted() {
            let rows = page_accounts(self.conn, (lane.0, member.0), PAGE_ASKED).await?;
            let key = |row: &AccountRow| (Lane(row.lane), MemberId(row.member_id));
            self.accounts.fill(rows.into_iter().map(|row| (key(&row), row)).collect());
        }
        if let Some((lane, member)) = self.profiles.wanted() {
            let rows = page_members(self.conn, (lane.0, member.0), PAGE_ASKED).await?;
            self.profiles.fill(profiles(self.conn, rows).await?);
        }
        self.read_postings().await
    }

    async fn read_postings(&mut self) -> QueryResult<()> {
        if let Some(((lane, member), seq)) = self.postings.wanted() {
            let rows = page_postings(self.conn, (lane.0, member.0, seq), PAGE_ASKED).await?;
            self.postings.fill(postings(self.conn, self.lanes, rows).await?);
        }
        Ok(())
    }
}

/// Adds to profiles what the directory says of their identities.
async fn profiles(conn: &AsyncPgConnection, rows: Vec<MemberColumns>) -> QueryResult<Vec<(MemberKey, ProfileFacts)>> {
    type Key = (ProgramId, i16, String);
    let mut read = Vec::with_capacity(rows.len());
    for (lane, member, external_id, email, phone, card, attributes, changed_at, program) in rows {
        let program = ProgramId(program.unwrap_or_default());
        let values = IDENTITY_KINDS.into_iter().zip([external_id, email, phone, card]);
        let keys: Vec<Key> = values.filter_map(|((_, kind, _), value)| Some((program, kind, value?))).collect();
        read.push(((Lane(lane), MemberId(member)), keys, attributes, changed_at));
    }
    let keys: Vec<Key> = read.iter().flat_map(|(_, keys, ..)| keys.iter().cloned()).collect();
    let owned: HashMap<Key, _> = find_owned(conn, &keys).await?.into_iter().collect();
    let facts = read.into_iter().map(|(key, keys, attributes, changed_at)| {
        let identities = keys.iter().map(|k| (k.1, owned.get(k).copied())).collect();
        (key, ProfileFacts { identities, attributes, changed_at })
    });
    Ok(facts.collect())
}

/// Adds to redemptions what the directory says of their vouchers, to returns the postings of their orders, to what became of vouchers their redemptions, to transfers and merges
/// their other sides.
async fn postings(
    conn: &AsyncPgConnection,
    lanes: LaneCount,
    rows: Vec<PostingColumns>,
) -> QueryResult<Vec<((MemberKey, i64), PostingFacts)>> {
    let mut read = Vec::with_capacity(rows.len());
    let (mut wanted, mut issued) = (Vec::new(), Vec::new());
    for (program, owned, stored) in rows {
        let (key, seq) = ((Lane(stored.lane()), stored.member()), stored.seq());
        let program = program.unwrap_or(ProgramId(Uuid::nil()));
        let row = stored.read(program);
        let order = row.as_ref().ok().and_then(order_of).map(|order| (program, order));
        wanted.extend(order.clone());
        let voucher = row.as_ref().ok().and_then(voucher_of).map(|key| (program, VOUCHER_KIND, key));
        issued.extend(voucher.map(|voucher| (read.len(), voucher)));
        read.push(((key, seq.0), order, PostingFacts { seq, row, owned, voucher: None, order: None, before: None }));
    }
    if !issued.is_empty() {
        let keys: Vec<_> = issued.iter().map(|(_, key)| key.clone()).collect();
        let owned: HashMap<_, _> = find_owned(conn, &keys).await?.into_iter().collect();
        for (place, key) in issued {
            if let Some((.., facts)) = read.get_mut(place) {
                facts.voucher = owned.get(&key).copied();
            }
        }
    }
    if wanted.is_empty() {
        return Ok(read.into_iter().map(|(key, _, facts)| (key, facts)).collect());
    }
    wanted.sort();
    wanted.dedup();
    let found = find_by_reference(conn, &wanted).await?;
    let orders: HashMap<_, _> =
        found.into_iter().filter_map(|(key, stored)| Some((key.clone(), Arc::new(stored.read(key.0).ok()?)))).collect();
    let mut facts: Vec<((MemberKey, i64), PostingFacts)> = read
        .into_iter()
        .map(|(key, order, facts)| {
            let order = order.and_then(|key| orders.get(&key)).cloned();
            (key, PostingFacts { order, ..facts })
        })
        .collect();
    let wanted: BTreeSet<Elsewhere> = facts.iter().filter_map(|(_, facts)| elsewhere(facts)).collect();
    let before = find_before(conn, lanes, &wanted).await?;
    for (_, facts) in &mut facts {
        facts.before = elsewhere(facts).and_then(|order| before.get(&order).cloned());
    }
    Ok(facts)
}

/// The order of a return, where it is another account's.
fn elsewhere(facts: &PostingFacts) -> Option<Elsewhere> {
    let back = facts.row.as_ref().ok().filter(|row| row.kind == PostingKind::Return)?;
    let order = facts.order.as_ref().filter(|order| order.member != back.member)?;
    let (program, reference) = (back.program, order.reference.as_str().to_owned());
    Some(Elsewhere { program, reference, owner: order.member, member: back.member })
}

/// The reference of the posting that another one is checked against.
fn order_of(row: &PostingRow) -> Option<String> {
    if let Some(other) = other_side(row) {
        return Some(other);
    }
    if matches!(row.kind, PostingKind::UseVoucher | PostingKind::ReverseUse | PostingKind::CancelVoucher) {
        return row.reference.as_str().split_once('/').map(|(redemption, _)| redemption.to_owned());
    }
    let of_return = (row.kind == PostingKind::Return).then(|| parse::<ReturnDocument>(row).ok());
    of_return.flatten().map(|document| Reference::order(&document.order).as_str().to_owned())
}
