//! `kill -9` of the server and of Postgres, at moments that are known, under a mixed load from a recorded client.
//!
//! After each kill everything is asked again: what was answered is answered the same, what was not is done once, the
//! ledger is sound, and a follower of the journal met every posting once.

mod call;
mod crowd;
mod follower;
mod reckoning;
mod record;
mod storefront;
mod strike;
mod table;

use std::env::var;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use perennial::platform::auth::Scopes;
use perennial::platform::db::{Db, PoolSize, Role};
use perennial::platform::entropy::random;
use rustix::process::{Signal, kill_process};
use tokio::task::spawn_blocking;
use tokio::time::sleep as wait;

use crowd::Crowd;
use follower::Follower;
use record::Record;
use storefront::Storefront;
use strike::{Moment, Phase, Witness, release};
use table::{Kill, Table};

use crate::harness::{Client, Dice, EURO, Home, OwnPostgres, Reply, Serving, key, perennial, publish, scratch, verify};

/// Kills of an ordinary run; `PERENNIAL_CRASH_KILLS` asks for another number.
const KILLS: usize = 20;
/// Of so many kills at least so many hit somebody in the middle of something.
const IN_FLIGHT_OF: (usize, usize) = (15, 20);
/// Kills of one database, whose whole ledger is looked at after each of them.
const KILLS_A_LIFE: usize = 20;
/// Members that are there from the beginning.
const MEMBERS: usize = 6;
/// How long the load runs before a kill, in milliseconds: at least, and by chance so much more.
const LOAD_MS: (u64, u64) = (150, 350);
/// How long it goes on after the restart, in milliseconds.
const AFTER_MS: u64 = 150;
/// How long a killed process may take to be back, in seconds.
const BACK_S: u64 = 60;
/// Between two looks whether it is back, in milliseconds.
const BACK_EVERY_MS: u64 = 10;

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
const MOMENTS: [Moment; 4] =
    [Moment::In(Phase::Load), Moment::In(Phase::Save), Moment::In(Phase::Commit), Moment::Any];

