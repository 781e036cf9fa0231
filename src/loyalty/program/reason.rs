//! Why a rule did not apply.

/// Why a rule did not apply. The names are stored and part of the API: never change one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The member has had all that the rule gives one member in the period.
    CapReached,
    /// The member takes no part for now.
    MemberSuspended,
}

impl Reason {
    /// The name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::CapReached => "cap_reached",
            Self::MemberSuspended => "member_suspended",
        }
    }
}
