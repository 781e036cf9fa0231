//! A wallet's balance as it is shown.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::money::Amount;
use crate::kernel::points::Points;
use crate::loyalty::program::model::Rulebook;
use crate::loyalty::statement::balance::Balance;

/// One wallet.
#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schema(as = WalletBalance)]
pub enum WalletView {
    /// Points that can be spent.
    Redeemable(RedeemableView),
    /// A figure that drives tiers.
    Qualifying(QualifyingView),
}

/// Points that can be spent.
#[derive(Serialize, ToSchema)]
#[schema(as = RedeemableBalance)]
pub struct RedeemableView {
    /// The wallet's code.
    pub wallet: String,
    /// What can be spent now.
    pub spendable: i64,
    /// What that is worth.
    #[schema(value_type = String, example = "10.64")]
    pub worth: Amount,
    /// Reserved for open checkouts.
    pub held: i64,
    /// Owed by the member.
    pub debt: i64,
    /// What waits for its day.
    pub pending: Vec<PendingView>,
    /// Every expiry there is, of what can be spent.
    pub expiring: Vec<ExpiringView>,
    /// Sums over its life.
    pub lifetime: LifetimeView,
}

/// A figure that drives tiers: money where the wallet counts spend, else points or orders.
#[derive(Serialize, ToSchema)]
#[schema(as = QualifyingBalance)]
pub struct QualifyingView {
    /// The wallet's code.
    pub wallet: String,
    /// The figure, in points or orders.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub points: Option<i64>,
    /// The figure of a wallet that counts spend.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, example = "72.19", required = false)]
    pub amount: Option<Amount>,
    /// Every day on which a part of it ends.
    pub expiring: Vec<ExpiringView>,
}

/// Points that wait.
#[derive(Serialize, ToSchema)]
#[schema(as = PendingPoints)]
pub struct PendingView {
    /// How many.
    pub points: i64,
    /// From when they can be spent.
    pub available_at: DateTime<Utc>,
}

/// What ends on a day.
#[derive(Serialize, ToSchema)]
#[schema(as = Expiring)]
pub struct ExpiringView {
    /// Points, or orders.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub points: Option<i64>,
    /// Money, of a wallet that counts spend.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, example = "72.19", required = false)]
    pub amount: Option<Amount>,
    /// The last usable day, in the programme's time zone.
    pub expires_on: NaiveDate,
}

/// Sums over the life of the wallet: earned - reversed - spent - expired is what is there.
#[derive(Serialize, ToSchema)]
#[schema(as = LifetimeSums)]
pub struct LifetimeView {
    /// Came in.
    pub earned: i64,
    /// Taken back or corrected away.
    pub reversed: i64,
    /// Less what came back.
    pub spent: i64,
    /// Over, unused.
    pub expired: i64,
}

/// A balance as it is shown.
pub fn wallet_view(balance: Balance, book: &Rulebook) -> WalletView {
    let figures = balance.figures;
    let money = |points: Points| Amount::of_minor(points.get(), book.currency);
    let in_money = balance.counts_money;
    let expiring = balance.expiring.into_iter().map(|(expires_on, points)| ExpiringView {
        points: (!in_money).then(|| points.get()),
        amount: in_money.then(|| money(points)),
        expires_on,
    });
    let (wallet, expiring) = (balance.wallet, expiring.collect());
    let Some(worth) = balance.worth else {
        let points = (!in_money).then(|| figures.spendable.get());
        let amount = in_money.then(|| money(figures.spendable));
        return WalletView::Qualifying(QualifyingView { wallet, points, amount, expiring });
    };
    let pending = balance.pending.into_iter();
    let pending = pending.map(|(available_at, points)| PendingView { points: points.get(), available_at });
    WalletView::Redeemable(RedeemableView {
        wallet,
        spendable: figures.spendable.get(),
        worth: worth.amount(book.currency),
        held: figures.held.get(),
        debt: figures.debt.get(),
        pending: pending.collect(),
        expiring,
        lifetime: LifetimeView {
            earned: figures.earned.get(),
            reversed: figures.reversed.get(),
            spent: figures.spent.get(),
            expired: figures.expired.get(),
        },
    })
}
