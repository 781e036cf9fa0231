//! Copies of a private cluster: a dump of its database while it runs, or its files while it stands still.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::binaries::{self, Binaries};
use super::error::ClusterError;
use super::layout::{Account, Layout};
use super::server::{self, POLL_MS, Postmaster, SUPERUSER, tail};
use super::{Cluster, ClusterPlace, DATABASE};

/// What belongs to a running server, and is nobody's data.
const OF_THE_PROCESS: [&str; 2] = ["postmaster.pid", "postmaster.opts"];

/// The programs of Postgres that work on a place's cluster.
#[derive(Clone, Debug)]
pub struct Tools(Binaries);

impl Tools {
    /// Those of the version that made the data, where there is data, else the newest.
    ///
    /// # Errors
    /// `NoBinaries`, with what to install.
    pub fn of(place: &ClusterPlace) -> Result<Self, ClusterError> {
        let made_by = server::major_of(&data_of(place));
        binaries::find(place.pg_bin.as_deref(), made_by).map(Self)
    }

    /// Their major version.
    pub fn major(&self) -> u32 {
        self.0.major
    }

    /// A program, if it is installed beside the server, or beside what a link of that name stands for.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        let directory = &self.0.directory;
        let real = directory.join("postgres").canonicalize().ok();
        let real = real.as_deref().and_then(Path::parent).unwrap_or(directory);
        [directory, real].into_iter().map(|directory| directory.join(name)).find(|path| path.is_file())
    }

    /// Writes the database, as one snapshot of it looks, into a new file that only its owner reads.
    ///
    /// # Errors
    /// `Missing` without `pg_dump`, `Interrupted` when told to stop.
    pub fn dump(&self, cluster: &Path, snapshot: &str, file: &Path, stop: &AtomicBool) -> Result<(), ClusterError> {
        // Made by us: pg_dump would let the process's mask decide who reads it.
        create(file)?;
        let mut command = self.client("pg_dump", cluster)?;
        command.args(["--format=custom", "--lock-wait-timeout=60s", "--snapshot", snapshot, "--file"]).arg(file);
        run("pg_dump", command.arg(DATABASE), stop)
    }

    /// Loads such a file into the database, which has to be empty.
    ///
    /// # Errors
    /// `Missing` without `pg_restore`, `Interrupted` when told to stop.
    pub fn load(&self, cluster: &Path, file: &Path, jobs: usize, stop: &AtomicBool) -> Result<(), ClusterError> {
        let mut command = self.client("pg_restore", cluster)?;
        command.arg("--exit-on-error").arg(format!("--jobs={jobs}")).args(["--dbname", DATABASE]);
        run("pg_restore", command.arg(file), stop)
    }

    fn client(&self, name: &'static str, cluster: &Path) -> Result<Command, ClusterError> {
        let directory = || self.0.directory.clone();
        let program =
            self.program(name).ok_or_else(|| ClusterError::Missing { program: name, directory: directory() })?;
        let mut command = Account::caller().command(&program);
        command.arg("--host").arg(cluster).args(["--port=5432", "--no-password", "--username", SUPERUSER]);
        Ok(command)
    }
}

/// Whether there is a cluster at a place; looks only.
pub fn has_data(place: &ClusterPlace) -> bool {
    server::major_of(&data_of(place)).is_some()
}

/// Where the data of a place's cluster is.
fn data_of(place: &ClusterPlace) -> PathBuf {
    place.home.join("postgres").join("data")
}

/// A cluster that stands still, with everybody kept out.
pub struct Still {
    layout: Layout,
    _gate: File,
}

impl Still {
    /// Copies its files into a new directory, for nobody but the caller to read.
    ///
    /// # Errors
    /// `Place` when a part of it lies elsewhere, `Interrupted` when told to stop.
    pub fn copy(&self, into: &Path, stop: &AtomicBool) -> Result<(), ClusterError> {
        copy_tree(&self.layout.data, into, Account::caller(), stop)
    }
}

/// A place without a cluster, kept free for the one that is made beside it. What is not moved in goes with this value.
pub struct Vacancy {
    layout: Layout,
    staging: ClusterPlace,
    _gate: File,
}

impl Vacancy {
    /// Keeps everybody out of a place that has no data.
    ///
    /// # Errors
    /// `Occupied` when it has some, `InUse` when somebody uses it.
    pub fn claim(place: &ClusterPlace) -> Result<Self, ClusterError> {
        let layout = Layout::prepare(&place.home)?;
        let (gate, _) = super::enter_alone(&layout)?;
        if layout.data.symlink_metadata().is_ok() {
            return Err(ClusterError::Occupied { data: layout.data });
        }
        let staging = ClusterPlace { home: place.home.join("restoring"), ..place.clone() };
        let vacancy = Self { layout, staging, _gate: gate };
        vacancy.clear()?;
        Ok(vacancy)
    }

    /// Where the new cluster is made.
    pub fn staging(&self) -> &ClusterPlace {
        &self.staging
    }

