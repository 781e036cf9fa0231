//! What must be true after a seed: the same commands, one after the other in the order of their commits, say and leave
//! the same; the ledger's own proof finds nothing; and everybody was told the truth.

use std::collections::HashMap;

use perennial::kernel::id::{LaneCount, MemberId, Seq};
use perennial::loyalty::ledger::account::Account;
use perennial::loyalty::ledger::accounts::{DirectoryKey, Owner};
use perennial::loyalty::ledger::alias::Aliases;
use perennial::loyalty::ledger::canonical::canonical;
use perennial::loyalty::ledger::catch_up::next_change;
use perennial::loyalty::ledger::memory::MemoryLedger;
use perennial::loyalty::ledger::numbers::{expiry_day, hold_numbers};
use perennial::loyalty::ledger::posting::{Posting, PostingKind, PostingRow, RequestHash};
use perennial::loyalty::ledger::queue::PostError;
use perennial::loyalty::ledger::rows::{AccountRow, segments_number, status_number};
use perennial::loyalty::ledger::tier::standing_numbers;
use perennial::loyalty::ledger::usage::usage_numbers;
use perennial::loyalty::ledger::verify::budgets::Spent;
use perennial::loyalty::ledger::verify::elsewhere::{Elsewhere, told};
use perennial::loyalty::ledger::verify::heads::KeptHeads;
use perennial::loyalty::ledger::verify::journal::{Chains, Link, Tally};
use perennial::loyalty::ledger::verify::law::Findings;
use perennial::loyalty::ledger::verify::member::{MemberCheck, Owned, PostingFacts, ProfileFacts};
use perennial::loyalty::ledger::verify::merges::Before;
use perennial::loyalty::ledger::verify::transfers::other_side;
use perennial::loyalty::members::model::{IDENTITY_KINDS, IdentityKind, Profile};
use perennial::loyalty::program::model::Timeline;

use crate::command::{Command, What};
use crate::engine::{Engine, Facts, Poster, member_id, member_of, scope};
use crate::facts::Time;
use crate::naive::Naive;
use crate::simulation::callers::{Ask, Heard, post};
use crate::simulation::postings::{Count, counted, stock};
use crate::simulation::queries::{later, posting, story};
use crate::simulation::server::{State, Tables};
use crate::simulation::world::Log;
use crate::spec::Spec;

/// What was asked for, by reference.
pub type Asked = HashMap<String, Vec<(RequestHash, Ask)>>;

/// Does what was committed again, one command after the other: by the real decisions, and by the naive model.
pub struct Follower<'s> {
    spec: &'s Spec,
    engine: Engine<'s>,
    pub model: Naive<'s>,
}

/// Posts to a ledger in memory, and says only why not.
struct Again<'e> {
    ledger: &'e mut MemoryLedger,
    timeline: &'e Timeline,
    clock: Time,
}

impl Poster for Again<'_> {
    type Said = Result<(), String>;

    fn post<P: Posting>(self, posting: P, _: Facts<P>, code: fn(&P::Refusal) -> String) -> Self::Said {
        match self.ledger.post(&scope(), posting, self.clock, self.timeline) {
            Ok(_) => Ok(()),
            Err(PostError::Refused(refusal)) => Err(code(&refusal)),
            Err(other) => Err(other.to_string()),
        }
    }

    fn look(self) -> Self::Said {
        Ok(())
    }
}

impl<'s> Follower<'s> {
    pub fn new(spec: &'s Spec) -> Self {
        let mut engine = Engine::new(spec);
        // In one commit one may take what another gives back, whoever came first: the bound is the commit's affair.
        engine.ledger.counters.insert(stock(), i64::MAX / 2);
        Self { spec, engine, model: Naive::new(spec) }
    }

    /// Does a commit again.
    pub fn follow(&mut self, rows: &[PostingRow], asked: &Asked) -> Result<(), String> {
        let mut aside = Vec::new();
        for (place, row) in rows.iter().enumerate() {
            let next = rows[place + 1..].iter().find(|later| later.member == row.member);
            let ask = match row.kind {
                PostingKind::Received | PostingKind::MergeIn => continue,
                // It comes with its command.
                PostingKind::CatchUp if next.is_some_and(|later| later.kind != PostingKind::CatchUp) => continue,
                PostingKind::CatchUp => Some(Ask::Due(row.member)),
                _ => self.asked_for(row, asked),
            };
            let ask = ask.ok_or_else(|| format!("{} was committed, and nobody asked for it", row.reference))?;
            aside.extend(self.put_aside(&ask, rows));
            let again = self.again(&ask, row);
            again.map_err(|wrong| format!("{} done again at {}: {wrong}", row.reference, row.recorded_at))?;
        }
        let owners = &mut self.engine.ledger.owners;
        match aside.into_iter().find_map(|(key, owner)| owners.insert(key, owner)) {
            Some(owner) => Err(format!("{} took a card that another member has", owner.member)),
            None => Ok(()),
        }
    }

