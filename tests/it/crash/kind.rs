//! What a command is about, and what has to be there when it is done.

/// What a command is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Enrol,
    Change,
    Adjust,
    Order,
    /// An order in a batch.
    Item,
    Return,
    Hold,
    Release,
    Transfer,
    Suspend,
    Reinstate,
    Merge,
    Claim,
}

/// What a command is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// The receipt that is stored, byte for byte.
    Receipt,
    /// The member as it is when the answer is given.
    Member,
}

/// A field of the other member's posting, and what it is called in the receipt.
pub type Mirrored = (&'static str, &'static str);

const TRANSFERRED: [Mirrored; 6] = [
    ("posting", "received_in"),
    ("member", "to"),
    ("from", "member"),
    ("sent_in", "posting"),
    ("wallet", "wallet"),
    ("points", "points"),
];

const MERGED: [Mirrored; 8] = [
    ("posting", "merged_in"),
    ("member", "into"),
    ("from", "member"),
    ("merged_out", "posting"),
    ("wallets", "wallets"),
    ("orders", "orders"),
    ("last_order_on", "last_order_on"),
    ("branch", "branch"),
];

impl Kind {
    /// What it is answered with.
    pub fn answers(self) -> Answers {
        match self {
            Self::Enrol | Self::Change => Answers::Member,
            Self::Adjust
            | Self::Order
            | Self::Item
            | Self::Return
            | Self::Hold
            | Self::Release
            | Self::Transfer
            | Self::Suspend
            | Self::Reinstate
            | Self::Merge
            | Self::Claim => Answers::Receipt,
        }
    }

    /// What the posting with the other member says, of a command that leaves one.
    pub fn mirrored(self) -> Option<&'static [Mirrored]> {
        match self {
            Self::Transfer => Some(&TRANSFERRED),
            Self::Merge | Self::Claim => Some(&MERGED),
            Self::Enrol
            | Self::Change
            | Self::Adjust
            | Self::Order
            | Self::Item
            | Self::Return
            | Self::Hold
            | Self::Release
            | Self::Suspend
            | Self::Reinstate => None,
        }
    }

    /// As what the audit log has it, of what a person does.
    pub fn audited(self) -> Option<&'static str> {
        match self {
            Self::Adjust => Some("ledger.adjusted"),
            Self::Suspend => Some("ledger.suspended"),
            Self::Reinstate => Some("ledger.reinstated"),
            Self::Merge => Some("membership.merged"),
            Self::Enrol
            | Self::Change
            | Self::Order
            | Self::Item
            | Self::Return
            | Self::Hold
            | Self::Release
            | Self::Transfer
            | Self::Claim => None,
        }
    }

    /// Why it may be refused in this load. Anything else would be the shop's own fault: there is nobody and nothing that it
    /// asks for without having been told of it.
    pub fn refusals(self) -> &'static [&'static str] {
        match self {
            // What online is refused is flagged in a batch.
            Self::Enrol | Self::Change | Self::Reinstate | Self::Item => &[],
            Self::Adjust => &["insufficient_points", "member_suspended"],
            Self::Order => &["insufficient_points", "member_suspended", "hold_captured", "hold_released", "hold_ended"],
            Self::Return => &["return_exceeds_purchase"],
            Self::Hold => &["insufficient_points", "member_suspended", "too_many_holds"],
            Self::Release => &["hold_captured", "hold_ended"],
            Self::Transfer => {
                &["insufficient_points", "member_suspended", "member_in_debt", "same_member", "transfer_limit"]
            }
            Self::Suspend => &["already_suspended"],
            Self::Merge => &["already_merged", "holds_open", "member_suspended"],
            Self::Claim => &["member_suspended"],
        }
    }

    /// Whether somebody goes on as another member.
    pub fn merges(self) -> bool {
        matches!(self, Self::Merge | Self::Claim)
    }
}
