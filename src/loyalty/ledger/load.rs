//! What a group reads, pipelined in one round trip:
//!
//! | # | statement | when |
//! |---|---|---|
//! | 1 | `BEGIN` | always |
//! | 2 | lock the lanes, by number | always |
//! | 3 | newest versions, and the clock | always, after the lock |
//! | 4 | accounts | always |
//! | 5 | owners of directory values | always |
//! | 6 | stories: an order, the lots it touched, its returns; also where its member goes on | where a command needs one |
//! | 7 | counters, profiles, earlier postings of a kind | where a command needs one |
//!
//! One more round trip only where a reference was seen before (its receipt), a version is new, a member was merged into
//! another, or a decision wants a counter that nobody guessed (then the group is loaded again for that one).

use std::collections::{BTreeSet, HashMap};

use diesel::QueryResult;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::try_join;
use uuid::Uuid as Id;

use crate::kernel::clock::Instant;
use crate::kernel::id::{Lane, LaneCount, MemberId, ProgramId, Seq};
use crate::loyalty::ledger::accounts::{DirectoryKey, Owner};
use crate::loyalty::ledger::alias::{Aliases, Bypass};
use crate::loyalty::ledger::counters::CounterKey;
use crate::loyalty::ledger::group::{Command, Group};
use crate::loyalty::ledger::lot::LotId;
use crate::loyalty::ledger::posting::{Guess, RequestHash};
use crate::loyalty::ledger::reads::{
    Begin, FindAccounts, FindCounters, FindEarlier, FindLater, FindOwners, FindProfiles, FindReceipts, FindStories,
    LockCounters, LockLanes, ReadLanes, ReadVersions,
};
use crate::loyalty::ledger::rows::{AccountRow, BadRow, ProfileRow, StoredPosting};
use crate::loyalty::members::model::Profile;

/// The head of a lane, locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneHead {
    /// The lane.
    pub lane: Lane,
    /// Number of its last journal row.
    pub number: i64,
    /// Digest of that row.
    pub digest: Vec<u8>,
    /// The moment of that row.
    pub moment: Instant,
}

/// What was read for a group.
#[derive(Debug)]
pub struct Loaded {
    /// The lanes, locked, by number.
    pub heads: Vec<LaneHead>,
    /// The newest version of each programme.
    pub versions: HashMap<ProgramId, i32>,
    /// Postgres's clock, no earlier than any of the lanes' last moments.
    pub clock: Instant,
    /// The working set.
    pub group: Group,
}

/// Why a group could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The database failed.
    #[error("the database failed")]
    Query(#[from] diesel::result::Error),
    /// A row was changed by hand.
    #[error(transparent)]
    Row(#[from] BadRow),
}

/// What a group asks for.
#[derive(Debug, Default)]
pub struct Plan {
    /// The lanes of its members.
    pub lanes: BTreeSet<Lane>,
    /// The programmes of its commands.
    pub programs: BTreeSet<ProgramId>,
    /// Whose accounts.
    pub members: BTreeSet<(Lane, MemberId)>,
    /// Directory values whose owners.
    pub values: BTreeSet<DirectoryKey>,
    /// References whose stories.
    pub stories: BTreeSet<DirectoryKey>,
    /// Counters.
    pub counters: BTreeSet<CounterKey>,
    /// Whose profiles.
    pub profiles: BTreeSet<(Lane, MemberId)>,
    /// Whose earlier postings of which kind.
    pub earlier: BTreeSet<(Lane, MemberId, i16)>,
    /// Of stories of members who were merged: where they go on.
    pub later: BTreeSet<(DirectoryKey, Lane, Bypass)>,
}

impl Plan {
    /// Adds what a command asks for.
    pub fn add(&mut self, command: &dyn Command, guess: Guess<'_>, lanes: LaneCount, aliases: &Aliases) {
        let program = command.program();
        let needs = command.needs();
        let named = command.target().member();
        let profile = needs.profile || command.attributes(guess);
        for member in aliases.path(named) {
            let lane = member.lane(lanes);
            self.lanes.insert(lane);
            self.members.insert((lane, member));
            self.profiles.extend(profile.then_some((lane, member)));
            self.earlier.extend(needs.earlier.map(|kind| (lane, member, kind.number())));
        }
        self.programs.insert(program);
        self.values.insert(DirectoryKey::reference(program, &command.reference()));
        self.values.extend(needs.identities.iter().map(DirectoryKey::identity));
        self.values.extend(needs.vouchers.iter().map(|key| DirectoryKey::voucher(program, key)));
        if let Some(reference) = &needs.story_of {
            let key = DirectoryKey::reference(program, reference);
            let bypasses = aliases.bypasses(named).into_iter();
            self.later.extend(bypasses.map(|bypass| (key.clone(), bypass.into.lane(lanes), bypass)));
            self.stories.insert(key);
        }
        self.counters.extend(command.counters(guess));
        if let Some(other) = needs.other {
            for other in aliases.path(other) {
                self.lanes.insert(other.lane(lanes));
                self.members.insert((other.lane(lanes), other));
            }
            self.values.insert(DirectoryKey::reference(program, &command.reference().other_side()));
        }
    }
}

/// What a reader of a group locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// Nothing: it will not write.
    Nothing,
    /// The lanes, by number.
    Lanes,
    /// The lanes, then the counters by name: it ran into a counter's bound before.
    LanesAndCounters,
}

