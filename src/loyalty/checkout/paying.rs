//! What an order costs and how points pay for it, as the wallet's rules say.

use chrono::NaiveDate;

use crate::kernel::clock::Instant;
use crate::kernel::money::{Money, Ratio};
use crate::kernel::points::Points;
use crate::loyalty::checkout::cart::{Cart, CartError};
use crate::loyalty::checkout::error::OrderRefusal;
use crate::loyalty::checkout::pay::Payer;
use crate::loyalty::checkout::price::{Priced, Terms, price};
use crate::loyalty::checkout::receipt::{BrokenRule, CanSpendReceipt};
use crate::loyalty::checkout::settle::SettleOrder;
use crate::loyalty::checkout::spend::{SpendError, barred, check_count, check_share, fewest, most, worth_of};
use crate::loyalty::ledger::account::{Account, Status};
use crate::loyalty::ledger::facts::member_facts;
use crate::loyalty::program::facts::{Facts, Values};
use crate::loyalty::program::model::{Rulebook, Spend};

/// An order that is to be paid.
#[derive(Clone, Copy)]
pub struct Paying<'o> {
    /// The order.
    pub order: &'o SettleOrder,
    /// What was bought, with what comes off.
    pub cart: &'o Cart,
    /// The version that decides.
    pub book: &'o Rulebook,
    /// The wallet that pays, by the rules under which its points have a value.
    pub payer: Option<Payer<'o>>,
    /// The member's account, before the order.
    pub account: &'o Account,
    /// When it was placed,
    pub ordered: Instant,
    /// and on which local day.
    pub day: NaiveDate,
    /// The member's attributes, where the version reads them.
    pub attributes: Option<&'o Values>,
}

/// What an order costs.
pub struct Paid {
    /// Its figures.
    pub priced: Priced,
    /// Of a sale that has happened: the rule that it was not paid by.
    pub broken: Option<BrokenRule>,
}

impl Paying<'_> {
    /// Prices it with the points that are taken. What a hold put aside was enough of them, in full steps, when it did.
    ///
    /// # Errors
    /// The cart is wrong, or the programme does not let members pay so; a sale that has happened is paid as it was.
    pub fn price(self, taken: Points, held: bool) -> Result<Paid, OrderRefusal> {
        let (cart, asked) = (self.cart, self.cart.points);
        let barred = self.barred();
        let terms = Terms { value: self.value(), net_of: self.book.net_of(), barred: &barred };
        let count = if held { Ok(()) } else { check_count(self.spend(), asked) };
        let priced = match price(cart, taken, &terms) {
            // The till took points for what they do not pay for.
            Err(CartError::PointsExceedProducts { .. }) if self.order.stated && barred.contains(&true) => {
                let priced = price(cart, taken, &Terms { barred: &[], ..terms }).map_err(OrderRefusal::Cart)?;
                return Ok(Paid { priced, broken: Some(BrokenRule::Not) });
            }
            priced => priced.map_err(OrderRefusal::Cart)?,
        };
        let worth = priced.worth.plus(priced.uncovered).unwrap_or(priced.worth);
        let kept = count.and_then(|()| check_share(self.spend(), (asked, worth), priced.payable, self.value()));
        match kept {
            Ok(()) => Ok(Paid { priced, broken: None }),
            Err(error) if self.order.stated => Ok(Paid { priced, broken: Some(broken(error)) }),
            Err(error) => Err(OrderRefusal::Spend(error)),
        }
    }

    /// With how many points it could be paid; `None` where there is no wallet to pay from.
    pub fn can_spend(self, priced: &Priced) -> Option<CanSpendReceipt> {
        let Payer { wallet, rules } = self.payer?;
        let spendable = self.account.figures(wallet.slot).spendable;
        let there = if self.account.status == Status::Active { spendable } else { Points::ZERO };
        let most = most(self.spend(), there, priced.payable, rules.value);
        Some(CanSpendReceipt {
            wallet: wallet.code.clone(),
            spendable: spendable.get(),
            least: fewest(self.spend()).get(),
            most: most.get(),
            step: self.spend().map_or(Points::ONE, |spend| spend.step).get(),
            worth: worth_of(rules.value, most).unwrap_or(Money::ZERO).amount(self.book.currency),
        })
    }

    fn spend(&self) -> Option<&Spend> {
        self.payer.and_then(|payer| payer.rules.spend.as_ref())
    }

    fn value(&self) -> Ratio {
        self.payer.map_or(Ratio::ZERO, |payer| payer.rules.value)
    }

    fn barred(&self) -> Vec<bool> {
        let local = self.book.zone.time_of(self.ordered);
        let member = member_facts(self.account, self.book, (self.ordered, self.day), self.attributes);
        let facts = Facts { book: self.book, at: self.ordered, local, member, order: None, event: None };
        barred(self.spend(), self.cart, &facts)
    }
}

fn broken(error: SpendError) -> BrokenRule {
    match error {
        SpendError::BelowMinimum { .. } => BrokenRule::Min,
        SpendError::NotInSteps { .. } => BrokenRule::Step,
        SpendError::ShareExceeded { .. } => BrokenRule::MaxShare,
    }
}
