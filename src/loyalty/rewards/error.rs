//! What rewards and vouchers refuse.

use chrono::NaiveDate;

use crate::kernel::points::Points;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::program::reason::Reason;
use crate::platform::web::problem::{ProblemType, problems};

/// Why a reward is not redeemed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RewardRefusal {
    /// There is none of that code.
    #[error("the programme has no such reward")]
    Unknown,
    /// The member cannot have it.
    #[error("the member cannot have it: {}", .0.name())]
    Unavailable(Reason),
    /// It costs more points than can be spent.
    #[error("{cost} asked, {missing} missing")]
    Points {
        /// What it costs,
        cost: Points,
        /// and what is missing to that.
        missing: Points,
    },
    /// Its code is somebody's already.
    #[error("the code is taken")]
    CodeTaken,
    /// The ledger refuses.
    #[error(transparent)]
    Ledger(#[from] LedgerRefusal),
}

/// Why a voucher is not used, given back or cancelled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VoucherRefusal {
    /// There is none.
    #[error("there is no such voucher")]
    Unknown,
    /// It was used.
    #[error("it was used for {0}")]
    Used(String),
    /// It was not used for that, or not any more.
    #[error("it is not used for that")]
    NotUsed,
    /// It was cancelled.
    #[error("it was cancelled")]
    Cancelled,
    /// Its time is over.
    #[error("its last day was {0}")]
    Expired(NaiveDate),
    /// The ledger refuses.
    #[error(transparent)]
    Ledger(#[from] LedgerRefusal),
}

problems! {
    REWARD_UNKNOWN = 422 "reward_unknown", "Reward not known", "The programme has no such reward.";
    REWARD_UNAVAILABLE = 409 "reward_unavailable", "Reward not available",
        "The member cannot have the reward now; `reason` says why.";
    OUT_OF_STOCK = 409 "out_of_stock", "Out of stock", "Nothing is left of the reward.";
    REWARD_LIMIT = 409 "reward_limit_reached", "Had as often as it can be",
        "The member has had the reward as often as it can be had in the period.";
    VOUCHER_UNKNOWN = 404 "voucher_unknown", "Voucher not known", "The programme has no voucher with that code.";
    VOUCHER_USED = 409 "voucher_used", "Voucher used", "The voucher was used; `used_for` says for what.";
    VOUCHER_NOT_USED = 409 "voucher_not_used", "Voucher not used",
        "The voucher is not used for that, so there is nothing to give back.";
    VOUCHER_CANCELLED = 409 "voucher_cancelled", "Voucher cancelled",
        "The reward was given back, and its points with it.";
    VOUCHER_EXPIRED = 409 "voucher_expired", "Voucher expired", "The last day of the voucher is over.";
}
