//! The one cluster that limits and product run on, and the programs beside its server.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use perennial::platform::db::embedded::{Cluster, ClusterPlace};
use tokio_postgres::{Config, NoTls};

use super::Outcome;
use super::usage::parent_of;

/// The settings of the run, as the reference has them; everything that makes a commit durable is on. What is set here
/// cannot be set otherwise later, so `full_page_writes`, which one part turns off, is left as Postgres has it: on.
const SETTINGS: [(&str, &str); 5] = [
    ("shared_buffers", "2GB"),
    ("max_wal_size", "8GB"),
    ("max_connections", "150"),
    ("fsync", "on"),
    ("synchronous_commit", "on"),
];
/// The superuser of the private cluster.
const USER: &str = "perennial";

/// A private cluster, empty at first, gone at the end.
pub struct Postgres {
    cluster: Cluster,
    socket: PathBuf,
    programs: PathBuf,
    /// The process whose children the backends are.
    pub postmaster: u32,
}

impl Postgres {
    /// Starts it below a directory.
    ///
    /// # Errors
    /// When there is no server to start, or no pgbench beside it.
    pub async fn start(home: &Path) -> Outcome<Self> {
        let settings = SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let pg_bin = std::env::var_os("PG_BIN").map(PathBuf::from);
        let cluster = Cluster::start(&ClusterPlace { home: home.to_owned(), pg_bin, settings }).await?;
        let socket = cluster.socket_directory().to_owned();
        let (programs, postmaster) = look(&socket).await?;
        if !["pgbench", "psql"].iter().all(|name| programs.join(name).is_file()) {
            let place = programs.display();
            return Err(format!("{place} lacks pgbench or psql: install this system's postgresql-contrib").into());
        }
        Ok(Self { cluster, socket, programs, postmaster })
    }

    /// A connection string in words.
    pub fn url(&self, database: &str) -> String {
        format!("host='{}' user={USER} dbname={database}", self.socket.display())
    }

    /// Runs a statement and answers its first line.
    ///
    /// # Errors
    /// When it fails.
    pub fn sql(&self, database: &str, statement: &str) -> Outcome<String> {
        let mut command = self.psql(database);
        Ok(said("psql", command.args(["-c", statement]).output()?)?.trim().to_owned())
    }

    /// Runs a file of statements.
    ///
    /// # Errors
    /// When one fails.
    pub fn script(&self, database: &str, file: &Path, members: usize) -> Outcome<()> {
        let mut command = self.psql(database);
        command.arg("-v").arg(format!("members={members}")).arg("-f").arg(file);
        said("psql", command.output()?).map(drop)
    }

    fn psql(&self, database: &str) -> Command {
        let mut command = self.program("psql");
        command.args(["-qAtX", "-v", "ON_ERROR_STOP=1", "-d", database]);
        command
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.env("PGHOST", &self.socket).env("PGPORT", "5432").env("PGUSER", USER);
        command.env("PGOPTIONS", "-c client_min_messages=warning");
        command
    }

    /// A fresh copy of a database under the name `run`, behind a checkpoint: all copies start alike.
    ///
    /// # Errors
    /// When somebody is connected to either.
    pub fn fresh(&self, template: &str) -> Outcome<()> {
        self.sql("postgres", "DROP DATABASE IF EXISTS run")?;
        self.sql("postgres", "CHECKPOINT")?;
        self.sql("postgres", &format!("CREATE DATABASE run TEMPLATE {template}")).map(drop)
    }

    /// Transactions per second of pgbench.
    ///
    /// # Errors
    /// When it fails, or a transaction did.
    pub fn pgbench(&self, database: &str, script: &[&str], clients: usize, length: Duration) -> Outcome<f64> {
        let mut command = self.program("pgbench");
        command.args(["-n", "-M", "prepared", "-j", "2", "-c"]).arg(clients.to_string());
        command.arg("-T").arg(length.as_secs().max(1).to_string()).args(script).arg(database);
        let text = said("pgbench", command.output()?)?;
        let failed = text.lines().find_map(|line| line.strip_prefix("number of failed transactions: "));
        if failed.is_some_and(|count| !count.starts_with("0 ")) {
            return Err(format!("pgbench had failures:\n{text}").into());
        }
        let rate = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next());
        Ok(rate.ok_or("pgbench said no rate")?.parse()?)
    }

    /// Fills pgbench's own tables for `-S`.
    ///
    /// # Errors
    /// When it fails.
    pub fn pgbench_tables(&self, database: &str, scale: usize) -> Outcome<()> {
        let mut command = self.program("pgbench");
        said("pgbench", command.args(["-i", "-q", "-s"]).arg(scale.max(1).to_string()).arg(database).output()?)
            .map(drop)
    }

    /// Ends it.
    ///
    /// # Errors
    /// When it does not stop.
    pub async fn stop(self) -> Outcome<()> {
        self.cluster.stop().await?;
        Ok(())
    }
}

/// Where the server's programs are, and the process whose children its backends are.
async fn look(socket: &Path) -> Outcome<(PathBuf, u32)> {
    let (client, connection) = Config::new().host_path(socket).user(USER).dbname("postgres").connect(NoTls).await?;
    let driven = tokio::spawn(connection);
    let query = "SELECT setting, pg_backend_pid() FROM pg_config WHERE name = 'BINDIR'";
    let row = client.query_one(query, &[]).await?;
    let (programs, backend): (String, i32) = (row.try_get(0)?, row.try_get(1)?);
    // While it is there.
    let postmaster = parent_of(u32::try_from(backend)?).unwrap_or(0);
    drop(client);
    driven.await??;
    Ok((PathBuf::from(programs), postmaster))
}

/// What a program said, or that it failed.
pub fn said(program: &str, output: Output) -> Outcome<String> {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    Err(format!("{program} failed: {}{text}", String::from_utf8_lossy(&output.stderr)).into())
}
