//! A group of commands decided one after the other in memory: pure, so that a store, a test and a preview share it.
//!
//! A later command sees what an earlier one of the group did. A refused one leaves nothing: it worked on a clone.

use std::collections::{HashMap, HashSet};

use crate::kernel::clock::{Instant, Moment};
use crate::kernel::grow::Grow;
use crate::kernel::id::{MemberId, PostingId, ProgramId};
use crate::kernel::money::Currency;
use crate::loyalty::ledger::account::Account;
use crate::loyalty::ledger::accounts::{Accounts, DirectoryKey, Owner, Wishes};
use crate::loyalty::ledger::alias::Aliases;
use crate::loyalty::ledger::catch_up::catch_up;
use crate::loyalty::ledger::caught_up::caught_up_document;
use crate::loyalty::ledger::counters::{Counted, CounterKey, Counters};
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::posting::{
    AccountTime, Audited, Guess, Needs, PostingKind, PostingRow, Record, Reference, RequestHash, Target,
};
use crate::loyalty::members::model::Profile;
use crate::loyalty::program::model::Timeline;

/// A posting whose types the group need not know.
pub trait Command {
    /// In which programme.
    fn program(&self) -> ProgramId;
    /// In whose name.
    fn cause(&self) -> String;
    /// Whose posting it becomes.
    fn target(&self) -> Target;
    /// Its name.
    fn reference(&self) -> Reference;
    /// Of what the caller sent.
    fn request_hash(&self) -> RequestHash;
    /// What has to be read first.
    fn needs(&self) -> Needs;
    /// The counters that it will probably read.
    fn counters(&self, guess: Guess<'_>) -> Vec<CounterKey>;
    /// Whether it will probably read the member's attributes.
    fn attributes(&self, guess: Guess<'_>) -> bool;
    /// When it is decided.
    fn time(&self) -> AccountTime;
    /// Decides, keeps the answer, and says what to store: the receipt as JSON, or `None` when it was refused.
    fn decide(&mut self, at: &Moment, program: &Timeline, accounts: &mut Accounts<'_>) -> Option<String>;
}

/// What became of a command in its group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Accepted; true once the group is stored.
    Accepted(PostingId),
    /// Refused by its decision, which keeps the reason.
    Refused,
    /// Refused before it could decide.
    Barred(LedgerRefusal),
    /// Its reference was used before, by this posting.
    Seen(Owner),
    /// Its member goes on in an account for which the group was not loaded: the group has to run again.
    Elsewhere,
    /// It asked for what was not read: the group has to run again.
    Wants(Wanted),
}

/// What a decision asked for and was not read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Counters.
    pub counters: Vec<CounterKey>,
    /// Whose profile.
    pub profile: Option<MemberId>,
}

/// What was loaded for a group, and what its decisions made of it.
#[derive(Debug, Default)]
pub struct Group {
    /// The accounts, as the decisions so far left them.
    pub accounts: HashMap<MemberId, Account>,
    /// The aliases for which it was loaded.
    pub aliases: Aliases,
    /// Who owns which of the values that were asked for.
    pub owners: HashMap<DirectoryKey, Owner>,
    /// Stored postings that a command asked for, by the reference it named.
    pub stories: HashMap<DirectoryKey, Vec<PostingRow>>,
    /// Earlier postings of a kind that a command asked for, by member.
    pub earlier: HashMap<MemberId, Vec<PostingRow>>,
    /// How far the counters are used that were asked for, those included of which nothing is.
    pub counters: HashMap<CounterKey, i64>,
    /// Those that were found: what is not there yet is inserted before it moves.
    pub known_counters: HashSet<CounterKey>,
    /// The new postings, in order.
    pub rows: Vec<PostingRow>,
    /// Members without a stored account.
    pub new_members: HashSet<MemberId>,
    /// Directory values that found an owner.
    pub takes: Vec<(DirectoryKey, Owner)>,
    /// Directory values that lost theirs.
    pub releases: Vec<DirectoryKey>,
    /// How the counters moved.
    pub counts: HashMap<CounterKey, Counted>,
    /// The profiles that were asked for; of a member who has none, an empty one.
    pub known_profiles: HashMap<MemberId, Profile>,
    /// The profiles that were written, the last one of each member.
    pub profiles: HashMap<MemberId, Profile>,
    /// What the audit log is to say.
    pub audits: Vec<AuditLine>,
}

/// A line for the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLine {
    /// In which programme.
    pub program: ProgramId,
    /// Who.
    pub principal: String,
    /// To whom.
    pub member: MemberId,
    /// What.
    pub what: Audited,
}

