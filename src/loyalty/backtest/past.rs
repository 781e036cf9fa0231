//! A member's past as commands: what the storefront and people once sent, rebuilt from the stored postings.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde::de::DeserializeOwned;

use crate::kernel::calendar::Zone;
use crate::kernel::clock::{Instant, Moment};
use crate::kernel::grow::Grow;
use crate::kernel::id::{MemberId, ProgramId};
use crate::kernel::money::{Amount, Currency, Money};
use crate::kernel::points::Points;
use crate::loyalty::checkout::cart::{Cart, CartLine, Prices, Tax};
use crate::loyalty::checkout::receipt::{
    DiscountOf, DiscountReceipt, FlagReceipt, LineKindName, LineReceipt, OrderReceipt, ReturnReceipt,
};
use crate::loyalty::checkout::return_order::ReturnOrder;
use crate::loyalty::checkout::returns::{LineReturn, ReturnRequest};
use crate::loyalty::checkout::said::{Said, SaidLine};
use crate::loyalty::checkout::settle::{OrderedAt, SettleOrder};
use crate::loyalty::earning::model::LineKind;
use crate::loyalty::ledger::account::Status;
use crate::loyalty::ledger::adjust::{Adjust, Adjusted, Direction};
use crate::loyalty::ledger::entry::{Entry, EntryKind};
use crate::loyalty::ledger::opening::{OpenBalance, Opened};
use crate::loyalty::ledger::posting::{AccountTime, PostingKind, Reference, RequestHash, Target};
use crate::loyalty::ledger::suspend::Suspend;
use crate::loyalty::members::model::Profile;
use crate::loyalty::membership::enrol::{Enrol, Enrolled};
use crate::loyalty::membership::events::send_event::{EventReceipt, SendEvent};
use crate::loyalty::membership::segments::change_segment::{ChangeSegment, SegmentChanged};
use crate::loyalty::membership::transfer::{ReceivedReceipt, TransferReceipt};
use crate::loyalty::program::facts::Values;

/// The kinds of postings that a replay reads; of the others the new version makes its own, or they change no figure.
pub const KINDS: [PostingKind; 11] = [
    PostingKind::Enrol,
    PostingKind::Order,
    PostingKind::Return,
    PostingKind::Adjust,
    PostingKind::Opening,
    PostingKind::Transfer,
    PostingKind::Received,
    PostingKind::Suspend,
    PostingKind::Reinstate,
    PostingKind::ChangeSegment,
    PostingKind::Event,
];

/// A stored posting, as far as a replay reads it.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// What it is about.
    pub kind: PostingKind,
    /// Business time.
    pub effective_at: Instant,
    /// When it was written down.
    pub recorded_at: Instant,
    /// Whether it is imported history, which is decided at its business time.
    pub imported: bool,
    /// The answer that was sent, as JSON.
    pub document: String,
    /// Where an order was placed, as JSON.
    pub texts: Option<String>,
    /// What it did, of an opening balance.
    pub entries: Vec<Entry>,
    /// What the shop says of the member today, as JSON: with the first posting, where rules ask for it.
    pub attributes: Option<String>,
}

impl Recorded {
    /// Its account time, and when it was written down.
    pub fn moment(&self) -> Moment {
        Moment { at: if self.imported { self.effective_at } else { self.recorded_at }, recorded: self.recorded_at }
    }
}

/// One thing that once happened, as a command that can be decided again.
#[derive(Clone, Debug)]
pub enum Deed {
    /// Somebody was enrolled.
    Enrol(Enrol),
    /// An order.
    Order(Box<Bought>),
    /// Something came back.
    Return(ReturnOrder),
    /// Points that a person, or another member, gave or took.
    Adjust(Adjust),
    /// Points brought along from another system.
    Opening(OpenBalance),
    /// A suspension or its end.
    Suspend(Suspend),
    /// Something that a member did outside of a checkout.
    Event(SendEvent),
    /// A member put into a list, or taken out.
    Segment(ChangeSegment),
}

