//! A ledger without a database: the same groups and decisions, for tests, previews and simulations.

use std::collections::HashMap;

use crate::kernel::clock::Instant;
use crate::kernel::grow::Grow;
use crate::kernel::id::MemberId;
use crate::kernel::scope::ProgramScope;
use crate::loyalty::ledger::account::Account;
use crate::loyalty::ledger::accounts::{DirectoryKey, Owner};
use crate::loyalty::ledger::counters::CounterKey;
use crate::loyalty::ledger::group::{Command, Group, Outcome, Wanted};
use crate::loyalty::ledger::posting::{Posting, PostingRow};
use crate::loyalty::ledger::queue::{Answer, Job, PostError, Queued, Verdict, replay};
use crate::loyalty::members::model::Profile;
use crate::loyalty::program::model::Timeline;

/// One programme's ledger in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryLedger {
    /// The accounts.
    pub accounts: HashMap<MemberId, Account>,
    /// The directory.
    pub owners: HashMap<DirectoryKey, Owner>,
    /// All postings of each member, in order.
    pub postings: HashMap<MemberId, Vec<PostingRow>>,
    /// How far the counters are used.
    pub counters: HashMap<CounterKey, i64>,
    /// The profiles.
    pub profiles: HashMap<MemberId, Profile>,
}

impl MemoryLedger {
    /// Posts a command at a time.
    ///
    /// # Errors
    /// What the decision refused, or a reference that belongs to another command.
    pub fn post<P: Posting>(
        &mut self,
        scope: &ProgramScope,
        posting: P,
        clock: Instant,
        program: &Timeline,
    ) -> Answer<P> {
        let (mut job, mut answer) = Job::new(scope.clone(), posting);
        let mut group = self.group_for(&job);
        let mut outcome = group.run(&mut job, clock, program);
        // Its counters are those that moved before, and its profiles those that were written.
        while let Outcome::Wants(Wanted { counters, profile }) = outcome {
            group.counters.extend(counters.into_iter().map(|key| (key, 0)));
            group.known_profiles.extend(profile.map(|member| (member, Profile::default())));
            outcome = group.run(&mut job, clock, program);
        }
        let verdict = match outcome {
            Outcome::Accepted(posting) => Verdict::Accepted(posting),
            Outcome::Refused => Verdict::Refused,
            Outcome::Barred(refusal) => Verdict::Barred(refusal),
            Outcome::Elsewhere | Outcome::Wants(_) => Verdict::Unavailable,
            Outcome::Seen(owner) => replay(&job, owner, self.posting(owner).map(|r| (&r.hash, &r.document))),
        };
        self.absorb(group);
        Box::new(job).answer(verdict);
        answer.try_recv().unwrap_or(Err(PostError::Unavailable))
    }

    /// A stored posting.
    pub fn posting(&self, owner: Owner) -> Option<&PostingRow> {
        self.postings.get(&owner.member)?.iter().find(|r| r.seq == owner.seq)
    }

    fn group_for(&self, command: &dyn Command) -> Group {
        let mut group = Group { counters: self.counters.clone(), ..Group::default() };
        let needs = command.needs();
        group.aliases.learn(self.accounts.values());
        let path: Vec<MemberId> = group.aliases.path(command.target().member()).collect();
        for member in &path {
            group.known_profiles.extend(self.profiles.get(member).map(|p| (*member, p.clone())));
            let rows = self.postings.get(member).into_iter().flatten().filter(|row| Some(row.kind) == needs.earlier);
            group.earlier.insert(*member, rows.cloned().collect());
        }
        let others: Vec<MemberId> = needs.other.iter().flat_map(|other| group.aliases.path(*other)).collect();
        for member in path.iter().chain(&others) {
            group.accounts.extend(self.accounts.get(member).map(|a| (*member, a.clone())));
        }
        let mut keys: Vec<DirectoryKey> = needs.identities.iter().map(DirectoryKey::identity).collect();
        keys.extend(needs.vouchers.iter().map(|key| DirectoryKey::voucher(command.program(), key)));
        keys.push(DirectoryKey::reference(command.program(), &command.reference()));
        for key in keys {
            if let Some(owner) = self.owners.get(&key) {
                group.owners.insert(key, *owner);
            }
        }
        if let Some(reference) = needs.story_of {
            let key = DirectoryKey::reference(command.program(), &reference);
            let owner = self.owners.get(&key).map(|owner| owner.member);
            let tellers = owner.iter().chain(path.iter().filter(|member| Some(**member) != owner));
            let rows = tellers.filter_map(|member| self.postings.get(member)).flatten();
            group.stories.insert(key, rows.cloned().collect());
        }
        group
    }

    fn absorb(&mut self, group: Group) {
        if group.is_idle() {
            return;
        }
        self.accounts.extend(group.accounts);
        for (counter, moved) in group.counts {
            self.counters.entry(counter).or_default().grow(moved.by);
        }
        self.profiles.extend(group.profiles);
        for key in &group.releases {
            self.owners.remove(key);
        }
        self.owners.extend(group.takes);
        for row in group.rows {
            self.postings.entry(row.member).or_default().push(row);
        }
    }
}
