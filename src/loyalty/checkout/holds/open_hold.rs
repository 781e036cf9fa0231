//! Points put aside for a checkout, with a time limit.

use chrono::Duration;

use crate::kernel::clock::{Moment, later};
use crate::kernel::id::MemberId;
use crate::kernel::money::Money;
use crate::kernel::points::Points;
use crate::loyalty::checkout::error::HoldRefusal;
use crate::loyalty::checkout::holds::receipt::HeldReceipt;
use crate::loyalty::checkout::holds::story::hold_reference;
use crate::loyalty::checkout::spend::check_count;
use crate::loyalty::ledger::account::Status;
use crate::loyalty::ledger::accounts::Accounts;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::hold::hold;
use crate::loyalty::ledger::posting::{Needs, Posting, PostingKind, Record, Reference, RequestHash, Target};
use crate::loyalty::members::model::Identity;
use crate::loyalty::membership::enrol::verify_owner;
use crate::loyalty::program::model::{Timeline, WalletKind};

/// How long a hold lasts where the storefront does not say, in seconds.
pub const HOLD_S: i64 = 900;
/// How long a hold lasts at most, in seconds.
pub const HOLD_MAX_S: i64 = 86_400;

/// Put points aside.
#[derive(Clone, Debug)]
pub struct HoldPoints {
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
    /// How many.
    pub points: Points,
    /// For how long, in seconds.
    pub lasts_s: i64,
}

impl Posting for HoldPoints {
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

    fn decide(&self, at: &Moment, program: &Timeline, accounts: &mut Accounts<'_>) -> Result<HeldReceipt, HoldRefusal> {
        verify_owner(accounts, self.identity.as_ref(), self.target())?;
        let book = program.at(at.at);
        let wallet = match &self.wallet {
            Some(code) => book.wallet(code),
            None => book.main_wallet(),
        };
        let Some((wallet, WalletKind::Redeemable(rules))) = wallet.map(|w| (w, &w.kind)) else {
            return Err(HoldRefusal::WalletUnknown);
        };
        check_count(rules.spend.as_ref(), self.points).map_err(HoldRefusal::Spend)?;
        let account = accounts.account()?;
        if account.status == Status::Suspended {
            return Err(LedgerRefusal::Suspended.into());
        }
        let posting = account.next_posting();
        let ends_at = later(at.at, Duration::seconds(self.lasts_s));
        hold(account, wallet.slot, self.points, ends_at)?;
        let worth = rules.value.half_up(self.points.get()).and_then(Money::from_minor);
        let receipt = HeldReceipt {
            reference: self.reference.clone(),
            posting: posting.to_string(),
            member: posting.member.0,
            currency: book.currency.code().to_owned(),
            wallet: wallet.code.clone(),
            points: self.points.get(),
            worth: worth.unwrap_or(Money::MAX).amount(book.currency),
            ends_at,
            spendable: account.figures(wallet.slot).spendable.get(),
        };
        accounts.record(Record::plain(PostingKind::Hold, at.at, book.version));
        Ok(receipt)
    }
}
