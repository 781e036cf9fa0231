//! What the checkout refuses.

use crate::kernel::clock::Instant;
use crate::kernel::id::{MemberId, Version};
use crate::kernel::money::Amount;
use crate::loyalty::checkout::cart::CartError;
use crate::loyalty::checkout::offer::QUOTE_VALID_H;
use crate::loyalty::checkout::returns::ReturnError;
use crate::loyalty::checkout::spend::SpendError;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::membership::error::MergeRefusal;
use crate::platform::web::problem::{ProblemType, problems};

/// Why an order or a quote is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderRefusal {
    /// The cart itself is wrong.
    #[error(transparent)]
    Cart(CartError),
    /// No such wallet, or not one to pay from.
    #[error("the program has no such wallet to pay from")]
    WalletUnknown,
    /// Older than a live order may be.
    #[error("the order is too old")]
    TooOld,
    /// Later than now.
    #[error("the order is in the future")]
    TooFarAhead,
    /// The programme does not let members pay so.
    #[error(transparent)]
    Spend(SpendError),
    /// The hold does not pay.
    #[error(transparent)]
    Hold(HoldRefusal),
    /// It names a discount that it may not have.
    #[error(transparent)]
    Discount(#[from] Box<DiscountRefusal>),
    /// The ledger refuses.
    #[error(transparent)]
    Ledger(#[from] LedgerRefusal),
}

/// Why a discount of the programme is not as a quote would give it. Numbers name places in the order's list, from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiscountRefusal {
    /// The version of its quote is followed by another for too long, or never was in force.
    #[error("version {} was not in force within {QUOTE_VALID_H} hours before the order", valid_with.0)]
    QuoteTooOld {
        /// The version that the order names.
        valid_with: Version,
        /// The version that decides the order.
        decides: Version,
    },
    /// It takes off something else.
    #[error("a quote does not take that off by `{code}`")]
    Differs {
        /// Which.
        at: usize,
        /// Its code.
        code: String,
        /// What the order says,
        stated: Amount,
        /// and what a quote would say.
        ours: Amount,
        /// Why it takes nothing off, where it does not apply.
        reason: Option<&'static str>,
        /// What in a condition could not be told.
        detail: Option<String>,
        /// The discount that applies instead.
        better: Option<String>,
    },
    /// Another of its stack is named before it.
    #[error("of the stack of `{code}` another is named already")]
    Twice {
        /// Which.
        at: usize,
        /// The one before.
        other: usize,
        /// Its code.
        code: String,
    },
}

/// Why a hold is not opened, taken or released.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HoldRefusal {
    /// The member has no such hold.
    #[error("the member has no such hold")]
    Unknown,
    /// An order took it.
    #[error("order {0} took it")]
    Captured(String),
    /// It was released.
    #[error("it was released")]
    Released,
    /// Its time was over.
    #[error("it ended at {0}")]
    Ended(Instant),
    /// The order does not say how many of its points pay.
    #[error("the order does not say how many points the hold pays")]
    PointsUnsaid,
    /// It would hold nothing: no points, and no discount of the programme.
    #[error("it would hold no points and no discount of the program")]
    Nothing,
    /// The order whose discounts it is to keep is wrong.
    #[error(transparent)]
    Cart(CartError),
    /// A discount is not what a quote would give.
    #[error(transparent)]
    Discount(#[from] Box<DiscountRefusal>),
    /// No such wallet, or not one to pay from.
    #[error("the program has no such wallet to pay from")]
    WalletUnknown,
    /// The programme does not let members spend so many.
    #[error(transparent)]
    Spend(SpendError),
    /// The ledger refuses.
    #[error(transparent)]
    Ledger(#[from] LedgerRefusal),
}

impl From<HoldRefusal> for OrderRefusal {
    fn from(refusal: HoldRefusal) -> Self {
        match refusal {
            HoldRefusal::Ledger(refusal) => Self::Ledger(refusal),
            HoldRefusal::WalletUnknown => Self::WalletUnknown,
            HoldRefusal::Spend(error) => Self::Spend(error),
            other => Self::Hold(other),
        }
    }
}

/// Why a return is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReturnRefusal {
    /// There is no such order.
    #[error("no such order")]
    OrderUnknown,
    /// The request does not fit the order.
    #[error(transparent)]
    Return(ReturnError),
    /// The ledger refuses.
    #[error(transparent)]
    Ledger(#[from] LedgerRefusal),
}

/// Why a claim is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimRefusal {
    /// There is no such order.
    #[error("no such order")]
    OrderUnknown,
    /// It is a member's.
    #[error("the order is not a guest's")]
    NotAGuests,
    /// Its account goes on in this member's.
    #[error("the order was claimed already")]
    Claimed(MemberId),
    /// The two accounts cannot be merged.
    #[error(transparent)]
    Merge(MergeRefusal),
}

