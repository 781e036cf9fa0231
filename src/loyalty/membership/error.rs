//! What membership refuses.

use crate::loyalty::ledger::error::LedgerRefusal;
use crate::platform::web::problem::{ProblemType, problems};

/// Why a member is not enrolled or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MembershipRefusal {
    /// The ledger refuses.
    #[error(transparent)]
    Ledger(#[from] LedgerRefusal),
    /// The day of the enrolment lies ahead.
    #[error("the day of the enrolment lies ahead")]
    EnrolledAhead,
    /// The birthday lies ahead.
    #[error("a birthday is not after today")]
    BirthdayAhead,
}

problems! {
    ENROLLED_AHEAD = 422 "enrolled_ahead", "Enrolment in the future", "The day of an enrolment is not after today.";
}
