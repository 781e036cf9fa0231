//! Holds in the naive model: golden.md G3 and R5.

use crate::facts::{Answer, Day, Time};
use crate::naive::wallets::{Hold, Member};
use crate::naive::{Done, Naive};
use crate::spec::{Purse, Spending};

/// The most open holds of a member.
const MOST_HOLDS: usize = 16;

/// What a hold that pays says of itself, and which lots it paid with.
type Captured = ((bool, [i64; 5]), Vec<(usize, i64)>);

/// A hold as the model remembers it.
#[derive(Clone, Debug)]
pub struct Held {
    pub member: u32,
    pub wallet: usize,
    /// The version, from 0, by which its points have a value.
    pub version: usize,
    /// What it took from which lot.
    pub took: Vec<(usize, i64)>,
    /// By which order.
    pub captured: Option<String>,
    pub released: bool,
}

impl Naive<'_> {
    pub fn hold(
        &self,
        (member, mut state): (u32, Member),
        (name, ends): (&str, Time),
        wallet: Option<&str>,
        points: i64,
        at: Time,
    ) -> Result<Done, String> {
        let version = self.spec.at(at);
        let wallet = self.wallet(wallet.unwrap_or("points")).ok_or("hold WalletUnknown")?;
        let Purse::Points { spend, .. } = self.spec.versions[version].purses[wallet] else {
            return Err("hold WalletUnknown".into());
        };
        if let Some(Spending { min, step, .. }) = spend {
            let steps = |n: i64| n >= min && n % step == 0;
            let above = (points..).find(|n| steps(*n)).unwrap();
            if points < min {
                return Err(format!("spend BelowMinimum {above}"));
            }
            if !steps(points) {
                let below = (0..points).rev().find(|n| steps(*n)).unwrap_or(0);
                return Err(format!("spend NotInSteps {below} {above}"));
            }
        }
        if state.suspended {
            return Err("Suspended".into());
        }
        if state.holds.len() >= MOST_HOLDS {
            return Err("TooManyHolds".into());
        }
        let there = state.spendable(wallet);
        if there < points {
            return Err(format!("InsufficientPoints {points} of {there}"));
        }
        let took = state.take(wallet, points);
        state.holds.push(Hold { name: name.into(), wallet, ends, owed: 0, took: took.clone() });
        let answer = Answer::Held { spendable: state.spendable(wallet), ends };
        let held = Held { member, wallet, version, took, captured: None, released: false };
        Ok(Done { member, state, answer, sale: None, email: None, hold: Some((name.into(), held)) })
    }

    pub fn release(
        &self,
        (named, member, mut state): (u32, u32, Member),
        name: &str,
        today: Day,
    ) -> Result<Done, String> {
        let held = self.held(name, named, None)?;
        let place = state.holds.iter().position(|h| h.name == name).ok_or("hold Ended")?;
        let (facts, _) = state.end_hold(place, 0, today);
        let answer = Answer::Released(facts, state.spendable(held.wallet));
        let hold = Some((name.into(), Held { released: true, ..held }));
        Ok(Done { member, state, answer, sale: None, email: None, hold })
    }

    /// A hold that nobody has ended.
    pub fn held(&self, name: &str, named: u32, from: Option<&str>) -> Result<Held, String> {
        let held = self.holds.get(name).filter(|h| self.path(named).contains(&h.member)).ok_or("hold Unknown")?;
        if held.released {
            return Err("hold Released".into());
        }
        if held.captured.is_some() {
            return Err("hold Captured".into());
        }
        if from.is_some_and(|code| self.wallet(code) != Some(held.wallet)) {
            return Err("order WalletUnknown".into());
        }
        Ok(held.clone())
    }

    /// Pays with a hold; one that ended pays as far as its points are where they went back to.
    pub fn capture(
        &self,
        state: &mut Member,
        name: &str,
        held: &Held,
        points: i64,
        today: Day,
    ) -> Result<Captured, String> {
        if state.suspended {
            return Err("Suspended".into());
        }
        if let Some(place) = state.holds.iter().position(|h| h.name == name) {
            if state.holds[place].points() < points {
                return Err("HoldExceeded".into());
            }
            let (facts, takes) = state.end_hold(place, points, today);
            return Ok(((true, facts), takes));
        }
        let (mut rest, mut takes) = (points, Vec::new());
        for (lot, took) in &held.took {
            let take = rest.min(*took).min(state.lots[*lot].left);
            rest -= take;
            takes.push((*lot, take));
        }
        if rest > 0 {
            return Err(format!("InsufficientPoints {points} of {}", points - rest));
        }
        for (lot, take) in &takes {
            state.lots[*lot].left -= take;
        }
        state.purses[held.wallet].spent += points;
        takes.retain(|t| t.1 > 0);
        Ok(((false, [points, 0, 0, 0, 0]), takes))
    }
}
