//! How much is measured: named, and scaled by the environment.

use std::env::var;
use std::time::Duration;

use super::Outcome;

/// Connections of the load on orders, as of a shop's web servers.
pub const ORDER_CONNECTIONS: usize = 256;
/// Connections of the load on orders by the batch.
pub const BATCH_CONNECTIONS: usize = 16;
/// Orders of a batch.
pub const BATCH_ORDERS: usize = 100;
/// Connections of the load on balances, and of `pgbench -S` beside it.
pub const BALANCE_CONNECTIONS: usize = 64;
/// Clients of the limit with one commit per accrual.
pub const LIMIT_CLIENTS: usize = 32;
/// Lanes of the limit that works on sets.
pub const SET_LANES: usize = 2;
/// Accruals of one commit there.
pub const SET_SIZE: usize = 200;
/// Past orders of each member that redemptions take, at least: one does not earn what they spend.
pub const REDEEMED_HISTORY_MIN: usize = 2;
/// Half of what was reached: the load at which latency is measured.
pub const HALF_LOAD: f64 = 0.5;

/// Three times what was reached: the load of which most has to be refused.
pub const OVERLOAD: f64 = 3.0;
/// Connections of that load: more than the server lets wait when its queues stand.
pub const OVERLOAD_CONNECTIONS: usize = 2_048;

/// The sizes of one run.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// How often each measure is taken, all of them in turns.
    pub rounds: usize,
    /// Of one measure.
    pub length: Duration,
    /// Before each measure, not counted.
    pub warm_up: Duration,
    /// Members, here and in the limits.
    pub members: usize,
    /// Past orders of each that are imported first: an account without lots is not what a shop has.
    pub history: usize,
}

impl Sizes {
    /// The usual ones, or those of a short look; each can be set on its own.
    ///
    /// # Errors
    /// When a variable is no number.
    pub fn read(quick: bool) -> Outcome<Self> {
        let usual = if quick { (1, 2, 20_000, 2) } else { (3, 5, 100_000, 3) };
        let (rounds, seconds, members, history) = usual;
        Ok(Self {
            rounds: number("BENCH_ROUNDS", rounds)?.max(1),
            length: Duration::from_secs(u64::try_from(number("BENCH_SECONDS", seconds)?.max(1))?),
            warm_up: Duration::from_secs(1),
            members: number("BENCH_MEMBERS", members)?.max(100),
            history: number("BENCH_HISTORY", history)?,
        })
    }
}

fn number(name: &str, usual: usize) -> Outcome<usize> {
    match var(name) {
        Ok(text) => Ok(text.parse().map_err(|_| format!("{name} is no number: {text}"))?),
        Err(_) => Ok(usual),
    }
}
