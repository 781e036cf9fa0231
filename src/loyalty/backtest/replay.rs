//! One member's past, decided again: the same commands, in the same order, under a version that was always in force.

use std::collections::BTreeMap;

use chrono::{Duration, NaiveDate};

use crate::kernel::clock::{Instant, Moment, earlier};
use crate::kernel::grow::Grow;
use crate::kernel::id::ProgramId;
use crate::kernel::money::Money;
use crate::kernel::points::Points;
use crate::loyalty::backtest::bought::Bought;
use crate::loyalty::backtest::budgets::Spent;
use crate::loyalty::backtest::past::{Deed, Past};
use crate::loyalty::checkout::error::OrderRefusal;
use crate::loyalty::checkout::receipt::{DiscountOf, OrderReceipt, RowReceipt};
use crate::loyalty::earning::rows::TIER_ROW;
use crate::loyalty::ledger::account::{Account, Status};
use crate::loyalty::ledger::adjust::{Adjust, Direction};
use crate::loyalty::ledger::entry::{Entry, EntryKind};
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::posting::Target;
use crate::loyalty::ledger::solo::Solo;
use crate::loyalty::members::model::Profile;
use crate::loyalty::membership::events::send_event::EventRefusal;
use crate::loyalty::membership::segments::change_segment::SegmentRefusal;
use crate::loyalty::program::model::{Rulebook, Timeline, WALLETS_MAX, Wallet, WalletKind};

/// What is counted: from an instant until just before another. What came before is replayed all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// From here on,
    pub from: Instant,
    /// until just before this.
    pub to: Instant,
}

/// What went through one wallet while it was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// Points awarded by rules.
    pub issued: i64,
    /// Awards that returns took back.
    pub taken_back: i64,
    /// Points paid, less what returns gave back.
    pub spent: i64,
    /// Points that ended unused.
    pub expired: i64,
}

impl Flow {
    fn add(&mut self, entry: &Entry) {
        let points = entry.points.get();
        match entry.kind {
            EntryKind::Award => self.issued.grow(points),
            EntryKind::ClawBack | EntryKind::Owe => self.taken_back.grow(points),
            EntryKind::Spend | EntryKind::Capture => self.spent.grow(points),
            EntryKind::Restore => self.spent.shrink(points),
            EntryKind::Expire => self.expired.grow(points),
            EntryKind::Available
            | EntryKind::Repay
            | EntryKind::AdjustUp
            | EntryKind::AdjustDown
            | EntryKind::Opening
            | EntryKind::Hold
            | EntryKind::Release
            | EntryKind::TransferOut
            | EntryKind::TransferIn
            | EntryKind::MergeOut
            | EntryKind::MergeIn
            | EntryKind::DebtOut
            | EntryKind::DebtIn => {}
        }
    }
}

/// What a version made of a member's past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// What went through the wallets, by slot.
    pub flows: [Flow; WALLETS_MAX],
    /// Points that each rule awarded, in document order.
    pub rules: Vec<i64>,
    /// Points that tiers added, by the name of their rows.
    pub of_tiers: BTreeMap<String, i64>,
    /// What came off orders, by discount: how many orders, and minor units.
    pub came_off: BTreeMap<(DiscountOf, String), (u64, i64)>,
    /// What rules with a budget awarded: by place in the document, business day and points, also before the span.
    pub demand: Vec<(usize, NaiveDate, i64)>,
    /// Orders that were counted.
    pub orders: u64,
    /// What was refused: it cannot be done under this version.
    pub refused: u64,
    /// The account just before the span's end, for whoever had one by then.
    pub account: Option<Account>,
}

/// Decides a member's past again. What is refused leaves nothing, and is counted.
pub fn replay(past: &mut Past, tenant: ProgramId, (program, spent): (&Timeline, &Spent), span: Span) -> Replayed {
    let mut solo = Solo::new(program, tenant, past.member, past.returns);
    if program.newest().reads_attributes {
        solo.know(Profile { attributes: past.attributes.clone(), ..Profile::default() });
    }
    let mut tape = Tape::new(program.newest(), spent);
    for done in past.deeds.iter_mut().take_while(|done| done.at.at < span.to) {
        if done.at.at >= span.from {
            tape.begin(&mut solo, span);
        }
        tape.play(&mut solo, program.newest(), &mut done.deed, (tenant, &done.at));
    }
    tape.begin(&mut solo, span);
    let caught_up = solo.catch_up(just_before(span.to), &mut |entries| tape.flows.see(entries));
    tape.told(caught_up);
    let Tape { flows, rules, of_tiers, came_off, demand, orders, refused, .. } = tape;
    Replayed { flows: flows.of, rules, of_tiers, came_off, demand, orders, refused, account: solo.into_account() }
}