    /// Whoever releases a hold asks for the same: it was the one who has it.
    fn asked_for(&self, row: &PostingRow, asked: &Asked) -> Option<Ask> {
        let member = member_of(row.member.0);
        let has_it = |ask: &&Ask| match ask {
            Ask::Shop(Command { what: What::Release { member: named, .. }, .. }) => {
                self.model.goes_on(*named) == member
            }
            _ => false,
        };
        let same = || asked.get(row.reference.as_str()).into_iter().flatten().filter(|(hash, _)| *hash == row.hash);
        same().map(|(_, ask)| ask).find(has_it).or_else(|| same().map(|(_, ask)| ask).next()).cloned()
    }

    /// A card that is taken and given up in one commit may be somebody else's by then: as if the commit had come before.
    fn put_aside(&mut self, ask: &Ask, rows: &[PostingRow]) -> Option<(DirectoryKey, Owner)> {
        let Ask::Card { card: Some(card), .. } = ask else { return None };
        let key = DirectoryKey { program: scope().program(), kind: IdentityKind::Card.number(), value: card.clone() };
        let owner = self.engine.ledger.owners.get(&key)?;
        if rows.iter().any(|row| row.member == owner.member) {
            return None;
        }
        self.engine.ledger.owners.remove_entry(&key)
    }

    fn again(&mut self, ask: &Ask, row: &PostingRow) -> Result<(), String> {
        let Ask::Shop(command) = ask else {
            let (ledger, timeline) = (&mut self.engine.ledger, &self.spec.timeline);
            let ask = match ask {
                Ask::Count(count) => Ask::Count(Count { bound: None, ..count.clone() }),
                other => other.clone(),
            };
            return post(&ask, Again { ledger, timeline, clock: row.recorded_at });
        };
        let mut command = Command { clock: row.recorded_at, ..command.clone() };
        match &mut command.what {
            What::Enrol { member, .. } => *member = member_of(row.member.0),
            // Who was merged into somebody is named as before, and goes on as that one.
            What::Order(order) if self.is_alias(order.member) => {}
            What::Order(order) => order.member = member_of(row.member.0),
            _ => {}
        }
        let (product, model) = (self.engine.run(&command)?, self.model.run(&command)?);
        if product == model { Ok(()) } else { Err(format!("product {product:?}, model {model:?}")) }
    }

    fn is_alias(&self, member: u32) -> bool {
        self.engine.ledger.accounts.get(&member_id(member)).is_some_and(|account| account.alias.is_some())
    }

    /// Everything that is wrong at the end.
    pub fn reckon(&self, state: &State, lanes: LaneCount, log: &Log) -> Vec<String> {
        let tables = &state.tables;
        let mut broken = self.compare(tables);
        broken.extend(told_the_truth(tables, log));
        broken.extend(prove(tables, lanes, &self.spec.timeline));
        let used: i64 = tables.postings.values().flatten().map(counted).sum();
        let counter = tables.counters[&stock()];
        if counter.used != used || used < 0 || counter.max.is_some_and(|max| used > max) {
            broken.push(format!("the counter is at {counter:?}, and its postings used {used}"));
        }
        if !state.held.is_empty() {
            broken.push(format!("at the end somebody holds {:?}", state.held));
        }
        broken
    }

    /// What one after the other left.
    fn compare(&self, tables: &Tables) -> Vec<String> {
        let ours = &self.engine.ledger;
        let mut broken = Vec::new();
        let mut members: Vec<&MemberId> = tables.postings.keys().chain(ours.postings.keys()).collect();
        members.sort();
        members.dedup();
        for member in members {
            let both = (tables.postings.get(member), ours.postings.get(member));
            let (Some(stored), Some(again)) = both else {
                broken.push(format!("member {member} is only on one side"));
                continue;
            };
            if let Some((stored, again)) = stored.iter().zip(again).find(|(a, b)| a != b) {
                broken.push(format!("{} is {stored:?}, done again {again:?}", stored.reference));
            } else if stored.len() != again.len() {
                broken.push(format!("member {member} has {} postings, done again {}", stored.len(), again.len()));
            } else if tables.accounts.get(member) != ours.accounts.get(member) {
                broken.push(format!("the account of {member} is another one, done again"));
            }
        }
        if tables.owners != ours.owners {
            broken.push(String::from("the directory is another one, done again"));
        }
        if tables.profiles.iter().any(|(member, (profile, _))| ours.profiles.get(member) != Some(profile)) {
            broken.push(String::from("a profile is another one, done again"));
        }
        broken
    }
}

