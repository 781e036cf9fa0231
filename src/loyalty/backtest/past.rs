//! A member's past as commands: what the storefront and people once sent, rebuilt from the stored postings.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde::de::DeserializeOwned;

use crate::kernel::calendar::Zone;
use crate::kernel::clock::{Instant, Moment};
use crate::kernel::grow::Grow;
use crate::kernel::id::{MemberId, ProgramId};
use crate::kernel::money::{Currency, Money};
use crate::kernel::points::Points;
use crate::loyalty::backtest::bought::{Bought, bought};
use crate::loyalty::backtest::redeemed::Redeemed;
use crate::loyalty::checkout::receipt::ReturnReceipt;
use crate::loyalty::checkout::return_order::ReturnOrder;
use crate::loyalty::checkout::returns::{LineReturn, ReturnRequest};
use crate::loyalty::checkout::said::Said;
use crate::loyalty::checkout::settle::SettleOrder;
use crate::loyalty::ledger::account::Status;
use crate::loyalty::ledger::adjust::{Adjust, Adjusted, Direction};
use crate::loyalty::ledger::entry::{Entry, EntryKind};
use crate::loyalty::ledger::opening::{OpenBalance, Opened};
use crate::loyalty::ledger::posting::{AccountTime, PostingKind, Reference, RequestHash};
use crate::loyalty::ledger::suspend::Suspend;
use crate::loyalty::members::model::Profile;
use crate::loyalty::membership::enrol::{Enrol, Enrolled};
use crate::loyalty::membership::events::send_event::{EventReceipt, SendEvent};
use crate::loyalty::membership::segments::change_segment::{ChangeSegment, SegmentChanged};
use crate::loyalty::membership::transfer::{ReceivedReceipt, TransferReceipt};
use crate::loyalty::program::facts::Values;
use crate::loyalty::program::model::earning::is_kept;
use crate::loyalty::rewards::receipt::RedemptionReceipt;
use crate::loyalty::rewards::vouchers::receipt::CancellationReceipt;

/// The kinds of postings that a replay reads; of the others the new version makes its own, or they change no figure.
pub const KINDS: [PostingKind; 13] = [
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
    PostingKind::Redeem,
    PostingKind::CancelVoucher,
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
    /// Points given for a reward.
    Redeem(Redeemed),
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
pub const NO_HASH: RequestHash = RequestHash([0; 16]);

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
            if row.kind == PostingKind::CancelVoucher {
                past.cancel(&row);
                continue;
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
            PostingKind::Redeem => {
                let RedemptionReceipt { wallet, points, voucher, .. } = json(&row.document)?;
                Deed::Redeem(Redeemed { member, wallet, points: Points::try_from(points).ok()?, voucher })
            }
            PostingKind::CatchUp
            | PostingKind::Change
            | PostingKind::UseVoucher
            | PostingKind::ReverseUse
            | PostingKind::CancelVoucher
            | PostingKind::Erase
            | PostingKind::Hold
            | PostingKind::Release
            | PostingKind::MergeOut
            | PostingKind::MergeIn
            | PostingKind::GrantTier => return None,
        })
    }

    /// A reward that was given back is as if it had not been redeemed.
    fn cancel(&mut self, row: &Recorded) {
        let Some(CancellationReceipt { voucher, .. }) = json(&row.document) else { return self.unreadable.grow(1) };
        for done in &mut self.deeds {
            if let Deed::Redeem(redeemed) = &mut done.deed
                && redeemed.voucher == voucher
            {
                redeemed.points = Points::ZERO;
            }
        }
    }

    fn order_mut(&mut self, reference: &str) -> Option<&mut Bought> {
        self.deeds.iter_mut().rev().find_map(|done| match &mut done.deed {
            Deed::Order(bought) if bought.order.reference == reference => Some(&mut **bought),
            _ => None,
        })
    }
}

/// A document as what it is, if it can be read so.
pub fn json<T: DeserializeOwned>(document: &str) -> Option<T> {
    serde_json::from_str(document).ok()
}

/// When a posting is decided again.
pub fn time(row: &Recorded) -> AccountTime {
    if row.imported { AccountTime::Imported(row.effective_at) } else { AccountTime::Live }
}

fn enrol(program: ProgramId, member: MemberId, attributes: &Values, row: &Recorded) -> Option<Enrol> {
    let Enrolled { enrolled_on, .. } = json(&row.document)?;
    let profile = Profile { attributes: attributes.clone(), ..Profile::default() };
    let (reference, enrolled_on, welcomes) = (Reference::keyed("enrol", ""), Some(enrolled_on), !row.imported);
    Some(Enrol { program, reference, hash: NO_HASH, member, profile, enrolled_on, welcomes, time: time(row) })
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
        by_itself: is_kept(&event),
        name: event,
        occurred_at: Some(row.effective_at),
        attributes: Said::read(row.texts.as_deref()).attributes,
        time: time(row),
    })
}

fn suspend(member: MemberId, status: Status) -> Suspend {
    Suspend { reference: Reference::keyed("suspend", ""), hash: NO_HASH, member, status, reason: String::new() }
}
