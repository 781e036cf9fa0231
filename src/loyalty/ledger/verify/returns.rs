//! What returns give back of an order, over all of them: the exact share of every stored whole number. Source: golden.md
//! R4 and R5.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::kernel::grow::Grow;
use crate::kernel::money::Amount;
use crate::kernel::spread::Share;
use crate::loyalty::ledger::entry::EntryKind;
use crate::loyalty::ledger::lot::LotId;
use crate::loyalty::ledger::posting::{PostingKind, PostingRow, Reference};
use crate::loyalty::ledger::verify::awarded::lots_of;
use crate::loyalty::ledger::verify::documents::{
    ClawedBackDocument, EarnedDocument, Figure, LineDocument, OrderDocument, ReturnDocument, ReturnedLineDocument,
    entered, minor, parse,
};
use crate::loyalty::ledger::verify::fold::Folded;
use crate::loyalty::ledger::verify::law::{Findings, Law, Place};
use crate::loyalty::ledger::verify::merges::Before;
use crate::loyalty::ledger::verify::orders::{compare, credit_of};
use crate::loyalty::ledger::verify::returned_line::{Line, check_line, gone};
use crate::loyalty::program::model::{On, ReturnPolicy, Rulebook, Timeline, Wallet, WalletKind};

/// A member's orders of which something came back.
#[derive(Debug, Default)]
pub struct Returns {
    orders: BTreeMap<String, Order>,
}

/// An order, and what has come back of it so far.
#[derive(Debug)]
struct Order {
    row: PostingRow,
    document: OrderDocument,
    lines: BTreeMap<String, Line>,
    restored: i64,
    /// By wallet.
    clawed_back: BTreeMap<String, i64>,
    /// By wallet, and by the day of points that are over sooner than others.
    forgiven: BTreeMap<(String, Option<NaiveDate>), i64>,
    /// By rule, of those with a cap or a budget.
    given_back: BTreeMap<String, i64>,
    /// What went back to each lot.
    lots: BTreeMap<LotId, i64>,
    /// Of its own lots, before its account was merged: what expired, and how many awards they hold.
    expired: BTreeMap<i64, i64>,
    awards: BTreeMap<i64, u32>,
    complete: bool,
}

impl Returns {
    /// Checks a return; `order` is the posting that the directory has under the order's reference, with what happened to it
    /// in an account that was merged since; `before` is what the member had.
    pub fn check(
        &mut self,
        row: &PostingRow,
        (order, elsewhere): (Option<&PostingRow>, Option<&Before>),
        before: &Folded,
        timeline: &Timeline,
        found: &mut Findings,
    ) {
        let place = Place::posting(row.member, row.seq);
        let document: ReturnDocument = match parse(row) {
            Ok(document) => document,
            Err(says) => return found.add(Law::Documents, place, says),
        };
        if Reference::order_return(&document.order, &document.reference) != row.reference {
            let says = format!("the document is of return {} of order {}", document.reference, document.order);
            found.add(Law::Documents, place, says);
        }
        if !self.orders.contains_key(&document.order) {
            let order = match elsewhere {
                None => order.filter(|o| o.member == row.member && o.seq < row.seq).and_then(Order::of),
                Some(story) => Order::of_merged(story, timeline),
            };
            let Some(order) = order else {
                return found.add(Law::Returns, place, "the member has no such order before it");
            };
            self.orders.insert(document.order.clone(), order);
        }
        if let Some(order) = self.orders.get_mut(&document.order) {
            let book = timeline.version(order.row.version);
            order.give_back(row, &document, book, found);
            order.check_forgiven(row, &document, (book, before), found);
        }
    }
}

impl Order {
    /// An order that came along, with what had come back of it: that was checked where it happened.
    fn of_merged(story: &Before, timeline: &Timeline) -> Option<Self> {
        let mut order = Self::of(story.order.as_ref()?)?;
        let book = timeline.version(order.row.version);
        for back in &story.returns {
            order.give_back(back, &parse(back).ok()?, book, &mut Findings::default());
            order.forgive(back, &parse(back).ok()?, book);
        }
        (order.expired, order.awards) = (story.expired.clone(), story.awards.clone());
        Some(order)
    }

