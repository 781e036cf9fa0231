//! Names of things: newtypes, so that two of them are never swapped.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use uuid::fmt::Simple;

/// A tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProgramId(pub Uuid);

/// A member of one programme; UUID v7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MemberId(pub Uuid);

impl MemberId {
    /// The lane of the member: a fixed function of its id and the number of lanes of the database.
    pub fn lane(self, lanes: LaneCount) -> Lane {
        // The high half is time in a v7 id: mix both, or members enrolled together share a lane.
        let (high, low) = self.0.as_u64_pair();
        let mut x = low ^ high.rotate_left(32);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^= x >> 31;
        let lane = x.checked_rem(lanes.0.unsigned_abs().into()).unwrap_or(0);
        Lane(i16::try_from(lane).unwrap_or(0))
    }
}

impl fmt::Display for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for ProgramId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A fixed share of the members: lock, journal and shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lane(pub i16);

/// How many lanes this database was created with; 1 or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneCount(pub i16);

/// The position of a posting among its member's; the first is 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub i64);

impl Seq {
    /// The position after this one.
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// A version of a programme's document; the first is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub i32);

impl Version {
    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// What the outside calls a posting: opaque, and carries its member, so that it is found without a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PostingId {
    /// Whose posting it is.
    pub member: MemberId,
    /// Its position.
    pub seq: Seq,
}

impl fmt::Display for PostingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.member.0.simple().encode_lower(&mut [0; Simple::LENGTH]))?;
        write!(f, "{:x}", self.seq.0)
    }
}

/// The text is no posting id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a posting id")]
pub struct NotAPostingId;

impl FromStr for PostingId {
    type Err = NotAPostingId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (member, seq) = text.split_at_checked(32).ok_or(NotAPostingId)?;
        let canonical = |s: &str| s.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !canonical(text) || seq.starts_with('0') {
            return Err(NotAPostingId);
        }
        let member = Uuid::try_parse(member).map_err(|_| NotAPostingId)?;
        let seq = i64::from_str_radix(seq, 16).map_err(|_| NotAPostingId)?;
        Ok(Self { member: MemberId(member), seq: Seq(seq) })
    }
}

impl Serialize for PostingId {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PostingId {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
