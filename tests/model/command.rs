//! Commands, written out in full: the same list runs again from a seed, or shrunk.

use crate::facts::{Day, Time};

/// One command at one time of Postgres's clock.
#[derive(Clone, Debug)]
pub struct Command {
    pub clock: Time,
    /// Of what the caller sent.
    pub hash: u64,
    /// The caller's name for it.
    pub name: String,
    pub what: What,
}

#[derive(Clone, Debug)]
pub enum What {
    Enrol {
        member: u32,
        email: Option<String>,
        on: Option<Day>,
        imported: Option<Time>,
    },
    Order(Box<Order>),
    Return {
        member: u32,
        order: String,
        asked: Asked,
        imported: Option<Time>,
    },
    Adjust {
        member: u32,
        wallet: &'static str,
        up: bool,
        points: i64,
    },
    Opening {
        member: u32,
        wallet: &'static str,
        points: i64,
        available: Option<Day>,
        end: Option<Day>,
        imported: Option<Time>,
    },
    Transfer {
        from: u32,
        to: u32,
        wallet: &'static str,
        points: i64,
    },
    Merge {
        source: u32,
        into: u32,
    },
    Claim {
        order: String,
        guest: u32,
        member: u32,
    },
    Hold {
        member: u32,
        wallet: Option<&'static str>,
        points: i64,
        seconds: i64,
    },
    Release {
        member: u32,
        hold: String,
    },
    /// Nobody posts; somebody looks.
    Look,
    /// Somebody at the desk suspends or reinstates.
    Suspend {
        member: u32,
        suspended: bool,
    },
}

#[derive(Clone, Debug)]
pub struct Order {
    pub member: u32,
    /// Whether the member is new and enrolled with the order.
    pub new: bool,
    pub email: Option<String>,
    pub ordered: Ordered,
    pub imported: Option<Time>,
    pub basket: Basket,
    pub from: Option<&'static str>,
    pub hold: Option<String>,
    /// Whether the sale has happened.
    pub stated: bool,
}

#[derive(Clone, Copy, Debug)]
pub enum Ordered {
    Now,
    At(Time),
    On(Day),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taxed {
    Included,
    OnTop,
    Not,
}

#[derive(Clone, Debug)]
pub struct Basket {
    pub taxed: Taxed,
    pub lines: Vec<Line>,
    /// Line and amount, each a discount of its own.
    pub off: Vec<(usize, i64)>,
    /// The programme's discounts: off each line how much.
    pub named: Vec<(&'static str, Vec<i64>)>,
    pub points: i64,
    pub gift: i64,
    pub total: Option<i64>,
    /// Names the second line like the first.
    pub twice: bool,
}

#[derive(Clone, Debug)]
pub struct Line {
    pub product: bool,
    pub category: Option<&'static str>,
    pub quantity: u32,
    pub amount: i64,
    /// Tenths of a percent.
    pub rate: Option<i64>,
    pub tax: Option<i64>,
}

#[derive(Clone, Debug)]
pub enum Asked {
    All,
    Amount(i64),
    /// Line, quantity, amount.
    Lines(Vec<(usize, Option<u32>, Option<i64>)>),
    /// Neither.
    Nothing,
}

/// What a command is, for the pairs that must have been seen.
pub const KINDS: [&str; 17] = [
    "enrol",
    "order",
    "order paid with points",
    "late order",
    "imported order",
    "return",
    "adjust",
    "opening",
    "look",
    "suspend",
    "hold",
    "release",
    "order paid with a hold",
    "order as stated",
    "transfer",
    "merge",
    "claim",
];

impl Command {
    pub fn kind(&self) -> usize {
        match &self.what {
            What::Enrol { .. } => 0,
            What::Order(o) if o.imported.is_some() => 4,
            What::Order(o) if o.stated => 13,
            What::Order(o) if !matches!(o.ordered, Ordered::Now) => 3,
            What::Order(o) if o.hold.is_some() => 12,
            What::Order(o) if o.basket.points > 0 => 2,
            What::Order(_) => 1,
            What::Return { .. } => 5,
            What::Adjust { .. } => 6,
            What::Opening { .. } => 7,
            What::Look => 8,
            What::Suspend { .. } => 9,
            What::Hold { .. } => 10,
            What::Transfer { .. } => 14,
            What::Merge { .. } => 15,
            What::Claim { .. } => 16,
            What::Release { .. } => 11,
        }
    }

    /// The reference, as the directory knows it.
    pub fn reference(&self) -> Option<String> {
        match &self.what {
            What::Enrol { .. } => Some(format!("enrol:{}", self.name)),
            What::Order(_) => Some(format!("order:{}", self.name)),
            What::Return { order, .. } => Some(format!("order:{order}/return:{}", self.name)),
            What::Adjust { .. } => Some(format!("adjust:{}", self.name)),
            What::Opening { .. } => Some(format!("opening:{}", self.name)),
            What::Transfer { .. } => Some(format!("transfer:{}", self.name)),
            What::Merge { .. } => Some(format!("merge:{}", self.name)),
            What::Claim { order, .. } => Some(format!("order:{order}/claim")),
            What::Hold { .. } => Some(format!("hold:{}", self.name)),
            What::Release { hold, .. } => Some(format!("hold:{hold}/release")),
            What::Suspend { suspended: true, .. } => Some(format!("suspend:{}", self.name)),
            What::Suspend { suspended: false, .. } => Some(format!("reinstate:{}", self.name)),
            What::Look => None,
        }
    }
}
