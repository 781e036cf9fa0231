//! The store in memory, as a database server sees itself: tables, locks, transactions, a clock, and bad days.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use chrono::SubsecRound;
use perennial::kernel::id::{Lane, LaneCount, MemberId};
use perennial::loyalty::ledger::account::Account;
use perennial::loyalty::ledger::accounts::{DirectoryKey, Owner};
use perennial::loyalty::ledger::counters::{Counted, CounterKey};
use perennial::loyalty::ledger::decide::Decided;
use perennial::loyalty::ledger::load::LaneHead;
use perennial::loyalty::ledger::posting::PostingRow;
use perennial::loyalty::ledger::save::journal_rows;
use perennial::loyalty::ledger::verify::journal::Link;
use perennial::loyalty::members::model::Profile;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::facts::Time;
use crate::simulation::weather::{Point, Weather};

/// A transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tx(u64);

/// What a transaction locks until it ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    Lane(Lane),
    Counter(CounterKey),
    /// A row of the directory that is being inserted: who wants the same value waits how that ends.
    Value(DirectoryKey),
}

/// A row of the counters.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counter {
    pub used: i64,
    pub max: Option<i64>,
}

impl Counter {
    /// As the statement moves it that the product has.
    pub fn moved(self, moved: Counted) -> Self {
        Self { used: self.used + moved.by, max: if moved.by > 0 { moved.bound } else { self.max } }
    }
}

/// What is committed.
#[derive(Default)]
pub struct Tables {
    pub heads: Vec<LaneHead>,
    pub accounts: HashMap<MemberId, Account>,
    pub owners: HashMap<DirectoryKey, Owner>,
    pub postings: HashMap<MemberId, Vec<PostingRow>>,
    pub counters: HashMap<CounterKey, Counter>,
    /// With the time of their last change.
    pub profiles: HashMap<MemberId, (Profile, Time)>,
    pub journal: Vec<(Link, Vec<(MemberId, i64)>)>,
    /// How many versions of the programme are published.
    pub versions: usize,
}

/// What a group has written and not committed.
pub struct Written {
    clock: Time,
    accounts: Vec<Account>,
    rows: Vec<PostingRow>,
    takes: Vec<(DirectoryKey, Owner)>,
    releases: Vec<DirectoryKey>,
    counts: Vec<(CounterKey, Counted)>,
    profiles: Vec<(MemberId, Profile)>,
    journal: Vec<(Link, Vec<(MemberId, i64)>)>,
}

pub struct State {
    pub weather: Weather,
    pub tables: Tables,
    /// The groups in the order of their commits, as far as nobody has looked at them yet.
    pub commits: Vec<Vec<PostingRow>>,
    pub held: BTreeMap<Resource, Tx>,
    waits: BTreeMap<Tx, Resource>,
    transactions: u64,
    /// Whose they are, while they are open.
    open: BTreeMap<Tx, u64>,
    /// Grows with each failover: older sessions lead to a server that takes no writes.
    pub epoch: u64,
    pub down_until: Instant,
    pub standby_until: Instant,
    pub full_until: Instant,
    base: Time,
    started: Instant,
    /// Laws that were broken on the way.
    pub broken: Vec<String>,
    /// What happened, where somebody wants to know.
    pub trace: Option<Vec<String>>,
}

/// The server, shared by the processes of a simulation. One thread: nobody waits for the mutex.
pub struct Server {
    pub lanes: LaneCount,
    state: Mutex<State>,
    /// Told whenever locks come free.
    pub freed: Notify,
}

