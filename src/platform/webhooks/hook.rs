//! Who is told, and of what.

use uuid::Uuid;

use crate::kernel::clock::Instant;
use crate::kernel::id::{Lane, MemberId, ProgramId, Seq};
use crate::platform::webhooks::secret::HookSecret;

/// The most that a programme has.
pub const HOOKS_PER_PROGRAM_MAX: usize = 20;
/// The most types of events that one names.
pub const HOOK_EVENTS_MAX: usize = 100;
/// For how long an old secret signs on where nobody says, in seconds: a day.
pub const OVERLAP_S_DEFAULT: u32 = 86_400;
/// The longest overlap, in seconds: 30 days.
pub const OVERLAP_S_MAX: u32 = 2_592_000;

/// Somebody who is told.
#[derive(Clone, Debug)]
pub struct Hook {
    /// Its id.
    pub id: Uuid,
    /// Of which programme.
    pub program: ProgramId,
    /// Where.
    pub url: String,
    /// Of which types of events; empty: of all.
    pub events: Vec<String>,
    /// Whether anything is sent. What happens while nothing is waits.
    pub enabled: bool,
    /// What it is signed with,
    pub secret: HookSecret,
    /// and what it is signed with besides, until then.
    pub old_secret: Option<(HookSecret, Instant)>,
    /// Since when it is told,
    pub created_at: Instant,
    /// and who said so.
    pub created_by: String,
}

impl Hook {
    /// Whether it wants to be told of a type of events.
    pub fn wants(&self, event: &str) -> bool {
        self.events.is_empty() || self.events.iter().any(|wanted| wanted == event)
    }
}

/// What happened, as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// In which programme.
    pub program: ProgramId,
    /// Whose lane it is in.
    pub lane: Lane,
    /// To whom it happened,
    pub member: MemberId,
    /// as which of all that happened to it,
    pub seq: Seq,
    /// and which of the events of that, from 0.
    pub number: i16,
    /// What kind of thing it was, `order.settled`.
    pub name: &'static str,
    /// When it was written down.
    pub recorded_at: Instant,
    /// All of it, as JSON.
    pub payload: String,
}
