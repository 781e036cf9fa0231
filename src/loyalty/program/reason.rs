//! Why a rule or a discount did not apply, or a reward is not to be had.

/// Why a rule or a discount did not apply, or a reward is not to be had, in the order in which that is asked. The names
/// are stored and part of the API: never change one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is not its time.
    NotScheduled,
    /// The order does not name it: nobody has to take a discount.
    NotNamed,
    /// It is for who enters a code, and that was not entered.
    CodeNotGiven,
    /// The member is in none of the tiers that it is for.
    WrongTier,
    /// The member is in none of the lists that it is for.
    WrongSegment,
    /// The member is in another arm of an experiment.
    WrongArm,
    /// Its condition on the member or on the order does not hold.
    ConditionFalse,
    /// Such a condition has no answer: something in it is not known.
    ConditionFailed,
    /// None of the lines is what its condition on lines wants.
    NoMatchingLines,
    /// What it would award is less than a point.
    RoundsToZero,
    /// It would take nothing off.
    TakesNothing,
    /// Another of its stack is better.
    StackHadBetter,
    /// The member has had all that the rule gives one member in the period.
    CapReached,
    /// All members together have had all that the rule gives in the period.
    BudgetSpent,
    /// It was used as often as it can be.
    LimitReached,
    /// Nothing is left of it.
    OutOfStock,
    /// It costs more points than can be spent.
    InsufficientPoints,
    /// The member takes no part for now.
    MemberSuspended,
}

impl Reason {
    /// The name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotScheduled => "not_scheduled",
            Self::NotNamed => "not_named",
            Self::CodeNotGiven => "code_not_given",
            Self::TakesNothing => "takes_nothing",
            Self::LimitReached => "limit_reached",
            Self::OutOfStock => "out_of_stock",
            Self::InsufficientPoints => "insufficient_points",
            Self::WrongTier => "wrong_tier",
            Self::WrongSegment => "wrong_segment",
            Self::WrongArm => "wrong_arm",
            Self::ConditionFalse => "condition_false",
            Self::ConditionFailed => "condition_failed",
            Self::NoMatchingLines => "no_matching_lines",
            Self::RoundsToZero => "rounds_to_zero",
            Self::StackHadBetter => "stack_had_better",
            Self::CapReached => "cap_reached",
            Self::BudgetSpent => "budget_spent",
            Self::MemberSuspended => "member_suspended",
        }
    }
}
