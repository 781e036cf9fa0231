//! The ledger and the checkout against a naive model: random commands over years, the same answers, the same balances,
//! and the ledger's laws after each step.
//!
//! `simulation` has the engine around them, on a store that fails.
//!
//! `PERENNIAL_MODEL_SEQUENCES` runs more sequences, `PERENNIAL_MODEL_SEED` starts elsewhere: the seed that a failure
//! prints runs that failure first.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test stops where it is wrong")]

mod command;
mod coverage;
mod engine;
mod facts;
mod generate;
mod laws;
mod look;
mod naive;
mod quoted;
mod receipts;
mod rng;
mod simulation;
mod spec;
mod steady;
mod undone;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::command::{Command, What};
use crate::coverage::Coverage;
use crate::engine::Engine;
use crate::facts::{Answer, Said, Time};
use crate::generate::Generator;
use crate::laws::Laws;
use crate::look::view;
use crate::naive::Naive;
use crate::naive::tiers::Standing;
use crate::spec::{Policy, Purse, Spec, specs};
use crate::steady::Before;

/// Sequences of 30 to 200 commands in a normal run.
const SEQUENCES: u64 = 7_000;
/// The seed of the first; the next have the next.
const FIRST_SEED: u64 = 20_260_101;
/// For so many of them, one whose member starts with [`CROWD`] lots.
const CROWDED_EACH: u64 = 400;
/// A few more than from which on lots are joined.
const CROWD: u32 = 300;
/// Of so many commands, one that is settled and given back on the side, if it is an order.
const UNDONE_EACH: u64 = 40;
/// Of so many, one that is quoted on the side, and settled as quoted.
const QUOTED_EACH: u64 = 24;
/// How many programmes there are.
const PROGRAMS: u64 = 60;

fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

#[test]
fn the_product_and_a_naive_model_agree_on_everything() {
    let sequences = from_environment("PERENNIAL_MODEL_SEQUENCES", SEQUENCES);
    let coverage = run(sequences, 0);
    println!("{sequences} sequences, {} commands, {} of them accepted", coverage.commands, coverage.accepted);
    assert_eq!(coverage.unexpected(), Vec::<&String>::new());
    if sequences < SEQUENCES {
        println!("not reached by so few: {:?}", coverage.missing());
    } else {
        assert_eq!(coverage.missing(), Vec::<String>::new(), "the generator has gone blind");
    }
}

#[test]
fn they_agree_on_members_with_very_many_lots() {
    let sequences = from_environment("PERENNIAL_MODEL_SEQUENCES", SEQUENCES);
    run(sequences.div_ceil(CROWDED_EACH), CROWD);
}

fn run(sequences: u64, crowd: u32) -> Coverage {
    let first = from_environment("PERENNIAL_MODEL_SEED", FIRST_SEED);
    let specs = specs(PROGRAMS, false);
    let mut coverage = Coverage::default();
    for seed in first..first + sequences {
        let spec = &specs[usize::try_from(seed % PROGRAMS).unwrap()];
        let mut said = Vec::new();
        if let Err(wrong) = guarded(|| generated((seed, crowd), spec, &mut coverage, &mut said)) {
            let (shrunk, wrong) = shrink(spec, said, wrong);
            let commands: Vec<String> = shrunk.iter().map(|c| format!("{c:?}")).collect();
            panic!(
                "{} {} {:#?}\n{wrong}\n{}\nPERENNIAL_MODEL_SEED={seed} PERENNIAL_MODEL_SEQUENCES=1",
                spec.currency,
                spec.zone,
                spec.versions,
                commands.join("\n"),
            );
        }
    }
    coverage
}

/// A panic is a failure like the others.
fn guarded(run: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err("it panicked".into()))
}

fn generated(
    (seed, crowd): (u64, u32),
    spec: &Spec,
    coverage: &mut Coverage,
    said: &mut Vec<Command>,
) -> Result<(), String> {
    let mut generator = Generator::new(seed, spec, crowd);
    let mut both = Both::new(spec);
    for _ in 0..generator.length() + i64::from(crowd) {
        let command = generator.next(&both.model);
        said.push(command.clone());
        both.step(&command, coverage)?;
    }
    Ok(())
}

fn replayed(spec: &Spec, commands: &[Command]) -> Result<(), String> {
    let mut both = Both::new(spec);
    let mut coverage = Coverage::default();
    commands.iter().try_for_each(|command| both.step(command, &mut coverage))
}

/// Leaves out what the failure does not need: halves, quarters, and so on down to single commands.
fn shrink(spec: &Spec, mut commands: Vec<Command>, mut wrong: String) -> (Vec<Command>, String) {
    let mut size = commands.len().div_ceil(2);
    while size > 0 {
        let mut from = 0;
        while from < commands.len() {
            let without: Vec<Command> = commands
                .iter()
                .enumerate()
                .filter(|(i, _)| !(from..from + size).contains(i))
                .map(|(_, c)| c.clone())
                .collect();
            match guarded(|| replayed(spec, &without)) {
                Err(still) => (commands, wrong) = (without, still),
                Ok(()) => from += size,
            }
        }
        size = if size == 1 { 0 } else { size.div_ceil(2) };
    }
    (commands, wrong)
}

/// Both, and where they first differ.
fn difference<T: std::fmt::Debug>(product: &T, model: &T) -> String {
    let (product, model) = (format!("{product:#?}"), format!("{model:#?}"));
    let lines = product.lines().zip(model.lines()).enumerate().filter(|(_, (p, m))| p != m).take(8);
    let lines: Vec<String> = lines.map(|(i, (p, m))| format!("line {i}: product {p}, model {m}")).collect();
    format!("product {product}\nmodel {model}\n{}", lines.join("\n"))
}

