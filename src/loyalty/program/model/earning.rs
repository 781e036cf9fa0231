//! What is earned, as decisions read it.

use chrono::NaiveDate;

use crate::kernel::calendar::{Period, RoundUp};
use crate::kernel::clock::Instant;
use crate::kernel::cycle::Cycle;
use crate::kernel::money::Ratio;
use crate::kernel::points::Points;
use crate::loyalty::program::condition::Condition;
use crate::loyalty::program::model::Slot;
use crate::loyalty::program::model::audience::Audience;
use crate::loyalty::program::model::texts::Texts;

/// A rule that awards points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarningRule {
    /// The marketer's name for it, `base`.
    pub code: String,
    /// What it is about.
    pub on: On,
    /// The redeemable wallet that it fills.
    pub wallet: Slot,
    /// What a line has to be for it; `None`: any.
    pub lines: Option<Condition>,
    /// What an order has to be for it; `None`: any.
    pub when: Option<Condition>,
    /// For whom it is; `None`: for everybody.
    pub audience: Option<Audience>,
    /// What it awards.
    pub award: Award,
    /// What is not part of its base.
    pub net_of: NetOf,
    /// The name that rules share of which only the best awards.
    pub stack: Option<String>,
    /// When it applies.
    pub schedule: Schedule,
    /// How much one member can get of it,
    pub cap: Option<Cap>,
    /// and how often: what would be points of the cap are awards.
    pub awards: Option<Cap>,
    /// How much all members together can get of it.
    pub budget: Option<Budget>,
    /// When what it awards is over, where that is not as the wallet says.
    pub expiry: Option<OwnExpiry>,
    /// What it is called.
    pub text: Texts,
}

/// What a rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum On {
    /// An order.
    Order,
    /// An enrolment.
    Enrolment,
    /// Something that happened outside of a checkout, by its name.
    Event(String),
}

/// What a birthday is called among events.
pub const BIRTHDAY: &str = "birthday";
/// What the day of the enrolment is called among them, in a later year.
pub const ANNIVERSARY: &str = "anniversary";

/// Whether an event is a day that comes by itself: nobody sends one.
pub fn is_kept(event: &str) -> bool {
    [BIRTHDAY, ANNIVERSARY].contains(&event)
}

/// Whether a rule is about a day that comes by itself.
pub fn is_kept_day(on: &On) -> bool {
    matches!(on, On::Event(name) if is_kept(name))
}

/// What a rule awards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Award {
    /// Points by the base.
    Rate {
        /// Points for each minor unit of base, exact.
        rate: Ratio,
        /// When only full steps earn: they instead of the rate.
        step: Option<Step>,
    },
    /// More of what the rules by the base award in the same wallet.
    Multiply {
        /// How many times more: the factor less one, exact.
        over: Ratio,
        /// Which rules, by their places in the version, with what it adds to each point's worth of them: for each minor
        /// unit of base, or for each full step.
        of: Vec<(usize, Ratio)>,
    },
    /// So many points for each order.
    Fixed(Points),
}

/// Points for full steps of base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Steps for each minor unit of base, exact.
    pub rate: Ratio,
    /// Points for each full step.
    pub points: Points,
}

/// When a rule applies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// From this instant on.
    pub from: Option<Instant>,
    /// Until just before this one.
    pub until: Option<Instant>,
}

impl Schedule {
    /// Whether an instant is within it.
    pub fn has(self, at: Instant) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }
}

/// What stands in accounts for something that is counted by member: fixed when its code first appears.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CountedSlot(pub i32);

/// How many points one member can get of a rule in a calendar period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cap {
    /// What stands for the rule in accounts.
    pub slot: CountedSlot,
    /// No more than this,
    pub points: Points,
    /// in each of these, by the business day.
    pub cycle: Cycle,
}

/// How many points all members together can get of a rule in a calendar period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// No more than this,
    pub points: Points,
    /// in each of these, by the business day.
    pub cycle: Cycle,
}

/// When the points of a rule are over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnExpiry {
    /// So long after the day they were earned,
    pub after: Period,
    /// moved on to a round day.
    pub round: Option<RoundUp>,
}

impl OwnExpiry {
    /// The last usable day of points of a business day.
    pub fn last_day(self, day: NaiveDate) -> NaiveDate {
        let last = self.after.after(day);
        self.round.map_or(last, |round| round.of(last))
    }
}

/// What is taken out of the money of a line before points are computed. Source: golden.md R2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetOf {
    /// Discounts.
    pub discounts: bool,
    /// The part paid with points.
    pub points_paid: bool,
    /// Tax.
    pub tax: bool,
    /// Shipping lines.
    pub shipping: bool,
    /// The part paid with a gift card.
    pub gift_card: bool,
}

impl NetOf {
    /// Everything that can be left out.
    pub const ALL: Self = Self { discounts: true, points_paid: true, tax: true, shipping: true, gift_card: true };
    /// Nothing: every line earns on what it cost before discounts.
    pub const NOTHING: Self =
        Self { discounts: false, points_paid: false, tax: false, shipping: false, gift_card: false };
}