/// An order, and how it was to be paid.
#[derive(Clone, Debug)]
pub struct Bought {
    /// The command.
    pub order: SettleOrder,
    /// The wallet that paid; absent: the programme's first.
    pub wallet: Option<String>,
    /// How many points it was paid with, or was to be.
    pub wanted: Points,
    /// What was charged for its products,
    pub products: Money,
    /// and for all of it.
    pub total: Money,
    /// What its gift card paid.
    pub gift_card: Money,
    /// What came off it, in minor units.
    pub came_off: Vec<(DiscountOf, String, i64)>,
    /// Whether any of it came back later.
    pub returned: bool,
}

impl Bought {
    /// The business day.
    pub fn ordered_on(&self, zone: Zone) -> NaiveDate {
        match self.order.ordered {
            OrderedAt::At(at) => zone.day_of(at),
            OrderedAt::On(day) => day,
            OrderedAt::Now => NaiveDate::MIN,
        }
    }
}

/// A deed, and when it was decided.
#[derive(Clone, Debug)]
pub struct Done {
    /// When.
    pub at: Moment,
    /// What.
    pub deed: Deed,
}

/// One member's past, in the order of the account.
#[derive(Clone, Debug)]
pub struct Past {
    /// Whose.
    pub member: MemberId,
    /// What the shop says of the member today.
    pub attributes: Values,
    /// What happened.
    pub deeds: Vec<Done>,
    /// Whether anything came back.
    pub returns: bool,
    /// Postings that could not be read as commands.
    pub unreadable: u64,
}

/// In which programme a past is read.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// The programme.
    pub program: ProgramId,
    /// What its money is in.
    pub currency: Currency,
    /// Whose days count.
    pub zone: Zone,
}

/// Nobody sent it with a hash: it is decided once.
const NO_HASH: RequestHash = RequestHash([0; 16]);

impl Past {
    /// Reads a member's postings, oldest first, as far as they were decided before `until`.
    pub fn read(reading: Reading, member: MemberId, rows: impl IntoIterator<Item = Recorded>, until: Instant) -> Self {
        let (attributes, deeds) = (Values::default(), Vec::new());
        let mut past = Self { member, attributes, deeds, returns: false, unreadable: 0 };
        let mut back = Back::default();
        for row in rows {
            if let Some(attributes) = row.attributes.as_deref().and_then(json) {
                past.attributes = attributes;
            }
            let at = row.moment();
            if at.at >= until {
                break;
            }
            match past.deed(reading, &row, &mut back) {
                Some(deed) => past.deeds.push(Done { at, deed }),
                None => past.unreadable.grow(1),
            }
        }
        past
    }

    fn deed(&mut self, reading: Reading, row: &Recorded, back: &mut Back) -> Option<Deed> {
        let member = self.member;
        Some(match row.kind {
            PostingKind::Enrol => Deed::Enrol(enrol(reading.program, member, &self.attributes, row)?),
            PostingKind::Order => Deed::Order(Box::new(bought(reading, member, row)?)),
            PostingKind::Return => {
                let receipt: ReturnReceipt = json(&row.document)?;
                let order = self.order_mut(&receipt.order)?;
                order.returned = true;
                let order = &order.order;
                let request = back.request(order, &receipt, reading.currency)?;
                let deed = returned(member, row, &receipt, request);
                self.returns = true;
                Deed::Return(deed)
            }
            PostingKind::Adjust => {
                let Adjusted { wallet, points, .. } = json(&row.document)?;
                Deed::Adjust(adjust(member, wallet, points)?)
            }
            PostingKind::Transfer => {
                let TransferReceipt { wallet, points, .. } = json(&row.document)?;
                Deed::Adjust(adjust(member, wallet, points.checked_neg()?)?)
            }
            PostingKind::Received => {
                let ReceivedReceipt { wallet, points, .. } = json(&row.document)?;
                Deed::Adjust(adjust(member, wallet, points)?)
            }
            PostingKind::Opening => Deed::Opening(opening(reading.zone, member, row)?),
            PostingKind::Suspend => Deed::Suspend(suspend(member, Status::Suspended)),
            PostingKind::Reinstate => Deed::Suspend(suspend(member, Status::Active)),
            PostingKind::Event => Deed::Event(event(member, row)?),
            PostingKind::ChangeSegment => {
                let SegmentChanged { segment, listed, .. } = json(&row.document)?;
                let reference = Reference::keyed("segment", "");
                Deed::Segment(ChangeSegment { reference, hash: NO_HASH, member, identity: None, segment, listed })
            }
            PostingKind::CatchUp
            | PostingKind::Change
            | PostingKind::Hold
            | PostingKind::Release
            | PostingKind::MergeOut
            | PostingKind::MergeIn
            | PostingKind::GrantTier => return None,
        })
    }

