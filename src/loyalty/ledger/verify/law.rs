//! The laws by name, and what was found to break them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};

use crate::kernel::grow::Grow;
use crate::kernel::id::{Lane, MemberId, Seq};

/// The most findings of one law that are kept; the others are counted.
pub const FINDINGS_A_LAW_MAX: u64 = 100;
/// The most findings of one law about one member that are kept, so that one broken member does not hide the others.
pub const FINDINGS_A_MEMBER_MAX: u64 = 3;

/// A law of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Law {
    /// What was written is never rewritten.
    AppendOnly,
    /// Rows hold what their columns promise.
    Readable,
    /// Postings are numbered without a gap, and accounts have them.
    Sequence,
    /// Figures are the sums of the lots, and explain themselves.
    Figures,
    /// The account says when anything changes by itself next.
    Schedule,
    /// Lots stand in the order in which they are spent.
    LotOrder,
    /// Each entry says what could be spent after it.
    After,
    /// Movements over lots sum to their entry.
    Movements,
    /// A lot never gives more than it had.
    Lots,
    /// Holds keep what they took until it is captured or goes back.
    Holds,
    /// What one member gives another one gets.
    Transfers,
    /// A reward costs what it says, and what it gave is used or given back, once.
    Vouchers,
    /// What a merged account had went on in another, and nothing came to it after.
    Merges,
    /// No member has more of a rule than its cap, and what came back can be had again.
    Caps,
    /// A member is in the tier that the balance earned, a review left or a person gave.
    Tiers,
    /// References are used once, and the directory knows by whom.
    References,
    /// Identities of the directory and of the profiles are the same.
    Identities,
    /// Profiles belong to accounts.
    Profiles,
    /// Documents say what columns and entries say.
    Documents,
    /// Returns give back what was taken, to the point and the cent, and no more.
    Returns,
    /// Every posting is in exactly one journal row.
    Coverage,
    /// Journal rows are numbered without a gap.
    Numbers,
    /// Digests chain.
    Digests,
    /// Lanes stand at the last row of their journal.
    Heads,
    /// Time of a lane never goes back.
    Moments,
    /// Heads that were kept elsewhere are still there.
    KeptHeads,
    /// Accounts are what their postings make of them.
    Fold,
    /// Who is suspended neither earns nor spends.
    Status,
    /// Counters are what postings used.
    Counters,
    /// Rows lie in the lane of their member.
    Lanes,
    /// Everything belongs to a programme.
    Programs,
    /// No follower is ahead of its journal.
    Followers,
}

/// Every law with its name and what it says.
pub const LAWS: [(Law, &str, &str); 32] = [
    (Law::AppendOnly, "append_only", "the application cannot change or remove postings (but texts) and journal rows"),
    (Law::Readable, "readable", "every row holds what its columns promise"),
    (Law::Sequence, "sequence", "a member's postings count from 1 without a gap, and the account knows the last"),
    (
        Law::Figures,
        "figures",
        "figures are the sums of the lots and explain themselves; debt is in redeemable wallets alone",
    ),
    (
        Law::Schedule,
        "schedule",
        "changes_at is the next instant at which a lot or hold ends or a lot becomes available",
    ),
    (Law::LotOrder, "lot_order", "open lots stand in the order in which they are spent, none of them empty"),
    (Law::After, "after", "each entry says what could be spent after it"),
    (Law::Movements, "movements", "the movements of an entry sum to it, over lots of its wallet and state"),
    (Law::Lots, "lots", "a lot never gives more than it had, nor before or after its time"),
    (
        Law::Holds,
        "holds",
        "what a hold took is in it until it is captured or back in its lots, and open holds are the account's",
    ),
    (Law::Transfers, "transfers", "what left a member arrived with another, and nothing else did"),
    (Law::Vouchers, "vouchers", "a reward costs what it says, and what it gave is used or given back, once"),
    (Law::Merges, "merges", "what a merged account had went on in another, lot by lot, and nothing came to it after"),
    (Law::Caps, "caps", "no member has more of a rule than its cap, and what came back can be had again"),
    (Law::Tiers, "tiers", "a member is in the tier that was earned, reviewed or given, and documents say when and why"),
    (
        Law::References,
        "references",
        "each reference is in the directory with its posting, and each of the directory has one",
    ),
    (Law::Identities, "identities", "the directory's identities are those of the profiles"),
    (Law::Profiles, "profiles", "each account has a profile, written by its last change, and each profile an account"),
    (Law::Documents, "documents", "a posting's document is JSON of its kind and says what columns and entries say"),
    (Law::Returns, "returns", "returns give back the exact share of what the order took and brought, and no more"),
    (Law::Coverage, "coverage", "every posting is in exactly one journal row of its lane"),
    (Law::Numbers, "numbers", "the rows of a journal count from 1 without a gap"),
    (Law::Digests, "digests", "each journal row's digest covers its postings and the digest before it"),
    (Law::Heads, "heads", "each lane stands at the last row of its journal"),
    (Law::Moments, "moments", "the time of a lane never goes back"),
    (Law::KeptHeads, "kept_heads", "heads kept elsewhere are rows of the chain"),
    (Law::Fold, "fold", "folding a member's postings from nothing gives the account"),
    (Law::Status, "status", "nobody is suspended or reinstated twice, nor earns or spends in between"),
    (Law::Counters, "counters", "counters are what postings used"),
    (Law::Lanes, "lanes", "lanes count from 0 without a gap, and each row lies in the lane of its member"),
    (Law::Programs, "programs", "every account and counter belongs to a programme that can be read"),
    (Law::Followers, "followers", "no follower is ahead of its journal"),
];

