//! What the ledger refuses.

use crate::kernel::points::Points;
use crate::platform::web::problem::{ProblemType, problems};

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
    /// More than the hold holds.
    #[error("{asked} asked, {held} held")]
    HoldExceeded {
        /// What was asked for.
        asked: Points,
        /// What it holds.
        held: Points,
    },
    /// The account would have too many open holds.
    #[error("more open holds than an account can have")]
    TooManyHolds,
    /// The other member that the command names is not in this programme.
    #[error("no such other member")]
    OtherUnknown,
    /// The member is suspended.
    #[error("the member is suspended")]
    Suspended,
    /// The member is to be suspended, and is.
    #[error("the member is suspended already")]
    AlreadySuspended,
    /// The member is to be reinstated, and is not suspended.
    #[error("the member is not suspended")]
    NotSuspended,
    /// A figure would leave its range.
    #[error("more points than a wallet can hold")]
    TooManyPoints,
    /// The account would have too many open lots.
    #[error("more open lots than an account can have")]
    TooManyLots,
    /// The account, or the chain of accounts that leads to it, would have taken in too many others.
    #[error("more merges than an account can have")]
    TooManyMerges,
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

problems! {
    MEMBER_UNKNOWN = 404 "member_unknown", "Member not found", "There is no such member in this programme.";
    MEMBER_MOVED = 409 retryable "member_moved", "Member changed hands",
        "The identity changed its owner while the command was under way; try again.";
    IDENTITY_TAKEN = 409 "identity_taken", "Already another member's",
        "The external id, e-mail, phone or card belongs to another member.";
    INSUFFICIENT_POINTS = 409 "insufficient_points", "Not enough points", "More points are asked for than can be spent.";
    MEMBER_SUSPENDED = 409 "member_suspended", "Member suspended", "A suspended member neither spends nor is adjusted.";
    ALREADY_SUSPENDED = 409 "already_suspended", "Suspended already", "The member is suspended already.";
    NOT_SUSPENDED = 409 "not_suspended", "Not suspended", "The member is not suspended.";
    POINTS_OUT_OF_RANGE = 422 "points_out_of_range", "Too many points", "No wallet holds more than 10^15 points.";
    TOO_MANY_LOTS = 409 "too_many_lots", "Too many open lots", "The account has as many open lots as it can.";
    TOO_MANY_MERGES = 409 "too_many_merges", "Too many merges",
        "An account takes in at most a million others, and no more than 16 are merged one into the next.";
    HOLD_EXCEEDED = 409 "hold_exceeded", "More than the hold holds", "An order can take no more out of a hold than it holds.";
    TOO_MANY_HOLDS = 409 "too_many_holds", "Too many open holds", "The account has as many open holds as it can.";
    WALLET_UNKNOWN = 422 "wallet_unknown", "Wallet not known",
        "The programme has no such wallet, or not one for this purpose.";
    OUT_OF_ORDER = 409 "out_of_order", "Out of order",
        "The member already has later postings; history is imported oldest first.";
    EXHAUSTED = 409 "exhausted", "Used up", "Less is left than was asked for.";
    IDEMPOTENCY_CONFLICT = 409 "idempotency_conflict", "Reference already used",
        "The reference or Idempotency-Key belongs to another command.";
    QUEUE_FULL = 503 retryable "queue_full", "Too busy", "More commands wait than the process takes; try again after Retry-After.";
    POSTING_UNKNOWN = 404 "posting_unknown", "Posting not found", "There is no such posting in this programme.";
}