    fn order_mut(&mut self, reference: &str) -> Option<&mut Bought> {
        self.deeds.iter_mut().rev().find_map(|done| match &mut done.deed {
            Deed::Order(bought) if bought.order.reference == reference => Some(&mut **bought),
            _ => None,
        })
    }
}

fn json<T: DeserializeOwned>(document: &str) -> Option<T> {
    serde_json::from_str(document).ok()
}

fn time(row: &Recorded) -> AccountTime {
    if row.imported { AccountTime::Imported(row.effective_at) } else { AccountTime::Live }
}

fn enrol(program: ProgramId, member: MemberId, attributes: &Values, row: &Recorded) -> Option<Enrol> {
    let Enrolled { enrolled_on, .. } = json(&row.document)?;
    let profile = Profile { attributes: attributes.clone(), ..Profile::default() };
    let (reference, enrolled_on, welcomes) = (Reference::keyed("enrol", ""), Some(enrolled_on), !row.imported);
    Some(Enrol { program, reference, hash: NO_HASH, member, profile, enrolled_on, welcomes, time: time(row) })
}

fn bought(reading: Reading, member: MemberId, row: &Recorded) -> Option<Bought> {
    let receipt: OrderReceipt = json(&row.document)?;
    let money = |amount: Amount| amount.read(reading.currency).ok();
    let asked = receipt.flags.iter().find_map(|flag| match flag {
        FlagReceipt::InsufficientPoints { wallet, asked, .. }
        | FlagReceipt::MemberSuspended { wallet, asked, .. }
        | FlagReceipt::SpendRule { wallet, asked, .. } => Some((wallet.clone(), *asked)),
        FlagReceipt::HoldUnavailable { .. }
        | FlagReceipt::DiscountDiffers { .. }
        | FlagReceipt::DiscountTwice { .. } => None,
    });
    let spent = || receipt.spent.first().map(|spent| (spent.wallet.clone(), spent.points));
    let (wallet, wanted) = asked.or_else(spent).map_or((None, 0), |(wallet, points)| (Some(wallet), points));
    let said = Said::read(row.texts.as_deref());
    let lines: Vec<CartLine> =
        receipt.lines.iter().map(|line| cart_line(line, &said, reading.currency)).collect::<Option<_>>()?;
    let products = money(receipt.charged)?;
    let total = products.plus(money(receipt.shipping)?)?;
    let gift_card = money(receipt.gift_card)?;
    let off = |discount: &DiscountReceipt| {
        money(discount.amount).map(|amount| (discount.of, discount.code.clone(), amount.minor()))
    };
    let came_off = receipt.discounts.iter().filter_map(off).collect();
    let cart = Cart {
        attributes: said.attributes.clone(),
        // What was charged has its tax in it, however the storefront stated its prices.
        prices: Prices::TaxIncluded,
        lines,
        discounts: Vec::new(),
        entered: Vec::new(),
        points: Points::ZERO,
        gift_card,
        total: None,
    };
    let order = SettleOrder {
        named: Reference::order(&receipt.reference),
        reference: receipt.reference,
        hash: NO_HASH,
        target: Target::Member(member),
        identity: None,
        profile: Profile::default(),
        enrol: true,
        ordered: OrderedAt::At(row.effective_at),
        time: time(row),
        cart,
        stated: true,
        quoted: false,
        valid_with: None,
        says_points: true,
        spend_from: None,
        hold: None,
        place: said.place(),
    };
    let wanted = Points::try_from(wanted).ok()?;
    Some(Bought { order, wallet, wanted, products, total, gift_card, came_off, returned: false })
}