fn setting(name: &str) -> Option<u64> {
    var(name).ok().map(|text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_moment_everything_answered_is_there_once_and_a_retry_does_the_rest() {
    let kills = setting("PERENNIAL_CRASH_KILLS").map_or(KILLS, |kills| usize::try_from(kills).unwrap());
    let chance = || u64::from(u32::from_be_bytes(random().unwrap()));
    let seed = setting("PERENNIAL_CRASH_SEED").unwrap_or_else(chance);
    let home = Home::new();
    let mut postgres = OwnPostgres::start(home.path(), &[]).await;
    let mut table = Table::default();
    while table.len() < kills {
        let life = table.len() / KILLS_A_LIFE;
        let mut shop = Shop::open(&postgres, seed.wrapping_add(u64::try_from(life).unwrap()), life).await;
        for turn in table.len()..kills.min(table.len() + KILLS_A_LIFE) {
            let (victim, moment) = (VICTIMS[turn / MOMENTS.len() % VICTIMS.len()], MOMENTS[turn % MOMENTS.len()]);
            table.add(shop.survive(&mut postgres, victim, moment).await);
        }
        table.cut += shop.close().await;
    }
    table.print();
    let (least, of) = IN_FLIGHT_OF;
    assert!(table.with_requests_in_flight() * of >= kills * least, "most kills hit somebody in the middle");
    let missed: Vec<_> = MOMENTS.iter().take(kills).filter(|m| !hit(&table, **m)).collect();
    assert!(missed.is_empty(), "never hit: {missed:?}");
}

fn hit(table: &Table, moment: Moment) -> bool {
    match moment {
        Moment::Any => true,
        Moment::In(phase) => table.by_phase().contains_key(&phase),
    }
}

/// A shop on a database of its own, its storefront, and who watches.
struct Shop {
    name: String,
    key: String,
    serving: Option<Serving>,
    storefront: Storefront,
    follower: Follower,
    witness: Witness,
    db: Db,
    /// How to reach the database as the server does.
    url: String,
    /// Where the record is, and what the server says; kept when something is wrong.
    papers: PathBuf,
}

impl Shop {
    async fn open(postgres: &OwnPostgres, seed: u64, life: usize) -> Self {
        let name = format!("life_{life}");
        let papers = scratch().join(format!("crash-{seed}"));
        eprintln!("PERENNIAL_CRASH_SEED={seed} for {name}, recorded in {}", papers.display());
        fs::create_dir_all(&papers).unwrap();
        postgres.database(&name).await;
        let db = Db::open(&postgres.text(&name, "test").parse().unwrap(), PoolSize(4), Role::App).await.unwrap();
        let program = publish(&db, "ours", EURO).await;
        let key = key(&db, &program, Scopes::all()).await;
        let follower = Follower::start(&postgres.text(&name, "follower")).await;
        let witness = Witness::new(&postgres.text(&name, "witness")).await;
        let url = postgres.text(&name, "perennial");
        let record = Record::new(&papers.join("record.jsonl"));
        let nowhere = Client::new("http://127.0.0.1:9", Some(&key));
        let storefront = Storefront::new(record, Crowd::new(Dice::new(seed)), nowhere);
        let mut shop = Self { name, key, serving: None, storefront, follower, witness, db, url, papers };
        shop.serve().await;
        for _ in 0..MEMBERS {
            shop.storefront.enrol().await;
        }
        shop
    }

    /// Starts the program.
    async fn serve(&mut self) {
        let log = File::options().create(true).append(true).open(self.papers.join("log")).unwrap();
        let mut command = perennial(&self.papers);
        command.env("DATABASE_URL", &self.url).env("PERENNIAL_RATE_PER_S", "0").env("PERENNIAL_LOG", "info");
        command.env("PERENNIAL_WRITERS", "2").stderr(Stdio::from(log));
        let serving = spawn_blocking(move || Serving::start(command)).await.unwrap();
        self.storefront.move_to(Client::new(&serving.address, Some(&self.key)));
        self.serving = Some(serving);
    }

    /// Load, a kill, and everything that has to hold afterwards.
    async fn survive(&mut self, postgres: &mut OwnPostgres, victim: Victim, moment: Moment) -> Kill {
        let begun = Instant::now();
        let first = self.storefront.record.len();
        self.storefront.open();
        let (least, more) = LOAD_MS;
        wait(Duration::from_millis(least + self.storefront.roll(more))).await;
        let seen = self.witness.await_moment(moment).await;
        let in_flight = self.storefront.record.in_flight();
        let acknowledged = self.storefront.record.accepted_since(first);
        match victim {
            Victim::Server => {
                kill_process(self.serving.as_ref().unwrap().pid(), Signal::KILL).unwrap();
                // Dropping it waits until it is gone; only then its writer may go on.
                self.serving = None;
                seen.writer.into_iter().for_each(release);
                self.serve().await;
            }
            Victim::Postgres => {
                postgres.kill();
                postgres.restart().await;
            }
            Victim::Backend => {
                let any = || self.storefront.pick(&postgres.children());
                kill_process(seen.writer.unwrap_or_else(any), Signal::KILL).unwrap();
            }
        }
        self.await_ready().await;
        wait(Duration::from_millis(AFTER_MS)).await;
        self.storefront.close().await;
        let mut found = reckoning::ask_again(&self.storefront, first).await;
        self.follower.assert_sound().await;
        found.there = reckoning::compare(&self.db, &self.storefront.record.entries()).await;
        verify(&self.db).await;
        Kill { victim, moment, seen, in_flight, acknowledged, found, took: begun.elapsed() }
    }

    /// Waits until the server can work again.
    async fn await_ready(&self) {
        let begun = Instant::now();
        loop {
            let asked = self.storefront.client().request(reqwest::Method::GET, "/readyz");
            if Reply::if_any(asked).await.is_ok_and(|reply| reply.status == 200) {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(BACK_S), "it is not back");
            wait(Duration::from_millis(BACK_EVERY_MS)).await;
        }
    }

    /// Asks for everything once more, stops the program in order, and has the command itself verify. Answers how often
    /// the follower's transactions were cut.
    async fn close(mut self) -> u64 {
        reckoning::ask_again(&self.storefront, 0).await;
        let serving = self.serving.take().unwrap();
        kill_process(serving.pid(), Signal::TERM).unwrap();
        assert!(spawn_blocking(move || serving.ended_well()).await.unwrap());
        let mut command = perennial(&self.papers);
        let output = command.env("DATABASE_URL", &self.url).arg("verify").output().unwrap();
        assert!(output.status.success(), "{}: {output:?}", self.name);
        fs::remove_dir_all(&self.papers).unwrap();
        self.follower.cut()
    }
}