impl Group {
    /// Runs one command at Postgres's time `clock`.
    pub fn run(&mut self, command: &mut dyn Command, clock: Instant, program: &Timeline) -> Outcome {
        match self.judge(command, clock, program) {
            Ok(judged) => self.accept(command, judged),
            Err(outcome) => outcome,
        }
    }

    /// What running a command would come to: nothing is changed by it, so the next look sees nothing of it.
    pub fn look(&self, command: &mut dyn Command, clock: Instant, program: &Timeline) -> Outcome {
        match self.judge(command, clock, program) {
            Ok(Judged { account, .. }) => Outcome::Accepted(account.next_posting()),
            Err(outcome) => outcome,
        }
    }

    fn judge(&self, command: &mut dyn Command, clock: Instant, program: &Timeline) -> Result<Judged, Outcome> {
        let key = DirectoryKey::reference(command.program(), &command.reference());
        if let Some(owner) = self.owners.get(&key) {
            return Err(Outcome::Seen(*owner));
        }
        let needs = command.needs();
        let named = command.target().member();
        let found = if needs.itself { Ok(named) } else { self.follow(named) };
        let other = needs.other.map(|other| self.follow(other)).transpose();
        let (Ok(member), Ok(other)) = (found, other) else { return Err(Outcome::Elsewhere) };
        let known = self.accounts.get(&member).filter(|a| a.program == command.program());
        if known.is_none() && matches!(command.target(), Target::Member(_)) {
            return Err(Outcome::Barred(LedgerRefusal::MemberUnknown));
        }
        let other = other.and_then(|other| self.accounts.get(&other).filter(|a| a.program == command.program()));
        if needs.other.is_some() && other.is_none() {
            return Err(Outcome::Barred(LedgerRefusal::OtherUnknown));
        }
        let at = moment_of(command, known.into_iter().chain(other), clock).map_err(Outcome::Barred)?;
        let (mut account, mut other) = (known.cloned(), other.cloned());
        let mut caught_up = Vec::new();
        let mut counters = Counters::new(&self.counters);
        for account in account.iter_mut().chain(other.iter_mut()) {
            let row = catch_up_row(account, command, (&at, program), &mut counters);
            caught_up.extend(row.map_err(Outcome::Barred)?);
            // Whether or not something was due: what a decision remembers is a matter of its time alone.
            account.forget_long_past(at.at);
        }
        let came_along = if member == named { Vec::new() } else { self.came_along(command, &needs, named) };
        let (account, other, counters, wishes, profile, document) = {
            let mut accounts = Accounts {
                member,
                program: command.program(),
                account,
                other,
                earlier: self.earlier(&needs, member),
                owners: &self.owners,
                story: self.story(command, &needs, member, (&came_along, &caught_up)),
                counters,
                profile: self.profiles.get(&member).or_else(|| self.known_profiles.get(&member)),
                wants_profile: false,
                wishes: Wishes::default(),
            };
            let document = command.decide(&at, program, &mut accounts);
            let profile = accounts.wants_profile.then_some(member);
            (accounts.account, accounts.other, accounts.counters, accounts.wishes, profile, document)
        };
        if !counters.wants.is_empty() || profile.is_some() {
            return Err(Outcome::Wants(Wanted { counters: counters.wants, profile }));
        }
        let (Some(document), Some(account)) = (document, account) else { return Err(Outcome::Refused) };
        let currency = program.newest().currency;
        let counts = counters.moves;
        Ok(Judged { key, at, caught_up, account, other, counts, wishes, document, currency })
    }

