//! An order, settled: points paid, points earned, orders counted, in one posting.

use chrono::{Duration, NaiveDate};
use rust_decimal::Decimal;

use crate::kernel::clock::{Instant, Moment, earlier, later};
use crate::kernel::id::Version;
use crate::kernel::points::Points;
use crate::loyalty::checkout::came_in::count_for;
use crate::loyalty::checkout::cart::{Cart, Place};
use crate::loyalty::checkout::error::{HoldRefusal, OrderRefusal};
use crate::loyalty::checkout::holds::story::hold_reference;
use crate::loyalty::checkout::judge::Judged;
use crate::loyalty::checkout::missing::{next_reward, next_tier};
use crate::loyalty::checkout::offer::{Manner, Offering};
use crate::loyalty::checkout::pay::Source;
use crate::loyalty::checkout::paying::{Paid, Paying};
use crate::loyalty::checkout::receipt::write::Writer;
use crate::loyalty::checkout::receipt::{DiscountReceipt, OrderReceipt};
use crate::loyalty::checkout::said::Said;
use crate::loyalty::checkout::stated::flags;
use crate::loyalty::earning::asked::Trigger;
use crate::loyalty::earning::model::LineKind;
use crate::loyalty::earning::rows::Awarded;
use crate::loyalty::ledger::account::{Account, Status};
use crate::loyalty::ledger::accounts::Accounts;
use crate::loyalty::ledger::counters::CounterKey;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::posting::{
    AccountTime, Guess, Needs, Posting, PostingKind, PostingRow, Record, Reference, RequestHash, Target,
};
use crate::loyalty::members::model::{Identity, Profile};
use crate::loyalty::membership::awards::bounds::Bounds;
use crate::loyalty::membership::awards::come_in::earn;
use crate::loyalty::membership::awards::receipt::skipped_receipt;
use crate::loyalty::membership::enrol::{enrol, verify_owner};
use crate::loyalty::program::facts::Values;
use crate::loyalty::program::model::{Rulebook, Timeline};

/// How old a live order may be, in days: a till that was offline for long.
pub const ORDER_AGE_MAX_D: i64 = 730;
/// How far ahead of Postgres's clock an order may be, in seconds: a till whose clock is wrong.
pub const ORDER_AHEAD_MAX_S: i64 = 300;

/// Settle an order.
#[derive(Clone, Debug)]
pub struct SettleOrder {
    /// The command's name: the order's, or a name of its own for a quote.
    pub named: Reference,
    /// The storefront's name for it.
    pub reference: String,
    /// Of what the storefront sent.
    pub hash: RequestHash,
    /// Whose order it is.
    pub target: Target,
    /// By what the storefront knows the member: checked again when it is decided.
    pub identity: Option<Identity>,
    /// Who is enrolled with it, where the target is new.
    pub profile: Profile,
    /// Whether somebody new may be: a command that was settled before is answered even so.
    pub enrol: bool,
    /// When it was placed; absent: now.
    pub ordered: OrderedAt,
    /// When it is decided.
    pub time: AccountTime,
    /// What was bought and how it was paid.
    pub cart: Cart,
    /// Whether the sale has happened: what an order online would be refused for is flagged then.
    pub stated: bool,
    /// Whether it is only asked for: then it is also told how many points could be spent.
    pub quoted: bool,
    /// The version that quoted its discounts.
    pub valid_with: Option<Version>,
    /// The wallet that pays.
    pub spend_from: Option<String>,
    /// The hold that pays, or keeps its discounts, by its reference.
    pub hold: Option<String>,
    /// Whether it says how many points pay it: one that a hold of points pays has to.
    pub says_points: bool,
    /// Where it was placed: stored with the free text.
    pub place: Option<Place>,
}

/// When an order was placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderedAt {
    /// At the moment it is decided.
    Now,
    /// At an instant.
    At(Instant),
    /// On a programme-local day, without a time: its start.
    On(NaiveDate),
}

impl Posting for SettleOrder {
    type Receipt = OrderReceipt;
    type Refusal = OrderRefusal;

    fn target(&self) -> Target {
        self.target
    }

    fn reference(&self) -> Reference {
        self.named.clone()
    }

    fn request_hash(&self) -> RequestHash {
        self.hash
    }

    fn needs(&self) -> Needs {
        let program = self.identity.iter().map(|i| i.program).next();
        let profile = program.map(|p| self.profile.identities(p)).unwrap_or_default();
        let identities = self.identity.iter().cloned().chain(profile).collect();
        Needs { identities, story_of: self.hold.as_deref().map(hold_reference), ..Needs::default() }
    }