    fn of(order: &PostingRow) -> Option<Self> {
        let document: OrderDocument = parse(order).ok().filter(|_| order.kind == PostingKind::Order)?;
        let lines = document.lines.iter().map(|l| (l.id.clone(), Line::default())).collect();
        Some(Self {
            row: order.clone(),
            document,
            lines,
            restored: 0,
            clawed_back: BTreeMap::new(),
            forgiven: BTreeMap::new(),
            given_back: BTreeMap::new(),
            lots: BTreeMap::new(),
            expired: BTreeMap::new(),
            awards: BTreeMap::new(),
            complete: false,
        })
    }

    fn give_back(&mut self, row: &PostingRow, document: &ReturnDocument, book: &Rulebook, found: &mut Findings) {
        let place = Place::posting(row.member, row.seq);
        let pieces = self.pieces();
        for line in &document.lines {
            let sold = self.document.lines.iter().find(|sold| sold.id == line.id);
            match sold.zip(self.lines.get_mut(&line.id)) {
                Some((sold, back)) => check_line(row, &self.document, sold, back, line, found),
                None => found.add(Law::Returns, place, format!("the order has no line {}", line.id)),
            }
        }
        let minor = |amount: Amount| minor(amount, row.currency);
        let sum = |figure: fn(&ReturnedLineDocument) -> Amount| document.lines.iter().map(|l| minor(figure(l))).sum();
        let completes = self.is_complete() && !self.complete;
        let paid = Decimal::ZERO.checked_sub(document.money.0);
        if row.paid.is_none() || row.paid != paid || document.currency != row.currency.code() {
            found.add(Law::Returns, place, "paid or currency are not the document's");
        }
        let pairs = [
            ("charged", minor(document.charged), sum(|l| l.charged)),
            ("tax", minor(document.tax), sum(|l| l.tax)),
            ("gift_card", minor(document.gift_card), sum(|l| l.gift_card)),
            ("money", minor(document.money), sum(|l| l.money)),
            ("items", row.items.into(), pieces.saturating_sub(self.pieces())),
            ("orders", row.orders.into(), if completes { -1 } else { 0 }),
            ("complete", document.complete.into(), self.is_complete().into()),
            ("version", row.version.0.into(), self.row.version.0.into()),
        ];
        compare(Law::Returns, place, &pairs, found);
        self.complete = self.is_complete();
        self.check_restored(row, document, book, found);
        for wallet in &book.wallets {
            self.check_clawed_back(row, document, (book, wallet), found);
        }
        self.check_given_back(row, document, (book, completes), found);
    }

    fn check_given_back(
        &mut self,
        row: &PostingRow,
        document: &ReturnDocument,
        (book, completes): (&Rulebook, bool),
        found: &mut Findings,
    ) {
        let place = Place::posting(row.member, row.seq);
        for back in &document.given_back {
            self.given_back.entry(back.rule.clone()).or_default().grow(back.points);
        }
        let share = |id: &str| self.lines.get(id).map_or(Share::NONE, |line| line.share);
        for of_rule in &self.document.rows {
            let rule = book.rule(&of_rule.rule).filter(|rule| rule.on == On::Order);
            let bounded = rule.is_some_and(|rule| rule.cap.is_some() || rule.budget.is_some());
            let often = completes && rule.is_some_and(|rule| rule.awards.is_some());
            let awards =
                document.given_back.iter().filter(|back| back.rule == of_rule.rule).map(|back| back.awards).sum();
            let due: i64 = of_rule.lines.iter().map(|p| gone(share(&p.id), p.points)).sum();
            let says = self.given_back.get(&of_rule.rule).copied().unwrap_or_default();
            let pairs = [
                ("given back of a rule in all", says, if bounded { due } else { 0 }),
                ("awards given back of a rule", awards, often.into()),
            ];
            compare(Law::Returns, place, &pairs, found);
        }
        let none = |code: &str| self.document.rows.iter().all(|row| row.rule != code);
        for back in document.given_back.iter().filter(|back| none(&back.rule)) {
            found.add(Law::Returns, place, format!("{} has no row to give back", back.rule));
        }
    }

    /// Pieces of products that have come back.
    fn pieces(&self) -> i64 {
        let products = self.document.lines.iter().filter(|l| l.kind == "product");
        products.filter_map(|l| self.lines.get(&l.id)).map(|l| i64::from(l.quantity)).sum()
    }