fn just_before(at: Instant) -> Instant {
    earlier(at, Duration::microseconds(1))
}

#[derive(Default)]
struct Flows {
    counts: bool,
    of: [Flow; WALLETS_MAX],
}

impl Flows {
    fn see(&mut self, entries: &[Entry]) {
        for entry in entries.iter().filter(|_| self.counts) {
            let flow = usize::try_from(entry.wallet.0).ok().and_then(|place| self.of.get_mut(place));
            if let Some(flow) = flow {
                flow.add(entry);
            }
        }
    }
}

/// What is noted of a replay.
struct Tape<'s> {
    spent: &'s Spent,
    flows: Flows,
    rules: Vec<i64>,
    of_tiers: BTreeMap<String, i64>,
    came_off: BTreeMap<(DiscountOf, String), (u64, i64)>,
    demand: Vec<(usize, NaiveDate, i64)>,
    orders: u64,
    refused: u64,
}

impl<'s> Tape<'s> {
    fn new(book: &Rulebook, spent: &'s Spent) -> Self {
        let (flows, rules) = (Flows::default(), vec![0; book.earning.len()]);
        let (of_tiers, came_off) = (BTreeMap::new(), BTreeMap::new());
        Self { spent, flows, rules, of_tiers, came_off, demand: Vec::new(), orders: 0, refused: 0 }
    }

    /// Begins to count: what happens by itself before that is none of it.
    fn begin(&mut self, solo: &mut Solo<'_>, span: Span) {
        if !self.flows.counts {
            let caught_up = solo.catch_up(just_before(span.from), &mut |_| ());
            self.told(caught_up);
            self.flows.counts = true;
        }
    }

    fn told<T, E>(&mut self, decided: Result<T, E>) {
        if decided.is_err() {
            self.refused.grow(1);
        }
    }

    fn play(&mut self, solo: &mut Solo<'_>, book: &Rulebook, deed: &mut Deed, (tenant, at): (ProgramId, &Moment)) {
        let day = match deed {
            Deed::Order(bought) => Some(bought.ordered_on(book.zone)),
            Deed::Enrol(enrol) => enrol.enrolled_on,
            Deed::Event(event) => event.occurred_at.map(|at| book.zone.day_of(at)),
            _ => None,
        };
        if let Some(day) = day {
            self.spent.tell(solo, book, tenant, day);
        }
        let flows = &mut self.flows;
        let seen = &mut |entries: &[Entry]| flows.see(entries);
        let refused = match deed {
            Deed::Enrol(enrol) => {
                let enrolled = solo.post(enrol, at, false, seen);
                enrolled.as_ref().iter().for_each(|done| self.note(book, &done.rows, done.enrolled_on));
                enrolled.is_err()
            }
            Deed::Order(bought) => match order(solo, book, bought, at, seen) {
                Ok(receipt) => {
                    self.orders.grow(self.flows.counts.into());
                    self.note(book, &receipt.rows, receipt.ordered_on);
                    self.note_discounts(bought);
                    false
                }
                Err(_) => true,
            },
            Deed::Return(back) => solo.post(back, at, true, seen).is_err(),
            Deed::Adjust(adjusted) => adjust(solo, book, adjusted, at, seen).is_err(),
            Deed::Opening(opening) => solo.post(opening, at, false, seen).is_err(),
            Deed::Redeem(redeemed) => solo.post(redeemed, at, false, seen).is_err(),
            Deed::Suspend(suspend) => solo.post(suspend, at, false, seen).is_err(),
            Deed::Event(event) => {
                let sent = solo.post(event, at, false, seen);
                sent.as_ref().iter().for_each(|done| self.note(book, &done.rows, done.occurred_on));
                // Of an event that the version does not know nothing comes.
                !matches!(sent, Ok(_) | Err(EventRefusal::Unknown))
            }
            // Of a list that the version does not have nobody asks.
            Deed::Segment(change) => {
                let changed = solo.post(change, at, false, seen);
                matches!(changed, Err(SegmentRefusal::Ledger(_)))
            }
        };
        self.refused.grow(refused.into());
    }

