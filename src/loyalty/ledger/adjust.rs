//! An adjustment: a person adds or takes points, and says why.

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::Moment;
use crate::kernel::id::MemberId;
use crate::kernel::points::Points;
use crate::loyalty::ledger::account::{LotDates, Status};
use crate::loyalty::ledger::accounts::Accounts;
use crate::loyalty::ledger::entry::EntryKind;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::grant::{dates, grant, note_activity};
use crate::loyalty::ledger::lot::LotExpiry;
use crate::loyalty::ledger::posting::{Audited, Posting, PostingKind, Record, Reference, RequestHash, Target};
use crate::loyalty::ledger::tier_receipt::TierReceipt;
use crate::loyalty::program::model::{Timeline, WalletKind};
use crate::platform::audit::Action;

/// Adjust a wallet.
#[derive(Clone, Debug)]
pub struct Adjust {
    /// The caller's name for the command.
    pub reference: Reference,
    /// Of what the caller sent.
    pub hash: RequestHash,
    /// Whose wallet.
    pub member: MemberId,
    /// Which.
    pub wallet: String,
    /// Up or down.
    pub direction: Direction,
    /// By how much.
    pub points: Points,
    /// Why: free text.
    pub reason: String,
}

/// Whether points come or go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// They come.
    Up,
    /// They go.
    Down,
}

/// What an adjustment answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Adjusted {
    /// The posting.
    pub posting: String,
    /// The member.
    pub member: Uuid,
    /// The wallet's code.
    pub wallet: String,
    /// By how much; negative when points were taken.
    pub points: i64,
    /// What can be spent now.
    pub spendable: i64,
    /// What became of the member's tier, where it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub tier: Option<TierReceipt>,
}

impl Posting for Adjust {
    type Receipt = Adjusted;
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

    fn decide(&self, at: &Moment, program: &Timeline, accounts: &mut Accounts<'_>) -> Result<Adjusted, LedgerRefusal> {
        let book = program.at(at.at);
        let day = book.zone.day_of(at.at);
        let wallet = book.wallet(&self.wallet).ok_or(LedgerRefusal::WalletUnknown)?;
        let account = accounts.account()?;
        if account.status == Status::Suspended {
            return Err(LedgerRefusal::Suspended);
        }
        let posting = account.next_posting();
        match (self.direction, &wallet.kind) {
            (Direction::Up, WalletKind::Redeemable(rules)) => {
                note_activity(account, program, wallet.slot, day, at.at);
                // What a person gives can be used at once.
                let lives = LotDates { available_at: None, ..dates(rules, book, day) };
                grant(account, book, EntryKind::AdjustUp, (wallet.slot, self.points), lives, at)?;
            }
            (Direction::Up, WalletKind::Qualifying(rules)) => {
                let expiry = LotExpiry::through(rules.window.last_day(account.enrolled_on, day));
                let lives = LotDates { available_at: None, expiry };
                grant(account, book, EntryKind::AdjustUp, (wallet.slot, self.points), lives, at)?;
            }
            (Direction::Down, _) => account.spend(EntryKind::AdjustDown, wallet.slot, self.points)?,
        }
        let tier = account.look_at_tier(program, at.at, None).filter(TierReceipt::is_change);
        let spendable = account.figures(wallet.slot).spendable.get();
        let points = match self.direction {
            Direction::Up => EntryKind::AdjustUp.signed(self.points),
            Direction::Down => EntryKind::AdjustDown.signed(self.points),
        };
        accounts.record(Record {
            texts: Some(json!({ "reason": self.reason }).to_string()),
            audited: Some(Audited {
                action: Action("ledger.adjusted"),
                detail: json!({ "wallet": self.wallet, "points": points, "posting": posting.to_string() }),
            }),
            ..Record::plain(PostingKind::Adjust, at.at, book.version)
        });
        let (posting, member) = (posting.to_string(), posting.member.0);
        Ok(Adjusted { posting, member, wallet: self.wallet.clone(), points, spendable, tier })
    }
}