    /// Whether anything is to be stored.
    pub fn is_idle(&self) -> bool {
        self.rows.is_empty()
    }

    /// As whom a member goes on.
    fn follow(&self, mut member: MemberId) -> Result<MemberId, NotLoaded> {
        while let Some(alias) = self.accounts.get(&member).and_then(|account| account.alias) {
            if !self.aliases.knows(member, alias) {
                return Err(NotLoaded);
            }
            member = alias.into;
        }
        Ok(member)
    }

    /// With what came along with merges, and with what happened by itself right before the command: what a return claws
    /// back may be over since then.
    fn story<'g>(
        &'g self,
        command: &dyn Command,
        needs: &Needs,
        member: MemberId,
        (came_along, caught_up): (&'g [PostingRow], &'g [PostingRow]),
    ) -> Vec<&'g PostingRow> {
        let Some(reference) = &needs.story_of else { return Vec::new() };
        let key = DirectoryKey::reference(command.program(), reference);
        let stored = self.stories.get(&key).into_iter().flatten();
        // Somebody else's order is no order of this member.
        let of_member = stored.chain(&self.rows).filter(|r| r.member == member);
        came_along.iter().chain(of_member).chain(caught_up).collect()
    }

    /// What a story has of accounts that were merged into the member's, oldest first, with the lots' names of today.
    fn came_along(&self, command: &dyn Command, needs: &Needs, named: MemberId) -> Vec<PostingRow> {
        let Some(reference) = &needs.story_of else { return Vec::new() };
        let key = DirectoryKey::reference(command.program(), reference);
        let mut rows: Vec<PostingRow> = Vec::new();
        let mut from = named;
        while let Some(alias) = self.accounts.get(&from).and_then(|account| account.alias) {
            let stored = self.stories.get(&key).into_iter().flatten();
            rows.extend(stored.chain(&self.rows).filter(|r| r.member == from).cloned());
            rows.iter_mut().for_each(|row| *row = row.in_branch(alias.branch));
            from = alias.into;
        }
        rows
    }

    fn earlier(&self, needs: &Needs, member: MemberId) -> Vec<&PostingRow> {
        let Some(kind) = needs.earlier else { return Vec::new() };
        let stored = self.earlier.get(&member).into_iter().flatten();
        stored.chain(self.rows.iter().filter(|r| r.member == member && r.kind == kind)).collect()
    }

    fn accept(&mut self, command: &dyn Command, judged: Judged) -> Outcome {
        let Judged { key, at, caught_up, mut account, other, counts, mut wishes, document, currency } = judged;
        let at = &at;
        self.rows.extend(caught_up);
        for (counter, moved) in counts {
            // What is given back may not have been read.
            if let Some(used) = self.counters.get_mut(&counter) {
                used.grow(moved.by);
            }
            self.counts.entry(counter).or_default().add(moved);
        }
        let Some(record) = wishes.record.take() else {
            // A command that records nothing wanted the catch-up alone.
            let posting = PostingId { member: account.member, seq: account.seq };
            self.accounts.insert(account.member, account);
            return Outcome::Accepted(posting);
        };
        account.order_count.grow(record.orders.into());
        let audited = record.audited.clone();
        let (row, profile) = close(&mut account, command, at, record, command.reference(), (document, currency));
        let owner = Owner { member: row.member, seq: row.seq };
        for taken in std::iter::once(key).chain(wishes.takes) {
            self.owners.insert(taken.clone(), owner);
            self.takes.push((taken, owner));
        }
        for released in wishes.releases {
            self.owners.remove(&released);
            let takes = self.takes.len();
            self.takes.retain(|(taken, _)| *taken != released);
            // Taken in this group it is no row yet: whose row there is by then has taken it meanwhile, and keeps it.
            if self.takes.len() == takes {
                self.releases.push(released);
            }
        }
        if let Some(profile) = profile {
            self.profiles.insert(row.member, profile);
        }
        let line = |what| AuditLine { program: row.program, principal: row.cause.clone(), member: row.member, what };
        self.audits.extend(audited.map(line));
        if row.seq.0 == 1 {
            self.new_members.insert(row.member);
        }
        self.rows.push(row);
        self.accounts.insert(account.member, account);
        if let (Some(mut other), Some((record, document))) = (other, wishes.other) {
            let reference = command.reference().other_side();
            let key = DirectoryKey::reference(command.program(), &reference);
            let (row, _) = close(&mut other, command, at, record, reference, (document, currency));
            let owner = Owner { member: row.member, seq: row.seq };
            self.owners.insert(key.clone(), owner);
            self.takes.push((key, owner));
            self.rows.push(row);
            self.accounts.insert(other.member, other);
        }
        Outcome::Accepted(PostingId { member: owner.member, seq: owner.seq })
    }
}

