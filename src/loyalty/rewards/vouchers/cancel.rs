//! A reward given back that was not used: points, stock and limit are as if it had not been redeemed.

use crate::kernel::clock::Moment;
use crate::kernel::id::MemberId;
use crate::kernel::points::Points;
use crate::loyalty::ledger::accounts::Accounts;
use crate::loyalty::ledger::counters::CounterKey;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::give_back::{Afterlife, restore};
use crate::loyalty::ledger::posting::{Needs, Posting, PostingKind, Record, Reference, RequestHash, Target};
use crate::loyalty::ledger::taken::taken;
use crate::loyalty::program::model::{Timeline, WalletKind};
use crate::loyalty::rewards::error::VoucherRefusal;
use crate::loyalty::rewards::vouchers::receipt::CancellationReceipt;
use crate::loyalty::rewards::vouchers::story::{VoucherStory, cancellation_reference};

/// Cancel a voucher.
#[derive(Clone, Debug)]
pub struct CancelVoucher {
    /// The reference of the redemption that issued it.
    pub redemption: Reference,
    /// Whose it is.
    pub member: MemberId,
}

impl Posting for CancelVoucher {
    type Receipt = CancellationReceipt;
    type Refusal = VoucherRefusal;

    fn target(&self) -> Target {
        Target::Member(self.member)
    }

    fn reference(&self) -> Reference {
        cancellation_reference(&self.redemption)
    }

    fn request_hash(&self) -> RequestHash {
        RequestHash::of(&self.redemption.as_str())
    }

    fn needs(&self) -> Needs {
        Needs { story_of: Some(self.redemption.clone()), ..Needs::default() }
    }

    fn decide(
        &self,
        at: &Moment,
        program: &Timeline,
        accounts: &mut Accounts<'_>,
    ) -> Result<CancellationReceipt, VoucherRefusal> {
        let rows = accounts.story();
        let story = VoucherStory::read(&self.redemption, &rows).ok_or(VoucherRefusal::Unknown)?;
        // By the version that redeemed: what became of the programme since changes nothing for who has paid.
        let book = program.version(story.row.version);
        let today = book.zone.day_of(at.at);
        story.usable(today)?;
        let redeemed = &story.redeemed;
        let wallet = book.wallet(&redeemed.wallet).ok_or(LedgerRefusal::WalletUnknown)?;
        let grace = match &wallet.kind {
            WalletKind::Redeemable(rules) => rules.restore_grace,
            WalletKind::Qualifying(_) => None,
        };
        let afterlife = Afterlife { today, grace_until: grace.map(|period| period.after(today)) };
        let points = Points::try_from(redeemed.points).map_err(|_| LedgerRefusal::TooManyPoints)?;
        let (account, counters) = accounts.account_and_counters()?;
        let posting = account.next_posting();
        restore(account, wallet.slot, &taken(story.row, wallet.slot, &rows), points, afterlife)?;
        if let Some(reward) = book.reward(&redeemed.reward) {
            if let Some(limit) = &reward.per_member {
                account.give_room(limit, redeemed.redeemed_on, Points::ONE);
            }
            if let Some(stock) = &reward.stock {
                let key = CounterKey::stock(account.program, &reward.code, stock, redeemed.redeemed_on);
                counters.give_back(key, 1);
            }
        }
        let receipt = CancellationReceipt {
            posting: posting.to_string(),
            member: posting.member.0,
            voucher: redeemed.voucher.clone(),
            reward: redeemed.reward.clone(),
            wallet: wallet.code.clone(),
            points: redeemed.points,
            spendable: account.figures(wallet.slot).spendable.get(),
        };
        accounts.record(Record::plain(PostingKind::CancelVoucher, at.at, book.version));
        Ok(receipt)
    }
}
