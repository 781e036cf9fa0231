//! What the ledger refuses.

use crate::kernel::points::Points;

/// Why the ledger does not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerRefusal {
    /// No such member in this programme.
    #[error("no such member")]
    MemberUnknown,
    /// An identity belongs to another member than the caller thought: ask again.
    #[error("the member was found elsewhere")]
    MemberMoved,
    /// An identity belongs to somebody already.
    #[error("{0} belongs to another member")]
    IdentityTaken(&'static str),
    /// Fewer points than asked for.
    #[error("{asked} asked, {spendable} spendable")]
    InsufficientPoints {
        /// What was asked for.
        asked: Points,
        /// What is there.
        spendable: Points,
    },
    /// The member is suspended.
    #[error("the member is suspended")]
    Suspended,
    /// A figure would leave its range.
    #[error("more points than a wallet can hold")]
    TooManyPoints,
    /// The account would have too many open lots.
    #[error("more open lots than an account can have")]
    TooManyLots,
    /// No such wallet in the programme, or not one to spend from.
    #[error("no such wallet")]
    WalletUnknown,
    /// The member already has later postings.
    #[error("the member has later postings")]
    OutOfOrder,
    /// A counter has less left than asked for.
    #[error("used up")]
    CounterExhausted,
}
