//! What the checkout refuses.

use crate::loyalty::checkout::cart::CartError;
use crate::loyalty::checkout::returns::ReturnError;
use crate::loyalty::ledger::error::LedgerRefusal;

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
    /// The ledger refuses.
    #[error(transparent)]
    Ledger(#[from] LedgerRefusal),
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