    /// Whether every product that cost something has come back, or, where none did, every line.
    fn is_complete(&self) -> bool {
        let costs = |l: &&LineDocument| l.kind == "product" && !l.charged.0.is_zero();
        let is_back = |l: &LineDocument| self.lines.get(&l.id).is_some_and(|back| back.share.is_all());
        let costly: Vec<_> = self.document.lines.iter().filter(costs).collect();
        if costly.is_empty() { self.document.lines.iter().all(is_back) } else { costly.into_iter().all(is_back) }
    }

    fn check_restored(&mut self, row: &PostingRow, document: &ReturnDocument, book: &Rulebook, found: &mut Findings) {
        let place = Place::posting(row.member, row.seq);
        let restored: i64 = document.restored.iter().map(|r| r.points).sum();
        self.restored.grow(restored);
        let spent: i64 = self.document.spent.iter().map(|s| s.points).sum();
        if self.restored > spent {
            found.add(Law::Returns, place, format!("{} of {spent} points paid are restored", self.restored));
        }
        compare(Law::Returns, place, &[("restored", restored, document.lines.iter().map(|l| l.restored).sum())], found);
        for wallet in &book.wallets {
            let says: i64 = document.restored.iter().filter(|r| r.wallet == wallet.code).map(|r| r.points).sum();
            let paid: i64 = self.document.spent.iter().filter(|s| s.wallet == wallet.code).map(|s| s.points).sum();
            let is = entered(row, &[EntryKind::Restore], wallet.slot);
            compare(Law::Returns, place, &[("restore entries", says, is)], found);
            if says > paid {
                found.add(Law::Returns, place, format!("{says} restored to {}, which paid {paid}", wallet.code));
            }
        }
        self.check_lots(row, found);
    }

    /// What goes back to a lot was taken from it; what is replaced lies in a lot that this return opened.
    fn check_lots(&mut self, row: &PostingRow, found: &mut Findings) {
        let place = Place::posting(row.member, row.seq);
        let restores = row.entries.iter().enumerate().filter(|(_, e)| e.kind == EntryKind::Restore);
        for back in restores.flat_map(|(number, _)| row.moves_of(number)).filter(|m| m.lot.opened_in() != Some(row.seq))
        {
            let gone = self.lots.entry(back.lot).or_default();
            gone.grow(back.points.get());
            let spends = self
                .row
                .entries
                .iter()
                .enumerate()
                .filter(|(_, e)| matches!(e.kind, EntryKind::Spend | EntryKind::Capture));
            let moves = spends.flat_map(|(number, _)| self.row.moves_of(number));
            let taken: i64 = moves.filter(|m| m.lot == back.lot).map(|m| m.points.get()).sum();
            if *gone > taken {
                let says = format!("{gone} go back to lot {}, and {taken} were taken from it", back.lot.0);
                found.add(Law::Returns, place, says);
            }
        }
    }

    fn check_clawed_back(
        &mut self,
        row: &PostingRow,
        document: &ReturnDocument,
        (book, wallet): (&Rulebook, &Wallet),
        found: &mut Findings,
    ) {
        let place = Place::posting(row.member, row.seq);
        let backs: Vec<&ClawedBackDocument> = document.clawed_back.iter().filter(|c| c.wallet == wallet.code).collect();
        let whole = |figure: fn(&ClawedBackDocument) -> Figure| -> i64 {
            backs.iter().map(|c| figure(c).whole(row.currency)).sum()
        };
        let (asked, taken, forgiven) = (whole(|c| c.amount), whole(|c| c.taken), whole(|c| c.forgiven));
        let sum = |figure: fn(&ClawedBackDocument) -> i64| -> i64 { backs.iter().map(|c| figure(c)).sum() };
        let (held, owed, waived) = (sum(|c| c.held), sum(|c| c.owed), sum(|c| c.waived));
        let gone = self.clawed_back.entry(wallet.code.clone()).or_default();
        gone.grow(asked);
        let gone = *gone;
        let due = self.due(book, wallet);
        let parts = [taken, forgiven, held, waived, owed].into_iter().fold(0, i64::saturating_add);
        let pairs = [
            ("taken, forgiven, held, waived and owed", parts, asked),
            ("claw-back entries", taken, entered(row, &[EntryKind::ClawBack], wallet.slot)),
            ("owe entries", owed, entered(row, &[EntryKind::Owe], wallet.slot)),
            ("clawed back in all", gone, due),
        ];
        compare(Law::Returns, place, &pairs, found);
        let policy = match &wallet.kind {
            WalletKind::Redeemable(rules) => Some(rules.returns),
            WalletKind::Qualifying(_) => None,
        };
        if owed != 0 && policy != Some(ReturnPolicy::Allow) || waived != 0 && policy == Some(ReturnPolicy::Allow) {
            found.add(
                Law::Returns,
                place,
                format!("{waived} waived and {owed} owed are not what {} allows", wallet.code),
            );
        }
        if held != 0 && policy == Some(ReturnPolicy::PendingOnly) {
            found.add(Law::Returns, place, format!("{held} are owed by holds, which {} does not allow", wallet.code));
        }
        if [taken, owed, waived, held, forgiven, asked].iter().any(|n| *n < 0) {
            found.add(Law::Returns, place, format!("less than nothing is clawed back of {}", wallet.code));
        }
    }

