//! What rules look at: plain values of a member, an order, a line and an event, borrowed from wherever they are.

use chrono::NaiveDateTime;

use crate::kernel::clock::Instant;
use crate::kernel::id::MemberId;
use crate::kernel::money::Money;
use crate::loyalty::program::model::{Rulebook, SegmentSet, TierSlot};

/// The most lines of an order.
pub const ORDER_LINES_MAX: usize = 500;

/// Attributes by name, as they were sent.
pub type Values = serde_json::Map<String, serde_json::Value>;

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    /// Goods or services.
    Product,
    /// What bringing them costs.
    Shipping,
}

/// A member, as before the order or event.
#[derive(Clone, Copy, Debug)]
pub struct MemberFacts<'a> {
    /// Who.
    pub member: MemberId,
    /// The tier that is held; `None`: none.
    pub tier: Option<TierSlot>,
    /// The lists that the member is in.
    pub segments: SegmentSet,
    /// Orders that were not returned in full.
    pub order_count: i32,
    /// Local days since the last order, also where that came back; `None` where all did, or there is none.
    pub days_since_last_order: Option<i64>,
    /// Local days since the enrolment.
    pub days_enrolled: i64,
    /// The attributes; `None`: there are none, or no rule reads them.
    pub attributes: Option<&'a Values>,
}

/// A line of an order; a text that was not sent is empty.
#[derive(Clone, Copy, Debug)]
pub struct LineFacts<'a> {
    /// What it is.
    pub kind: LineKind,
    /// Article number.
    pub sku: &'a str,
    /// Category.
    pub category: &'a str,
    /// Brand.
    pub brand: &'a str,
    /// Pieces.
    pub quantity: u32,
    /// As stated, before discounts.
    pub amount: Money,
    /// The attributes; `None`: there are none.
    pub attributes: Option<&'a Values>,
}

/// An order.
#[derive(Clone, Copy, Debug)]
pub struct OrderFacts<'a> {
    /// Products and shipping, before points and gift card.
    pub total: Money,
    /// The part of the products.
    pub products: Money,
    /// The part of the shipping.
    pub shipping: Money,
    /// Where it was placed: `web`.
    pub channel: &'a str,
    /// In which shop.
    pub store: &'a str,
    /// Pieces of its products.
    pub quantity: u64,
    /// Its lines, at most [`ORDER_LINES_MAX`].
    pub lines: &'a [LineFacts<'a>],
    /// The attributes; `None`: there are none.
    pub attributes: Option<&'a Values>,
}

/// Something that happened outside of a checkout.
#[derive(Clone, Copy, Debug)]
pub struct EventFacts<'a> {
    /// What: `review_written`.
    pub name: &'a str,
    /// The attributes; `None`: there are none.
    pub attributes: Option<&'a Values>,
}

/// All that a rule may look at.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The version that decides.
    pub book: &'a Rulebook,
    /// Business time,
    pub at: Instant,
    /// on the programme's clocks.
    pub local: NaiveDateTime,
    /// Whose it is.
    pub member: MemberFacts<'a>,
    /// The order, of what is about one.
    pub order: Option<OrderFacts<'a>>,
    /// The event, of what is about one.
    pub event: Option<EventFacts<'a>>,
}
