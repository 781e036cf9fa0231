//! What the pasts of many members add up to under two versions. The order in which they are added changes nothing.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::kernel::grow::Grow;
use crate::kernel::id::MemberId;
use crate::loyalty::backtest::budgets::Demand;
use crate::loyalty::backtest::replay::{Flow, Replayed};
use crate::loyalty::checkout::receipt::DiscountOf;
use crate::loyalty::program::model::{Redeemable, Rulebook, SegmentSlot, TierSlot, WALLETS_MAX, Wallet, WalletKind};

/// How many members are shown who gain most, and who lose most.
pub const EXAMPLES: usize = 10;

/// What one version made of all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Side {
    /// What went through the wallets, by slot.
    pub flows: [Flow; WALLETS_MAX],
    /// Points that members have at the end, spendable or not yet, by slot.
    pub left: [i64; WALLETS_MAX],
    /// Points that members owe at the end, by slot.
    pub owed: [i64; WALLETS_MAX],
    /// Points that each rule awarded, in document order.
    pub rules: Vec<i64>,
    /// Points that tiers added, by the name of their rows.
    pub of_tiers: BTreeMap<String, i64>,
    /// What came off orders, by discount: how many orders, and minor units.
    pub came_off: BTreeMap<(DiscountOf, String), (u64, i64)>,
    /// Orders that were counted.
    pub orders: u64,
    /// What was refused.
    pub refused: u64,
    /// What rules with a budget would award without it.
    pub demand: Demand,
}

impl Side {
    fn add(&mut self, one: &Replayed) {
        self.flow(&one.flows);
        self.count(&one.rules, one.orders, one.refused);
        self.name(&one.of_tiers, &one.came_off);
        self.demand.add(&one.demand);
        let Some(account) = &one.account else { return };
        for ((left, owed), wallet) in self.left.iter_mut().zip(&mut self.owed).zip(&account.wallets) {
            let figures = wallet.figures;
            left.grow(figures.spendable.get());
            left.grow(figures.pending.get());
            left.grow(figures.held.get());
            owed.grow(figures.debt.get());
        }
    }

    fn merge(&mut self, other: &Self) {
        self.flow(&other.flows);
        self.count(&other.rules, other.orders, other.refused);
        self.name(&other.of_tiers, &other.came_off);
        self.demand.merge(&other.demand);
        self.left.iter_mut().zip(other.left).for_each(|(sum, more)| sum.grow(more));
        self.owed.iter_mut().zip(other.owed).for_each(|(sum, more)| sum.grow(more));
    }

    fn flow(&mut self, flows: &[Flow; WALLETS_MAX]) {
        for (sum, more) in self.flows.iter_mut().zip(flows) {
            sum.issued.grow(more.issued);
            sum.taken_back.grow(more.taken_back);
            sum.spent.grow(more.spent);
            sum.expired.grow(more.expired);
        }
    }

    fn name(&mut self, of_tiers: &BTreeMap<String, i64>, came_off: &BTreeMap<(DiscountOf, String), (u64, i64)>) {
        for (tier, points) in of_tiers {
            self.of_tiers.entry(tier.clone()).or_default().grow(*points);
        }
        for (discount, (orders, amount)) in came_off {
            let (sum, money) = self.came_off.entry(discount.clone()).or_default();
            sum.grow(*orders);
            money.grow(*amount);
        }
    }

    fn count(&mut self, rules: &[i64], orders: u64, refused: u64) {
        self.rules.resize(self.rules.len().max(rules.len()), 0);
        self.rules.iter_mut().zip(rules).for_each(|(sum, more)| sum.grow(*more));
        self.orders.grow(orders);
        self.refused.grow(refused);
    }
}

/// What a member would have got under each version, in minor units of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Example {
    /// Who.
    pub member: MemberId,
    /// Under the version in force.
    pub before: i64,
    /// Under the document.
    pub after: i64,
}

impl Example {
    /// How much more it is; negative where it is less.
    pub fn gain(&self) -> i64 {
        self.after.saturating_sub(self.before)
    }
}

/// The members with the largest figures, and of equal ones those with the smallest ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Best(BTreeSet<(Reverse<i64>, Example)>);

impl Best {
    fn add(&mut self, figure: i64, example: Example) {
        let place = (Reverse(figure), example);
        if self.0.len() < EXAMPLES || self.0.last().is_some_and(|last| place < *last) {
            self.0.insert(place);
            if self.0.len() > EXAMPLES {
                self.0.pop_last();
            }
        }
    }

    /// They, the largest first.
    pub fn iter(&self) -> impl Iterator<Item = &Example> {
        self.0.iter().map(|(_, example)| example)
    }
}

/// Members who belong together, and what they get under each version, in minor units of money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// How many they are.
    pub members: u64,
    /// How many of them get more,
    pub gain: u64,
    /// and less.
    pub lose: u64,
    /// What they get under the version in force,
    pub before: i64,
    /// and under the document.
    pub after: i64,
}

