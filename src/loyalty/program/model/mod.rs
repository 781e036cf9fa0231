//! A programme's version as decisions read it: checked, with codes resolved to slots.

pub mod attributes;
pub mod audience;
pub mod discounts;
pub mod earning;
pub mod names;
pub mod rewards;
mod spend;
pub mod texts;
pub mod tiers;
pub mod window;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use earning::{Award, Budget, Cap, CountedSlot, EarningRule, NetOf, On, OwnExpiry, Schedule, Step};
pub use spend::Spend;

use crate::kernel::calendar::{Period, RoundUp, Zone};
use crate::kernel::clock::Instant;
use crate::kernel::id::Version;
use crate::kernel::money::{Currency, Ratio};
use crate::kernel::points::Points;
use crate::loyalty::program::arm::Experiment;
use crate::loyalty::program::model::attributes::DeclaredAttributes;
use crate::loyalty::program::model::audience::Perk;
use crate::loyalty::program::model::discounts::Discount;
use crate::loyalty::program::model::rewards::Reward;
use crate::loyalty::program::model::tiers::{Ladder, TierMapping};

/// The most wallets of a programme, over all of its versions: each keeps its slot for ever.
pub const WALLETS_MAX: usize = 8;

/// Where a wallet's figures stand in an account: fixed when the wallet first appears.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(pub i16);

/// What stands for a tier in an account: fixed when its code first appears.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TierSlot(pub i16);

/// The most lists of members of a programme, over all of its versions: each keeps its bit for ever.
pub const SEGMENTS_MAX: usize = 62;

/// What stands for a list of members in an account: fixed when its code first appears, 0 to 61.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SegmentSlot(pub u8);

/// The lists that a member is in, a bit a slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SegmentSet(pub u64);

impl SegmentSet {
    /// Whether a list is among them.
    pub fn has(self, slot: SegmentSlot) -> bool {
        self.0 & bit(slot) != 0
    }

    /// The lists, by their slots.
    pub fn slots(self) -> impl Iterator<Item = SegmentSlot> {
        (0..u8::MAX).take(SEGMENTS_MAX).map(SegmentSlot).filter(move |slot| self.has(*slot))
    }

    /// The same with a list, or without it.
    #[must_use]
    pub fn with(self, slot: SegmentSlot, there: bool) -> Self {
        Self(if there { self.0 | bit(slot) } else { self.0 & !bit(slot) })
    }

    /// The lists that are in either of two.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// No slot is beyond the bits that there are.
fn bit(slot: SegmentSlot) -> u64 {
    1_u64.checked_shl(slot.0.into()).unwrap_or_default()
}

/// A wallet of one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wallet {
    /// The marketer's name for it, `points`.
    pub code: String,
    /// Where its figures stand.
    pub slot: Slot,
    /// What it is for.
    pub kind: WalletKind,
}

/// What a wallet is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WalletKind {
    /// Its points can be spent.
    Redeemable(Redeemable),
    /// Its figure drives tiers.
    Qualifying(Qualifying),
}

/// How points that can be spent live and die.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redeemable {
    /// Minor units of money that one point is worth at checkout.
    pub value: Ratio,
    /// How long an award waits before it can be spent.
    pub pending: Option<Period>,
    /// When it is over.
    pub expiry: Expiry,
    /// How long points that are given back to a lot that is over live on.
    pub restore_grace: Option<Period>,
    /// What a return may take.
    pub returns: ReturnPolicy,
    /// How much members may give each other; `None`: nothing.
    pub transfer: Option<Transfer>,
    /// With how many an order may be paid, and for what; `None`: with all, for all products.
    pub spend: Option<Spend>,
}

/// How many points a member may give others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// No more than this,
    pub max: Points,
    /// in any such period.
    pub each: Period,
}

/// When points are over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// Never.
    Never,
    /// A period after the day they were earned, moved on to a round day.
    Fixed {
        /// The period.
        after: Period,
        /// The round day.
        round: Option<RoundUp>,
    },
    /// All at once, a period after the member last earned or spent.
    Inactive {
        /// The period.
        after: Period,
    },
}

/// What a return may take when the award is not there any more. Source: golden.md R5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnPolicy {
    /// The order's own lot while it is pending; the rest is waived.
    PendingOnly,
    /// The own lot, then others; the rest is waived.
    WithinBalance,
    /// The own lot, then others; the rest is debt.
    Allow,
}

/// How a qualifying wallet counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Qualifying {
    /// What an order adds.
    pub counts: Counts,
    /// For how long that counts.
    pub window: Window,
}