/// Opens the transaction, locks what is to be locked and reads what the plan asks for.
///
/// # Errors
/// When the database fails, or holds a row that cannot be read.
pub async fn load(conn: &AsyncPgConnection, plan: &Plan, lock: Lock) -> Result<Loaded, LoadError> {
    let (accounts, owners) = (find_accounts(plan), find_owners(plan));
    let versions = ReadVersions { programs: plan.programs.iter().map(|p| p.0).collect() };
    // Polled in order on one connection: that pipelines them.
    let (_, heads, versions, accounts, owners, stories, later, counters, profiles, earlier) = try_join!(
        Begin {}.execute(&mut &*conn),
        heads(conn, plan, lock),
        versions.load::<(Id, i32, Instant)>(&mut &*conn),
        accounts.load::<AccountRow>(&mut &*conn),
        owners.load::<(Id, i16, String, Id, i64)>(&mut &*conn),
        stories(conn, plan),
        later(conn, plan),
        counters(conn, plan, lock),
        profiles(conn, plan),
        earlier(conn, plan),
    )?;
    let known_counters = counters.iter().map(|(key, _)| key.clone()).collect();
    // One that is not there yet was looked for, and is not wanted again.
    let counters = plan.counters.iter().map(|key| (key.clone(), 0)).chain(counters).collect();
    let mut group = Group { counters, known_counters, known_profiles: profiles, ..Group::default() };
    for row in &accounts {
        group.accounts.insert(MemberId(row.member_id), row.read()?);
    }
    for (program, kind, value, member, seq) in owners {
        let key = DirectoryKey { program: ProgramId(program), kind, value };
        group.owners.insert(key, Owner { member: MemberId(member), seq: Seq(seq) });
    }
    let came_later = !later.is_empty();
    for (program, reference, row) in stories.into_iter().chain(later) {
        let program = ProgramId(program);
        let key = DirectoryKey { program, kind: 1, value: reference };
        group.stories.entry(key).or_default().push(row.read(program)?);
    }
    for story in group.stories.values_mut().filter(|_| came_later) {
        story.sort_by_key(|row| (row.member, row.seq));
        story.dedup_by_key(|row| (row.member, row.seq));
    }
    for (program, row) in earlier {
        group.earlier.entry(row.member()).or_default().push(row.read(ProgramId(program))?);
    }
    let heads: Vec<LaneHead> = heads
        .into_iter()
        .map(|(lane, number, digest, moment)| LaneHead { lane: Lane(lane), number, digest, moment })
        .collect();
    let clocks = versions.iter().map(|(.., clock)| *clock).chain(heads.iter().map(|h| h.moment));
    let clock = clocks.max().unwrap_or_default();
    let versions = versions.into_iter().map(|(program, version, _)| (ProgramId(program), version)).collect();
    Ok(Loaded { heads, versions, clock, group })
}

/// What postings answered, with the hash of what was asked, by name.
///
/// # Errors
/// When the database fails.
pub async fn find_receipts(
    conn: &AsyncPgConnection,
    owners: &[Owner],
    lanes: LaneCount,
) -> QueryResult<HashMap<(MemberId, Seq), (RequestHash, String)>> {
    let found = FindReceipts {
        lanes: owners.iter().map(|o| o.member.lane(lanes).0).collect(),
        members: owners.iter().map(|o| o.member.0).collect(),
        seqs: owners.iter().map(|o| o.seq.0).collect(),
    };
    let rows: Vec<(Id, i64, Vec<u8>, String)> = found.load(&mut &*conn).await?;
    let receipts = rows.into_iter().filter_map(|(member, seq, hash, text)| {
        let hash = RequestHash(hash.as_slice().try_into().ok()?);
        Some(((MemberId(member), Seq(seq)), (hash, text)))
    });
    Ok(receipts.collect())
}