impl Group {
    fn add(&mut self, other: Self) {
        self.members.grow(other.members);
        self.gain.grow(other.gain);
        self.lose.grow(other.lose);
        self.before.grow(other.before);
        self.after.grow(other.after);
    }

    /// Both together.
    #[must_use]
    pub fn plus(mut self, other: Self) -> Self {
        self.add(other);
        self
    }

    fn of(example: &Example) -> Self {
        let (before, after, gain) = (example.before, example.after, example.gain());
        Self { members: 1, gain: (gain > 0).into(), lose: (gain < 0).into(), before, after }
    }
}

/// Where a member is at the end: in which tier under the version in force, and in which under the document.
pub type Places = [Option<TierSlot>; 2];

/// Two versions, member by member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The version in force.
    pub before: Side,
    /// The document.
    pub after: Side,
    /// Members who had an account by the end.
    pub members: u64,
    /// Members who get more,
    pub gain: u64,
    /// and who get less.
    pub lose: u64,
    /// Stored postings that could not be read as commands.
    pub unreadable: u64,
    /// Who gains most.
    pub winners: Best,
    /// Who loses most.
    pub losers: Best,
    /// By the tiers at the end.
    pub tiers: BTreeMap<Places, Group>,
    /// By the lists that they are in at the end.
    pub segments: BTreeMap<SegmentSlot, Group>,
    /// Of each pair of different tiers some who move, those with the smallest ids.
    pub movers: BTreeMap<Places, BTreeSet<MemberId>>,
}

impl Tally {
    /// Adds what two versions made of a member's past.
    pub fn add(&mut self, member: MemberId, [before, after]: [(&Rulebook, &Replayed); 2]) {
        self.before.add(before.1);
        self.after.add(after.1);
        let tier = |(book, one): (&Rulebook, &Replayed)| one.account.as_ref().and_then(|account| account.tier(book));
        let places = [tier(before), tier(after)];
        let example = Example { member, before: worth(before.0, before.1), after: worth(after.0, after.1) };
        let gain = example.gain();
        if gain > 0 {
            self.gain.grow(1);
            self.winners.add(gain, example);
        } else if gain < 0 {
            self.lose.grow(1);
            self.losers.add(gain.saturating_neg(), example);
        }
        if before.1.account.is_some() || after.1.account.is_some() {
            self.members.grow(1);
            self.tiers.entry(places).or_default().add(Group::of(&example));
            self.moves(places, member);
            let account = after.1.account.as_ref().or(before.1.account.as_ref());
            let lists = account.map(|account| account.segments).unwrap_or_default();
            for slot in lists.slots() {
                self.segments.entry(slot).or_default().add(Group::of(&example));
            }
        }
    }

    fn moves(&mut self, places: Places, member: MemberId) {
        let [before, after] = places;
        if before != after {
            let movers = self.movers.entry(places).or_default();
            movers.insert(member);
            if movers.len() > EXAMPLES {
                movers.pop_last();
            }
        }
    }

    /// Adds what another has added up.
    pub fn merge(&mut self, other: &Self) {
        self.before.merge(&other.before);
        self.after.merge(&other.after);
        self.members.grow(other.members);
        self.gain.grow(other.gain);
        self.lose.grow(other.lose);
        self.unreadable.grow(other.unreadable);
        for example in other.winners.iter() {
            self.winners.add(example.gain(), *example);
        }
        for example in other.losers.iter() {
            self.losers.add(example.gain().saturating_neg(), *example);
        }
        for (places, group) in &other.tiers {
            self.tiers.entry(*places).or_default().add(*group);
        }
        for (slot, group) in &other.segments {
            self.segments.entry(*slot).or_default().add(*group);
        }
        for (places, movers) in &other.movers {
            movers.iter().for_each(|member| self.moves(*places, *member));
        }
    }
}

/// What the points that a member was awarded and kept are worth, over all wallets, in minor units.
fn worth(book: &Rulebook, one: &Replayed) -> i64 {
    let of_wallet = |(wallet, rules)| {
        let flow = flow_of(&one.flows, wallet);
        cost(rules, flow.issued.saturating_sub(flow.taken_back))
    };
    redeemable(book).map(of_wallet).fold(0, i64::saturating_add)
}

/// What points of a wallet are worth, in minor units, half up.
pub fn cost(rules: &Redeemable, points: i64) -> i64 {
    rules.value.half_up(points).unwrap_or(i64::MAX)
}

/// The wallets of a version whose points can be spent, with their rules.
pub fn redeemable(book: &Rulebook) -> impl Iterator<Item = (&Wallet, &Redeemable)> {
    book.wallets.iter().filter_map(|wallet| match &wallet.kind {
        WalletKind::Redeemable(rules) => Some((wallet, rules)),
        WalletKind::Qualifying(_) => None,
    })
}

/// What went through a wallet.
pub fn flow_of(flows: &[Flow; WALLETS_MAX], wallet: &Wallet) -> Flow {
    usize::try_from(wallet.slot.0).ok().and_then(|place| flows.get(place)).copied().unwrap_or_default()
}
