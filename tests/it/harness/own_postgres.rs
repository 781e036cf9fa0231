//! A Postgres of the test's own: it may be killed, filled up, and started again.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use diesel_async::SimpleAsyncConnection;
use perennial::platform::db::embedded::{Cluster, ClusterPlace};
use perennial::platform::db::{DatabaseUrl, Db, PoolSize, Role, migrate};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tokio::time::sleep as wait;

use super::database::LANES;

/// How long a restart may take, in seconds: the processes of the killed one have to be gone first.
const RESTART_S: u64 = 60;
/// Between two tries, in milliseconds.
const TRY_EVERY_MS: u64 = 50;

/// A server with its data in a directory of the test's, as durable as it is shipped.
pub struct OwnPostgres {
    place: ClusterPlace,
    cluster: Option<Cluster>,
}

impl OwnPostgres {
    /// Makes one, with settings besides the usual ones.
    pub async fn start(home: &Path, settings: &[(&str, &str)]) -> Self {
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let place = ClusterPlace { home: home.to_owned(), settings, ..ClusterPlace::default() };
        let cluster = Cluster::start(&place).await.unwrap();
        Self { place, cluster: Some(cluster) }
    }

    /// A new, migrated database.
    pub async fn database(&self, name: &str) -> DatabaseUrl {
        let cluster = self.cluster.as_ref().unwrap();
        let server = Db::open(cluster.url(), PoolSize(1), Role::Owner).await.unwrap();
        server.conn().await.unwrap().batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        let url = cluster.url().with_database(name);
        migrate(&url, LANES).await.unwrap();
        url
    }

    /// How to reach one of its databases under a name that the server shows, in words.
    pub fn text(&self, database: &str, client: &str) -> String {
        let directory = self.cluster.as_ref().unwrap().socket_directory().to_str().unwrap();
        format!("host='{directory}' user=perennial dbname={database} application_name={client}")
    }

    /// Its first process; none when it has ended in order, or could not start.
    fn postmaster(&self) -> Option<Pid> {
        let text = fs::read_to_string(self.place.home.join("postgres/data/postmaster.pid")).ok()?;
        Pid::from_raw(text.lines().next()?.trim().parse().ok()?)
    }

    /// Whether it runs, or is about to.
    pub fn lives(&self) -> bool {
        self.postmaster().is_some_and(|postmaster| test_kill_process(postmaster).is_ok())
    }

    /// All its other processes.
    pub fn children(&self) -> Vec<Pid> {
        let postmaster = self.postmaster().unwrap().as_raw_nonzero().to_string();
        let listed = Command::new("ps").args(["-A", "-o", "pid=,ppid="]).output().unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        let pairs = listed.lines().filter_map(|line| line.trim().split_once(' '));
        let own = pairs.filter(|(_, parent)| parent.trim() == postmaster);
        own.filter_map(|(child, _)| Pid::from_raw(child.parse().unwrap())).collect()
    }

    /// Kills all of it. No process may be left: who waits for a lock that a dead one held would wait for ever, and keep
    /// the memory that a new server needs.
    pub fn kill(&self) {
        let postmaster = self.postmaster().unwrap();
        // So that it has no more children.
        kill_process(postmaster, Signal::STOP).unwrap();
        for process in self.children().into_iter().chain([postmaster]) {
            // It may have gone by itself.
            let _ = kill_process(process, Signal::KILL);
        }
    }

    /// Starts it again after a kill, or stops it first.
    pub async fn restart(&mut self) {
        if let Some(cluster) = self.cluster.take() {
            cluster.stop().await.unwrap();
        }
        let begun = Instant::now();
        self.cluster = loop {
            match Cluster::start(&self.place).await {
                Ok(cluster) => break Some(cluster),
                // Its memory is still in use by a process on its way out.
                Err(error) => assert!(begun.elapsed() < Duration::from_secs(RESTART_S), "{error}"),
            }
            wait(Duration::from_millis(TRY_EVERY_MS)).await;
        };
    }

    /// Stops it in order.
    pub async fn stop(mut self) {
        assert!(self.cluster.take().unwrap().stop().await.unwrap());
    }
}