fn cart_line(line: &LineReceipt, said: &Said, currency: Currency) -> Option<CartLine> {
    let SaidLine { sku, category, brand, attributes, .. } = said.line(&line.id);
    Some(CartLine {
        attributes,
        id: line.id.clone(),
        kind: match line.kind {
            LineKindName::Product => LineKind::Product,
            LineKindName::Shipping => LineKind::Shipping,
        },
        sku,
        category,
        brand,
        quantity: line.quantity,
        amount: line.charged.read(currency).ok()?,
        tax: Tax::Stated(line.tax.read(currency).ok()?),
    })
}

/// How many pieces of which orders' lines have come back so far.
#[derive(Default)]
struct Back {
    pieces: HashMap<(String, String), u32>,
}

impl Back {
    /// What was asked for, by what it did: by quantity where pieces came back, else by amount.
    fn request(&mut self, order: &SettleOrder, receipt: &ReturnReceipt, currency: Currency) -> Option<ReturnRequest> {
        let mut lines = Vec::with_capacity(receipt.lines.len());
        for line in &receipt.lines {
            let before = self.pieces.entry((order.reference.clone(), line.id.clone())).or_default();
            let pieces = line.returned.quantity.saturating_sub(*before);
            *before = line.returned.quantity;
            let charged = line.charged.read(currency).ok()?;
            if pieces > 0 {
                lines.push(LineReturn { id: line.id.clone(), quantity: Some(pieces), amount: None });
            } else if charged > Money::ZERO {
                lines.push(LineReturn { id: line.id.clone(), quantity: None, amount: Some(charged) });
            }
        }
        (!lines.is_empty()).then_some(ReturnRequest { lines: Some(lines), amount: None, all: false })
    }
}

fn returned(member: MemberId, row: &Recorded, receipt: &ReturnReceipt, request: ReturnRequest) -> ReturnOrder {
    let (reference, order) = (receipt.reference.clone(), receipt.order.clone());
    ReturnOrder { reference, order, hash: NO_HASH, member, request, time: time(row) }
}

fn adjust(member: MemberId, wallet: String, signed: i64) -> Option<Adjust> {
    let direction = if signed < 0 { Direction::Down } else { Direction::Up };
    let points = Points::try_from(signed.checked_abs()?).ok()?;
    let (reference, reason) = (Reference::keyed("adjust", ""), String::new());
    Some(Adjust { reference, hash: NO_HASH, member, wallet, direction, points, reason })
}

fn opening(zone: Zone, member: MemberId, row: &Recorded) -> Option<OpenBalance> {
    let Opened { wallet, points, .. } = json(&row.document)?;
    let entry = row.entries.iter().find(|entry| entry.kind == EntryKind::Opening)?;
    // What ended by inactivity ends as the version says that decides.
    let expires_on: Option<NaiveDate> = entry.expiry.day();
    let available_on = entry.available_at.map(|at| zone.day_of(at));
    let (reference, points) = (Reference::keyed("opening", ""), Points::try_from(points).ok()?);
    Some(OpenBalance { reference, hash: NO_HASH, member, wallet, points, available_on, expires_on, time: time(row) })
}

fn event(member: MemberId, row: &Recorded) -> Option<SendEvent> {
    let EventReceipt { event, .. } = json(&row.document)?;
    Some(SendEvent {
        reference: Reference::keyed("event", ""),
        hash: NO_HASH,
        member,
        identity: None,
        name: event,
        occurred_at: Some(row.effective_at),
        attributes: Said::read(row.texts.as_deref()).attributes,
        time: time(row),
    })
}

fn suspend(member: MemberId, status: Status) -> Suspend {
    Suspend { reference: Reference::keyed("suspend", ""), hash: NO_HASH, member, status, reason: String::new() }
}
