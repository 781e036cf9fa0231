//! What both sides are compared on: answers and balances, as plain numbers.

use chrono::{DateTime, NaiveDate, Utc};

pub type Time = DateTime<Utc>;
pub type Day = NaiveDate;

/// When points are over. Sorts in the order of spending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    On(Day),
    Inactive,
    Never,
}

/// What a command answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Enrolled {
        member: u32,
        on: Day,
    },
    Order(Box<OrderFacts>),
    Return(Box<ReturnFacts>),
    Adjusted {
        points: i64,
        spendable: i64,
    },
    Opened {
        points: i64,
    },
    Held {
        spendable: i64,
        ends: Time,
    },
    /// captured, released, taken, expired, waived; spendable.
    Released([i64; 5], i64),
    Suspended(bool),
    Transferred {
        points: i64,
        spendable: i64,
    },
    Merged(Box<MergedFacts>),
    Silent,
}

/// What a merge brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergedFacts {
    pub into: u32,
    pub orders: i32,
    pub last_order: Option<Day>,
    pub wallets: Vec<MergedWallet>,
    pub used: Vec<Used>,
    /// What was held, and what became of who goes on, where that changed.
    pub standing: Option<WasFacts>,
    pub tier: Option<TierFacts>,
}

/// What came over in a wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergedWallet {
    pub wallet: String,
    /// spendable, pending, debt.
    pub there: [i64; 3],
    /// earned, reversed, spent, expired.
    pub ever: [i64; 4],
    pub active_until: Option<Day>,
}

/// Of what is limited by member: its name, period, its first day, points or times.
pub type Used = (String, Option<String>, Option<Day>, i64);

/// An answer, or the code of a refusal.
pub type Said = Result<Answer, String>;

/// What a rule gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowFacts {
    pub rule: String,
    pub wallet: String,
    pub points: i64,
    pub uncut: i64,
    /// What cut it, one after the other, and to what.
    pub cuts: Vec<(&'static str, i64)>,
    /// The last day of its points, where they are over sooner than others of their wallet.
    pub ends: Option<Day>,
    /// The lines that got some.
    pub lines: Vec<(usize, i64)>,
}

/// What came off an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscountFacts {
    pub code: String,
    /// The programme's, and not the shop's own.
    pub ours: bool,
    pub amount: i64,
    pub lines: Vec<(usize, i64)>,
    /// Whether it is no use, as there were none left.
    pub uncounted: bool,
}

/// Code, wallet, then asked, spendable and uncovered.
pub type FlagFacts = (&'static str, String, [i64; 3]);

/// The day of an announced fall, and to which tier.
pub type Falls = Option<(Day, Option<String>)>;

/// A tier that was held: since when, its last day, and its announced fall.
pub type WasFacts = (String, Time, Option<Day>, Falls);

/// What became of a tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierFacts {
    pub before: Option<String>,
    pub after: Option<String>,
    pub until: Option<Day>,
    pub falls: Falls,
    /// What was held, where that changed.
    pub was: Option<WasFacts>,
}

/// Where a member stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TierView {
    pub tier: Option<String>,
    /// Of a tier that is held.
    pub since: Option<Time>,
    pub until: Option<Day>,
    pub falls: Falls,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderFacts {
    pub member: u32,
    pub version: i32,
    pub day: Day,
    /// charged, shipping, tax, gift card, paid.
    pub sums: [i64; 5],
    /// charged, tax, points, worth, gift card, paid, base, earned, uncovered.
    pub lines: Vec<[i64; 9]>,
    pub discounts: Vec<DiscountFacts>,
    pub rows: Vec<RowFacts>,
    /// Wallet, points or minor units, available at, expires on.
    pub earned: Vec<(String, i64, Option<Time>, Option<Day>)>,
    /// Wallet, points, worth.
    pub spent: Vec<(String, i64, i64)>,
    /// Rule and reason, and what could not be told, or which rule is better.
    pub skipped: Vec<String>,
    /// Of the hold that paid: whether it was open; captured, released, taken, expired, waived.
    pub hold: Option<(bool, [i64; 5])>,
    pub flags: Vec<FlagFacts>,
    pub tier: Option<TierFacts>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReturnFacts {
    pub member: u32,
    /// charged, tax, gift card, money.
    pub sums: [i64; 4],
    /// Line, then charged, tax, gift card, money, restored, clawed back; pieces in all; share in all.
    pub lines: Vec<(usize, [i64; 6], u32, String)>,
    pub restored: Vec<(String, i64)>,
    /// Wallet, the last day of points that were over sooner than others, then points, taken, forgiven, held, waived, owed.
    pub clawed: Vec<(String, Option<Day>, [i64; 6])>,
    /// Rule and points that can be had again, and how often.
    pub given: Vec<(String, i64, Option<i64>)>,
    /// The discounts that can be had again.
    pub uses: Vec<String>,
    /// Where it changed.
    pub tier: Option<TierFacts>,
    pub complete: bool,
}

/// A member as seen at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    pub seq: i64,
    pub orders: i32,
    pub last_order: Option<Day>,
    pub wallets: Vec<WalletView>,
    pub tier: TierView,
    /// As stored with the last posting: what stands for a rule with a cap, the place of its period among them, its first
    /// day, points.
    pub used: Vec<(i32, usize, Option<Day>, i64)>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WalletView {
    pub spendable: i64,
    pub pending: i64,
    pub debt: i64,
    pub held: i64,
    /// Of open holds: end, points, what a return is owed of them.
    pub holds: Vec<(Time, i64, i64)>,
    /// earned, reversed, spent, expired.
    pub ever: [i64; 4],
    /// What waits until when, and when it ends, summed.
    pub waits: Vec<(Time, End, i64)>,
    /// What can be spent until when, summed.
    pub ends: Vec<(End, i64)>,
    /// The day that inactive points end on, where there are any.
    pub inactive_on: Option<Day>,
}