/// By name: what was accepted is there once, with the receipt that everybody was shown; what was only refused is not.
fn told_the_truth(tables: &Tables, log: &Log) -> Vec<String> {
    let mut broken = Vec::new();
    let mut rows: HashMap<&str, Vec<&PostingRow>> = HashMap::new();
    for row in tables.postings.values().flatten().filter(|row| row.kind != PostingKind::CatchUp) {
        rows.entry(row.reference.as_str()).or_default().push(row);
    }
    for (reference, rows) in &rows {
        if rows.len() > 1 {
            broken.push(format!("{reference} happened {} times", rows.len()));
        }
        let asked = reference.strip_suffix("/in").unwrap_or(reference);
        if !log.contains_key(asked) {
            broken.push(format!("{reference} happened, and nobody asked"));
        }
    }
    for (reference, heard) in log {
        let mut done = 0;
        for (hash, heard) in heard {
            let Heard::Accepted { owner, document, replayed } = heard else { continue };
            let row = posting(tables, *owner);
            if row
                .is_none_or(|row| row.document != *document || row.hash != *hash || row.reference.as_str() != reference)
            {
                broken.push(format!("{reference} was acknowledged, and is not there as it was"));
            }
            done += u32::from(!replayed);
        }
        if done > 1 {
            broken.push(format!("{reference} was done {done} times"));
        }
        let only = |is: fn(&Heard) -> bool| heard.iter().all(|(_, heard)| is(heard));
        if only(|heard| matches!(heard, Heard::Refused(_) | Heard::Busy)) && rows.contains_key(reference.as_str()) {
            broken.push(format!("{reference} was refused, and is there"));
        }
    }
    broken
}

/// The ledger's own proof, as `perennial verify` runs it over Postgres.
fn prove(tables: &Tables, lanes: LaneCount, timeline: &Timeline) -> Vec<String> {
    let (mut found, mut spent) = (Findings::default(), Spent::default());
    let mut tallies: HashMap<i16, Tally> = HashMap::new();
    let mut members: Vec<&MemberId> = tables.postings.keys().collect();
    members.sort();
    for member in members {
        let lane = member.lane(lanes);
        let account = tables.accounts.get(member).map(|account| account_row(account, lanes, timeline));
        let profile = tables.profiles.get(member).map(|profile| profile_facts(profile, tables, lanes));
        let mut check = MemberCheck::new((lane, *member), account.as_ref(), profile.as_ref(), Some(timeline));
        for row in &tables.postings[member] {
            tallies.entry(lane.0).or_default().add(member.0, row.seq.0);
            check.posting(posting_facts(row, tables, lanes), &mut spent, &mut found);
        }
        check.finish(lanes, &mut found);
    }
    let mut chains = Chains::new(KeptHeads::new(&[]));
    for (link, named) in &tables.journal {
        let named: Vec<(MemberId, Seq)> = named.iter().map(|(m, s)| (*m, Seq(*s))).collect();
        let bytes = |(member, seq): &(MemberId, Seq)| {
            let owner = Owner { member: *member, seq: *seq };
            posting(tables, owner).map(|row| canonical(link.lane, row))
        };
        chains.add(link.clone(), &named, &named.iter().map(bytes).collect::<Vec<_>>(), &mut found);
    }
    let covered: HashMap<i16, Tally> = chains.covered.iter().map(|(lane, tally)| (lane.0, *tally)).collect();
    let heads = tables.heads.iter().map(|h| {
        let (lane, number, moment, digest) = (h.lane, h.number, h.moment, h.digest.clone());
        Link { lane, number, moment, digest }
    });
    chains.finish(&heads.collect::<Vec<_>>(), &mut found);
    let mut broken: Vec<String> = found.into_parts().0.iter().map(ToString::to_string).collect();
    if covered != tallies {
        broken.push(String::from("the journal covers other postings than there are"));
    }
    // What the simulation's own command counts is no budget.
    for (key, counter) in tables.counters.iter().filter(|(key, _)| **key != stock()) {
        let given = spent.take(key);
        if counter.used != given {
            broken.push(format!("{key:?} stands at {}, and postings used {given}", counter.used));
        }
    }
    broken.extend(spent.rest().map(|(key, given)| format!("no {key:?}, of which postings used {given}")));
    broken
}

