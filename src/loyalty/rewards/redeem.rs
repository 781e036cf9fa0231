//! Points given for a reward.

use crate::kernel::clock::Moment;
use crate::kernel::id::MemberId;
use crate::kernel::points::Points;
use crate::loyalty::ledger::accounts::Accounts;
use crate::loyalty::ledger::counters::CounterKey;
use crate::loyalty::ledger::entry::EntryKind;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::facts::member_facts;
use crate::loyalty::ledger::grant::note_activity;
use crate::loyalty::ledger::posting::{Guess, Needs, Posting, PostingKind, Record, Reference, RequestHash, Target};
use crate::loyalty::program::facts::Facts;
use crate::loyalty::program::model::Timeline;
use crate::loyalty::program::reason::Reason;
use crate::loyalty::rewards::code::VoucherCode;
use crate::loyalty::rewards::error::RewardRefusal;
use crate::loyalty::rewards::offer::Offer;
use crate::loyalty::rewards::receipt::{GivesReceipt, RedemptionReceipt};

/// Redeem a reward.
#[derive(Clone, Debug)]
pub struct RedeemReward {
    /// The caller's name for the command.
    pub reference: Reference,
    /// Of what the caller sent.
    pub hash: RequestHash,
    /// Who gives points.
    pub member: MemberId,
    /// The reward's code.
    pub reward: String,
    /// The code by which the voucher is to be known.
    pub code: VoucherCode,
}

impl Posting for RedeemReward {
    type Receipt = RedemptionReceipt;
    type Refusal = RewardRefusal;

    fn target(&self) -> Target {
        Target::Member(self.member)
    }

    fn reference(&self) -> Reference {
        self.reference.clone()
    }

    fn request_hash(&self) -> RequestHash {
        self.hash
    }

    fn needs(&self) -> Needs {
        Needs { vouchers: vec![self.code.key().to_owned()], ..Needs::default() }
    }

    fn counters(&self, guess: Guess<'_>) -> Vec<CounterKey> {
        let Some((program, clock)) = guess.timeline.zip(guess.clock) else { return Vec::new() };
        let book = program.at(clock);
        let stock = book.reward(&self.reward).and_then(|reward| reward.stock.as_ref());
        let day = book.zone.day_of(clock);
        stock.map(|stock| CounterKey::stock(guess.program, &self.reward, stock, day)).into_iter().collect()
    }

    fn attributes(&self, guess: Guess<'_>) -> bool {
        guess.timeline.is_some_and(|program| program.newest().reads_attributes)
    }

    fn decide(
        &self,
        at: &Moment,
        program: &Timeline,
        accounts: &mut Accounts<'_>,
    ) -> Result<RedemptionReceipt, RewardRefusal> {
        let book = program.at(at.at);
        let reward = book.reward(&self.reward).ok_or(RewardRefusal::Unknown)?;
        let wallet = book.wallet_in(reward.wallet).ok_or(LedgerRefusal::WalletUnknown)?;
        let attributes = if book.reads_attributes { accounts.attributes() } else { None };
        let day = book.zone.day_of(at.at);
        let (account, counters) = accounts.account_and_counters()?;
        let facts = Facts {
            book,
            at: at.at,
            local: book.zone.time_of(at.at),
            member: member_facts(account, book, (at.at, day), attributes),
            order: None,
            event: None,
        };
        let offer = Offer::of(reward, account, counters, (&facts, day));
        match offer.why_not {
            None => {}
            Some(Reason::MemberSuspended) => return Err(LedgerRefusal::Suspended.into()),
            Some(Reason::InsufficientPoints) => {
                return Err(RewardRefusal::Points { cost: offer.cost, missing: offer.missing });
            }
            Some(reason) => return Err(RewardRefusal::Unavailable(reason)),
        }
        let posting = account.next_posting();
        account.spend(EntryKind::Spend, wallet.slot, offer.cost)?;
        note_activity(account, program, wallet.slot, day, at.at);
        if let Some(limit) = &reward.per_member {
            account.use_up(limit, day, Points::ONE)?;
        }
        if let Some(stock) = &reward.stock {
            let key = CounterKey::stock(account.program, &reward.code, stock, day);
            counters.use_up(key, 1, Some(stock.points.get()))?;
        }
        let receipt = RedemptionReceipt {
            posting: posting.to_string(),
            member: posting.member.0,
            program_version: book.version.0,
            reward: reward.code.clone(),
            wallet: wallet.code.clone(),
            points: offer.cost.get(),
            spendable: account.figures(wallet.slot).spendable.get(),
            currency: book.currency.code().to_owned(),
            gives: GivesReceipt::of(&reward.gives, book.currency),
            voucher: self.code.to_string(),
            redeemed_on: day,
            expires_on: reward.valid.map(|valid| valid.after(day)),
        };
        if !accounts.take_voucher(self.code.key()) {
            return Err(RewardRefusal::CodeTaken);
        }
        accounts.record(Record::plain(PostingKind::Redeem, at.at, book.version));
        Ok(receipt)
    }
}
