//! Points and uses of discounts put aside for a checkout, with a time limit.

use chrono::{Duration, NaiveDate};

use crate::kernel::clock::{Instant, Moment, later};
use crate::kernel::id::{MemberId, Version};
use crate::kernel::money::{Money, Ratio};
use crate::kernel::points::Points;
use crate::loyalty::checkout::cart::{Cart, Place};
use crate::loyalty::checkout::error::HoldRefusal;
use crate::loyalty::checkout::holds::receipt::HeldReceipt;
use crate::loyalty::checkout::holds::story::hold_reference;
use crate::loyalty::checkout::offer::{Manner, Offering};
use crate::loyalty::checkout::price::{Terms, price};
use crate::loyalty::checkout::receipt::DiscountReceipt;
use crate::loyalty::checkout::spend::check_count;
use crate::loyalty::ledger::account::Status;
use crate::loyalty::ledger::accounts::Accounts;
use crate::loyalty::ledger::counters::CounterKey;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::hold::{HeldUse, hold};
use crate::loyalty::ledger::posting::{Guess, Needs, Posting, PostingKind, Record, Reference, RequestHash, Target};
use crate::loyalty::members::model::Identity;
use crate::loyalty::membership::enrol::verify_owner;
use crate::loyalty::program::model::{Redeemable, Rulebook, Slot, Timeline, Wallet, WalletKind};

/// How long a hold lasts where the storefront does not say, in seconds.
pub const HOLD_S: i64 = 900;
/// How long a hold lasts at most, in seconds.
pub const HOLD_MAX_S: i64 = 86_400;

/// Put points and discounts aside.
#[derive(Clone, Debug)]
pub struct OpenHold {
    /// The storefront's name for the hold.
    pub reference: String,
    /// Of what the storefront sent.
    pub hash: RequestHash,
    /// Whose points.
    pub member: MemberId,
    /// By what the storefront knows the member: checked again when it is decided.
    pub identity: Option<Identity>,
    /// The wallet; absent: the programme's first.
    pub wallet: Option<String>,
    /// How many, or none.
    pub points: Points,
    /// The order that is to have the discounts that it names.
    pub order: Option<HeldOrder>,
    /// For how long, in seconds.
    pub lasts_s: i64,
}

/// An order that is not placed yet.
#[derive(Clone, Debug)]
pub struct HeldOrder {
    /// What is bought, and what comes off.
    pub cart: Cart,
    /// Where.
    pub place: Option<Place>,
    /// The version that quoted it.
    pub valid_with: Option<Version>,
}

impl Posting for OpenHold {
    type Receipt = HeldReceipt;
    type Refusal = HoldRefusal;

    fn target(&self) -> Target {
        Target::Member(self.member)
    }

    fn reference(&self) -> Reference {
        hold_reference(&self.reference)
    }

    fn request_hash(&self) -> RequestHash {
        self.hash
    }

    fn needs(&self) -> Needs {
        Needs { identities: self.identity.iter().cloned().collect(), ..Needs::default() }
    }

    fn counters(&self, guess: Guess<'_>) -> Vec<CounterKey> {
        let Some((program, clock)) = guess.timeline.zip(guess.clock) else { return Vec::new() };
        let book = program.at(clock);
        let named = self.order.iter().flat_map(|order| &order.cart.discounts);
        let limited = named.filter_map(|stated| Some((&stated.code, book.discount(&stated.code)?.total.as_ref()?)));
        let day = book.zone.day_of(clock);
        limited.map(|(code, total)| CounterKey::uses(guess.program, code, total, day)).collect()
    }

    fn attributes(&self, guess: Guess<'_>) -> bool {
        guess.timeline.is_some_and(|program| self.reads_attributes(program, program.newest()))
    }

