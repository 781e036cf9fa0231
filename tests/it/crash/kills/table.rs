//! What the kills hit and what was found, as a table.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Write, stderr};
use std::time::Duration;

use super::Victim;
use super::strike::{Moment, Phase, Seen};
use crate::crash::kind::Kind;
use crate::crash::record::{Fate, Lost};

/// One kill.
pub struct Kill {
    pub victim: Victim,
    pub moment: Moment,
    pub seen: Seen,
    /// Requests that were sent and not answered when it happened.
    pub in_flight: usize,
    /// Commands that had been answered since the kill before.
    pub acknowledged: usize,
    /// What became of those that were not answered.
    pub lost: Lost,
    /// All commands so far that are there once, as they were answered.
    pub there: usize,
    /// How long it took, with everything that was looked at afterwards.
    pub took: Duration,
}

/// All kills of a run.
pub struct Table {
    /// What its chance came from.
    seed: u64,
    kills: Vec<Kill>,
    /// What became of all commands, kind by kind.
    fates: BTreeMap<Kind, Fate>,
    /// How often a transaction of the follower was cut.
    pub cut: u64,
}

impl Table {
    /// None yet.
    pub fn new(seed: u64) -> Self {
        Self { seed, kills: Vec::new(), fates: BTreeMap::new(), cut: 0 }
    }

    /// Adds one.
    pub fn add(&mut self, kill: Kill) {
        self.kills.push(kill);
    }

    /// Adds what became of the commands of one database.
    pub fn add_fates(&mut self, of: BTreeMap<Kind, Fate>) {
        for (kind, Fate { done, refused, lost, replayed }) in of {
            let fate = self.fates.entry(kind).or_default();
            fate.done += done;
            fate.refused += refused;
            fate.lost += lost;
            fate.replayed += replayed;
        }
    }

    /// Kinds of which not half as many were done as refused: they prove too little.
    pub fn mostly_refused(&self) -> Vec<(&Kind, &Fate)> {
        self.fates.iter().filter(|(_, fate)| fate.done * 2 <= fate.refused).collect()
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
        self.kills.iter().map(|kill| kill.lost.replayed).sum()
    }

    /// How often a server was killed while Postgres made its group durable.
    pub fn servers_in_commit(&self) -> usize {
        let hit = |kill: &&Kill| kill.victim == Victim::Server && kill.seen.phase == Some(Phase::Commit);
        self.kills.iter().filter(hit).count()
    }

    /// Prints it past the test's captured output: it is what the run is for.
    pub fn print(&self) {
        stderr().write_all(format!("{self}\n").as_bytes()).unwrap();
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = "kill  who       wanted  phase   in flight  answered  lost = replayed + done + refused  there  seconds  seen";
        writeln!(f, "PERENNIAL_CRASH_SEED={}\n{head}", self.seed)?;
        for (number, kill) in (1..).zip(&self.kills) {
            let Kill { victim, moment, seen, in_flight, acknowledged, lost, there, took } = kill;
            let (victim, seconds, phase) = (format!("{victim:?}").to_lowercase(), took.as_secs_f64(), name(seen.phase));
            let wanted = match moment {
                Moment::Any => "any".to_owned(),
                Moment::In(phase) => name(Some(*phase)),
            };
            let Lost { all, replayed, done, refused } = lost;
            let fate = format!("{all:>4}   {replayed:>8}   {done:>4}   {refused:>7}");
            let doing = &seen.doing;
            writeln!(
                f,
                "{number:>4}  {victim:8}  {wanted:6}  {phase:6}  {in_flight:>9}  {acknowledged:>8}  {fate}  {there:>5}  \
                 {seconds:>7.1}  {doing}"
            )?;
        }
        writeln!(f, "of what       done  refused  lost  of which replayed")?;
        for (kind, Fate { done, refused, lost, replayed }) in &self.fates {
            let kind = format!("{kind:?}").to_lowercase();
            writeln!(f, "{kind:10}  {done:>6}  {refused:>7}  {lost:>4}  {replayed:>17}")?;
        }
        let sum = |of: fn(&Kill) -> usize| self.kills.iter().map(of).sum::<usize>();
        let phases: Vec<String> =
            self.by_phase().iter().map(|(phase, n)| format!("{n} in {}", name(Some(*phase)))).collect();
        write!(
            f,
            "{} kills, {} with requests in flight, {}; {} answered before, {} lost = {} replayed + {} done + {} refused; \
             {} transactions of the follower cut",
            self.len(),
            self.with_requests_in_flight(),
            phases.join(", "),
            sum(|kill| kill.acknowledged),
            sum(|kill| kill.lost.all),
            self.replayed(),
            sum(|kill| kill.lost.done),
            sum(|kill| kill.lost.refused),
            self.cut
        )
    }
}

fn name(phase: Option<Phase>) -> String {
    phase.map_or_else(|| "-".to_owned(), |phase| format!("{phase:?}").to_lowercase())
}