impl Law {
    /// The name, as it is printed.
    pub fn name(self) -> &'static str {
        LAWS.iter().find(|(law, ..)| *law == self).map_or("", |(_, name, _)| name)
    }

    /// What it says.
    pub fn says(self) -> &'static str {
        LAWS.iter().find(|(law, ..)| *law == self).map_or("", |(.., says)| says)
    }
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Law {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.name())
    }
}

/// Where a law is broken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The lane, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lane: Option<i16>,
    /// The member, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberId>,
    /// The position of the posting, or the number of the journal row where there is no member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<i64>,
}

impl Place {
    /// A member.
    pub fn member(member: MemberId) -> Self {
        Self { member: Some(member), ..Self::default() }
    }

    /// A posting.
    pub fn posting(member: MemberId, seq: Seq) -> Self {
        Self { member: Some(member), number: Some(seq.0), ..Self::default() }
    }

    /// A lane.
    pub fn lane(lane: Lane) -> Self {
        Self { lane: Some(lane.0), ..Self::default() }
    }

    /// A journal row.
    pub fn journal(lane: Lane, number: i64) -> Self {
        Self { lane: Some(lane.0), number: Some(number), ..Self::default() }
    }
}

/// A law that is broken, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which.
    pub law: Law,
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// What is wrong: codes and figures, no personal data.
    pub says: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.law)?;
        if let Some(lane) = self.place.lane {
            write!(f, " lane {lane}")?;
        }
        if let Some(member) = self.place.member {
            write!(f, " member {member}")?;
        }
        match (self.place.number, self.place.member) {
            (Some(number), Some(_)) => write!(f, " posting {number}")?,
            (Some(number), None) => write!(f, " row {number}")?,
            (None, _) => {}
        }
        write!(f, ": {}", self.says)
    }
}

/// What was found so far, bounded.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    kept: Vec<Finding>,
    counts: BTreeMap<Law, u64>,
    kept_counts: BTreeMap<Law, u64>,
    member: Option<MemberId>,
    of_member: BTreeMap<Law, u64>,
}

impl Findings {
    /// Adds a finding, or only counts it when there are many of its law.
    pub fn add(&mut self, law: Law, place: Place, says: impl Into<String>) {
        self.counts.entry(law).or_default().grow(1);
        if self.member != place.member {
            self.member = place.member;
            self.of_member.clear();
        }
        let of_member = self.of_member.entry(law).or_default();
        of_member.grow(1);
        let crowded = place.member.is_some() && *of_member > FINDINGS_A_MEMBER_MAX;
        let kept = self.kept_counts.entry(law).or_default();
        if !crowded && *kept < FINDINGS_A_LAW_MAX {
            kept.grow(1);
            self.kept.push(Finding { law, place, says: says.into() });
        }
    }

    /// Whether there are any of a law.
    pub fn any(&self, law: Law) -> bool {
        self.counts.contains_key(&law)
    }

    /// The findings that were kept, and how many there are of each law.
    pub fn into_parts(self) -> (Vec<Finding>, BTreeMap<Law, u64>) {
        (self.kept, self.counts)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use uuid::Uuid;

    use super::*;

    #[test]
    fn findings_are_bounded_and_counted() {
        let mut found = Findings::default();
        for member in 0..200 {
            for seq in 0..10 {
                found.add(Law::After, Place::posting(MemberId(Uuid::from_u128(member)), Seq(seq)), "wrong");
            }
        }
        found.add(Law::Fold, Place::member(MemberId(Uuid::nil())), "wrong");
        let (kept, counts) = found.into_parts();
        assert_eq!(counts, BTreeMap::from([(Law::After, 2_000), (Law::Fold, 1)]));
        let of_law = |law| u64::try_from(kept.iter().filter(|f| f.law == law).count()).unwrap();
        assert_eq!((of_law(Law::After), of_law(Law::Fold)), (FINDINGS_A_LAW_MAX, 1));
        let first = kept.iter().filter(|f| f.place.member == Some(MemberId(Uuid::nil()))).count();
        assert_eq!(u64::try_from(first).unwrap(), FINDINGS_A_MEMBER_MAX + 1);
    }

    #[test]
    fn a_finding_says_which_law_whose_and_where() {
        let (law, says) = (Law::LotOrder, "the lots are out of order".to_owned());
        let finding = Finding { law, place: Place::posting(MemberId(Uuid::nil()), Seq(3)), says };
        let text = "lot_order member 00000000-0000-0000-0000-000000000000 posting 3: the lots are out of order";
        assert_eq!(finding.to_string(), text);
        let json = r#"{"law":"lot_order","member":"00000000-0000-0000-0000-000000000000","number":3,"says":"the lots are out of order"}"#;
        assert_eq!(serde_json::to_string(&finding).unwrap(), json);
    }

    #[test]
    fn every_law_has_a_name_of_its_own() {
        let names: BTreeSet<_> = LAWS.iter().map(|(law, ..)| law.name()).collect();
        assert_eq!(names.len(), LAWS.len());
        assert!(LAWS.iter().all(|(law, _, says)| law.says() == *says));
    }
}
