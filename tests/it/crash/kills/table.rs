//! What the kills hit and what was found, as a table.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Write, stderr};
use std::time::Duration;

use super::Victim;
use super::reckoning::Found;
use super::strike::{Moment, Phase, Seen};

/// One kill.
pub struct Kill {
    pub victim: Victim,
    pub moment: Moment,
    pub seen: Seen,
    /// Requests that were sent and not answered when it happened.
    pub in_flight: usize,
    /// Commands that had been answered since the kill before.
    pub acknowledged: usize,
    pub found: Found,
    /// How long it took, with everything that was looked at afterwards.
    pub took: Duration,
}

/// All kills of a run.
#[derive(Default)]
pub struct Table {
    kills: Vec<Kill>,
    /// How often a transaction of the follower was cut.
    pub cut: u64,
}

impl Table {
    /// Adds one.
    pub fn add(&mut self, kill: Kill) {
        self.kills.push(kill);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.kills.len()
    }

    /// How many hit somebody in the middle of something.
    pub fn with_requests_in_flight(&self) -> usize {
        self.kills.iter().filter(|kill| kill.in_flight > 0).count()
    }

    /// How many hit a writer in each phase.
    pub fn by_phase(&self) -> BTreeMap<Phase, usize> {
        let mut counts = BTreeMap::new();
        for phase in self.kills.iter().filter_map(|kill| kill.seen.phase) {
            *counts.entry(phase).or_default() += 1;
        }
        counts
    }

    /// How many commands were not answered, and had been done all the same.
    pub fn replayed(&self) -> usize {
        self.kills.iter().map(|kill| kill.found.again.replayed).sum()
    }

    /// Prints it past the test's captured output: it is what the run is for.
    pub fn print(&self) {
        writeln!(stderr(), "{self}").unwrap();
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "kill  who       wanted  phase   in flight  answered  open  = replayed + done + refused  there  seconds  seen"
        )?;
        for (number, kill) in (1..).zip(&self.kills) {
            let Kill { victim, moment, seen, in_flight, acknowledged, found, took } = kill;
            let wanted = match moment {
                Moment::Any => "any".to_owned(),
                Moment::In(phase) => name(Some(*phase)),
            };
            let (open, again, there) = (found.open, found.again, found.there);
            writeln!(
                f,
                "{number:>4}  {:8}  {wanted:6}  {:6}  {in_flight:>9}  {acknowledged:>8}  {open:>4}  {:>10} {:>6} {:>9}  \
                 {there:>5}  {:>7.1}  {}",
                format!("{victim:?}").to_lowercase(),
                name(seen.phase),
                again.replayed,
                again.done,
                again.refused,
                took.as_secs_f64(),
                seen.doing,
            )?;
        }
        let sum = |of: fn(&Kill) -> usize| self.kills.iter().map(of).sum::<usize>();
        let phases: Vec<String> =
            self.by_phase().iter().map(|(phase, n)| format!("{n} in {}", name(Some(*phase)))).collect();
        write!(
            f,
            "{} kills, {} with requests in flight, {}; {} answered before, {} open = {} replayed + {} done + {} refused; \
             {} transactions of the follower cut",
            self.len(),
            self.with_requests_in_flight(),
            phases.join(", "),
            sum(|kill| kill.acknowledged),
            sum(|kill| kill.found.open),
            self.replayed(),
            sum(|kill| kill.found.again.done),
            sum(|kill| kill.found.again.refused),
            self.cut
        )
    }
}

fn name(phase: Option<Phase>) -> String {
    phase.map_or_else(|| "-".to_owned(), |phase| format!("{phase:?}").to_lowercase())
}
