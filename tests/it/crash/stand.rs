//! A shop under fire: the served program, its storefront, and a follower of its journal, on a database of its own.

use std::env::var;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use perennial::platform::auth::Scopes;
use perennial::platform::db::{Db, PoolSize, Role};
use perennial::platform::entropy::random;
use reqwest::Method;
use rustix::process::{Signal, kill_process};
use tokio::task::spawn_blocking;
use tokio::time::sleep as wait;

use crate::crash::crowd::Crowd;
use crate::crash::follower::Follower;
use crate::crash::reckoning::{ask_again, compare};
use crate::crash::record::Record;
use crate::crash::storefront::Storefront;
use crate::harness::{Client, Dice, EURO, OwnPostgres, Reply, Serving, key, perennial, publish, scratch, verify};

/// Members that are there from the beginning.
const MEMBERS: usize = 6;
/// How long it may take to be back, in seconds.
const BACK_S: u64 = 60;
/// Between two looks whether it is back, in milliseconds.
const BACK_EVERY_MS: u64 = 10;

/// A number that whoever runs the tests asks for.
pub fn setting(name: &str) -> Option<u64> {
    var(name).ok().map(|text| text.parse().unwrap())
}

/// A seed that nobody chose, unless somebody wants to see a failure again.
pub fn seed() -> u64 {
    let chance = || u64::from(u32::from_be_bytes(random().unwrap()));
    setting("PERENNIAL_CRASH_SEED").unwrap_or_else(chance)
}

/// The shop.
pub struct Stand {
    pub storefront: Storefront,
    serving: Option<Serving>,
    follower: Follower,
    db: Db,
    key: String,
    /// How to reach the database as the program does.
    url: String,
    /// Where the record is, and what the program says; kept when something is wrong.
    papers: PathBuf,
}

impl Stand {
    /// Opens one with a few members.
    pub async fn open(postgres: &OwnPostgres, name: &str, seed: u64) -> Self {
        let papers = scratch().join(format!("crash-{name}-{seed}"));
        eprintln!("PERENNIAL_CRASH_SEED={seed} for {name}, recorded in {}", papers.display());
        fs::create_dir_all(&papers).unwrap();
        postgres.database(name).await;
        let db = Db::open(&postgres.text(name, "test").parse().unwrap(), PoolSize(4), Role::App).await.unwrap();
        let program = publish(&db, "ours", EURO).await;
        let key = key(&db, &program, Scopes::all()).await;
        let follower = Follower::start(&postgres.text(name, "follower")).await;
        let record = Record::new(&papers.join("record.jsonl"));
        let nowhere = Client::new("http://127.0.0.1:9", Some(&key));
        let storefront = Storefront::new(record, Crowd::new(Dice::new(seed)), nowhere);
        let url = postgres.text(name, "perennial");
        let mut stand = Self { storefront, serving: None, follower, db, key, url, papers };
        stand.serve().await;
        for _ in 0..MEMBERS {
            stand.storefront.enrol().await;
        }
        stand
    }

    /// Starts the program.
    pub async fn serve(&mut self) {
        let log = File::options().create(true).append(true).open(self.papers.join("log")).unwrap();
        let mut command = perennial(&self.papers);
        command.env("DATABASE_URL", &self.url).env("PERENNIAL_RATE_PER_S", "0").env("PERENNIAL_LOG", "info");
        command.env("PERENNIAL_WRITERS", "2").stderr(Stdio::from(log));
        let serving = spawn_blocking(move || Serving::start(command)).await.unwrap();
        self.storefront.move_to(Client::new(&serving.address, Some(&self.key)));
        self.serving = Some(serving);
    }

    /// Kills the program, and waits until it is gone.
    pub fn kill(&mut self) {
        kill_process(self.serving.as_ref().unwrap().pid(), Signal::KILL).unwrap();
        self.serving = None;
    }

    /// Whether the program has said so.
    pub fn has_said(&self, text: &str) -> bool {
        fs::read_to_string(self.papers.join("log")).unwrap().contains(text)
    }

    /// Whether the program can work.
    pub async fn is_ready(&self) -> bool {
        let asked = self.storefront.client().request(Method::GET, "/readyz");
        Reply::if_any(asked).await.is_ok_and(|reply| reply.status == 200)
    }

    /// Waits until the program can work, and has whoever operates Postgres start it again if it has ended.
    pub async fn await_ready(&self, postgres: &mut OwnPostgres) {
        let begun = Instant::now();
        while !self.is_ready().await {
            assert!(begun.elapsed() < Duration::from_secs(BACK_S), "it is not back");
            if !postgres.lives() {
                postgres.restart().await;
            }
            wait(Duration::from_millis(BACK_EVERY_MS)).await;
        }
    }

    /// Asks again for everything since a command, and compares everything with everything: record, ledger, follower.
    /// Answers how many commands are there.
    pub async fn reckon(&self, first: usize) -> usize {
        ask_again(&self.storefront, first).await;
        self.follower.assert_sound().await;
        let there = compare(&self.db, &self.storefront.record.entries()).await;
        verify(&self.db).await;
        there
    }

    /// Asks for everything once more, stops the program in order, and has the command itself verify. Answers how often
    /// the follower's transactions were cut.
    pub async fn close(mut self) -> u64 {
        ask_again(&self.storefront, 0).await;
        let serving = self.serving.take().unwrap();
        kill_process(serving.pid(), Signal::TERM).unwrap();
        assert!(spawn_blocking(move || serving.ended_well()).await.unwrap());
        let output = perennial(&self.papers).env("DATABASE_URL", &self.url).arg("verify").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        fs::remove_dir_all(&self.papers).unwrap();
        self.follower.cut()
    }
}