/// The product and the model, side by side.
struct Both<'s> {
    spec: &'s Spec,
    engine: Engine<'s>,
    model: Naive<'s>,
    laws: Laws,
    last: Option<usize>,
    steps: u32,
}

impl<'s> Both<'s> {
    fn new(spec: &'s Spec) -> Self {
        Self { spec, engine: Engine::new(spec), model: Naive::new(spec), laws: Laws::default(), last: None, steps: 0 }
    }

    fn step(&mut self, command: &Command, coverage: &mut Coverage) -> Result<(), String> {
        let used = command.reference().is_some_and(|r| self.model.is_used(&r));
        if !used && command.hash.is_multiple_of(UNDONE_EACH) && undone::is_undone(&self.engine, command)? {
            coverage.undone += 1;
        }
        if !used && command.hash % QUOTED_EACH == 1 && quoted::is_settled_as_quoted(&self.engine, command)? {
            coverage.discounts.insert("quoted and settled");
        }
        let before = Before::of(&self.engine, command)?;
        let standings = self.standings(command);
        let product = self.engine.run(command);
        let model = self.model.run(command);
        if product != model {
            return Err(format!("{command:?}\n{}", difference(&product, &model)));
        }
        before.map_or(Ok(()), |before| before.is_kept(&self.engine, command))?;
        self.cover(command, &product, used, coverage);
        coverage.climbed(self.spec, command, &standings, &self.model);
        // A command moves one member; that it moved no other is seen from time to time.
        self.steps += 1;
        let named = command.what.whose().0;
        let touched = |m: &&u32| self.steps.is_multiple_of(8) || named == **m || self.model.goes_on(named) == **m;
        let members: Vec<u32> = self.model.members.keys().filter(touched).copied().collect();
        self.compare(&members, command.clock)?;
        self.laws.check(&self.engine, &members, coverage)?;
        if let (What::Return { order, .. }, false) = (&command.what, used) {
            self.laws.note(order, &product)?;
            if self.model.sales.get(order).is_some_and(|s| s.lines.iter().all(|l| l.gone == (1, 1))) {
                self.laws.all_back(order)?;
            }
        } else if !used {
            self.laws.note(&command.name, &product)?;
        }
        Ok(())
    }

    /// Where those stand whom a command is about.
    fn standings(&self, command: &Command) -> BTreeMap<u32, Standing> {
        let member = self.model.goes_on(command.what.whose().0);
        self.model.members.get(&member).map(|there| (member, there.standing.clone())).into_iter().collect()
    }

    fn compare(&self, members: &[u32], at: Time) -> Result<(), String> {
        if self.steps.is_multiple_of(8) {
            let (product, model) = (self.engine.counters(), self.model.counters());
            if product != model {
                return Err(format!("counters\n{}", difference(&product, &model)));
            }
        }
        for member in members {
            let (product, model) = (view(&self.engine, *member, at)?, self.model.view(*member, at));
            if product != model {
                return Err(format!("member {member} at {at}\n{}", difference(&product, &model)));
            }
        }
        Ok(())
    }

    fn cover(&mut self, command: &Command, said: &Said, used: bool, coverage: &mut Coverage) {
        let kind = command.kind();
        coverage.pairs.extend(self.last.map(|last| (last, kind)));
        self.last = Some(kind);
        coverage.commands += 1;
        coverage.accepted += u64::from(said.is_ok());
        match said {
            Err(code) => {
                // Those that are said with figures.
                let figured = ["InsufficientPoints", "transfer Limit", "spend BelowMinimum", "spend NotInSteps"];
                let figured = figured.into_iter().chain(["spend ShareExceeded"]).find(|start| code.starts_with(start));
                let code = figured.unwrap_or(code);
                coverage.codes.insert(code.to_owned());
            }
            Ok(_) if used => {
                coverage.codes.insert("replayed".into());
            }
            Ok(Answer::Return(facts)) => {
                let What::Return { order, .. } = &command.what else { return };
                coverage.returned(&self.model.sales[order], facts);
                coverage.given_back_uses(facts);
                let version = self.model.sales[order].version;
                for (wallet, _, [_, taken, forgiven, held, waived, owed]) in &facts.clawed {
                    let purse = self.model.wallet(wallet).map(|w| &self.spec.versions[version].purses[w]);
                    let Some(Purse::Points { policy, .. }) = purse else { continue };
                    note(coverage, *policy, [*taken, *forgiven, *held, *waived, *owed]);
                }
            }
            Ok(Answer::Order(facts)) => {
                coverage.codes.extend(facts.flags.iter().map(|flag| format!("flag {}", flag.0)));
                let sale = &self.model.sales[&command.name];
                let held = sale.was_held.as_ref().map(|held| held.tier);
                coverage.discounted(facts);
                coverage.ranked(facts, sale.asked_tier.filter(|_| held.is_some()), held);
                coverage.awarded(self.spec, &self.model.members[&facts.member], sale, facts);
            }
            Ok(Answer::Merged(facts)) => coverage.merged(&facts.used),
            Ok(_) => {}
        }
    }
}

fn note(coverage: &mut Coverage, policy: Policy, figures: [i64; 5]) {
    for (did, points) in ["taken", "forgiven", "held", "waived", "owed"].into_iter().zip(figures) {
        if points > 0 {
            coverage.policies.insert((policy, did));
        }
    }
}