    fn decide(&self, at: &Moment, program: &Timeline, accounts: &mut Accounts<'_>) -> Result<HeldReceipt, HoldRefusal> {
        verify_owner(accounts, self.identity.as_ref(), self.target())?;
        let book = program.at(at.at);
        let paying = self.paying(book)?;
        if accounts.account()?.status == Status::Suspended {
            return Err(LedgerRefusal::Suspended.into());
        }
        let (discounts, uses) = self.keep(at.at, (program, book), accounts)?;
        if paying.is_none() && uses.is_empty() {
            return Err(HoldRefusal::Nothing);
        }
        let account = accounts.account()?;
        let posting = account.next_posting();
        let ends_at = later(at.at, Duration::seconds(self.lasts_s));
        let slot = paying.map_or(Slot(0), |(wallet, _)| wallet.slot);
        hold(account, (slot, self.points), uses, ends_at)?;
        let worth = paying
            .map_or(Some(Money::ZERO), |(_, rules)| rules.value.half_up(self.points.get()).and_then(Money::from_minor));
        let receipt = HeldReceipt {
            reference: self.reference.clone(),
            posting: posting.to_string(),
            member: posting.member.0,
            currency: book.currency.code().to_owned(),
            wallet: paying.map(|(wallet, _)| wallet.code.clone()),
            points: self.points.get(),
            worth: worth.unwrap_or(Money::MAX).amount(book.currency),
            discounts,
            ends_at,
            spendable: paying.map(|(wallet, _)| account.figures(wallet.slot).spendable.get()),
        };
        accounts.record(Record::plain(PostingKind::Hold, at.at, book.version));
        Ok(receipt)
    }
}

impl OpenHold {
    /// The wallet whose points it holds, if it holds any.
    fn paying<'b>(&self, book: &'b Rulebook) -> Result<Option<(&'b Wallet, &'b Redeemable)>, HoldRefusal> {
        if self.points.is_zero() {
            return Ok(None);
        }
        let wallet = match &self.wallet {
            Some(code) => book.wallet(code),
            None => book.main_wallet(),
        };
        let Some((wallet, WalletKind::Redeemable(rules))) = wallet.map(|w| (w, &w.kind)) else {
            return Err(HoldRefusal::WalletUnknown);
        };
        check_count(rules.spend.as_ref(), self.points).map_err(HoldRefusal::Spend)?;
        Ok(Some((wallet, rules)))
    }

    /// Whether the version in force, or the one that quoted the order, asks for attributes of members.
    fn reads_attributes(&self, program: &Timeline, book: &Rulebook) -> bool {
        let quoted = |order: &HeldOrder| order.valid_with.is_some_and(|by| program.version(by).reads_attributes);
        self.order.as_ref().is_some_and(|order| book.reads_attributes || quoted(order))
    }

    /// Uses up what the order's discounts are limited by, as if it was placed now.
    fn keep(
        &self,
        at: Instant,
        (program, book): (&Timeline, &Rulebook),
        accounts: &mut Accounts<'_>,
    ) -> Result<(Vec<DiscountReceipt>, Vec<HeldUse>), HoldRefusal> {
        let Some(order) = &self.order else { return Ok((Vec::new(), Vec::new())) };
        let attributes = self.reads_attributes(program, book).then(|| accounts.attributes()).flatten();
        let (account, counters) = accounts.account_and_counters()?;
        let (ordered, day) = (at, book.zone.day_of(at));
        let offering = Offering {
            cart: &order.cart,
            place: order.place.as_ref(),
            manner: Manner::Verify,
            valid_with: order.valid_with,
            promised: &[],
            program,
            book,
            now: book,
            ordered,
            day,
            attributes,
        };
        let receipts = offering.offered(account, counters)?.receipts;
        let terms = Terms { value: Ratio::ZERO, net_of: book.net_of(), barred: &[] };
        price(&order.cart, Points::ZERO, &terms).map_err(HoldRefusal::Cart)?;
        offering.use_up(&receipts, account, counters)?;
        let uses = receipts.iter().filter(|receipt| receipt.is_counted());
        let uses = uses.map(|receipt| held_use(book, &receipt.code, day)).collect();
        Ok((receipts, uses))
    }
}

fn held_use(book: &Rulebook, code: &str, day: NaiveDate) -> HeldUse {
    let place = book.discounts.iter().position(|discount| discount.code == code);
    // One that only the version of its quote has is kept, and counts for nothing.
    HeldUse { version: book.version, place: place.unwrap_or(book.discounts.len()), day }
}
