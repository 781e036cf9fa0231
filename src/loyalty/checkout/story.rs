//! The story of an order that comes back: its posting, what came after it, and what a return does to the lots in it.

use serde::Deserialize;

use chrono::NaiveDate;

use crate::kernel::id::MemberId;
use crate::kernel::money::{Amount, Currency, Money};
use crate::kernel::points::Points;
use crate::loyalty::checkout::receipt::{
    AmountClawedBack, ClawedBackReceipt, CountsName, GivenBackReceipt, LineKindName, LineReceipt, OrderReceipt,
    PointsClawedBack, RestoredReceipt, ReturnReceipt,
};
use crate::loyalty::checkout::share::{GivenBack, Returned, Sold, SoldLine};
use crate::loyalty::earning::model::LineKind;
use crate::loyalty::ledger::account::Account;
use crate::loyalty::ledger::counters::{CounterKey, Counters};
use crate::loyalty::ledger::entry::EntryKind;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::give_back::{Afterlife, ClawedBack, OwnLot, Taken, claw_back, restore, uncount};
use crate::loyalty::ledger::lot::LotId;
use crate::loyalty::ledger::posting::{PostingRow, Reference};
use crate::loyalty::ledger::taken::taken;
use crate::loyalty::program::model::{On, Rulebook, Slot, Timeline, WalletKind};
use crate::loyalty::tiers::reach::Upgrade;

/// An order's posting, its receipt, and what came after it.
pub struct Story<'g> {
    /// The order's posting.
    pub row: &'g PostingRow,
    receipt: OrderReceipt,
    returns: Vec<ReturnReceipt>,
    rows: &'g [&'g PostingRow],
}

