//! What is told, until it was, or was given up.

pub mod deliver;
pub mod http;
pub mod store;

use crate::kernel::clock::Instant;
use crate::kernel::id::{Lane, MemberId, Seq};

/// How a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryStatus {
    /// It waits for its first try, or the next.
    Waiting,
    /// The receiver took it.
    Delivered,
    /// It was tried for a day, in vain.
    GivenUp,
}

/// Each status with its stored number and its name in the API.
pub const STATUSES: [(DeliveryStatus, i16, &str); 3] = [
    (DeliveryStatus::Waiting, 0, "waiting"),
    (DeliveryStatus::Delivered, 1, "delivered"),
    (DeliveryStatus::GivenUp, 2, "given_up"),
];

impl DeliveryStatus {
    /// The stored number.
    pub fn number(self) -> i16 {
        STATUSES.iter().find(|(status, ..)| *status == self).map_or(0, |(_, number, _)| *number)
    }

    /// The status of a stored number.
    pub fn of(number: i16) -> Option<Self> {
        STATUSES.iter().find(|(_, known, _)| *known == number).map(|(status, ..)| *status)
    }

    /// The name in the API.
    pub fn name(self) -> &'static str {
        STATUSES.iter().find(|(status, ..)| *status == self).map_or("", |(.., name)| name)
    }
}

/// The name of a delivery: the same each time it is tried, and the same for every receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeliveryName {
    /// Whose lane it is in,
    pub lane: Lane,
    /// whose it is,
    pub member: MemberId,
    /// as which of all that happened to it,
    pub seq: Seq,
    /// and which of the events of that.
    pub number: i16,
}

impl DeliveryName {
    /// The id that receivers tell repetitions by: `evt_<member>_<seq>_<number>`.
    pub fn id(self) -> String {
        format!("evt_{}_{}_{}", self.member.0.simple(), self.seq.0, self.number)
    }
}

/// A delivery as it stands.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its name.
    pub name: DeliveryName,
    /// What kind of thing is told.
    pub event: String,
    /// All of it, as JSON.
    pub payload: String,
    /// Since when it is to be told.
    pub created_at: Instant,
    /// How it stands.
    pub status: DeliveryStatus,
    /// How often it was tried.
    pub tries: i32,
    /// When it is tried next; of one that is over, when that was.
    pub next_at: Instant,
    /// The last HTTP status, if there was an answer,
    pub answered: Option<i16>,
    /// and what was wrong, if anything was.
    pub trouble: Option<String>,
}
