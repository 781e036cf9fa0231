//! Opening balances: lots that members bring along from another system, with the expiry they had there.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kernel::clock::Moment;
use crate::kernel::id::MemberId;
use crate::kernel::points::Points;
use crate::loyalty::ledger::account::LotDates;
use crate::loyalty::ledger::accounts::Accounts;
use crate::loyalty::ledger::entry::EntryKind;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::grant::{dates, grant, note_activity};
use crate::loyalty::ledger::lot::LotExpiry;
use crate::loyalty::ledger::posting::{AccountTime, Posting, PostingKind, Record, Reference, RequestHash, Target};
use crate::loyalty::ledger::tier_receipt::TierReceipt;
use crate::loyalty::program::model::{Timeline, WalletKind};

/// Open a lot that a member brings along.
#[derive(Clone, Debug)]
pub struct OpenBalance {
    /// The file's name for the row.
    pub reference: Reference,
    /// Of what the file says.
    pub hash: RequestHash,
    /// Whose.
    pub member: MemberId,
    /// Into which wallet.
    pub wallet: String,
    /// How much.
    pub points: Points,
    /// From which programme-local day on it can be spent, if later than it is brought.
    pub available_on: Option<NaiveDate>,
    /// Its last usable day; absent: as the wallet says for points of today.
    pub expires_on: Option<NaiveDate>,
    /// When it is decided.
    pub time: AccountTime,
}

/// What an opening balance answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// The member.
    pub member: Uuid,
    /// The wallet's code.
    pub wallet: String,
    /// How much.
    pub points: i64,
    /// What became of the member's tier, where it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<TierReceipt>,
}

impl Posting for OpenBalance {
    type Receipt = Opened;
    type Refusal = LedgerRefusal;

    fn target(&self) -> Target {
        Target::Member(self.member)
    }

    fn reference(&self) -> Reference {
        self.reference.clone()
    }

    fn request_hash(&self) -> RequestHash {
        self.hash
    }

    fn time(&self) -> AccountTime {
        self.time
    }

    fn decide(&self, at: &Moment, program: &Timeline, accounts: &mut Accounts<'_>) -> Result<Opened, LedgerRefusal> {
        let book = program.at(at.at);
        let day = book.zone.day_of(at.at);
        let wallet = book.wallet(&self.wallet).ok_or(LedgerRefusal::WalletUnknown)?;
        let account = accounts.account()?;
        let usual = match &wallet.kind {
            WalletKind::Redeemable(rules) => dates(rules, book, day).expiry,
            WalletKind::Qualifying(rules) => LotExpiry::through(rules.window.last_day(account.enrolled_on, day)),
        };
        let expiry = self.expires_on.map_or(usual, LotExpiry::On);
        let available_at = self.available_on.map(|d| book.zone.start_of(d));
        note_activity(account, program, wallet.slot, day, at.at);
        let lives = LotDates { available_at, expiry };
        grant(account, book, EntryKind::Opening, (wallet.slot, self.points), lives, at)?;
        let tier = account.look_at_tier(program, at.at, None).filter(TierReceipt::is_change);
        let member = account.member.0;
        accounts.record(Record::plain(PostingKind::Opening, at.at, book.version));
        Ok(Opened { member, wallet: self.wallet.clone(), points: self.points.get(), tier })
    }
}