    fn attributes(&self, guess: Guess<'_>) -> bool {
        guess.timeline.is_some_and(|program| self.reads_attributes(program, program.newest()))
    }

    fn counters(&self, guess: Guess<'_>) -> Vec<CounterKey> {
        let Some((program, clock)) = guess.timeline.zip(guess.clock) else { return Vec::new() };
        let at = if let AccountTime::Imported(at) = self.time { at } else { clock };
        let ordered = self.placed_at(at, program);
        let book = program.at(ordered.min(at));
        let day = book.zone.day_of(ordered);
        let budgets = book.earning.iter().filter_map(|rule| Some((rule, rule.budget.as_ref()?)));
        let trigger = Trigger::Order { enrols: matches!(self.target, Target::New(_)) };
        let due = budgets.filter(|(rule, _)| trigger.sets_off(&rule.on) && rule.schedule.has(ordered));
        let of_rules = due.map(|(rule, budget)| CounterKey::budget(guess.program, &rule.code, budget, day));
        let named = |code: &str| self.quoted || self.cart.discounts.iter().any(|stated| stated.code == code);
        let totals = book.discounts.iter().filter_map(|discount| Some((discount, discount.total.as_ref()?)));
        let totals = totals.filter(|(discount, _)| named(&discount.code));
        of_rules.chain(totals.map(|(of, total)| CounterKey::uses(guess.program, &of.code, total, day))).collect()
    }

    fn time(&self) -> AccountTime {
        self.time
    }

    fn decide(
        &self,
        at: &Moment,
        program: &Timeline,
        accounts: &mut Accounts<'_>,
    ) -> Result<OrderReceipt, OrderRefusal> {
        let ordered = self.ordered_at(at, program)?;
        // An order may be a little ahead of us, and a version that starts until then has not started.
        let book = program.at(ordered.min(at.at));
        let day = book.zone.day_of(ordered);
        let enrols = self.enrolled(accounts, (ordered.min(at.at), day))?;
        let rows = accounts.story();
        let attributes = self.reads_attributes(program, book).then(|| accounts.attributes()).flatten();
        let (account, counters) = accounts.account_and_counters()?;
        let (source, taken) = self.source((program, book), &rows, account)?;
        let (payer, promised) = (source.payer(), source.promised((account, counters), program));
        let now = program.at(at.at.max(at.recorded));
        let offering = self.offering(&promised, (program, book, now), (ordered, day), attributes);
        let offered = offering.offered(account, counters)?;
        let (cart, place) = (&*offered.cart, self.place.as_ref());
        let paying = Paying { order: self, cart, book, payer, account, ordered, day, attributes };
        let Paid { priced, broken } = paying.price(taken, source.is_hold())?;
        let can_spend = (self.quoted && !source.is_hold()).then(|| paying.can_spend(&priced)).flatten();
        let hold = source.pay(account, program, taken, (ordered, day, at.at))?;
        let suspended = account.status == Status::Suspended;
        let bounds = Bounds { now, day };
        let judged = Judged { book, bounds, enrols, cart, priced: &priced, place, ordered, day, attributes };
        let Awarded { rows, skipped } = judged.awarded(account, counters)?;
        let credit = judged.credits(&rows, account)?;
        bounds.use_up(&rows, account, counters)?;
        offering.use_up(&offered.receipts, account, counters)?;
        let posting = account.next_posting();
        let mut came_in = earn(account, program, book, &rows, (ordered, day, at))?;
        came_in.extend(count_for(account, book, &credit, (day, at))?);
        account.last_order_on = account.last_order_on.max(Some(day));
        let write = Writer { cart, book, day };
        let (missed, pays) = (self.hold.as_ref().filter(|_| hold.is_none()), payer.map(|p| p.wallet));
        let flags = flags(cart.points, (taken, &priced), (pays, missed, broken), (suspended, book.currency));
        let receipt = OrderReceipt {
            reference: self.reference.clone(),
            posting: Some(posting.to_string()),
            member: Some(posting.member.0),
            guest: enrols && self.identity.is_none(),
            program_version: book.version.0,
            currency: book.currency.code().to_owned(),
            ordered_on: day,
            charged: priced.charged.amount(book.currency),
            shipping: priced.shipping.amount(book.currency),
            tax: priced.tax.amount(book.currency),
            gift_card: cart.gift_card.amount(book.currency),
            paid: priced.paid.amount(book.currency),
            lines: write.lines(&priced, &rows),
            discounts: offered.receipts,
            rows: write.rows(&rows),
            earned: came_in,
            spent: write.spent((taken, priced.worth), payer),
            tier: account.look_at_tier(program, at.at, Some(posting.seq)),
            hold,
            can_spend,
            next_tier: self.quoted.then(|| next_tier(account, book)).flatten(),
            next_reward: self.quoted.then(|| next_reward(account, book, (ordered, day), attributes)).flatten(),
            skipped: skipped.iter().map(skipped_receipt).collect(),
            skipped_discounts: offered.skipped,
            unknown_codes: offered.unknown_codes,
            flags: [flags, offered.flags].concat(),
        };
        let record = Record::plain(PostingKind::Order, ordered, book.version);
        accounts.record(self.sold(priced.paid.to_decimal(book.currency), enrols, record));
        Ok(receipt)
    }
}