impl Server {
    pub fn new(seed: u64, lanes: LaneCount, base: Time, traced: bool) -> Self {
        let heads = (0..lanes.0)
            .map(|n| LaneHead { lane: Lane(n), number: 0, digest: Vec::new(), moment: Time::UNIX_EPOCH })
            .collect();
        let now = Instant::now();
        let state = State {
            weather: Weather::new(seed),
            tables: Tables { heads, versions: 1, ..Tables::default() },
            commits: Vec::new(),
            held: BTreeMap::new(),
            waits: BTreeMap::new(),
            transactions: 0,
            open: BTreeMap::new(),
            epoch: 0,
            down_until: now,
            standby_until: now,
            full_until: now,
            base,
            started: now,
            broken: Vec::new(),
            trace: traced.then(Vec::new),
        };
        Self { lanes, state: Mutex::new(state), freed: Notify::new() }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Ends a transaction: what it wrote is there at once, if it commits.
    pub fn end(&self, tx: Tx, commits: Option<Written>) {
        let mut state = self.state();
        if let Some(written) = commits {
            state.commit(tx, written, self.lanes);
        }
        state.held.retain(|_, holder| *holder != tx);
        state.waits.remove(&tx);
        state.open.remove(&tx);
        drop(state);
        self.freed.notify_waiters();
    }
}

impl State {
    pub fn note(&mut self, what: impl FnOnce() -> String) {
        let at = self.started.elapsed();
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>9} {}", at.as_millis(), what()));
        }
    }

    /// The server's clock.
    pub fn now(&self) -> Time {
        (self.base + self.started.elapsed()).trunc_subsecs(6)
    }

    /// Sets the clock, ahead or back.
    pub fn set_clock(&mut self, to: Time) {
        self.base = to - self.started.elapsed();
    }

    pub fn begin(&mut self, process: u64) -> Tx {
        self.transactions += 1;
        let tx = Tx(self.transactions);
        self.open.insert(tx, process);
        tx
    }

    /// Its session is gone: from here on it is the server's own affair.
    pub fn orphan(&mut self, tx: Tx) {
        self.open.remove(&tx);
    }

    /// The open transactions of a process.
    pub fn open_of(&self, process: u64) -> Vec<Tx> {
        self.open.iter().filter(|(_, of)| **of == process).map(|(tx, _)| *tx).collect()
    }

    /// Tries to lock; `Err` when that would wait for somebody who waits for this one.
    pub fn lock(&mut self, tx: Tx, resource: &Resource) -> Result<bool, Point> {
        match self.held.get(resource) {
            Some(holder) if *holder != tx => {
                self.waits.insert(tx, resource.clone());
                let mut next = Some(*holder);
                while let Some(holder) = next {
                    if holder == tx {
                        self.waits.remove(&tx);
                        return Err(Point::Deadlock);
                    }
                    next = self.waits.get(&holder).and_then(|wanted| self.held.get(wanted)).copied();
                }
                Ok(false)
            }
            _ => {
                self.waits.remove(&tx);
                self.held.insert(resource.clone(), tx);
                Ok(true)
            }
        }
    }

    pub fn stop_waiting(&mut self, tx: Tx) {
        self.waits.remove(&tx);
    }

    /// A broken law, with what is wrong.
    pub fn wrong(&mut self, what: String) {
        self.note(|| format!("WRONG: {what}"));
        self.broken.push(what);
    }

    /// Nobody is let in for a while, and who is in is thrown out.
    pub fn outage(&mut self, lasts: Duration) {
        self.down_until = Instant::now() + lasts;
        self.note(|| format!("an outage of {lasts:?}"));
    }

    /// Another server takes over; those who come too early reach one that takes no writes yet.
    pub fn fail_over(&mut self, lasts: Duration) {
        self.epoch += 1;
        self.standby_until = Instant::now() + lasts;
        self.note(|| format!("a failover of {lasts:?}"));
    }

    fn commit(&mut self, tx: Tx, written: Written, lanes: LaneCount) {
        let Written { clock, accounts, rows, takes, releases, counts, profiles, journal } = written;
        for row in &rows {
            let lane = Resource::Lane(row.member.lane(lanes));
            if self.held.get(&lane) != Some(&tx) {
                self.wrong(format!("{} was written without the lock of {lane:?}", row.reference));
            }
            let postings = self.tables.postings.entry(row.member).or_default();
            if usize::try_from(row.seq.0) != Ok(postings.len() + 1) {
                let says = format!("posting {} of {} comes after {}", row.seq.0, row.member, postings.len());
                self.wrong(says);
            }
            let (reference, member, seq) = (row.reference.clone(), row.member, row.seq.0);
            self.note(|| format!("committed {reference} as {member}/{seq}"));
            self.tables.postings.entry(row.member).or_default().push(row.clone());
        }
        for (link, named) in journal {
            let head = self.tables.heads.iter_mut().find(|h| h.lane == link.lane).unwrap();
            (head.number, head.moment) = (link.number, link.moment);
            head.digest.clone_from(&link.digest);
            self.tables.journal.push((link, named));
        }
        self.tables.accounts.extend(accounts.into_iter().map(|a| (a.member, a)));
        for key in releases {
            self.tables.owners.remove(&key);
        }
        self.tables.owners.extend(takes);
        for (key, moved) in counts {
            let counter = self.tables.counters.entry(key).or_default();
            *counter = counter.moved(moved);
        }
        self.tables.profiles.extend(profiles.into_iter().map(|(member, profile)| (member, (profile, clock))));
        self.commits.push(rows);
    }
}

impl Written {
    /// What the save of a decided group writes: the rows of its postings, and journal rows by the engine's own hand.
    pub fn of(decided: &Decided, lanes: LaneCount) -> Self {
        let group = &decided.group;
        let (journal, _) = journal_rows(group, &decided.heads, decided.clock, lanes);
        let mut named = journal.members.iter().zip(&journal.seqs).map(|(m, s)| (MemberId(*m), *s));
        let rows = journal.lanes.iter().zip(&journal.numbers).zip(&journal.digests).zip(&journal.moments);
        let rows = rows.zip(&journal.counts).map(|((((lane, number), digest), moment), count)| {
            let link = Link { lane: Lane(*lane), number: *number, moment: *moment, digest: digest.clone() };
            (link, named.by_ref().take(usize::try_from(*count).unwrap()).collect())
        });
        let mut touched: Vec<MemberId> = group.rows.iter().map(|r| r.member).collect();
        touched.sort();
        touched.dedup();
        let mut takes = group.takes.clone();
        takes.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut counts: Vec<_> = group.counts.iter().map(|(key, n)| (key.clone(), *n)).collect();
        counts.sort_by(|(a, _), (b, _)| a.cmp(b));
        Self {
            clock: decided.clock,
            accounts: touched.iter().map(|m| group.accounts[m].clone()).collect(),
            rows: group.rows.clone(),
            takes,
            releases: group.releases.clone(),
            counts,
            profiles: group.profiles.iter().map(|(m, p)| (*m, p.clone())).collect(),
            journal: rows.collect(),
        }
    }

    pub fn rows(&self) -> &[PostingRow] {
        &self.rows
    }

    /// The values that it inserts, in the order of the one lock order.
    pub fn values(&self) -> impl Iterator<Item = &DirectoryKey> {
        self.takes.iter().map(|(key, _)| key)
    }

    pub fn gives_up(&self, key: &DirectoryKey) -> bool {
        self.releases.contains(key)
    }

    pub fn counts(&self) -> &[(CounterKey, Counted)] {
        &self.counts
    }
}