impl<'g> Story<'g> {
    /// The story of an order, of the postings that there are; `None` where it is not among them.
    pub fn read(order: &str, rows: &'g [&'g PostingRow]) -> Option<Self> {
        let reference = Reference::order(order);
        let row = rows.iter().find(|r| r.reference == reference)?;
        let receipt = parse(&row.document)?;
        let prefix = Reference::order_return(order, "");
        let returns = rows.iter().filter(|r| r.reference.as_str().starts_with(prefix.as_str()));
        let returns = returns.map(|r| parse(&r.document)).collect::<Option<_>>()?;
        Some(Self { row, receipt, returns, rows })
    }

    /// The stored figures, with what has come back already.
    pub fn sold(&self, book: &Rulebook) -> Option<Sold> {
        let lines = self.receipt.lines.iter().map(|l| self.sold_line(l, book.currency)).collect::<Option<Vec<_>>>()?;
        let ids: Vec<&str> = self.receipt.lines.iter().map(|l| l.id.as_str()).collect();
        let place = |id: &str| ids.iter().position(|known| *known == id);
        let mut rows = Vec::with_capacity(self.receipt.rows.len());
        for row in &self.receipt.rows {
            let mut by_line = vec![Points::ZERO; ids.len()];
            for part in &row.lines {
                *by_line.get_mut(place(&part.id)?)? = Points::try_from(part.points).ok()?;
            }
            rows.push(by_line);
        }
        let credits = self.credits().map(|counts| self.credit_by_line(counts, book)).collect::<Option<_>>()?;
        Some(Sold { lines, rows, credits })
    }

    /// What the order did to the tier of its member: one that came along with a merge, nothing any more.
    pub fn upgrade(&self, program: &Timeline, member: MemberId) -> Option<Upgrade> {
        let tier = self.receipt.tier.as_ref().filter(|_| self.row.member == member)?;
        let was = tier.was.as_ref().and_then(|was| was.read(program));
        Some(Upgrade { cause: self.row.seq, on: self.receipt.ordered_on, was })
    }

    fn sold_line(&self, line: &LineReceipt, currency: Currency) -> Option<SoldLine> {
        let money = |a: Amount| a.read(currency).ok();
        let returns = self.returns.iter().rev().flat_map(|r| &r.lines);
        let returned = match returns.filter(|l| l.id == line.id).map(|l| l.returned).next() {
            None => Returned::default(),
            Some(r) => Returned { share: r.share, quantity: r.quantity, money: money(r.money)? },
        };
        Some(SoldLine {
            id: line.id.clone(),
            kind: match line.kind {
                LineKindName::Product => LineKind::Product,
                LineKindName::Shipping => LineKind::Shipping,
            },
            quantity: line.quantity,
            charged: money(line.charged)?,
            tax: money(line.tax)?,
            points_spent: Points::try_from(line.points_spent).ok()?,
            worth: money(line.worth)?,
            uncovered: line.uncovered.map_or(Some(Money::ZERO), money)?,
            gift_card: money(line.gift_card)?,
            returned,
        })
    }

    fn credits(&self) -> impl Iterator<Item = CountsName> {
        self.receipt.earned.iter().filter_map(|e| e.counts)
    }

    /// A qualifying wallet's credit of each line; orders are taken back whole, with the last of the order.
    fn credit_by_line(&self, counts: CountsName, book: &Rulebook) -> Option<Vec<Points>> {
        let main = book.main_wallet().map(|w| w.code.as_str());
        let of_line = |line: &LineReceipt| match counts {
            CountsName::Spend => line.base.read(book.currency).ok().and_then(|m| Points::try_from(m.minor()).ok()),
            CountsName::Points => {
                let rows = self.receipt.rows.iter().filter(|r| Some(r.wallet.as_str()) == main);
                let parts = rows.flat_map(|r| &r.lines).filter(|p| p.id == line.id);
                Points::try_from(parts.map(|p| p.points).sum::<i64>()).ok()
            }
            CountsName::Orders => Some(Points::ZERO),
        };
        self.receipt.lines.iter().map(of_line).collect()
    }

    /// What the order took from which lots and has not got back, in the order in which it was taken.
    fn taken(&self, wallet: Slot, restored_before: Points) -> Vec<Taken> {
        let mut taken = taken(self.row, wallet, self.rows);
        let mut rest = restored_before;
        for take in taken.iter_mut().rev() {
            let gone = take.points.min(rest);
            take.points = take.points.minus_or_zero(gone);
            rest = rest.minus_or_zero(gone);
        }
        taken
    }

    /// The lots that the order's awards to a wallet went to, in their order.
    fn own_lots(&self, wallet: Slot) -> impl Iterator<Item = LotId> {
        let awards = self.row.entries.iter().enumerate();
        let awards = awards.filter(move |(_, e)| e.kind == EntryKind::Award && e.wallet == wallet);
        awards.filter_map(|(place, _)| self.row.moves_of(place).map(|m| m.lot).next())
    }

    /// The last days of what the order brought to a wallet, a lot each, in their order.
    fn last_days(&self, wallet: &str) -> Vec<Option<NaiveDate>> {
        let mut days = Vec::new();
        for row in self.receipt.rows.iter().filter(|row| row.wallet == wallet) {
            if !days.contains(&row.expires_on) {
                days.push(row.expires_on);
            }
        }
        // What is over when others are was entered first.
        days.sort_by_key(Option::is_some);
        days
    }

    /// What expired of a lot unused, over its whole life.
    fn expired(&self, lot: LotId) -> Points {
        let mut sum = Points::ZERO;
        for row in self.rows {
            for (place, _) in row.entries.iter().enumerate().filter(|(_, e)| e.kind == EntryKind::Expire) {
                let moved = row.moves_of(place).filter(|m| m.lot == lot);
                sum = moved.fold(sum, |sum, m| sum.plus(m.points).unwrap_or(sum));
            }
        }
        sum
    }

    /// Gives points paid back to the lots they came from.
    ///
    /// # Errors
    /// When an account cannot take them.
    pub fn restore(
        &self,
        account: &mut Account,
        book: &Rulebook,
        points: Points,
        today: NaiveDate,
    ) -> Result<Vec<RestoredReceipt>, LedgerRefusal> {
        let wallet = self.receipt.spent.first().and_then(|s| book.wallet(&s.wallet));
        let Some(wallet) = wallet.filter(|_| !points.is_zero()) else { return Ok(Vec::new()) };
        let before = self.returns.iter().flat_map(|r| &r.restored).map(|r| r.points).sum::<i64>();
        let taken = self.taken(wallet.slot, Points::try_from(before).unwrap_or(Points::ZERO));
        let grace = match &wallet.kind {
            WalletKind::Redeemable(rules) => rules.restore_grace,
            WalletKind::Qualifying(_) => None,
        };
        let afterlife = Afterlife { today, grace_until: grace.map(|period| period.after(today)) };
        restore(account, wallet.slot, &taken, points, afterlife)?;
        Ok(vec![RestoredReceipt { wallet: wallet.code.clone(), points: points.get() }])
    }

    /// Takes back what was earned, wallet by wallet.
    ///
    /// # Errors
    /// When an account cannot.
    pub fn claw_back(
        &self,
        account: &mut Account,
        book: &Rulebook,
        back: &GivenBack,
    ) -> Result<Vec<ClawedBackReceipt>, LedgerRefusal> {
        let mut receipts = Vec::new();
        for wallet in &book.wallets {
            let WalletKind::Redeemable(rules) = &wallet.kind else { continue };
            for (day, lot) in self.last_days(&wallet.code).into_iter().zip(self.own_lots(wallet.slot)) {
                let rows = self.receipt.rows.iter().zip(&back.sum.rows);
                let rows = rows.filter(|(row, _)| row.wallet == wallet.code && row.expires_on == day);
                let points = rows.map(|(_, p)| p.get()).sum::<i64>();
                let points = Points::try_from(points).map_err(|_| LedgerRefusal::TooManyPoints)?;
                if points.is_zero() {
                    continue;
                }
                let earlier = self.returns.iter().flat_map(|r| r.points_clawed_back(&wallet.code));
                let forgiven = earlier.filter(|c| c.expires_on == day).map(|c| c.forgiven).sum::<i64>();
                let forgiven = Points::try_from(forgiven).unwrap_or(Points::ZERO);
                let own = OwnLot { lot, forgivable: self.expired(lot).minus_or_zero(forgiven) };
                let done = claw_back(account, wallet.slot, own, points, rules.returns)?;
                receipts.push(points_back((&wallet.code, day), done));
            }
        }
        Ok(receipts)
    }

    /// What came back of rules with a cap or a budget can be had again in the period of the order.
    pub fn give_room(
        &self,
        (account, counters): (&mut Account, &mut Counters<'_>),
        book: &Rulebook,
        back: &GivenBack,
    ) -> Vec<GivenBackReceipt> {
        let mut receipts = Vec::new();
        let day = self.receipt.ordered_on;
        for (row, points) in self.receipt.rows.iter().zip(&back.sum.rows) {
            let Some(rule) = book.rule(&row.rule).filter(|rule| rule.on == On::Order) else { continue };
            if let Some(cap) = &rule.cap {
                account.give_room(cap, day, *points);
            }
            let awards = rule.awards.as_ref().filter(|_| back.completes);
            if let Some(awards) = awards {
                account.give_room(awards, day, Points::ONE);
            }
            if let Some(budget) = rule.budget.as_ref().filter(|_| !points.is_zero()) {
                counters.give_back(CounterKey::budget(account.program, &rule.code, budget, day), points.get());
            }
            let bounded = !points.is_zero() && (rule.cap.is_some() || rule.budget.is_some());
            if bounded || awards.is_some() {
                let points = if bounded { points.get() } else { 0 };
                receipts.push(GivenBackReceipt { rule: row.rule.clone(), points, awards: awards.map(|_| 1) });
            }
        }
        receipts
    }

    /// The uses of discounts of an order that has come back can be had again in the period of the order.
    pub fn give_uses(&self, (account, counters): (&mut Account, &mut Counters<'_>), book: &Rulebook) -> Vec<String> {
        let day = self.receipt.ordered_on;
        let mut codes = Vec::new();
        for receipt in self.receipt.discounts.iter().filter(|receipt| receipt.is_counted()) {
            let Some(discount) = book.discount(&receipt.code) else { continue };
            if let Some(cap) = &discount.per_member {
                account.give_room(cap, day, Points::ONE);
            }
            if let Some(total) = &discount.total {
                counters.give_back(CounterKey::uses(account.program, &discount.code, total, day), 1);
            }
            if discount.per_member.is_some() || discount.total.is_some() {
                codes.push(discount.code.clone());
            }
        }
        codes
    }

    /// Takes back what counted in qualifying wallets.
    ///
    /// # Errors
    /// When an account cannot.
    pub fn uncount(
        &self,
        account: &mut Account,
        book: &Rulebook,
        back: &GivenBack,
    ) -> Result<Vec<ClawedBackReceipt>, LedgerRefusal> {
        let mut receipts = Vec::new();
        let credits = self.receipt.earned.iter().filter_map(|e| e.counts.map(|c| (e, c)));
        for ((earned, counts), by_line) in credits.zip(&back.sum.credits) {
            let Some(wallet) = book.wallet(&earned.wallet) else { continue };
            let one = if back.completes { 1 } else { 0 };
            let points =
                if counts == CountsName::Orders { Points::try_from(one).unwrap_or(*by_line) } else { *by_line };
            let Some(lot) = self.own_lots(wallet.slot).next().filter(|_| !points.is_zero()) else { continue };
            let taken = uncount(account, wallet.slot, lot, points)?;
            let forgiven = points.minus_or_zero(taken);
            let amount = |p: Points| Amount::of_minor(p.get(), book.currency);
            receipts.push(match counts {
                CountsName::Spend => ClawedBackReceipt::Amount(AmountClawedBack {
                    wallet: wallet.code.clone(),
                    amount: amount(points),
                    taken: amount(taken),
                    forgiven: amount(forgiven),
                }),
                CountsName::Points | CountsName::Orders => {
                    points_back((&wallet.code, None), ClawedBack { points, taken, forgiven, ..ClawedBack::default() })
                }
            });
        }
        Ok(receipts)
    }
}

fn points_back((wallet, expires_on): (&str, Option<NaiveDate>), done: ClawedBack) -> ClawedBackReceipt {
    ClawedBackReceipt::Points(PointsClawedBack {
        wallet: wallet.to_owned(),
        expires_on,
        points: done.points.get(),
        taken: done.taken.get(),
        forgiven: done.forgiven.get(),
        held: done.held.get(),
        waived: done.waived.get(),
        owed: done.owed.get(),
    })
}

fn parse<'de, T: Deserialize<'de>>(document: &'de str) -> Option<T> {
    serde_json::from_str(document).ok()
}