fn find_accounts(plan: &Plan) -> FindAccounts {
    FindAccounts {
        lanes: plan.members.iter().map(|(lane, _)| lane.0).collect(),
        members: plan.members.iter().map(|(_, member)| member.0).collect(),
    }
}

fn find_owners(plan: &Plan) -> FindOwners {
    FindOwners {
        programs: plan.values.iter().map(|v| v.program.0).collect(),
        kinds: plan.values.iter().map(|v| v.kind).collect(),
        values: plan.values.iter().map(|v| v.value.clone()).collect(),
    }
}

async fn heads(conn: &AsyncPgConnection, plan: &Plan, lock: Lock) -> QueryResult<Vec<(i16, i64, Vec<u8>, Instant)>> {
    let lanes = plan.lanes.iter().map(|l| l.0).collect();
    match lock {
        Lock::Nothing => ReadLanes { lanes }.load(&mut &*conn).await,
        Lock::Lanes | Lock::LanesAndCounters => LockLanes { lanes }.load(&mut &*conn).await,
    }
}

async fn stories(conn: &AsyncPgConnection, plan: &Plan) -> QueryResult<Vec<(Id, String, StoredPosting)>> {
    if plan.stories.is_empty() {
        return Ok(Vec::new());
    }
    let find = FindStories {
        programs: plan.stories.iter().map(|s| s.program.0).collect(),
        references: plan.stories.iter().map(|s| s.value.clone()).collect(),
    };
    find.load(&mut &*conn).await
}

async fn later(conn: &AsyncPgConnection, plan: &Plan) -> QueryResult<Vec<(Id, String, StoredPosting)>> {
    if plan.later.is_empty() {
        return Ok(Vec::new());
    }
    let later = || plan.later.iter();
    let find = FindLater {
        programs: later().map(|(key, ..)| key.program.0).collect(),
        references: later().map(|(key, ..)| key.value.clone()).collect(),
        owners: later().map(|(.., bypass)| bypass.member.0).collect(),
        lanes: later().map(|(_, lane, _)| lane.0).collect(),
        members: later().map(|(.., bypass)| bypass.into.0).collect(),
        shifts: later().map(|(.., bypass)| LotId(0).in_branch(bypass.branch).0).collect(),
    };
    find.load(&mut &*conn).await
}

async fn earlier(conn: &AsyncPgConnection, plan: &Plan) -> QueryResult<Vec<(Id, StoredPosting)>> {
    if plan.earlier.is_empty() {
        return Ok(Vec::new());
    }
    let find = FindEarlier {
        lanes: plan.earlier.iter().map(|(lane, ..)| lane.0).collect(),
        members: plan.earlier.iter().map(|(_, member, _)| member.0).collect(),
        kinds: plan.earlier.iter().map(|(.., kind)| *kind).collect(),
    };
    find.load(&mut &*conn).await
}

async fn profiles(conn: &AsyncPgConnection, plan: &Plan) -> QueryResult<HashMap<MemberId, Profile>> {
    if plan.profiles.is_empty() {
        return Ok(HashMap::new());
    }
    let find = FindProfiles {
        lanes: plan.profiles.iter().map(|(lane, _)| lane.0).collect(),
        members: plan.profiles.iter().map(|(_, member)| member.0).collect(),
    };
    let rows: Vec<ProfileRow> = find.load(&mut &*conn).await?;
    // Of a guest there is none, which was looked for, and is not wanted again.
    let mut profiles: HashMap<MemberId, Profile> =
        plan.profiles.iter().map(|(_, member)| (*member, Profile::default())).collect();
    profiles.extend(rows.into_iter().map(|row| (MemberId(row.member_id), row.into())));
    Ok(profiles)
}

async fn counters(conn: &AsyncPgConnection, plan: &Plan, lock: Lock) -> QueryResult<Vec<(CounterKey, i64)>> {
    if plan.counters.is_empty() {
        return Ok(Vec::new());
    }
    let programs = plan.counters.iter().map(|c| c.program.0).collect();
    let rules = plan.counters.iter().map(|c| c.rule.clone()).collect();
    let periods = plan.counters.iter().map(|c| c.period.clone()).collect();
    let rows: Vec<(Id, String, String, i64)> = if lock == Lock::LanesAndCounters {
        LockCounters { programs, rules, periods }.load(&mut &*conn).await?
    } else {
        FindCounters { programs, rules, periods }.load(&mut &*conn).await?
    };
    let counter = |(program, rule, period, used)| (CounterKey { program: ProgramId(program), rule, period }, used);
    Ok(rows.into_iter().map(counter).collect())
}