fn owned(key: &DirectoryKey, tables: &Tables, lanes: LaneCount) -> Option<Owned> {
    let owner = tables.owners.get(key)?;
    Some(Owned { lane: owner.member.lane(lanes), member: owner.member, seq: owner.seq })
}

fn reference_key(value: &str) -> DirectoryKey {
    DirectoryKey { program: scope().program(), kind: 1, value: value.to_owned() }
}

fn posting_facts(row: &PostingRow, tables: &Tables, lanes: LaneCount) -> PostingFacts {
    let order = match row.kind {
        PostingKind::Return => row.reference.as_str().split_once("/return:").map(|(order, _)| order.to_owned()),
        _ => other_side(row),
    };
    let order = order.and_then(|order| posting(tables, *tables.owners.get(&reference_key(&order))?));
    let before = order.filter(|order| order.member != row.member).map(|order| before(order, row, tables));
    PostingFacts {
        seq: row.seq,
        row: Ok(row.clone()),
        owned: owned(&reference_key(row.reference.as_str()), tables, lanes),
        voucher: None,
        order: order.cloned().map(std::sync::Arc::new),
        before,
    }
}

/// What happened to an order before it came along with a merge.
fn before(order: &PostingRow, row: &PostingRow, tables: &Tables) -> Before {
    let mut aliases = Aliases::default();
    aliases.learn(tables.accounts.values());
    let (program, reference) = (order.program, order.reference.as_str().to_owned());
    let key = reference_key(&reference);
    let mut rows = story(tables, &key).unwrap_or_default();
    rows.extend(aliases.bypasses(order.member).iter().filter_map(|way| later(tables, &key, way)).flatten());
    let order = Elsewhere { program, reference, owner: order.member, member: row.member };
    Before::of(&order.reference, told(&aliases, &order, &rows))
}

fn profile_facts((profile, changed_at): &(Profile, Time), tables: &Tables, lanes: LaneCount) -> ProfileFacts {
    let values = [&profile.external_id, &profile.email, &profile.phone, &profile.card];
    let identities = IDENTITY_KINDS.iter().zip(values).filter_map(|((_, kind, _), value)| {
        let key = DirectoryKey { program: scope().program(), kind: *kind, value: value.clone()? };
        Some((*kind, owned(&key, tables, lanes)))
    });
    let attributes = serde_json::to_string(&profile.attributes).unwrap();
    ProfileFacts { identities: identities.collect(), attributes, changed_at: *changed_at }
}

fn account_row(account: &Account, lanes: LaneCount, timeline: &Timeline) -> AccountRow {
    AccountRow {
        lane: account.member.lane(lanes).0,
        member_id: account.member.0,
        program_id: account.program.0,
        status: status_number(account.status),
        seq: account.seq.0,
        moved_at: account.moved_at,
        changes_at: next_change(account, timeline),
        enrolled_on: account.enrolled_on,
        decided_by: account.decided_by.0,
        order_count: account.order_count,
        last_order_on: account.last_order_on,
        figures: account.wallets.iter().flat_map(|w| w.figures.to_stored()).collect(),
        expires_on: account.wallets.iter().map(|w| w.expires_on).collect(),
        lot_ids: account.lots.iter().map(|l| l.id.0).collect(),
        lot_wallets: account.lots.iter().map(|l| l.wallet.0).collect(),
        lot_remaining: account.lots.iter().map(|l| l.remaining.get()).collect(),
        lot_available_at: account.lots.iter().map(|l| l.available_at).collect(),
        lot_expires_on: account.lots.iter().map(|l| expiry_day(l.expiry)).collect(),
        holds: Some(hold_numbers(&account.holds)),
        usage: Some(usage_numbers(&account.usage)),
        standing: Some(standing_numbers(&account.standing)),
        merged_into: account.alias.map(|alias| alias.into.0),
        merged_branch: account.alias.map(|alias| alias.branch.0),
        branches: (account.branches.0 > 1).then_some(account.branches.0),
        alias_depth: (account.alias_depth > 0).then_some(account.alias_depth),
        segments: segments_number(account.segments),
    }
}
