//! Two servers of the operator's own: a primary, and a standby that has every commit before it is answered.

use std::env::{temp_dir, vars_os};
use std::fs::{self, DirBuilder, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use diesel_async::SimpleAsyncConnection;
use perennial::platform::db::embedded::{ClusterPlace, Tools};
use perennial::platform::db::{DatabaseUrl, Db, PoolSize, Role};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use tokio::time::{Instant, sleep as wait};

use super::{facts, perennial, said};

/// Longest wait for a server, in seconds.
const PATIENCE_S: u64 = 60;

/// The programs of a server, and who runs it.
struct Programs {
    tools: Tools,
    account: Option<(u32, u32)>,
}

/// One server in a directory of its own.
pub struct Server {
    programs: Programs,
    data: PathBuf,
    /// The directory of its socket.
    pub run: PathBuf,
    child: Option<Child>,
    /// The processes that were sent a signal.
    met: Mutex<Vec<Pid>>,
}

/// A primary and its synchronous standby, with Perennial's schema in a database `shop`.
pub struct Pair {
    pub primary: Server,
    pub standby: Server,
    /// A name that stands for either of them, as a DNS name or a proxy does.
    pub link: PathBuf,
    root: PathBuf,
}

impl Programs {
    fn find() -> Self {
        let root = geteuid().is_root();
        let id = |what| {
            let output = Command::new("id").args([what, "postgres"]).output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
        };
        let tools = Tools::of(&ClusterPlace::default()).unwrap();
        Self { tools, account: root.then(|| (id("-u"), id("-g"))) }
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.tools.program(name).unwrap());
        for (name, _) in vars_os().filter(|(name, _)| name.as_bytes().starts_with(b"PG")) {
            command.env_remove(name);
        }
        command.env("LC_ALL", "C").current_dir("/").stdin(Stdio::null());
        if let Some((uid, gid)) = self.account {
            command.uid(uid).gid(gid);
        }
        command
    }

    fn run(&self, name: &str, args: &[&str]) {
        let output: Output = self.command(name).args(args).output().unwrap();
        assert!(output.status.success(), "{name}: {}", said(&output));
    }

    /// A directory of the server's user.
    fn directory(&self, path: &Path) {
        DirBuilder::new().mode(0o700).create(path).unwrap();
        if let Some((uid, gid)) = self.account {
            chown(path, Some(uid), Some(gid)).unwrap();
        }
    }
}

impl Server {
    fn at(root: &Path, name: &str) -> Self {
        let (programs, home) = (Programs::find(), root.join(name));
        programs.directory(&home);
        let run = home.join("run");
        programs.directory(&run);
        Self { programs, data: home.join("data"), run, child: None, met: Mutex::default() }
    }

    async fn start(&mut self) {
        let log = File::create(self.run.with_extension("log")).unwrap();
        let mut command = self.programs.command("postgres");
        command.arg("-D").arg(&self.data).args(["-c", "listen_addresses=", "-c", "fsync=off"]);
        command.arg("-c").arg(format!("unix_socket_directories={}", self.run.display()));
        let errors = Stdio::from(log.try_clone().unwrap());
        self.child = Some(command.stdout(Stdio::from(log)).stderr(errors).spawn().unwrap());
        let begun = Instant::now();
        while Db::open(&self.url("postgres"), PoolSize(1), Role::Owner).await.is_err() {
            let log = fs::read_to_string(self.run.with_extension("log")).unwrap();
            assert!(begun.elapsed() < Duration::from_secs(PATIENCE_S), "it does not start: {log}");
            wait(Duration::from_millis(20)).await;
        }
    }

    /// How to reach one of its databases, as its owner.
    pub fn url(&self, database: &str) -> DatabaseUrl {
        DatabaseUrl::socket(&self.run, "perennial", database)
    }

    /// Its `shop`, as the owner.
    pub async fn shop(&self) -> Db {
        Db::open(&self.url("shop"), PoolSize(1), Role::Owner).await.unwrap()
    }

    /// Runs statements, each in a transaction of its own.
    pub async fn run(&self, database: &str, statements: &[&str]) {
        let db = Db::open(&self.url(database), PoolSize(1), Role::Owner).await.unwrap();
        for statement in statements {
            db.conn().await.unwrap().batch_execute(statement).await.unwrap();
        }
    }

