//! What can go wrong, each by its name: the simulation is done when all of it has happened.

use std::collections::BTreeMap;

use crate::rng::Rng;

/// A failure, or an event that engines are often wrong about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    ConnectRefused,
    ConnectRefusedForAWhile,
    NoneToLend,
    LostBeforeTheLock,
    LostBehindTheLock,
    LostWhileReading,
    LostWhileReadingReceipts,
    LostWhileReadingVersions,
    LostBetweenDecisionAndSave,
    LostInSave,
    LostInCommitUndone,
    LostInCommitDone,
    LostInCommitUnderWay,
    LostInRollback,
    RowUnreadable,
    LockTimeout,
    Deadlock,
    Serialization,
    TakenMeanwhile,
    CounterChecked,
    DiskFull,
    ReadOnly,
    MovedOn,
    Poison,
    DecisionPanics,
    QuotePanics,
    ProcessDies,
    ProcessDropped,
    ProcessClosed,
    VersionPublished,
    ClockJumpsAhead,
    ClockStepsBack,
}

/// Every one of them.
pub const POINTS: [Point; 32] = [
    Point::ConnectRefused,
    Point::ConnectRefusedForAWhile,
    Point::NoneToLend,
    Point::LostBeforeTheLock,
    Point::LostBehindTheLock,
    Point::LostWhileReading,
    Point::LostWhileReadingReceipts,
    Point::LostWhileReadingVersions,
    Point::LostBetweenDecisionAndSave,
    Point::LostInSave,
    Point::LostInCommitUndone,
    Point::LostInCommitDone,
    Point::LostInCommitUnderWay,
    Point::LostInRollback,
    Point::RowUnreadable,
    Point::LockTimeout,
    Point::Deadlock,
    Point::Serialization,
    Point::TakenMeanwhile,
    Point::CounterChecked,
    Point::DiskFull,
    Point::ReadOnly,
    Point::MovedOn,
    Point::Poison,
    Point::DecisionPanics,
    Point::QuotePanics,
    Point::ProcessDies,
    Point::ProcessDropped,
    Point::ProcessClosed,
    Point::VersionPublished,
    Point::ClockJumpsAhead,
    Point::ClockStepsBack,
];

/// The dice of a seed, and what they have thrown.
pub struct Weather {
    pub rng: Rng,
    /// Out of a thousand steps, at how many a failure that may happen there does.
    storm: i64,
    calm: bool,
    pub reached: BTreeMap<Point, u64>,
}

impl Weather {
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let storm = *rng.pick(&[0, 3, 3, 10, 10, 40]);
        Self { rng, storm, calm: false, reached: BTreeMap::new() }
    }

    /// From now on nothing fails by itself.
    pub fn calm_down(&mut self) {
        self.calm = true;
    }

    /// Whether anything ever fails with this seed.
    pub fn is_stormy(&self) -> bool {
        self.storm > 0
    }

    pub fn is_calm(&self) -> bool {
        self.calm
    }

    /// Whether it happens here and now.
    pub fn strikes(&mut self, point: Point) -> bool {
        let strikes = !self.calm && self.rng.within(1, 1_000) <= self.storm;
        if strikes {
            self.note(point);
        }
        strikes
    }

    pub fn note(&mut self, point: Point) {
        *self.reached.entry(point).or_default() += 1;
    }
}
