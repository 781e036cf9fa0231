//! What membership refuses.

use crate::kernel::id::MemberId;
use crate::kernel::points::Points;
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

/// Why points are not given to another member.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransferRefusal {
    /// The ledger refuses.
    #[error(transparent)]
    Ledger(#[from] LedgerRefusal),
    /// The wallet's points stay with their member.
    #[error("points of this wallet cannot be given away")]
    NotAllowed,
    /// More than may be given in a period.
    #[error("{asked} asked, {left} may still be given")]
    Limit {
        /// What was asked for.
        asked: Points,
        /// What may still be given.
        left: Points,
    },
    /// To oneself.
    #[error("a member cannot give points to itself")]
    Same,
    /// Who owes gives nothing away.
    #[error("the member owes points")]
    InDebt,
}

/// Why a member is not merged into another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeRefusal {
    /// The ledger refuses.
    #[error(transparent)]
    Ledger(#[from] LedgerRefusal),
    /// Into oneself.
    #[error("a member cannot be merged into itself")]
    Same,
    /// It was merged before, or the other into it: this is who goes on.
    #[error("the member was merged already")]
    AlreadyMerged(MemberId),
    /// A checkout is under way.
    #[error("the member has open holds")]
    HoldsOpen,
}

problems! {
    TRANSFER_NOT_ALLOWED = 409 "transfer_not_allowed", "No transfers",
        "The programme does not let members give points of this wallet away.";
    TRANSFER_LIMIT = 409 "transfer_limit", "More than may be given", "The programme limits how much a member may give.";
    SAME_MEMBER = 422 "same_member", "Twice the same member",
        "A member cannot give points to itself, nor be merged into itself.";
    ALREADY_MERGED = 409 "already_merged", "Merged already", "The member was merged already; a merge is for good.";
    HOLDS_OPEN = 409 "holds_open", "Open holds",
        "The member has open holds; a merge waits until they are taken, released or over.";
    MEMBER_IN_DEBT = 409 "member_in_debt", "Member owes points", "Who owes points cannot give any away.";
    TIER_UNKNOWN = 422 "tier_unknown", "Tier not known", "The programme has no such tier.";
    EVENT_UNKNOWN = 422 "event_unknown", "Event not known",
        "The programme has no rule for such an event, and declares no attributes of it.";
    SEGMENT_UNKNOWN = 404 "segment_unknown", "List not known", "The programme has no such list of members.";
    SIGN_UP_CLOSED = 409 "sign_up_closed", "No sign-up",
        "There is no such programme that lets anybody become a member by app: ask the shop.";
    NO_GRANT = 409 "no_grant", "Nothing given", "No tier was given to the member, so there is nothing to end.";
    ENROLLED_AHEAD = 422 "enrolled_ahead", "Enrolment in the future", "The day of an enrolment is not after today.";
}