    fn forgive(&mut self, row: &PostingRow, document: &ReturnDocument, book: &Rulebook) {
        for wallet in book.wallets.iter().filter(|w| matches!(w.kind, WalletKind::Redeemable(_))) {
            for back in document.clawed_back.iter().filter(|c| c.wallet == wallet.code) {
                let forgiven = self.forgiven.entry((wallet.code.clone(), back.expires_on)).or_default();
                forgiven.grow(back.forgiven.whole(row.currency));
            }
        }
    }

    /// Forgiven is what expired of the order's own lot; of a lot that orders share nobody can say whose that was.
    fn check_forgiven(
        &mut self,
        row: &PostingRow,
        document: &ReturnDocument,
        (book, before): (&Rulebook, &Folded),
        found: &mut Findings,
    ) {
        self.forgive(row, document, book);
        for wallet in book.wallets.iter().filter(|w| matches!(w.kind, WalletKind::Redeemable(_))) {
            let awards = self.row.entries.iter().enumerate();
            let awards = awards.filter(|(_, e)| e.kind == EntryKind::Award && e.wallet == wallet.slot);
            let lots: Vec<Option<LotId>> =
                awards.map(|(number, _)| self.row.moves_of(number).next().map(|m| m.lot)).collect();
            let shared = |lot: &LotId| {
                let here = before.lots.get(lot).map_or(0, |there| there.awards);
                here.saturating_add(self.awards.get(&lot.0).copied().unwrap_or_default()) != 1
            };
            let days = lots_of(&self.document.rows, &wallet.code);
            for ((day, _), lot) in days.into_iter().zip(lots) {
                let forgiven = self.forgiven.get(&(wallet.code.clone(), day)).copied().unwrap_or_default();
                let expired = lot.filter(|lot| !shared(lot)).map_or(i64::MAX, |lot| {
                    let here = before.lots.get(&lot).map_or(0, |there| there.expired);
                    here.saturating_add(self.expired.get(&lot.0).copied().unwrap_or_default())
                });
                if forgiven > expired {
                    let says = format!("{forgiven} are forgiven in {}, and {expired} expired", wallet.code);
                    found.add(Law::Returns, Place::posting(row.member, row.seq), says);
                }
            }
        }
    }

    /// What is to be clawed back of a wallet for all that has come back.
    fn due(&self, book: &Rulebook, wallet: &Wallet) -> i64 {
        let share = |id: &str| self.lines.get(id).map_or(Share::NONE, |line| line.share);
        let by_order = |e: &EarnedDocument| e.wallet == wallet.code && e.counts.as_deref() == Some("orders");
        match &wallet.kind {
            WalletKind::Redeemable(_) => {
                let rows = self.document.rows.iter().filter(|r| r.wallet == wallet.code);
                rows.flat_map(|r| &r.lines).map(|p| gone(share(&p.id), p.points)).sum()
            }
            WalletKind::Qualifying(_) if self.document.earned.iter().any(by_order) => self.complete.into(),
            WalletKind::Qualifying(_) => {
                let credit = |l: &LineDocument| credit_of(&self.row, book, &self.document, &wallet.code, l);
                self.document.lines.iter().map(|l| gone(share(&l.id), credit(l))).sum()
            }
        }
    }
}
