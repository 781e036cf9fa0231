//! What a merge answers, and what it leaves with who goes on.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::Instant;
use crate::kernel::cycle::Cycle;
use crate::kernel::money::Amount;
use crate::kernel::points::Points;
use crate::loyalty::ledger::account::Account;
use crate::loyalty::ledger::lot::{Lot, LotExpiry};
use crate::loyalty::ledger::merge::{Merged, MergedWallet};
use crate::loyalty::ledger::tier_receipt::{StandingReceipt, TierReceipt};
use crate::loyalty::ledger::usage::Used;
use crate::loyalty::members::model::IdentityKind;
use crate::loyalty::program::model::{Counted, Counts, Timeline, Wallet, WalletKind};

/// What went on in another account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MergeReceipt {
    /// The posting with the member that was merged; of a preview there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub posting: Option<String>,
    /// The member that was merged.
    pub member: Uuid,
    /// Who goes on.
    pub into: Uuid,
    /// The posting with who goes on; of a preview there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub merged_in: Option<String>,
    /// What came over, wallet by wallet.
    pub wallets: Vec<MergedWalletReceipt>,
    /// What was had of rules with a cap: it counts with what who goes on has had.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub used: Vec<UsedReceipt>,
    /// The lists that the member was in, and now who goes on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<String>,
    /// What was known of tiers: who goes on holds the better one of both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub standing: Option<StandingReceipt>,
    /// What became of the tier of who goes on, where it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub tier: Option<TierReceipt>,
    /// Orders that came over, without those that came back in full.
    pub orders: i32,
    /// The programme-local day of the latest one.
    pub last_order_on: Option<NaiveDate>,
    /// By what the member was known: each of these leads to who goes on.
    #[schema(value_type = Vec<String>, example = json!(["external_id", "email"]))]
    pub identities: Vec<IdentityKind>,
    /// The number that stands before the names of its lots from now on.
    pub branch: i32,
}

/// What was had of a rule with a cap, or of a discount with a limit, in one calendar period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsedReceipt {
    /// The rule's code, or the discount's, or the reward's.
    pub rule: String,
    /// How long the period is, `P1M`; absent: it is all time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub each: Option<String>,
    /// Its first day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub first_day: Option<NaiveDate>,
    /// Points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub points: Option<i64>,
    /// How often it awarded, of one that does so only so often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub awards: Option<i64>,
    /// How many orders had the discount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub uses: Option<i64>,
    /// How often the reward was redeemed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub redemptions: Option<i64>,
}

/// What came over in one wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MergedWalletReceipt {
    /// The wallet's code.
    pub wallet: String,
    /// Points that can be spent; of a wallet that counts points or orders, its figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub spendable: Option<i64>,
    /// The figure of a wallet that counts spend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, example = "72.19", required = false)]
    pub amount: Option<Amount>,
    /// Points that wait for their day.
    pub pending: i64,
    /// Points that are owed.
    pub debt: i64,
    /// Sums over the life of the wallet, which are now who goes on's; of a wallet that counts spend in cents.
    pub lifetime: MergedSums,
    /// The last day of what ends by inactivity; who goes on keeps the later one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub active_until: Option<NaiveDate>,
    /// What comes and ends together, soonest-ending first; each keeps its days.
    pub lots: Vec<MergedLot>,
}

/// Sums over the life of a wallet: earned - reversed - spent - expired is what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MergedSums {
    /// Ever came in.
    pub earned: i64,
    /// Taken back or corrected away.
    pub reversed: i64,
    /// Was paid, less what came back.
    pub spent: i64,
    /// Was over unused.
    pub expired: i64,
}

/// What comes and ends together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MergedLot {
    /// Points, or orders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub points: Option<i64>,
    /// Money, in a wallet that counts spend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, example = "72.19", required = false)]
    pub amount: Option<Amount>,
    /// From when they can be spent, if they have to wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    pub available_at: Option<Instant>,
    /// The last usable day, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub expires_on: Option<NaiveDate>,
}