/// What an order adds to a qualifying wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// Its earning base, in minor units of money.
    Spend,
    /// The points it earned.
    Points,
    /// One.
    Orders,
}

/// For how long an order counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// To the end of the calendar year.
    CalendarYear,
    /// To the day before the next anniversary of the enrolment.
    Anniversary,
    /// For a period from its day.
    Rolling(Period),
    /// For ever.
    Lifetime,
}

/// What is counted by member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted<'b> {
    /// Points of a rule.
    Points(&'b EarningRule),
    /// How often a rule awards.
    Awards(&'b EarningRule),
    /// Uses of a discount.
    Uses(&'b Discount),
    /// How often a reward is redeemed.
    Redemptions(&'b Reward),
}

/// One version of the programme, compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rulebook {
    /// Its number.
    pub version: Version,
    /// From when it decides; version 1 reaches back without end.
    pub starts: Instant,
    /// What all money is in.
    pub currency: Currency,
    /// Whose days count.
    pub zone: Zone,
    /// In which language people read what is there in no other.
    pub language: String,
    /// Whether anybody may become a member by app.
    pub sign_up: bool,
    /// The wallets of this version, in document order.
    pub wallets: Vec<Wallet>,
    /// What an order earns.
    pub earning: Vec<EarningRule>,
    /// The tiers, where there are any.
    pub tiers: Option<Ladder>,
    /// Where members of tiers go that this version has no more.
    pub tier_mapping: TierMapping,
    /// The tiers of this version, lowest first.
    pub tier_codes: Vec<(String, TierSlot)>,
    /// The lists of members of this version, in document order.
    pub segment_codes: Vec<(String, SegmentSlot)>,
    /// What members can be entitled to, in document order.
    pub perks: Vec<Perk>,
    /// What is taken off the price, in document order.
    pub discounts: Vec<Discount>,
    /// What points can be given for, in document order.
    pub rewards: Vec<Reward>,
    /// The experiments, in document order.
    pub experiments: Vec<Experiment>,
    /// What conditions may ask of what the shop tells.
    pub declared: DeclaredAttributes,
    /// Whether any condition asks for attributes of members: only then anybody has to read them.
    pub reads_attributes: bool,
}

impl Rulebook {
    /// The wallet of a code.
    pub fn wallet(&self, code: &str) -> Option<&Wallet> {
        self.wallets.iter().find(|w| w.code == code)
    }

    /// The wallet in a slot; `None` when this version no longer has it.
    pub fn wallet_in(&self, slot: Slot) -> Option<&Wallet> {
        self.wallets.iter().find(|w| w.slot == slot)
    }

    /// What is not part of the base of a line: as the first rule says that awards by it; without one everything that can be
    /// left out.
    pub fn net_of(&self) -> NetOf {
        let by_base = |rule: &&EarningRule| matches!(rule.award, Award::Rate { .. });
        self.earning.iter().find(by_base).map_or(NetOf::ALL, |rule| rule.net_of)
    }

    /// Whether any rule has a condition: only then anybody has to look at more of an order than its figures.
    pub fn has_conditions(&self) -> bool {
        self.earning.iter().any(|rule| rule.when.is_some() || rule.lines.is_some() || rule.audience.is_some())
    }

    /// An earning rule by its code.
    pub fn rule(&self, code: &str) -> Option<&EarningRule> {
        self.earning.iter().find(|rule| rule.code == code)
    }

    /// A discount by its code.
    pub fn discount(&self, code: &str) -> Option<&Discount> {
        self.discounts.iter().find(|discount| discount.code == code)
    }

    /// A reward by its code.
    pub fn reward(&self, code: &str) -> Option<&Reward> {
        self.rewards.iter().find(|reward| reward.code == code)
    }

    /// What a slot of what is counted by member stands for.
    pub fn counted(&self, slot: CountedSlot) -> Option<Counted<'_>> {
        let is = |cap: Option<Cap>| cap.is_some_and(|cap| cap.slot == slot);
        let points = self.earning.iter().filter(|rule| is(rule.cap)).map(Counted::Points);
        let awards = self.earning.iter().filter(|rule| is(rule.awards)).map(Counted::Awards);
        let uses = self.discounts.iter().filter(|discount| is(discount.per_member)).map(Counted::Uses);
        let times = self.rewards.iter().filter(|reward| is(reward.per_member)).map(Counted::Redemptions);
        points.chain(awards).chain(uses).chain(times).next()
    }

    /// The only, or first, wallet whose points can be spent.
    pub fn main_wallet(&self) -> Option<&Wallet> {
        self.wallets.iter().find(|w| matches!(w.kind, WalletKind::Redeemable(_)))
    }
}

/// The versions of a programme, oldest first: each instant is decided by the one in force then.
#[derive(Clone, Debug)]
pub struct Timeline {
    first: Arc<Rulebook>,
    later: Vec<Arc<Rulebook>>,
}

impl Timeline {
    /// The timeline of a first version and the later ones, in the order of their starts.
    pub fn new(first: Arc<Rulebook>, later: Vec<Arc<Rulebook>>) -> Self {
        Self { first, later }
    }

    /// The same with versions that came after.
    #[must_use]
    pub fn with(&self, more: Vec<Arc<Rulebook>>) -> Self {
        Self { first: Arc::clone(&self.first), later: self.later.iter().cloned().chain(more).collect() }
    }

    /// The version in force at an instant.
    pub fn at(&self, at: Instant) -> &Arc<Rulebook> {
        self.later.iter().rev().find(|v| v.starts <= at).unwrap_or(&self.first)
    }

    /// The next version that comes into force after an instant.
    pub fn next_start(&self, after: Instant) -> Option<&Arc<Rulebook>> {
        // One that a newer version was in force before never comes into force.
        let started = |v: &&Arc<Rulebook>| v.starts > after && self.at(v.starts).version == v.version;
        self.later.iter().filter(started).min_by_key(|v| v.starts)
    }

    /// A version by its number; the first one where there is none of that number.
    pub fn version(&self, version: Version) -> &Arc<Rulebook> {
        self.later.iter().find(|v| v.version == version).unwrap_or(&self.first)
    }

    /// After how long without activity a wallet ends: as the newest version until `at` says that had such a rule.
    /// A later version without one binds new points only.
    pub fn inactivity(&self, wallet: Slot, at: Instant) -> Option<Period> {
        let until = self.later.iter().rev().filter(|v| v.starts <= at).chain([&self.first]);
        let rules = until.filter_map(|v| v.wallet_in(wallet));
        let periods = rules.filter_map(|w| match &w.kind {
            WalletKind::Redeemable(Redeemable { expiry: Expiry::Inactive { after }, .. }) => Some(*after),
            WalletKind::Redeemable(_) | WalletKind::Qualifying(_) => None,
        });
        periods.into_iter().next()
    }

    /// A wallet by its slot, as the newest version has it that has it.
    pub fn wallet_in(&self, slot: Slot) -> Option<&Wallet> {
        self.later.iter().rev().chain([&self.first]).find_map(|v| v.wallet_in(slot))
    }

    /// The code of a tier, as the newest version has it that has it.
    pub fn tier_code(&self, slot: TierSlot) -> Option<&str> {
        let tiers = self.later.iter().rev().chain([&self.first]).filter_map(|v| v.tiers.as_ref()?.tier(slot));
        tiers.map(|tier| tier.code.as_str()).next()
    }

    /// What stands for a tier that some version has.
    pub fn tier_slot(&self, code: &str) -> Option<TierSlot> {
        let mut versions = self.later.iter().rev().chain([&self.first]);
        versions.find_map(|v| v.tier_codes.iter().find(|(known, _)| known == code)).map(|(_, slot)| *slot)
    }

    /// What stands for a list of members that some version has.
    pub fn segment_slot(&self, code: &str) -> Option<SegmentSlot> {
        let mut versions = self.later.iter().rev().chain([&self.first]);
        versions.find_map(|v| v.segment_codes.iter().find(|(known, _)| known == code)).map(|(_, slot)| *slot)
    }

    /// The codes of lists of members, by their slots.
    pub fn segment_codes(&self, segments: SegmentSet) -> Vec<String> {
        let versions = self.later.iter().rev().chain([&self.first]);
        let known = versions.flat_map(|v| &v.segment_codes).filter(|(_, slot)| segments.has(*slot));
        let mut codes: BTreeMap<SegmentSlot, &str> = BTreeMap::new();
        for (code, slot) in known {
            codes.entry(*slot).or_insert(code);
        }
        codes.into_values().map(str::to_owned).collect()
    }

    /// What a slot of what is counted by member stands for, as the newest version has it that counts it.
    pub fn counted(&self, slot: CountedSlot) -> Option<Counted<'_>> {
        let mut versions = self.later.iter().rev().chain([&self.first]);
        versions.find_map(|v| v.counted(slot))
    }

    /// A discount by its code, of the newest version that has it.
    pub fn discount(&self, code: &str) -> Option<&Discount> {
        self.later.iter().rev().chain([&self.first]).find_map(|v| v.discount(code))
    }

    /// The newest version, perhaps of the future.
    pub fn newest(&self) -> &Arc<Rulebook> {
        self.later.last().unwrap_or(&self.first)
    }
}
