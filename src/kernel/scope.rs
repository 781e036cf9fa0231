//! Proof of tenancy: whoever holds a scope was let into that programme.

use std::fmt;

use crate::kernel::id::{MemberId, ProgramId};

/// Who does it; stands on every write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// An API key, by its id.
    Key(String),
    /// Whoever runs the command line on the host.
    Operator,
    /// A member who is signed in.
    Member(MemberId),
    /// Somebody who is about to sign in.
    Visitor,
    /// A background job, by its name.
    Job(&'static str),
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => write!(f, "key:{id}"),
            Self::Member(id) => write!(f, "member:{id}"),
            Self::Visitor => f.write_str("visitor"),
            Self::Operator => f.write_str("operator"),
            Self::Job(name) => write!(f, "job:{name}"),
        }
    }
}

/// One programme, and in whose name one is in it. Every store function takes it.
#[derive(Clone, Debug)]
pub struct ProgramScope {
    program: ProgramId,
    principal: Principal,
}

impl ProgramScope {
    /// Made by `platform/auth`, the job runner and the command line alone (`tests/architecture`).
    pub fn new(program: ProgramId, principal: Principal) -> Self {
        Self { program, principal }
    }

    /// The programme.
    pub fn program(&self) -> ProgramId {
        self.program
    }

    /// In whose name.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }
}