impl SettleOrder {
    fn offering<'o>(
        &'o self,
        promised: &'o [DiscountReceipt],
        (program, book, now): (&'o Timeline, &'o Rulebook, &'o Rulebook),
        (ordered, day): (Instant, NaiveDate),
        attributes: Option<&'o Values>,
    ) -> Offering<'o> {
        let manner = match (self.quoted, self.stated) {
            (true, _) => Manner::Work,
            (false, false) => Manner::Verify,
            (false, true) => Manner::Flag,
        };
        let (cart, place, valid_with) = (&self.cart, self.place.as_ref(), self.valid_with);
        Offering { cart, place, manner, valid_with, promised, program, book, now, ordered, day, attributes }
    }

    /// Whether it is somebody new's, who has an account from now on.
    fn enrolled(&self, accounts: &mut Accounts<'_>, (at, day): (Instant, NaiveDate)) -> Result<bool, OrderRefusal> {
        verify_owner(accounts, self.identity.as_ref(), self.target)?;
        match self.target {
            Target::Member(_) => Ok(false),
            Target::New(_) if !self.enrol => Err(LedgerRefusal::MemberUnknown.into()),
            Target::New(_) => {
                enrol(accounts, &self.profile, at, day)?;
                Ok(true)
            }
        }
    }

    /// Whether the version that decides, or the one that quoted it, asks for attributes of members.
    fn reads_attributes(&self, program: &Timeline, book: &Rulebook) -> bool {
        book.reads_attributes || self.valid_with.is_some_and(|quoted| program.version(quoted).reads_attributes)
    }

    fn placed_at(&self, now: Instant, program: &Timeline) -> Instant {
        match self.ordered {
            OrderedAt::Now => now,
            OrderedAt::At(ordered) => ordered,
            OrderedAt::On(day) => program.newest().zone.start_of(day),
        }
    }

    fn ordered_at(&self, at: &Moment, program: &Timeline) -> Result<Instant, OrderRefusal> {
        let ordered = self.placed_at(at.at, program);
        if ordered > later(at.recorded, Duration::seconds(ORDER_AHEAD_MAX_S)) {
            return Err(OrderRefusal::TooFarAhead);
        }
        let live = self.time == AccountTime::Live;
        if live && ordered < earlier(at.recorded, Duration::days(ORDER_AGE_MAX_D)) {
            return Err(OrderRefusal::TooOld);
        }
        Ok(ordered)
    }

    /// Where the points come from, and how many are taken: of a sale that has happened, those that are there.
    fn source<'b, 'g>(
        &self,
        (program, book): (&'b Timeline, &'b Rulebook),
        rows: &[&'g PostingRow],
        account: &Account,
    ) -> Result<(Source<'b, 'g>, Points), OrderRefusal> {
        let named = (self.spend_from.as_deref(), self.hold.as_deref());
        if !self.stated {
            let source = Source::find((program, book), named, rows)?;
            let unsaid = !self.says_points && source.is_hold();
            return if unsaid { Err(HoldRefusal::PointsUnsaid.into()) } else { Ok((source, self.cart.points)) };
        }
        let source = Source::find_stated((program, book), named, rows, account)?;
        let taken = source.takes(account, self.cart.points);
        Ok((source, taken))
    }

    fn sold(&self, paid: Decimal, enrols: bool, record: Record) -> Record {
        Record {
            paid: Some(paid),
            items: self.items(),
            orders: 1,
            texts: Said::of(self.place.as_ref(), &self.cart).map(|said| said.text()),
            profile: enrols.then(|| self.profile.clone()),
            ..record
        }
    }

    fn items(&self) -> i32 {
        let products = self.cart.lines.iter().filter(|l| l.kind == LineKind::Product);
        let items: u64 = products.map(|l| u64::from(l.quantity)).sum();
        i32::try_from(items).unwrap_or(i32::MAX)
    }
}