/// The group was not loaded for the account in which somebody goes on.
struct NotLoaded;

/// A command that its decision accepted, and what it comes to.
struct Judged {
    key: DirectoryKey,
    at: Moment,
    caught_up: Vec<PostingRow>,
    account: Account,
    other: Option<Account>,
    counts: Vec<(CounterKey, Counted)>,
    wishes: Wishes,
    document: String,
    currency: Currency,
}

fn moment_of<'a>(
    command: &dyn Command,
    known: impl Iterator<Item = &'a Account>,
    clock: Instant,
) -> Result<Moment, LedgerRefusal> {
    let moved = known.map(|account| account.moved_at).max();
    match command.time() {
        AccountTime::Live => Ok(Moment { at: moved.map_or(clock, |moved| clock.max(moved)), recorded: clock }),
        AccountTime::Imported(at) if moved.is_some_and(|moved| at < moved) => Err(LedgerRefusal::OutOfOrder),
        AccountTime::Imported(at) => Ok(Moment { at, recorded: clock }),
    }
}

/// The posting of what happened by itself until the command, if anything did. The decision sees what came back with it.
fn catch_up_row(
    account: &mut Account,
    command: &dyn Command,
    (at, program): (&Moment, &Timeline),
    counters: &mut Counters<'_>,
) -> Result<Option<PostingRow>, LedgerRefusal> {
    let Some(mut caught_up) = catch_up(account, program, at.at)? else { return Ok(None) };
    caught_up.freed.drain(..).for_each(|counter| counters.give_back(counter, 1));
    let last = caught_up.last;
    let record = Record::plain(PostingKind::CatchUp, last, program.at(last).version);
    let document = (caught_up_document(account.member, &caught_up, program), program.newest().currency);
    let (row, _) = close(account, command, at, record, Reference::catch_up(last), document);
    Ok(Some(row))
}

fn close(
    account: &mut Account,
    command: &dyn Command,
    at: &Moment,
    record: Record,
    reference: Reference,
    (document, currency): (String, Currency),
) -> (PostingRow, Option<Profile>) {
    let draft = account.close_draft(at.at, record.version);
    let caught_up = record.kind == PostingKind::CatchUp;
    let row = PostingRow {
        member: account.member,
        program: account.program,
        seq: account.seq,
        reference,
        kind: record.kind,
        // Nobody sends a catch-up.
        hash: if caught_up { RequestHash([0; 16]) } else { command.request_hash() },
        effective_at: record.effective_at,
        recorded_at: at.recorded,
        version: record.version,
        cause: command.cause(),
        imported: matches!(command.time(), AccountTime::Imported(_)),
        paid: record.paid,
        currency,
        items: record.items,
        orders: record.orders,
        entries: draft.entries,
        moves: draft.moves,
        document,
        texts: record.texts,
    };
    (row, record.profile)
}