    /// Sends every process of it a signal: a power cut is SIGKILL to all of them.
    pub async fn signal(&self, signal: Signal) {
        let pids =
            facts::one(&self.shop().await, "SELECT string_agg(pid::text, ' ') AS fact FROM pg_stat_activity").await;
        let postmaster = Pid::from_child(self.child.as_ref().unwrap());
        let others = pids.split(' ').filter_map(|pid| Pid::from_raw(pid.parse().unwrap()));
        // Some go with the postmaster, and the one that answered with its connection.
        let met = [postmaster].into_iter().chain(others).filter(|pid| kill_process(*pid, signal).is_ok());
        self.met.lock().unwrap().extend(met);
    }

    /// Lets every process go on that was stopped.
    pub fn resume(&self) {
        for pid in self.met.lock().unwrap().drain(..) {
            // It may have gone.
            let _ = kill_process(pid, Signal::CONT);
        }
    }

    /// Makes a standby a primary.
    pub fn promote(&self) {
        self.programs.run("pg_ctl", &["promote", "-w", "-D", self.data.to_str().unwrap()]);
    }

    /// Stops it at once. It may have ended already.
    fn stop(&mut self) {
        self.resume();
        if let Some(mut child) = self.child.take() {
            let _ = kill_process(Pid::from_child(&child), Signal::QUIT);
            let _ = child.wait();
        }
    }
}

impl Pair {
    /// Starts both; `None`, said aloud, where `pg_basebackup` is not installed.
    pub async fn start() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        if Programs::find().tools.program("pg_basebackup").is_none() {
            eprintln!("SKIPPED: a standby is made by pg_basebackup, which is not installed");
            return None;
        }
        // A short path, as it has to fit into the address of a socket.
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let root = temp_dir().join(format!("perennial-pair-{}-{number}", process::id()));
        fs::create_dir(&root).unwrap();
        let (mut primary, mut standby) = (Server::at(&root, "one"), Server::at(&root, "two"));
        let data = primary.data.to_str().unwrap();
        primary
            .programs
            .run("initdb", &["--no-sync", "-D", data, "-U", "perennial", "--auth=trust", "-E", "UTF8", "--locale=C"]);
        primary.start().await;
        primary.run("postgres", &["CREATE DATABASE shop"]).await;
        let copy = [
            "--no-sync",
            "--write-recovery-conf",
            "--checkpoint=fast",
            "--create-slot",
            "--slot=standby",
            "-U",
            "perennial",
        ];
        let (from, to) = (primary.run.to_str().unwrap(), standby.data.to_str().unwrap());
        standby.programs.run("pg_basebackup", &[&copy[..], &["-h", from, "-D", to]].concat());
        standby.start().await;
        primary.run("postgres", &["ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"]).await;
        let state = "SELECT coalesce(max(sync_state), '') AS fact FROM pg_stat_replication";
        while facts::one(&primary.shop().await, state).await != "sync" {
            wait(Duration::from_millis(20)).await;
        }
        let link = root.join("name");
        symlink(&primary.run, &link).unwrap();
        Some(Self { primary, standby, link, root })
    }

    /// Points the name at a server.
    pub fn point_at(link: &Path, server: &Server) {
        let next = link.with_extension("next");
        symlink(&server.run, &next).unwrap();
        fs::rename(next, link).unwrap();
    }

    /// The connection string that names both.
    pub fn both(&self) -> String {
        let (one, two) = (self.primary.run.display(), self.standby.run.display());
        format!("host={one},{two} user=perennial dbname=shop target_session_attrs=read-write")
    }

    /// The connection string of the name that stands for either.
    pub fn either(&self) -> String {
        format!("host={} user=perennial dbname=shop", self.link.display())
    }

    /// A command of the program on a database.
    pub fn command(&self, url: &str, args: &[&str]) -> Command {
        let mut command = perennial(&self.root);
        command.env("DATABASE_URL", url).env("PERENNIAL_LOG", "error").args(args);
        command
    }

    /// What a command that succeeds says on standard output.
    pub fn out(&self, url: &str, args: &[&str]) -> String {
        let output = self.command(url, args).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.standby.stop();
        self.primary.stop();
        let _ = fs::remove_dir_all(&self.root);
    }
}
