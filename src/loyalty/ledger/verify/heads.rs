//! Heads of the journals, kept elsewhere: who can write rows could also recompute a chain, but not what others keep.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::kernel::id::Lane;
use crate::loyalty::ledger::verify::law::{Findings, Law, Place};
use crate::platform::journal::digest::Digest;

/// The head of a lane's journal at some time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The lane.
    pub lane: i16,
    /// The number of its last row; 0 before the first.
    pub number: i64,
    /// The digest of that row in hexadecimal digits; none before the first.
    #[serde(serialize_with = "to_hex", deserialize_with = "from_hex")]
    pub digest: Digest,
}

/// Heads that have yet to be met.
#[derive(Debug, Default)]
pub struct KeptHeads(BTreeMap<(i16, i64), Vec<Digest>>);

impl KeptHeads {
    /// All of them; more than one of a lane are welcome.
    pub fn new(heads: &[Head]) -> Self {
        let mut kept: BTreeMap<(i16, i64), Vec<Digest>> = BTreeMap::new();
        // Before the first row there is nothing to find again.
        for head in heads.iter().filter(|h| h.number != 0 || !h.digest.is_empty()) {
            kept.entry((head.lane, head.number)).or_default().push(head.digest.clone());
        }
        Self(kept)
    }

    /// Compares a row of the chain.
    pub fn meet(&mut self, lane: Lane, number: i64, digest: &[u8], found: &mut Findings) {
        for kept in self.0.remove(&(lane.0, number)).unwrap_or_default() {
            if kept != digest {
                let says = format!("the digest was {}, and is {}", hex::encode(kept), hex::encode(digest));
                found.add(Law::KeptHeads, Place::journal(lane, number), says);
            }
        }
    }

    /// Says which were never met.
    pub fn finish(self, found: &mut Findings) {
        for (lane, number) in self.0.into_keys() {
            found.add(Law::KeptHeads, Place::journal(Lane(lane), number), "the chain no longer has this row");
        }
    }
}

fn to_hex<S: Serializer>(digest: &[u8], s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(&hex::encode(digest))
}

fn from_hex<'de, D: Deserializer<'de>>(d: D) -> Result<Digest, D::Error> {
    let text = String::deserialize(d)?;
    hex::decode(text).map_err(serde::de::Error::custom)
}
