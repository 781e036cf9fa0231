//! The journal's chain, row by row.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::kernel::clock::Instant;
use crate::kernel::grow::Grow;
use crate::kernel::id::{Lane, MemberId, Seq};
use crate::loyalty::ledger::verify::heads::{Head, KeptHeads};
use crate::loyalty::ledger::verify::law::{Findings, Law, Place};
use crate::platform::journal::digest::{Digest, chain};

/// A stored journal row, or the head of a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The lane.
    pub lane: Lane,
    /// The number.
    pub number: i64,
    /// The moment.
    pub moment: Instant,
    /// The digest.
    pub digest: Digest,
}

/// A set of postings as a sum of hashes: the order does not matter, and a posting more, less or twice does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub count: u64,
    sum: u128,
}

impl Tally {
    /// Adds a posting.
    pub fn add(&mut self, member: Uuid, seq: i64) {
        let digest = Sha256::new().chain_update(member.as_bytes()).chain_update(seq.to_be_bytes()).finalize();
        let half: [u8; 16] = std::array::from_fn(|i| digest.get(i).copied().unwrap_or_default());
        self.sum = self.sum.wrapping_add(u128::from_be_bytes(half));
        self.count.grow(1);
    }
}

/// The chains so far, of all lanes.
#[derive(Debug)]
pub struct Chains {
    last: BTreeMap<Lane, Link>,
    kept: KeptHeads,
    /// What the journal covers, by lane.
    pub covered: BTreeMap<Lane, Tally>,
    /// Rows so far.
    pub rows: u64,
}

impl Chains {
    /// No row yet.
    pub fn new(kept: KeptHeads) -> Self {
        Self { last: BTreeMap::new(), kept, covered: BTreeMap::new(), rows: 0 }
    }

    /// Adds a row with what it names and the canonical bytes of those postings; none where one is not there.
    pub fn add(&mut self, link: Link, named: &[(MemberId, Seq)], bytes: &[Option<Vec<u8>>], found: &mut Findings) {
        let Link { lane, number, moment, .. } = link;
        let place = Place::journal(lane, number);
        self.rows.grow(1);
        let tally = self.covered.entry(lane).or_default();
        for (member, seq) in named {
            tally.add(member.0, seq.0);
        }
        let (before, last_moment) = self.last.get(&lane).map_or((0, Instant::UNIX_EPOCH), |l| (l.number, l.moment));
        if number != before.saturating_add(1) {
            found.add(Law::Numbers, place, format!("it comes after {before}"));
        }
        if moment < last_moment {
            found.add(Law::Moments, place, format!("it is of {moment}, after {last_moment}"));
        }
        for ((member, seq), _) in named.iter().zip(bytes).filter(|(_, bytes)| bytes.is_none()) {
            found.add(
                Law::Coverage,
                Place { lane: Some(lane.0), ..Place::posting(*member, *seq) },
                "there is no such posting",
            );
        }
        // On the stored digest before it: one changed row is one finding.
        let previous = self.last.get(&lane).map(|l| l.digest.clone()).unwrap_or_default();
        let covered: Vec<Vec<u8>> = bytes.iter().flatten().cloned().collect();
        if chain(&previous, lane, number, moment, &covered) != link.digest || covered.len() != bytes.len() {
            found.add(Law::Digests, place, "the digest is of something else");
        }
        self.kept.meet(lane, number, &link.digest, found);
        self.last.insert(lane, link);
    }

    /// Compares the ends of the chains with the lanes' rows.
    pub fn finish(self, lanes: &[Link], found: &mut Findings) -> Vec<Head> {
        for head in lanes {
            let none = Link { lane: head.lane, number: 0, moment: Instant::UNIX_EPOCH, digest: Digest::new() };
            let last = self.last.get(&head.lane).unwrap_or(&none);
            let place = Place::lane(head.lane);
            if (head.number, &head.digest) != (last.number, &last.digest) {
                let says = format!("the lane stands at {}, and its journal ends at {}", head.number, last.number);
                found.add(Law::Heads, place, says);
            }
            if head.moment != last.moment {
                found.add(
                    Law::Moments,
                    place,
                    format!("the lane is at {}, its journal at {}", head.moment, last.moment),
                );
            }
        }
        for lane in self.last.keys().filter(|lane| !lanes.iter().any(|l| l.lane == **lane)) {
            found.add(Law::Lanes, Place::lane(*lane), "the journal has rows of a lane that is not there");
        }
        self.kept.finish(found);
        lanes.iter().map(|l| Head { lane: l.lane.0, number: l.number, digest: l.digest.clone() }).collect()
    }
}
