//! `kill -9` of the server and of Postgres, at moments that are known, under a mixed load from a recorded client.
//!
//! After each kill everything is asked again: what was answered is answered the same, what was not is done once, the
//! ledger is sound, and a follower of the journal met every posting once.

mod strike;
mod table;

use std::time::{Duration, Instant};

use rustix::process::{Signal, kill_process};
use tokio::time::sleep as wait;

use strike::{Moment, Phase, Witness, release};
use table::{Kill, Table};

use crate::crash::stand::{Stand, seed, setting};
use crate::harness::{Home, OwnPostgres};

/// Kills of an ordinary run; `PERENNIAL_CRASH_KILLS` asks for another number.
const KILLS: usize = 20;
/// Of so many kills at least so many hit somebody in the middle of something.
const IN_FLIGHT_OF: (usize, usize) = (15, 20);
/// A server whose operator does not wait for the disk, as a rule; Perennial does all the same.
const SETTINGS: [(&str, &str); 2] = [("synchronous_commit", "off"), ("wal_writer_delay", "2000")];
/// Kills of one database, whose whole ledger is looked at after each of them.
const KILLS_A_LIFE: usize = 20;
/// How long the load runs before a kill, in milliseconds: at least, and by chance so much more.
const LOAD_MS: (u64, u64) = (150, 350);
/// How long it goes on after the restart, in milliseconds.
const AFTER_MS: u64 = 150;

/// What is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    /// The program.
    Server,
    /// Every process of Postgres at once.
    Postgres,
    /// One process of Postgres, the writer's where one was seen: Postgres ends all others, and recovers by itself.
    Backend,
}

/// Who is killed when, in turns.
const VICTIMS: [Victim; 4] = [Victim::Server, Victim::Postgres, Victim::Server, Victim::Backend];
const MOMENTS: [Moment; 4] = [Moment::In(Phase::Load), Moment::In(Phase::Save), Moment::In(Phase::Commit), Moment::Any];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_moment_everything_answered_is_there_once_and_a_retry_does_the_rest() {
    let kills = setting("PERENNIAL_CRASH_KILLS").map_or(KILLS, |kills| usize::try_from(kills).unwrap());
    let seed = seed();
    let home = Home::new();
    let mut postgres = OwnPostgres::start(home.path(), &SETTINGS).await;
    let mut table = Table::new(seed);
    while table.len() < kills {
        let life = table.len() / KILLS_A_LIFE;
        let mut shop = Shop::open(&postgres, seed.wrapping_add(u64::try_from(life).unwrap()), life).await;
        for turn in table.len()..kills.min(table.len() + KILLS_A_LIFE) {
            let (victim, moment) = (VICTIMS[turn / MOMENTS.len() % VICTIMS.len()], MOMENTS[turn % MOMENTS.len()]);
            table.add(shop.survive(&mut postgres, victim, moment).await);
        }
        table.add_fates(shop.stand.storefront.record.fates());
        table.cut += shop.stand.close().await;
    }
    table.print();
    let (least, of) = IN_FLIGHT_OF;
    assert!(table.with_requests_in_flight() * of >= kills * least, "most kills hit somebody in the middle");
    let missed: Vec<_> = MOMENTS.iter().take(kills).filter(|m| !hit(&table, **m)).collect();
    assert!(missed.is_empty(), "never hit: {missed:?}");
    let refused = table.mostly_refused();
    assert!(refused.is_empty() || kills < KILLS, "hardly ever done: {refused:?}");
    // Postgres finishes what the dead server did not see the end of.
    assert!(table.replayed() > 0 || table.servers_in_commit() == 0, "nothing was done without an answer");
}

fn hit(table: &Table, moment: Moment) -> bool {
    match moment {
        Moment::Any => true,
        Moment::In(phase) => table.by_phase().contains_key(&phase),
    }
}

/// A shop under load, and who watches its writers.
struct Shop {
    stand: Stand,
    witness: Witness,
}

impl Shop {
    async fn open(postgres: &OwnPostgres, seed: u64, life: usize) -> Self {
        let name = format!("life_{life}");
        let stand = Stand::open(postgres, &name, seed).await;
        Self { stand, witness: Witness::new(&postgres.text(&name, "witness")).await }
    }

    /// Load, a kill, and everything that has to hold afterwards.
    async fn survive(&mut self, postgres: &mut OwnPostgres, victim: Victim, moment: Moment) -> Kill {
        let begun = Instant::now();
        let first = self.stand.storefront.record.len();
        self.stand.storefront.open();
        let (least, more) = LOAD_MS;
        wait(Duration::from_millis(least + self.stand.storefront.roll(more))).await;
        let seen = self.witness.await_moment(moment).await;
        let in_flight = self.stand.storefront.record.in_flight();
        let acknowledged = self.stand.storefront.record.accepted_since(first);
        match victim {
            Victim::Server => {
                // It is gone when this returns; only then its writer's backend may go on.
                self.stand.kill();
                seen.writer.into_iter().for_each(release);
                self.stand.serve().await;
            }
            Victim::Postgres => {
                postgres.kill();
            }
            Victim::Backend => {
                let any = || self.stand.storefront.pick(&postgres.children());
                kill_process(seen.writer.unwrap_or_else(any), Signal::KILL).unwrap();
            }
        }
        self.stand.await_ready(postgres).await;
        wait(Duration::from_millis(AFTER_MS)).await;
        self.stand.storefront.close().await;
        let there = self.stand.reckon(first).await;
        let (lost, took) = (self.stand.storefront.record.lost_since(first), begun.elapsed());
        Kill { victim, moment, seen, in_flight, acknowledged, lost, there, took }
    }
}
