//! A private Postgres cluster, for when there is no `DATABASE_URL`.
//!
//! Every process that uses it holds `users.lock` (shared) and the write end of the pipe `alive`. The first one starts
//! the server, the others join it, and it stops when the last one has gone, cleanly or not. Starting, joining and
//! leaving happen one process at a time, under `gate.lock`.

mod archive;
mod binaries;
mod error;
mod layout;
mod server;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Child;

use diesel_async::SimpleAsyncConnection;
use rustix::fs::{Mode, OFlags, open};
use tokio::task::spawn_blocking;

pub use archive::{Still, Tools, Vacancy, has_data, sync};
pub use error::ClusterError;

use super::error::DbError;
use super::pool::connect;
use super::url::DatabaseUrl;
use layout::Layout;
use server::{Postmaster, START_TIMEOUT_S, SUPERUSER};

/// The database that Perennial works in.
const DATABASE: &str = "perennial";

/// Which cluster.
#[derive(Clone, Debug, Default)]
pub struct ClusterPlace {
    /// Its files are in `postgres/` below this directory.
    pub home: PathBuf,
    /// The server's binaries; searched for when not given.
    pub pg_bin: Option<PathBuf>,
    /// Settings for this run only; the cluster's own are in its `postgresql.conf`.
    pub settings: Vec<(String, String)>,
}

/// A running private cluster, and our share in keeping it running.
pub struct Cluster {
    layout: Layout,
    url: DatabaseUrl,
    users: File,
    alive: Option<File>,
    watcher: Option<Child>,
}

impl Cluster {
    /// Starts the cluster, or joins it when another process has; creates it, and its database, when there is none.
    ///
    /// # Errors
    /// `is_configuration` tells whether the operator has to install or change something.
    pub async fn start(place: &ClusterPlace) -> Result<Self, ClusterError> {
        let (cluster, gate) = Self::begin(place, false).await?;
        drop(gate);
        Ok(cluster)
    }

    /// Does some work on a cluster that nobody else uses, stops it, and answers what the work did and the files, with
    /// everybody kept out from the first to the last.
    ///
    /// # Errors
    /// `InUse` when somebody else uses it.
    pub async fn alone<T>(
        place: &ClusterPlace,
        work: impl AsyncFnOnce(&DatabaseUrl) -> T,
    ) -> Result<(T, Still), ClusterError> {
        let (cluster, gate) = Self::begin(place, true).await?;
        let done = work(&cluster.url).await;
        let still = spawn_blocking(move || cluster.into_still(gate)).await;
        Ok((done, still.map_err(|e| DbError::Connect(Box::new(e)))??))
    }

    async fn begin(place: &ClusterPlace, alone: bool) -> Result<(Self, File), ClusterError> {
        let place = place.clone();
        let started = spawn_blocking(move || start(&place, alone)).await;
        let (cluster, gate) = started.map_err(|e| DbError::Connect(Box::new(e)))??;
        if cluster.watcher.is_some() {
            ensure_database(&cluster.url).await?;
        }
        Ok((cluster, gate))
    }

    /// How to reach its database.
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// The directory of its Unix socket.
    pub fn socket_directory(&self) -> &Path {
        &self.layout.run
    }

    /// Whether another process had started it.
    pub fn joined(&self) -> bool {
        self.watcher.is_none()
    }

    /// Leaves the cluster; answers true when nobody else uses it, and it has therefore stopped.
    ///
    /// # Errors
    /// `Slow` when the server does not stop.
    pub async fn stop(self) -> Result<bool, ClusterError> {
        spawn_blocking(move || self.leave()).await.map_err(|e| DbError::Connect(Box::new(e)))?
    }

    fn leave(self) -> Result<bool, ClusterError> {
        let _gate = enter(&self.layout)?;
        self.part()
    }

    /// Leaves it; the caller holds the gate.
    fn part(self) -> Result<bool, ClusterError> {
        let Self { layout, users, alive, watcher, .. } = self;
        users.unlock().map_err(ClusterError::io("cannot unlock", &layout.users))?;
        let last = claim(&users, &layout.users)?;
        if alive.is_none() || !last {
            return Ok(false);
        }
        drop(alive);
        server::wait_gone(&layout)?;
        if let Some(mut watcher) = watcher {
            watcher.wait().map_err(ClusterError::io("cannot wait for", &layout.data))?;
        }
        Ok(true)
    }
}

fn start(place: &ClusterPlace, alone_only: bool) -> Result<(Cluster, File), ClusterError> {
    let layout = Layout::prepare(&place.home)?;
    let gate = enter(&layout)?;
    // The pipe first: who then still has a companion has one that kept the pipe open, so the server is not stopping.
    let alive = open(&layout.alive, OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()).map(File::from);
    let users = Layout::lock_file(&layout.users)?;
    let alone = claim(&users, &layout.users)?;
    if alone_only && !alone {
        return Err(ClusterError::InUse);
    }
    let postmaster = Postmaster::read(&layout).filter(|postmaster| postmaster.runs(&layout));
    let (alive, watcher, run) = match postmaster {
        // Without a pipe its watcher was killed: we cannot keep it running, and whoever comes next will stop it.
        Some(postmaster) if !alone => (alive.ok(), None, postmaster.run),
        _ => {
            drop(alive);
            let binaries = binaries::find(place.pg_bin.as_deref(), server::made_by(&layout))?;
            server::evict(&layout, &binaries)?;
            if server::made_by(&layout).is_none() {
                server::create(&layout, &binaries)?;
            }
            let (watcher, alive) = server::launch(&layout, &binaries, &place.settings)?;
            (Some(alive), Some(watcher), layout.run.clone())
        }
    };
    users.lock_shared().map_err(ClusterError::io("cannot lock", &layout.users))?;
    let url = DatabaseUrl::socket(&run, SUPERUSER, DATABASE);
    Ok((Cluster { layout: Layout { run, ..layout }, url, users, alive, watcher }, gate))
}

/// Waits for whoever is starting, joining or leaving.
fn enter(layout: &Layout) -> Result<File, ClusterError> {
    let gate = Layout::lock_file(&layout.gate)?;
    server::wait("another process that starts or stops the server", START_TIMEOUT_S, || claim(&gate, &layout.gate))?;
    Ok(gate)
}

/// The gate, held, of a cluster that nobody uses, and the lock that says so.
fn enter_alone(layout: &Layout) -> Result<(File, File), ClusterError> {
    let gate = enter(layout)?;
    let users = Layout::lock_file(&layout.users)?;
    if claim(&users, &layout.users)? { Ok((gate, users)) } else { Err(ClusterError::InUse) }
}

/// Whether the lock was free, and is now ours alone.
fn claim(file: &File, path: &Path) -> Result<bool, ClusterError> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(ClusterError::io("cannot lock", path)(error)),
    }
}

async fn ensure_database(url: &DatabaseUrl) -> Result<(), ClusterError> {
    if connect(url).await.is_ok() {
        return Ok(());
    }
    let mut conn = connect(&url.with_database("postgres")).await?;
    conn.batch_execute("CREATE DATABASE perennial").await.map_err(DbError::from)?;
    Ok(())
}