impl From<LedgerRefusal> for ClaimRefusal {
    fn from(refusal: LedgerRefusal) -> Self {
        Self::Merge(refusal.into())
    }
}

impl From<MergeRefusal> for ClaimRefusal {
    fn from(refusal: MergeRefusal) -> Self {
        match refusal {
            MergeRefusal::AlreadyMerged(into) => Self::Claimed(into),
            other => Self::Merge(other),
        }
    }
}

problems! {
    CART_INVALID = 422 "order_invalid", "Order not valid", "The order contradicts itself; pointer names where.";
    LINES_DO_NOT_SUM = 422 "lines_do_not_sum", "Lines do not sum", "The lines do not sum to the stated total.";
    DUPLICATE_LINE = 422 "duplicate_line", "Line twice", "Two lines have the same id.";
    TOO_MANY_LINES = 422 "too_many_lines", "Too many lines", "An order has at most 500 lines and 100 discounts.";
    DISCOUNT_EXCEEDS_LINE = 422 "discount_exceeds_line", "Discount too large", "Discounts are more than the line.";
    POINTS_EXCEED_ORDER = 422 "points_exceed_order", "Too many points for this order",
        "The points are worth more than the products of the order.";
    POINTS_BELOW_MINIMUM = 409 "points_below_minimum", "Too few points",
        "The programme lets members spend no fewer than `min` points at once.";
    POINTS_NOT_IN_STEPS = 409 "points_not_in_steps", "Points between two steps",
        "The programme lets members spend points in steps of `step`; `below` and `above` are the nearest.";
    POINTS_SHARE_EXCEEDED = 409 "points_share_exceeded", "Too large a part paid with points",
        "The programme lets points pay for a part of an order only: for this one `most` points.";
    GIFT_CARD_EXCEEDS_ORDER = 422 "gift_card_exceeds_order", "Gift card part too large",
        "The gift card pays more than what is left to pay.";
    CURRENCY_MISMATCH = 422 "currency_mismatch", "Another currency", "The programme has one currency, and this is not it.";
    ORDER_TOO_OLD = 422 "order_too_old", "Order too old", "The order lies further back than a live order may; import it.";
    ORDER_IN_FUTURE = 422 "order_in_future", "Order in the future", "The order lies ahead of the clock.";
    LINE_TOO_LONG = 413 "line_too_long", "Line too long", "A line of a batch is longer than one order may be.";
    BATCH_TOO_LARGE = 413 "batch_too_large", "Batch too large",
        "The batch has more items than one batch may have; send this line and all behind it in another one.";
    BATCH_TIMED_OUT = 408 retryable "batch_timed_out", "Batch took too long",
        "The batch took longer than one may; send this line and all behind it again.";
    ORDER_UNKNOWN = 404 "order_unknown", "Order not found", "There is no such order in this programme.";
    ORDER_NOT_A_GUESTS = 409 "order_not_a_guests", "Not a guest's order",
        "The order is a member's; only an order that was placed as a guest can be claimed.";
    ORDER_CLAIMED = 409 "order_claimed", "Claimed already", "The order was claimed by another member.";
    HOLD_UNKNOWN = 404 "hold_unknown", "Hold not found", "The member has no such hold.";
    HOLD_CAPTURED = 409 "hold_captured", "Hold taken", "An order took the hold already.";
    HOLD_RELEASED = 409 "hold_released", "Hold released", "The hold was released already.";
    HOLD_EMPTY = 422 "hold_empty", "Nothing to hold",
        "A hold keeps points, discounts of the programme that an order names, or both.";
    HOLD_ENDED = 409 "hold_ended", "Hold over", "The hold ended by itself, and its points went back.";
    DISCOUNT_DIFFERS = 409 "discount_differs", "Another discount",
        "A quote would not take that off by the discount: stated and ours are the figures, reason says why it does not apply.";
    DISCOUNT_STACK_CONFLICT = 422 "discount_stack_conflict", "One discount of a stack",
        "Of a stack of discounts one applies, and the order names two.";
    QUOTE_TOO_OLD = 409 "quote_too_old", "Quote too old",
        "The version of the programme that valid_with names was not in force within a day before the order: quote it again.";
    RETURN_INVALID = 422 "return_invalid", "Return not valid", "The return is not one of this order; pointer names where.";
    RETURN_EXCEEDS_PURCHASE = 409 "return_exceeds_purchase", "More than was bought",
        "More would come back than is left of the order.";
}
