//! An order, returned in part or in full: decided from the stored posting alone, never from today's rules.

use rust_decimal::Decimal;

use crate::kernel::clock::Moment;
use crate::kernel::id::MemberId;
use crate::kernel::money::{Currency, Money};
use crate::loyalty::checkout::error::ReturnRefusal;
use crate::loyalty::checkout::receipt::{ReturnReceipt, ReturnedLineReceipt, ReturnedReceipt};
use crate::loyalty::checkout::returns::ReturnRequest;
use crate::loyalty::checkout::share::{Figures, GivenBack, Returned, Sold, SoldLine, give_back};
use crate::loyalty::checkout::story::Story;
use crate::loyalty::earning::model::LineKind;
use crate::loyalty::ledger::accounts::Accounts;
use crate::loyalty::ledger::posting::{
    AccountTime, Needs, Posting, PostingKind, Record, Reference, RequestHash, Target,
};
use crate::loyalty::ledger::tier_receipt::TierReceipt;
use crate::loyalty::program::model::Timeline;

/// Return an order.
#[derive(Clone, Debug)]
pub struct ReturnOrder {
    /// The storefront's name for the return.
    pub reference: String,
    /// The order's reference.
    pub order: String,
    /// Of what the storefront sent.
    pub hash: RequestHash,
    /// Whose order it is.
    pub member: MemberId,
    /// What comes back.
    pub request: ReturnRequest,
    /// When it is decided.
    pub time: AccountTime,
}

impl Posting for ReturnOrder {
    type Receipt = ReturnReceipt;
    type Refusal = ReturnRefusal;

    fn target(&self) -> Target {
        Target::Member(self.member)
    }

    fn reference(&self) -> Reference {
        Reference::order_return(&self.order, &self.reference)
    }

    fn request_hash(&self) -> RequestHash {
        self.hash
    }

    fn needs(&self) -> Needs {
        Needs { story_of: Some(Reference::order(&self.order)), ..Needs::default() }
    }

    fn time(&self) -> AccountTime {
        self.time
    }

    fn decide(
        &self,
        at: &Moment,
        program: &Timeline,
        accounts: &mut Accounts<'_>,
    ) -> Result<ReturnReceipt, ReturnRefusal> {
        let rows = accounts.story();
        let story = Story::read(&self.order, &rows).ok_or(ReturnRefusal::OrderUnknown)?;
        let book = program.version(story.row.version);
        let sold = story.sold(book).ok_or(ReturnRefusal::OrderUnknown)?;
        let back = give_back(&sold, &self.request).map_err(ReturnRefusal::Return)?;
        let today = book.zone.day_of(at.at);
        let (account, counters) = accounts.account_and_counters()?;
        let posting = account.next_posting();
        let restored = story.restore(account, book, back.sum.points_spent, today)?;
        let mut clawed_back = story.claw_back(account, book, &back)?;
        let given_back = story.give_room((account, counters), book, &back);
        let uses_given_back = if back.completes { story.give_uses((account, counters), book) } else { Vec::new() };
        clawed_back.extend(story.uncount(account, book, &back)?);
        let upgrade = story.upgrade(program, account.member);
        let tier = account.take_tier_back(program, at.at, upgrade.as_ref()).filter(TierReceipt::is_change);
        let money = |m: Money| m.amount(book.currency);
        let receipt = ReturnReceipt {
            reference: self.reference.clone(),
            order: self.order.clone(),
            posting: Some(posting.to_string()),
            member: posting.member.0,
            currency: book.currency.code().to_owned(),
            charged: money(back.sum.charged),
            tax: money(back.sum.tax),
            gift_card: money(back.sum.gift_card),
            money: money(back.sum.money),
            lines: line_receipts(&sold, &back, book.currency),
            restored,
            clawed_back,
            given_back,
            uses_given_back,
            tier,
            complete: back.complete,
        };
        let pieces_before: u32 = sold.lines.iter().map(|l| product(l, l.returned.quantity)).sum();
        let now = back.lines.iter().filter_map(|l| Some(product(sold.lines.get(l.line)?, l.returned.quantity)));
        let pieces_now: u32 = now.sum();
        let untouched: u32 = untouched_pieces(&sold, &back);
        accounts.record(Record {
            paid: Decimal::ZERO.checked_sub(back.sum.money.to_decimal(book.currency)),
            items: negative(pieces_now.saturating_add(untouched).saturating_sub(pieces_before)),
            orders: if back.completes { -1 } else { 0 },
            ..Record::plain(PostingKind::Return, at.at, book.version)
        });
        Ok(receipt)
    }
}

fn product(line: &SoldLine, pieces: u32) -> u32 {
    if line.kind == LineKind::Product { pieces } else { 0 }
}

fn untouched_pieces(sold: &Sold, back: &GivenBack) -> u32 {
    let touched = |i: usize| back.lines.iter().any(|l| l.line == i);
    let rest = sold.lines.iter().enumerate().filter(|(i, _)| !touched(*i));
    rest.map(|(_, line)| product(line, line.returned.quantity)).sum()
}

fn negative(pieces: u32) -> i32 {
    0_i32.saturating_sub_unsigned(pieces)
}

fn line_receipts(sold: &Sold, back: &GivenBack, currency: Currency) -> Vec<ReturnedLineReceipt> {
    let money = |m: Money| m.amount(currency);
    let receipt = |line: &SoldLine, figures: &Figures, returned: Returned| ReturnedLineReceipt {
        id: line.id.clone(),
        charged: money(figures.charged),
        tax: money(figures.tax),
        gift_card: money(figures.gift_card),
        money: money(figures.money),
        restored: figures.points_spent.get(),
        clawed_back: figures.rows.iter().map(|p| p.get()).sum(),
        returned: ReturnedReceipt { share: returned.share, quantity: returned.quantity, money: money(returned.money) },
    };
    let lines = back.lines.iter().filter_map(|l| sold.lines.get(l.line).map(|s| receipt(s, &l.figures, l.returned)));
    lines.collect()
}
