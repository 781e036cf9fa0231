//! The engine itself (queue, groups, retries, taking apart, replay) on a store in memory that fails on command, in time
//! that is not real: what a seed does, it does again.
//!
//! `PERENNIAL_SIMULATION_SEEDS` runs more seeds, `PERENNIAL_SIMULATION_SEED` starts elsewhere: a failure prints its seed.

mod callers;
mod oracle;
mod postings;
mod queries;
mod server;
mod session;
mod weather;
mod world;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use tokio::runtime::Builder;

use crate::simulation::postings::PANIC;
use crate::simulation::weather::{POINTS, Point};
use crate::simulation::world::{Run, Seen};
use crate::spec::{Spec, specs};
use crate::{PROGRAMS, from_environment};

/// Seeds of a normal run.
const SEEDS: u64 = 1_000;
/// Commands of a seed.
const COMMANDS: u64 = 500;
/// The first seed; the next have the next.
const FIRST_SEED: u64 = 1;
/// Seeds that run twice.
const TWICE: u64 = 5;
/// What a failing seed prints of its trace.
const TRACE_LINES_MAX: usize = 30;

/// What callers must have heard.
const HEARD: [&str; 21] = [
    "accepted",
    "replayed",
    "busy",
    "unavailable",
    "hung up",
    "Conflict",
    "CounterExhausted",
    "IdentityTaken",
    "InsufficientPoints",
    "MemberMoved",
    "MemberUnknown",
    "OrderUnknown",
    "OtherUnknown",
    "OutOfOrder",
    "Suspended",
    "TooOld",
    "WalletUnknown",
    "cart PointsExceedProducts",
    "hold Unknown",
    "return Nothing",
    "transfer Same",
];

fn seed(seed: u64, specs: &[Spec], traced: bool) -> Seen {
    let spec = &specs[usize::try_from(seed % PROGRAMS).unwrap()];
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let commands = u32::try_from(from_environment("PERENNIAL_SIMULATION_COMMANDS", COMMANDS)).unwrap();
    runtime.block_on(async { Run::new(seed, spec, traced).run(commands).await })
}

/// Decisions that panic on purpose say so without a backtrace.
fn silence() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let payload = info.payload();
            let said = payload.downcast_ref::<String>().map(String::as_str).or(payload.downcast_ref::<&str>().copied());
            if !said.is_some_and(|said| said.contains(PANIC)) {
                usual(info);
            }
        }));
    });
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_happens_twice_whatever_fails_when() {
    silence();
    let first = from_environment("PERENNIAL_SIMULATION_SEED", FIRST_SEED);
    let seeds = from_environment("PERENNIAL_SIMULATION_SEEDS", SEEDS);
    let specs = specs(PROGRAMS, true);
    let (mut reached, mut kinds): (BTreeMap<Point, u64>, BTreeMap<String, u64>) = (BTreeMap::new(), BTreeMap::new());
    let (mut postings, mut days) = (0, 0);
    for number in first..first + seeds {
        let seen = catch_unwind(AssertUnwindSafe(|| seed(number, &specs, false)));
        match seen {
            Ok(seen) if seen.broken.is_empty() => {
                for (point, times) in seen.reached {
                    *reached.entry(point).or_default() += times;
                }
                for (kind, times) in seen.kinds {
                    *kinds.entry(kind).or_default() += times;
                }
                postings += seen.postings;
                days += seen.virtual_days;
            }
            Ok(_) => explain(number, &specs),
            Err(_) => panic!("it panicked\nPERENNIAL_SIMULATION_SEED={number} PERENNIAL_SIMULATION_SEEDS=1"),
        }
    }
    println!("{seeds} seeds, {postings} postings, {} years\n{reached:?}\n{kinds:?}", days / 365);
    if seeds >= SEEDS {
        let never: Vec<&Point> = POINTS.iter().filter(|point| !reached.contains_key(point)).collect();
        assert_eq!(never, Vec::<&Point>::new(), "failures that never happened");
        let unheard: Vec<&&str> = HEARD.iter().filter(|kind| !kinds.contains_key(**kind)).collect();
        assert_eq!(unheard, Vec::<&&str>::new(), "nobody heard");
    }
}

#[test]
fn a_seed_does_the_same_again() {
    silence();
    let specs = specs(PROGRAMS, true);
    let first = from_environment("PERENNIAL_SIMULATION_SEED", FIRST_SEED);
    for number in first..first + TWICE {
        let (once, again) = (seed(number, &specs, true).trace, seed(number, &specs, true).trace);
        let differs = once.iter().zip(&again).find(|(a, b)| a != b);
        assert_eq!(differs, None, "seed {number}");
        assert_eq!(once.len(), again.len(), "seed {number}");
    }
}

/// Runs a failing seed again to see what led to it: the lines of its trace that speak of the same names.
fn explain(number: u64, specs: &[Spec]) {
    let seen = seed(number, specs, true);
    let wrong = seen.broken.first().map_or("it went well the second time", String::as_str);
    let words = names(wrong, &seen.trace);
    let about = seen.trace.iter().filter(|line| words.iter().any(|word| line.contains(word)));
    let about: Vec<&String> = about.filter(|line| !line.ends_with("heard busy")).collect();
    let last = &about[about.len().saturating_sub(TRACE_LINES_MAX)..];
    let lines: Vec<&str> = last.iter().map(|line| line.as_str()).collect();
    panic!(
        "{} laws broken, first of all:\n{wrong}\n{}\nPERENNIAL_SIMULATION_SEED={number} PERENNIAL_SIMULATION_SEEDS=1",
        seen.broken.len(),
        lines.join("\n"),
    );
}

/// The references that a broken law speaks of, itself or by a posting's name.
fn names(wrong: &str, trace: &[String]) -> Vec<String> {
    let words: Vec<&str> = wrong.split(|c: char| c.is_whitespace() || c == '"').collect();
    let posting = words.windows(4).find(|w| w[0] == "member" && w[2] == "posting");
    let posting = posting.map(|w| format!("{}/{}", w[1], w[3].trim_end_matches(':')));
    let of_posting = trace.iter().find(|line| posting.as_ref().is_some_and(|name| line.ends_with(name)));
    let of_posting = of_posting.and_then(|line| line.split_whitespace().nth(2));
    let own = words.iter().copied().filter(|word| word.len() > 4 && word.contains(':') && !word.ends_with(':'));
    own.take(2).chain(of_posting).map(str::to_owned).collect()
}
