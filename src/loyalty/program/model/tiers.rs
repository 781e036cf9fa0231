//! The ladder of tiers of a version: what each asks for, how long it is held, and how it is lost.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::kernel::calendar::Period;
use crate::kernel::money::Ratio;
use crate::kernel::points::Points;
use crate::loyalty::program::model::texts::Texts;
use crate::loyalty::program::model::{Counts, Slot, TierSlot, Window};

/// The tiers of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder {
    /// The qualifying wallet whose balance earns them.
    pub wallet: Slot,
    /// What that wallet counts.
    pub counts: Counts,
    /// For how long it counts an order.
    pub window: Window,
    /// The tiers, lowest first, each from more than the one before it; never empty.
    pub tiers: Vec<Tier>,
    /// For how long a tier is held that is reached now.
    pub valid: Valid,
    /// How a tier is lost.
    pub downgrade: Downgrade,
}

/// A tier of one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tier {
    /// What stands for it in accounts.
    pub slot: TierSlot,
    /// The marketer's name for it, `gold`.
    pub code: String,
    /// The balance that earns it, in the wallet's unit: minor units of money, points, or orders.
    pub from: Points,
    /// What members in it earn on top, as a part of what others earn: 1/2 where the document says 1.5.
    pub earn: Option<Ratio>,
    /// What they are entitled to.
    pub perks: Vec<String>,
    /// What it is called.
    pub text: Texts,
}

/// For how long a tier is held that is reached now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Valid {
    /// Without a day: for as long as the balance is there.
    Open,
    /// To the end of the window's period after the present one.
    EndOfNextPeriod,
    /// For a period from its day.
    For(Period),
}

/// How a tier is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Downgrade {
    /// Not at all.
    Never,
    /// When a period of the window is over, by the balance that it ended with.
    PeriodEnd(Fall),
    /// When the balance is not there any more.
    WhenBelow(Fall),
}

/// How far and when a member falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fall {
    /// How far.
    pub to: FallTo,
    /// How long after the review; `None`: at once.
    pub grace: Option<Period>,
}

/// How far a member falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FallTo {
    /// To the tier that the balance earns.
    Earned,
    /// To the next lower tier.
    OneDown,
}

/// Where members of a tier go that a version no longer has; `None`: they are in no tier. One that is not named goes to none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TierMapping(pub BTreeMap<TierSlot, Option<TierSlot>>);

impl Ladder {
    /// A tier by its slot.
    pub fn tier(&self, slot: TierSlot) -> Option<&Tier> {
        self.tiers.iter().find(|tier| tier.slot == slot)
    }

    /// How high a tier is; no tier, and one that this version does not have, are lower than all.
    pub fn rank(&self, slot: Option<TierSlot>) -> Option<usize> {
        slot.and_then(|slot| self.tiers.iter().position(|tier| tier.slot == slot))
    }

    /// The higher one of two tiers of this version.
    pub fn higher(&self, one: Option<TierSlot>, other: Option<TierSlot>) -> Option<TierSlot> {
        let known = [one, other].into_iter().filter(|slot| self.rank(*slot).is_some());
        known.max_by_key(|slot| self.rank(*slot)).flatten()
    }

    /// The tier from zero, where there is one: everybody is in it who is in no other, and nobody holds it.
    pub fn ground(&self) -> Option<TierSlot> {
        self.tiers.iter().find(|tier| tier.from.is_zero()).map(|tier| tier.slot)
    }

    /// The highest tier that a balance earns; `None` where that is the ground.
    pub fn earned(&self, balance: Points) -> Option<TierSlot> {
        let earned = self.tiers.iter().rev().find(|tier| tier.from <= balance);
        earned.filter(|tier| !tier.from.is_zero()).map(|tier| tier.slot)
    }

    /// The next lower tier; `None` where that is the ground.
    pub fn below(&self, slot: TierSlot) -> Option<TierSlot> {
        let lower = self.tiers.iter().take_while(|tier| tier.slot != slot).last();
        lower.filter(|tier| !tier.from.is_zero()).map(|tier| tier.slot)
    }

    /// The last day for which a tier is held that is reached on `day`; `None`: there is none.
    pub fn valid_until(&self, enrolled_on: NaiveDate, day: NaiveDate) -> Option<NaiveDate> {
        match self.valid {
            _ if self.downgrade == Downgrade::Never => None,
            Valid::Open => None,
            Valid::For(period) => Some(period.after(day)),
            Valid::EndOfNextPeriod => {
                let last = self.window.last_day(enrolled_on, day)?;
                self.window.last_day(enrolled_on, last.succ_opt().unwrap_or(last))
            }
        }
    }
}
