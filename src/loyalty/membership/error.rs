//! What membership refuses.

use crate::loyalty::ledger::error::LedgerRefusal;

/// Why a member is not enrolled or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MembershipRefusal {
    /// The ledger refuses.
    #[error(transparent)]
    Ledger(#[from] LedgerRefusal),
    /// The day of the enrolment lies ahead.
    #[error("the day of the enrolment lies ahead")]
    EnrolledAhead,
}