    /// Lays the files of a cluster where the new one is made.
    ///
    /// # Errors
    /// When they cannot be copied; `Interrupted` when told to stop.
    pub fn lay(&self, files: &Path, stop: &AtomicBool) -> Result<(), ClusterError> {
        let layout = Layout::prepare(&self.staging.home)?;
        copy_tree(files, &layout.data, layout.account, stop)
    }

    /// Moves the new cluster, which has been stopped, to its place.
    ///
    /// # Errors
    /// When the files cannot be moved.
    pub fn settle(self) -> Result<(), ClusterError> {
        let made = data_of(&self.staging);
        fs::rename(&made, &self.layout.data).map_err(ClusterError::io("cannot rename", &made))?;
        let root = self.layout.data.parent().unwrap_or(&self.layout.data);
        sync(root)
    }

    /// Removes what was made, or what a restore that was killed has left.
    fn clear(&self) -> Result<(), ClusterError> {
        let home = &self.staging.home;
        if home.symlink_metadata().is_err() {
            return Ok(());
        }
        let layout = Layout::prepare(home)?;
        if Postmaster::read(&layout).is_some_and(|postmaster| postmaster.runs(&layout)) {
            let made_by = server::made_by(&layout);
            server::evict(&layout, &binaries::find(self.staging.pg_bin.as_deref(), made_by)?)?;
        }
        fs::remove_dir_all(home).map_err(ClusterError::io("cannot remove", home))
    }
}

impl Drop for Vacancy {
    fn drop(&mut self) {
        if let Err(error) = self.clear() {
            tracing::warn!(error = error.chain(), "the remains of a restore were not removed");
        }
    }
}

impl Cluster {
    /// Stops it and answers its files, with everybody kept out for as long as the gate is held.
    pub(super) fn into_still(self, gate: File) -> Result<Still, ClusterError> {
        let layout = self.layout.clone();
        if self.part()? { Ok(Still { layout, _gate: gate }) } else { Err(ClusterError::InUse) }
    }
}

/// Copies a directory with all that is in it, on to the disk, for nobody but its owner to read.
fn copy_tree(from: &Path, to: &Path, owner: Account, stop: &AtomicBool) -> Result<(), ClusterError> {
    DirBuilder::new().mode(0o700).create(to).map_err(ClusterError::io("cannot make", to))?;
    for entry in fs::read_dir(from).map_err(ClusterError::io("cannot read", from))? {
        let entry = entry.map_err(ClusterError::io("cannot read", from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(ClusterError::io("cannot see", &source))?;
        if kind.is_dir() {
            copy_tree(&source, &target, owner, stop)?;
        } else if kind.is_file() {
            if !OF_THE_PROCESS.iter().any(|name| entry.file_name() == *name) {
                copy_file(&source, &target, owner, stop)?;
            }
        } else {
            let reason = String::from("it is no plain file: a cluster with parts elsewhere is not copied");
            return Err(ClusterError::Place { path: source, reason });
        }
    }
    owner.give(to)?;
    sync(to)
}

fn copy_file(from: &Path, to: &Path, owner: Account, stop: &AtomicBool) -> Result<(), ClusterError> {
    if AtomicBool::load(stop, Ordering::Acquire) {
        return Err(ClusterError::Interrupted);
    }
    let mut source = File::open(from).map_err(ClusterError::io("cannot open", from))?;
    let mut target = create(to)?;
    io::copy(&mut source, &mut target).map_err(ClusterError::io("cannot write", to))?;
    target.sync_all().map_err(ClusterError::io("cannot write", to))?;
    owner.give(to)
}

fn create(path: &Path) -> Result<File, ClusterError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options.open(path).map_err(ClusterError::io("cannot make", path))
}

/// Puts a file or directory on to the disk.
///
/// # Errors
/// When it cannot.
pub fn sync(path: &Path) -> Result<(), ClusterError> {
    let synced = File::open(path).and_then(|file| file.sync_all());
    synced.map_err(ClusterError::io("cannot write", path))
}

/// Runs a program to its end, unless told to stop.
fn run(program: &'static str, command: &mut Command, stop: &AtomicBool) -> Result<(), ClusterError> {
    // A group of its own: at an interrupt from the terminal it is we who end it.
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(ClusterError::io("cannot run", Path::new(program)))?;
    let ended = loop {
        match child.try_wait().map_err(ClusterError::io("cannot watch", Path::new(program)))? {
            Some(status) => break status,
            None if AtomicBool::load(stop, Ordering::Acquire) => {
                // In its own way, in which it also cancels what the server does for it. It may have ended meanwhile.
                let _ = kill_process(Pid::from_child(&child), Signal::TERM);
                drop(child.wait());
                return Err(ClusterError::Interrupted);
            }
            None => sleep(Duration::from_millis(POLL_MS)),
        }
    };
    if ended.success() {
        return Ok(());
    }
    let mut said = Vec::new();
    if let Some(mut errors) = child.stderr.take() {
        errors.read_to_end(&mut said).map_err(ClusterError::io("cannot read", Path::new(program)))?;
    }
    Err(ClusterError::Program { program, said: tail(&String::from_utf8_lossy(&said)) })
}