    /// As the order states them: behaviour is held constant.
    fn note_discounts(&mut self, bought: &Bought) {
        for (of, code, amount) in bought.came_off.iter().filter(|_| self.flows.counts) {
            let (orders, sum) = self.came_off.entry((*of, code.clone())).or_default();
            orders.grow(1);
            sum.grow(*amount);
        }
    }

    fn note(&mut self, book: &Rulebook, rows: &[RowReceipt], day: NaiveDate) {
        let counts = self.flows.counts;
        for row in rows {
            if counts && row.rule.starts_with(TIER_ROW) {
                self.of_tiers.entry(row.rule.clone()).or_default().grow(row.points);
            }
            let mut rules = book.earning.iter().zip(&mut self.rules).enumerate();
            let Some((place, (rule, sum))) = rules.find(|(_, (rule, _))| rule.code == row.rule) else { continue };
            if counts {
                sum.grow(row.points);
            }
            if rule.budget.is_some() {
                self.demand.push((place, day, row.points));
            }
        }
    }
}

/// Settles an order again, paid with as many of its points as are there and the order has room for.
fn order(
    solo: &mut Solo<'_>,
    book: &Rulebook,
    bought: &mut Bought,
    at: &Moment,
    seen: &mut impl FnMut(&[Entry]),
) -> Result<OrderReceipt, OrderRefusal> {
    let member = bought.order.target.member();
    let mut worth = Money::ZERO;
    let order = &mut bought.order;
    (order.spend_from, order.cart.points) = (None, Points::ZERO);
    if !bought.wanted.is_zero() {
        solo.catch_up(at.at, seen)?;
        let wallet = bought.wallet.as_ref().map_or_else(|| book.main_wallet(), |code| book.wallet(code));
        if let Some((wallet, points, most)) =
            wallet.and_then(|wallet| payable(solo, wallet, bought.wanted, bought.products))
        {
            (order.spend_from, order.cart.points) = (Some(wallet.code.clone()), points);
            worth = most;
        }
    }
    order.cart.gift_card = bought.gift_card.min(bought.total.minus_or_zero(worth));
    order.target = if solo.account().is_some() { Target::Member(member) } else { Target::New(member) };
    solo.post(order, at, bought.returned, seen)
}

/// How many of these points a wallet can pay for such products, and what they are worth.
fn payable<'b>(
    solo: &Solo<'_>,
    wallet: &'b Wallet,
    wanted: Points,
    products: Money,
) -> Option<(&'b Wallet, Points, Money)> {
    let WalletKind::Redeemable(rules) = &wallet.kind else { return None };
    let account = solo.account().filter(|account| account.status == Status::Active)?;
    let there = wanted.min(account.figures(wallet.slot).spendable);
    let worth =
        |points: i64| rules.value.half_up(points).and_then(Money::from_minor).filter(|worth| *worth <= products);
    let points = most(there.get(), |points| worth(points).is_some());
    let points = Points::try_from(points).ok().filter(|points| !points.is_zero() && products > Money::ZERO)?;
    Some((wallet, points, worth(points.get())?))
}

/// The largest number up to a bound that will do, where every smaller one does.
fn most(bound: i64, will_do: impl Fn(i64) -> bool) -> i64 {
    if will_do(bound) {
        return bound;
    }
    let (mut good, mut bad) = (0, bound);
    while bad.saturating_sub(good) > 1 {
        let middle = good.midpoint(bad);
        if will_do(middle) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    good
}

/// Gives or takes points again; of what is to be taken as many as are there.
fn adjust(
    solo: &mut Solo<'_>,
    book: &Rulebook,
    adjusted: &Adjust,
    at: &Moment,
    seen: &mut impl FnMut(&[Entry]),
) -> Result<(), LedgerRefusal> {
    if adjusted.direction == Direction::Up {
        return solo.post(adjusted, at, false, seen).map(drop);
    }
    solo.catch_up(at.at, seen)?;
    let wallet = book.wallet(&adjusted.wallet).ok_or(LedgerRefusal::WalletUnknown)?;
    let there = solo.account().map_or(Points::ZERO, |account| account.figures(wallet.slot).spendable);
    let points = adjusted.points.min(there);
    if points.is_zero() {
        return Ok(());
    }
    solo.post(&Adjust { points, ..adjusted.clone() }, at, false, seen).map(drop)
}