/// What the posting with who goes on says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergedInReceipt {
    /// The posting.
    pub posting: String,
    /// Who goes on.
    pub member: Uuid,
    /// The member that was merged.
    pub from: Uuid,
    /// The posting with that one.
    pub merged_out: String,
    /// What came, wallet by wallet.
    pub wallets: Vec<MergedWalletReceipt>,
    /// What was had of rules with a cap.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub used: Vec<UsedReceipt>,
    /// The lists that the member was in, and now who goes on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<String>,
    /// What was known of tiers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<StandingReceipt>,
    /// What became of the member's tier, where it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<TierReceipt>,
    /// Orders that came.
    pub orders: i32,
    /// The programme-local day of the latest one.
    pub last_order_on: Option<NaiveDate>,
    /// The number that stands before the names of the lots that came.
    pub branch: i32,
    /// How many such numbers there are now.
    pub branches: i32,
    /// How many merges the longest chain has that leads here.
    pub depth: i16,
}

/// What came over, as it is told; `into` is the account that has it now.
pub fn wallets(merged: &Merged, into: &Account, program: &Timeline) -> Vec<MergedWalletReceipt> {
    merged.wallets.iter().map(|wallet| wallet_receipt(wallet, into, program)).collect()
}

/// What was had of rules with a cap, as it is told.
pub fn used(merged: &Merged, program: &Timeline) -> Vec<UsedReceipt> {
    let receipt = |used: &Used| {
        let had = Some(used.points.get());
        let (code, [points, awards, uses, redemptions]) = match program.counted(used.slot) {
            Some(Counted::Points(rule)) => (rule.code.as_str(), [had, None, None, None]),
            Some(Counted::Awards(rule)) => (rule.code.as_str(), [None, had, None, None]),
            Some(Counted::Uses(discount)) => (discount.code.as_str(), [None, None, had, None]),
            Some(Counted::Redemptions(reward)) => (reward.code.as_str(), [None, None, None, had]),
            None => ("", [had, None, None, None]),
        };
        UsedReceipt {
            rule: code.to_owned(),
            each: used.cycle.written().map(str::to_owned),
            first_day: (used.cycle != Cycle::Ever).then_some(used.first),
            points,
            awards,
            uses,
            redemptions,
        }
    };
    merged.usage.iter().map(receipt).collect()
}

fn wallet_receipt(merged: &MergedWallet, into: &Account, program: &Timeline) -> MergedWalletReceipt {
    let wallet = program.wallet_in(merged.wallet);
    let spend = |w: &&Wallet| matches!(&w.kind, WalletKind::Qualifying(rules) if rules.counts == Counts::Spend);
    let in_money = wallet.filter(spend).is_some();
    let amount = |points: Points| in_money.then(|| Amount::of_minor(points.get(), program.newest().currency));
    let plain = |points: Points| (!in_money).then(|| points.get());
    let last_day = |lot: &Lot| match lot.expiry {
        LotExpiry::On(day) => Some(day),
        LotExpiry::Inactive => into.wallet(merged.wallet).expires_on,
        LotExpiry::Never => None,
    };
    let mut together: Vec<(Option<Instant>, Option<NaiveDate>, Points)> = Vec::new();
    for lot in &merged.lots {
        let (at, day) = (lot.available_at, last_day(lot));
        match together.iter_mut().find(|(a, d, _)| (*a, *d) == (at, day)) {
            // Parts of figures that are in range.
            Some((.., sum)) => *sum = sum.plus(lot.remaining).unwrap_or(*sum),
            None => together.push((at, day, lot.remaining)),
        }
    }
    let lots = together.into_iter().map(|(available_at, expires_on, points)| MergedLot {
        points: plain(points),
        amount: amount(points),
        available_at,
        expires_on,
    });
    MergedWalletReceipt {
        wallet: wallet.map(|w| w.code.clone()).unwrap_or_default(),
        spendable: plain(merged.figures.spendable),
        amount: amount(merged.figures.spendable),
        pending: merged.figures.pending.get(),
        debt: merged.figures.debt.get(),
        lifetime: MergedSums {
            earned: merged.figures.earned.get(),
            reversed: merged.figures.reversed.get(),
            spent: merged.figures.spent.get(),
            expired: merged.figures.expired.get(),
        },
        active_until: merged.active_until,
        lots: lots.collect(),
    }
}
